/* vitals: what the metrics tell of the store: counts of what was stored, how long the queues at
 * NATS are, and whether all that it needs is there. */
#ifndef STORE_VITALS_H
#define STORE_VITALS_H

#include "store/batch.h"
#include "stream/bus.h"

typedef struct Vitals Vitals;

/* Serves metrics where the settings say, until vitals_close. Both are borrowed. FAULT_USAGE: the
 * address cannot be had. */
Vitals *vitals_open(const Settings *settings, Bus *bus, GError **error);
void vitals_close(Vitals *vitals); /* accepts NULL */

/* Whether PostgreSQL is reached, and its schema the right one. */
void vitals_set_database(Vitals *vitals, bool reached);
/* What was taken from the queue. */
void vitals_count_taken(const Batch *batch);
/* What was committed, since begun_us. */
void vitals_count_committed(Vitals *vitals, const Batch *batch, gint64 begun_us);

#endif
