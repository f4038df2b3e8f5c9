/* delivery: how a frame's bytes reach the worker that is free. One way is one file and one row of
 * deliveries.list, with both of its ends: what ingest does to make it possible and what a worker
 * does to receive. The rows stand from cheapest to most general; a worker takes the first that
 * works for a frame, and its result's row says which it was. */
#ifndef STREAM_DELIVERY_H
#define STREAM_DELIVERY_H

#include "stream/bus.h"
#include "stream/descriptor.h"
#include "stream/frame_bytes.h"
#include "stream/settings.h"

/* --- ingest's end --- */

/* Finds the bytes of a frame ingest has announced; given to deliveries that answer requests, and
 * called from their own threads. Never opens anything but files of its own journal.
 * FAULT_VANISHED: unknown, gone or changed. */
typedef FrameBytes *(*DeliveryLookup)(const FrameId *id, void *context, GError **error);

typedef struct DeliveryOffice DeliveryOffice;

/* Opens every delivery's listening end (direct's socket, fetch's subscriptions). bus is borrowed;
 * close it before the office, which answers until then. secret is what keys are derived from. */
DeliveryOffice *delivery_office_open(const Settings *settings, Bus *bus, const guint8 secret[32],
                                     DeliveryLookup lookup, void *context, GError **error);
void delivery_office_close(DeliveryOffice *office); /* accepts NULL */

/* Adds to descriptor, whose frame and pipeline are set, what each delivery needs. FAULT_VANISHED if
 * the frame's bytes are needed (inline) and no longer there; the other ways are offered even then.
 */
bool delivery_offer(DeliveryOffice *office, Descriptor *descriptor, GError **error);

/* --- the worker's end --- */

typedef struct DeliveryDesk DeliveryDesk;

DeliveryDesk *delivery_desk_open(const Settings *settings, Bus *bus, GError **error);
void delivery_desk_close(DeliveryDesk *desk); /* accepts NULL */

typedef struct {
    GBytes *bytes;   /* an image file; owned by the parcel, may be a mapped file */
    guint32 page;    /* the page of it that is the frame */
    const char *way; /* name of the delivery that brought it; static */
    /* path only: the open file behind the mapping, to check that it did not change meanwhile */
    FrameBytes *file;
} DeliveryParcel;

/* Receives the frame's bytes by the first delivery that works.
 * FAULT_VANISHED: gone or changed, by word of ingest or of the file itself; FAULT_AGAIN: nobody
 * answered; FAULT_BROKEN: more bytes than the settings allow. */
bool delivery_receive(DeliveryDesk *desk, const Descriptor *descriptor, DeliveryParcel *ret_parcel,
                      GError **error);
/* FAULT_VANISHED if what was measured may be a mixture of two versions: call it after the last look
 * at the bytes. */
bool delivery_parcel_check(DeliveryParcel *parcel, GError **error);
void delivery_parcel_clear(DeliveryParcel *parcel); /* accepts one that is all zero */

#endif
