/* offer: from the journal to the queue.
 *
 * A thread of its own, so that a slow or missing server never keeps the loop from the microscope's
 * folder. Whatever waits in the journal, for each of its pipelines, is put in the queue, oldest
 * first, as soon as NATS takes it; until then it is held back. Frames that got lost behind the
 * queue come to wait again. A pipeline that is not among the journal's any longer has its messages
 * taken out of the queue. */
#ifndef INGEST_OFFER_H
#define INGEST_OFFER_H

#include "ingest/journal.h"
#include "stream/bus.h"
#include "stream/delivery.h"

typedef struct Offer Offer;

/* All are borrowed and must outlive it. FAULT_AGAIN if it cannot listen for word of stored frames.
 */
Offer *offer_start(const Settings *settings, Journal *journal, Bus *control, DeliveryOffice *office,
                   GError **error);
/* Ends the thread, after the round it is at. Handlers of control may still call it until control is
 * closed: free it after that. */
void offer_stop(Offer *offer);
void offer_free(Offer *offer); /* accepts NULL */

/* Something was written in the journal. */
void offer_wake(Offer *offer);

/* Why offers are held back, all or those to some pipelines; NULL: none are. Caller g_frees. */
char *offer_holding(Offer *offer);

/* Whether the store told of frames whose files were gone, since this was asked last: a scan has to
 * look whether they are back. */
bool offer_heard_of_vanished(Offer *offer);

/* False, with the error, once the journal failed under it. */
bool offer_is_well(Offer *offer, GError **error);

#endif
