/* looks: what viewers ask for one by one: a plate map, frames, a well, a picture. Whoever asks the
 * same shares the answer: the database is asked once, over one connection, however many look. */
#ifndef STORE_PAGE_LOOKS_H
#define STORE_PAGE_LOOKS_H

#include "stream/http.h"
#include "stream/settings.h"

typedef struct Looks Looks;

/* FAULT_USAGE: the connection string is malformed. */
Looks *looks_start(const Settings *settings, GError **error);
/* Before http_stop: whoever waits, or asks from now on, is told that it ends. Accepts NULL. */
void looks_stop(Looks *looks);
/* After http_stop. Accepts NULL. */
void looks_free(Looks *looks);

/* Whether it is one of ours: then request is answered, now or later. On the server's thread. */
bool looks_answer(Looks *looks, HttpRequest *request);

#endif
