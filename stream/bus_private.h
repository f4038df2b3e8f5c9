/* bus_private: what bus.c (the connection), bus_message.c, bus_inbox.c and bus_jetstream.c (durable
 * work) share. */
#ifndef STREAM_BUS_PRIVATE_H
#define STREAM_BUS_PRIVATE_H

#include "stream/bus.h"
#include <nats/nats.h>

/* One connection of the library and the subscriptions made on it. A Bus goes through several links
 * in its life; whoever uses one holds a reference, so that a closed one is destroyed only when
 * nobody looks at it any more. */
typedef struct {
    natsConnection *connection;
    GMutex lock;
    GPtrArray *subscriptions; /* natsSubscription*; destroyed after the connection is closed */
} Link;

struct Bus {
    char *role;
    char *address;
    natsOptions *options;

    GMutex lock;
    GCond changed;
    Link *link; /* NULL: not connected yet, or closed by the library */
    bool connected, closed, closing;
    guint delivering;  /* subscriptions whose handler may still be called */
    bool owes_closing; /* a connection was made whose closing the library has not told yet */
    guint generation;
    guint refusals; /* credentials refused in a row */
    char *reason;   /* why it is not connected */
    GPtrArray *handlers;
    GThread *supervisor;

    GMutex publishing; /* one bus_publish_durably at a time: they share the inbox for acks */
    BusInbox *acks;
};

struct BusMessage {
    natsMsg *message;
};

/* Takes over message. */
BusMessage *bus_message_take(natsMsg *message);

/* A reference to the link in use, or NULL with FAULT_AGAIN if not connected. */
Link *bus_link(Bus *bus, GError **error);
void link_unref(Link *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Link, link_unref)
/* Gives link a subscription made on it, without limit of waiting messages; a status that is not
 * NATS_OK (nothing was made) is passed on. */
natsStatus link_keep(Link *link, natsStatus status, natsSubscription *subscription);

/* Sets error to FAULT_AGAIN: "doing: what the library says", and returns false. */
bool bus_fail(GError **error, const char *doing, natsStatus status);
/* Sets error to FAULT_AGAIN: which address, and why it is not connected. bus->lock is held. */
bool bus_not_connected(Bus *bus, GError **error);

/* Sends a message; reply may be NULL. */
bool bus_send(Link *link, const char *subject, const char *reply, const BusHeader *headers,
              const void *data, gsize length, GError **error);

/* The inbox, subscribed on link: made anew when link is another one than the last time. */
bool bus_inbox_ready(BusInbox *inbox, Link *link, GError **error);
/* The address a question is answered to: `<inbox>.<round>.<number>`. The caller frees it. */
char *bus_inbox_address(const BusInbox *inbox, guint number);
/* The next message of any round; NULL with *ret_status NATS_TIMEOUT or what else it was. */
BusMessage *bus_inbox_take(BusInbox *inbox, int timeout_ms, natsStatus *ret_status);
/* Whether an answer belongs to the round asked last, and the number at the end of its subject. */
bool bus_inbox_is_current(const BusInbox *inbox, const BusMessage *answer, guint *ret_number);

#endif
