/* delivery_private: what a delivery is made of: one row of deliveries.list, one delivery_<name>.c
 * that defines `const Delivery delivery_<name>`. */
#ifndef STREAM_DELIVERY_PRIVATE_H
#define STREAM_DELIVERY_PRIVATE_H

#include "stream/delivery.h"

typedef struct {
    const char *name;

    /* --- ingest's end --- */

    /* Opens the listening end and sets *ret_state, handed to the other functions; it stays NULL
     * where the settings switch this way off. NULL: there is nothing to open. FAULT_USAGE: an
     * address that cannot be listened on. */
    bool (*open_office)(DeliveryOffice *office, void **ret_state, GError **error);
    void (*close_office)(void *state);
    /* Adds to the descriptor what a worker needs for this way; leaves it alone where the way is not
     * open for this frame. NULL: workers need nothing. FAULT_VANISHED: the bytes are needed now,
     * and are gone. */
    bool (*offer)(DeliveryOffice *office, void *state, Descriptor *descriptor, GError **error);

    /* --- the worker's end --- */

    /* As open_office. FAULT_USAGE: a setting that cannot be right. */
    bool (*open_desk)(DeliveryDesk *desk, void **ret_state, GError **error);
    void (*close_desk)(void *state);
    /* Whether this way is worth trying for this frame. */
    bool (*possible)(DeliveryDesk *desk, void *state, const Descriptor *descriptor);
    /* Sets bytes, page and, for a mapped file, file of the parcel. FAULT_VANISHED is the last word
     * and only ingest may say it; after any other fault the next way is tried. */
    bool (*receive)(DeliveryDesk *desk, void *state, const Descriptor *descriptor,
                    DeliveryParcel *parcel, GError **error);
} Delivery;

#define DELIVERY(name) extern const Delivery delivery_##name;
#include "stream/deliveries.list"
#undef DELIVERY

struct DeliveryOffice {
    const Settings *settings;
    Bus *bus;
    guint8 secret[32];
    DeliveryLookup lookup;
    void *context;
    GMutex lock;
    GQueue recent; /* of Announced: files opened a moment ago, because a frame is asked in ranges */
    void **states;
};

struct DeliveryDesk {
    const Settings *settings;
    Bus *bus;
    bool *allowed;
    void **states;
};

/* The bytes of an announced frame, from any thread; the caller frees the reference. NULL with
 * FAULT_VANISHED if the frame is unknown, gone or changed. */
FrameBytes *delivery_office_find(DeliveryOffice *office, const FrameId *id, GError **error);

#endif
