/* leftover: messages that a killed NATS server brought back.
 *
 * nats-server 2.9 writes removals late and acknowledgements soon: after a SIGKILL a stream may hold
 * messages its consumer knows as acknowledged and gives to nobody, and the consumer may wait for
 * acknowledgements of messages the stream no longer holds. Both would last for ever.
 *
 * Pure logic: it asks no server and reads no clock. */
#ifndef INGEST_LEFTOVER_H
#define INGEST_LEFTOVER_H

#include "stream/bus.h"

/* Of one stream, zeroed at first. */
typedef struct {
    gint64 since_us; /* nothing moved since; 0: something does, or may */
    guint64 deliveries, in_work;
} Leftover;

/* Looks at stream, whose state with its consumer was just asked for. Returns the sequence up to
 * which the consumer's messages are leftovers, or 0 if there are none, or that cannot be told.
 * now_us: monotonic. */
guint64 leftover_look(Leftover *leftover, const BusStream *stream, const BusStreamState *state,
                      gint64 now_us);

#endif
