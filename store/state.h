/* state: what the metrics tell of the store: counts of what was stored, how long the queues at NATS
 * are, and whether all that it needs is there. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include "store/batch.h"
#include "stream/bus.h"

typedef struct State State;

/* Serves metrics where the settings say, until state_close. Both are borrowed. FAULT_USAGE: the
 * address cannot be had. */
State *state_open(const Settings *settings, Bus *bus, GError **error);
void state_close(State *state); /* accepts NULL */

/* Whether PostgreSQL is reached, and its schema the right one. */
void state_set_database(State *state, bool reached);
/* What was taken from the queue. */
void state_count_taken(const Batch *batch);
/* What was committed, since begun_us. */
void state_count_committed(State *state, const Batch *batch, gint64 begun_us);

#endif
