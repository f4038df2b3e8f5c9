/* enqueue: descriptors of waiting frames into the stream FRAMES. */
#ifndef INGEST_ENQUEUE_H
#define INGEST_ENQUEUE_H

#include "ingest/journal.h"
#include "stream/bus.h"
#include "stream/delivery.h"

/* Where offers go; all is borrowed. */
typedef struct {
    Journal *journal;
    Bus *bus;
    DeliveryOffice *office;
    const char *pipeline, *source;
    gint64 frames_created_ns; /* when the stream was made, as it says */
} Enqueue;

/* Publishes the first of offers, as many as a batch of some megabytes holds, and notes in the
 * journal those the stream took. ret_tried, ret_taken: how many that were, also where it fails.
 * FAULT_AGAIN if the stream did not take one: it is full, or away; FAULT_STOP from the journal. */
bool enqueue_batch(const Enqueue *enqueue, JournalOffer *const offers[], guint count,
                   guint *ret_tried, guint *ret_taken, GError **error);

#endif
