/* state: what is told to all viewers together, once a second at most and only while somebody looks:
 * lag and backlog, plates, alerts, decisions. docs/page.md gives the document. */
#ifndef STORE_PAGE_STATE_H
#define STORE_PAGE_STATE_H

#include "stream/http.h"
#include "stream/settings.h"

typedef struct State State;

/* FAULT_USAGE: an address in the settings is malformed. */
State *state_new(const Settings *settings, GError **error);
/* Whether PostgreSQL can be had, for now; FAULT_USAGE if it refuses us. Before state_start. */
bool state_try(State *state, GError **error);
/* Begins to tell the listeners of http, as event "state". */
void state_start(State *state, Http *http);
/* Ends telling, before http_stop; whoever asks from now on is told that it ends. Accepts NULL. */
void state_stop(State *state);
/* After http_stop. Accepts NULL. */
void state_free(State *state);

/* Answers with the same document: what is known, if that is fresh, or else what is gathered now. On
 * the server's thread. */
void state_answer(State *state, HttpRequest *request);
/* Somebody listens from now on. */
void state_wake(State *state);

#endif
