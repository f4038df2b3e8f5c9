/* reconcile: finds frames offered to a pipeline that got lost on their way, and those whose rows
 * came unnoticed.
 *
 * An offer is lost if the stream that took it is gone, or if it left the queue, every result that
 * stood in RESULTS after that has been committed, and the store still has no row of it. It is then
 * offered again. The order of looking makes this safe: first the queue, then RESULTS, then the
 * store; a frame on its way only moves in that direction. */
#ifndef INGEST_RECONCILE_H
#define INGEST_RECONCILE_H

#include "ingest/journal.h"
#include "stream/bus.h"
#include "stream/settings.h"

typedef struct Reconcile Reconcile;

/* All are borrowed. pipeline: one of the journal's. */
Reconcile *reconcile_new(const Settings *settings, Journal *journal, Bus *bus,
                         const char *pipeline);
void reconcile_free(Reconcile *reconcile); /* accepts NULL */

typedef struct {
    guint stream_lost; /* offers the queue has forgotten */
    guint lost;        /* offers that left it without a row */
    guint stored;      /* rows that came unnoticed */
    bool leftovers;    /* messages a killed server had brought back were taken out */
    bool more;         /* there is more to do: do not wait for the next time */
} ReconcileTale;

/* One round, bounded to a few questions. FAULT_AGAIN if NATS or the store does not answer: what was
 * found up to there stands. FAULT_STOP from the journal. */
bool reconcile_round(Reconcile *reconcile, ReconcileTale *ret_tale, GError **error);

#endif
