/* bus: all of NATS. No other file knows nats.h.
 *
 * A Bus is one supervised connection that never gives up: it reconnects for ever, and is built anew
 * with all its subscriptions when the library closes it for good. While it is away every call fails
 * at once with FAULT_AGAIN; nothing is buffered behind the caller's back. A process has two:
 * control (small messages) and bulk (pixels), so that one never waits behind the other.
 *
 * Threads: publish, request, pull and settle calls may come from any thread. Handlers are called
 * from a thread of the library, one at a time per subscription. */
#ifndef STREAM_BUS_H
#define STREAM_BUS_H

#include "stream/fault.h"
#include "stream/settings.h"
#include <glib.h>

typedef struct Bus Bus;

/* Starts connecting and returns; role ("ingest-bulk") is what the server's monitoring shows.
 * FAULT_USAGE if a setting cannot be right (an address that is none, a credentials file that cannot
 * be read). A server that is not there is not an error. */
Bus *bus_open(const Settings *settings, const char *role, GError **error);
/* Flushes, and waits until no handler is called any more. Accepts NULL. */
void bus_close(Bus *bus);

bool bus_is_connected(Bus *bus);
/* Waits until connected. FAULT_AGAIN after timeout_ms, naming the address and the last reason;
 * FAULT_USAGE if the server refused the credentials. */
bool bus_wait(Bus *bus, int timeout_ms, GError **error);
/* One phrase for people: "connected to nats://...", "nats://...: Connection refused". g_free it. */
char *bus_state(Bus *bus);
/* Counts connections made; a change means that what is not durable may have been missed. */
guint bus_generation(Bus *bus);
/* The server's limit for headers and body together; 0 while not connected. */
gsize bus_max_payload(Bus *bus);

/* --- messages --- */

typedef struct {
    const char *name;
    const char *value; /* printable ASCII */
} BusHeader;

/* A message that arrived. Free with bus_message_free. */
typedef struct BusMessage BusMessage;
const char *bus_message_subject(const BusMessage *message);
const char *bus_message_reply(const BusMessage *message); /* NULL: none is wanted */
/* Borrowed from the message; NULL if absent. */
const char *bus_message_header(const BusMessage *message, const char *name);
const guint8 *bus_message_data(const BusMessage *message, gsize *ret_length);
/* The body as GBytes that keep the message alive: no copy. Takes over the message. */
GBytes *bus_message_into_bytes(BusMessage *message);
void bus_message_free(BusMessage *message); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BusMessage, bus_message_free)

/* Core publish: at most once. headers end with a {NULL} row; NULL: none. */
bool bus_publish(Bus *bus, const char *subject, const BusHeader *headers, const void *data,
                 gsize length, GError **error);
/* Waits until the server has had what was published on this connection: what was, before it was
 * built (bus_generation), may be lost. FAULT_AGAIN: the server is away, or silent for timeout_ms.
 */
bool bus_flush(Bus *bus, int timeout_ms, GError **error);
/* Asks, and waits for one answer. FAULT_AGAIN: nobody listens, or none came within timeout_ms. */
BusMessage *bus_request(Bus *bus, const char *subject, const BusHeader *headers, const void *data,
                        gsize length, int timeout_ms, GError **error);

/* Answers to one question that come in several messages (fetch), or from several processes
 * (status): an inbox is a subscription of its own. */
typedef struct BusInbox BusInbox;
BusInbox *bus_inbox_open(Bus *bus, GError **error);
void bus_inbox_close(BusInbox *inbox); /* accepts NULL */
/* Publishes with a reply address in this inbox; what is answered arrives in bus_inbox_next. */
bool bus_inbox_ask(BusInbox *inbox, const char *subject, const BusHeader *headers, const void *data,
                   gsize length, GError **error);
/* Answers to everything asked before this are dropped from now on. */
void bus_inbox_forget(BusInbox *inbox);
/* The next answer; NULL without error after timeout_ms; NULL with FAULT_AGAIN if the connection
 * was lost, or nobody listens on the subject asked. */
BusMessage *bus_inbox_next(BusInbox *inbox, int timeout_ms, GError **error);

/* Calls handler with every message on subject until the bus is closed, across reconnections. With a
 * queue group (NULL: none) one member of it gets each message. The handler owns the message. When
 * it returns and the bus is connected, the server knows of it. */
typedef void (*BusHandler)(BusMessage *message, void *context);
bool bus_subscribe(Bus *bus, const char *subject, const char *queue_group, BusHandler handler,
                   void *context, GError **error);

/* --- durable work: JetStream --- */

typedef struct {
    const char *name;
    const char *subjects[4]; /* ends with NULL */
    gint64 max_bytes, max_messages;
    gint64 max_message_bytes;
    const char *consumer; /* durable pull consumer made with it; NULL: none */
    const char *filter;   /* of that consumer; NULL: everything */
    gint64 ack_wait_ms, max_ack_pending;
    gint64 replicas;
} BusStream;

/* The two streams of scopestream; docs/wire.md gives the reason for every setting. */
BusStream bus_stream_frames(const Settings *settings, const char *pipeline);
BusStream bus_stream_results(const Settings *settings);

/* Makes stream and consumer, or brings their limits to what is asked; a second call changes
 * nothing. FAULT_AGAIN: not connected; FAULT_USAGE: the server cannot give what is asked (JetStream
 * is off, the disk limit is too small, retention differs), with its words. */
bool bus_ensure_stream(Bus *bus, const BusStream *stream, GError **error);

typedef struct {
    guint64 messages, bytes;
    guint64 first_sequence, last_sequence;
    gint64 created_ns;         /* changes when the stream was lost and made anew */
    guint64 consumer_messages; /* of messages, those that pass its filter */
    guint64 consumer_floor;    /* sequence up to which all that pass are acknowledged */
    guint64 consumer_pending;  /* not yet given to anyone */
    guint64 consumer_in_work;  /* given out, not yet acknowledged */
    guint64 consumer_redelivered;
    guint64 consumer_deliveries; /* made, counting repetitions */
    guint64 consumer_sequence;   /* of the stream, up to which all were given to someone */
    guint64 consumer_waiting;    /* requests for messages that stand open */
} BusStreamState;
/* consumer may be NULL: its figures are then 0. */
bool bus_stream_state(Bus *bus, const char *stream, const char *consumer, BusStreamState *ret_state,
                      GError **error);

/* Removes the messages of the stream's consumer up to sequence, whether acknowledged or not.
 * FAULT_AGAIN: not connected, or no answer. */
bool bus_drop_until(Bus *bus, const BusStream *stream, guint64 sequence, GError **error);

/* Publishes into a stream and waits for each PubAck. Several at once: all are sent before the first
 * ack is waited for. */
typedef struct {
    const char *subject;
    const BusHeader *headers;
    const void *data;
    gsize length;
    /* filled in */
    bool stored;
    bool duplicate;   /* the server had this Nats-Msg-Id already */
    guint64 sequence; /* in the stream */
    GError *error;    /* FAULT_AGAIN: full, away or without answer; owned by the caller */
} BusPublication;
/* Returns the number stored. */
guint bus_publish_durably(Bus *bus, BusPublication publications[], guint count, int timeout_ms);

/* An own raw pull: one inbox, one request at a time, messages acknowledged by their reply subject.
 */
typedef struct BusPull BusPull;
BusPull *bus_pull_open(Bus *bus, const char *stream, const char *consumer, GError **error);
void bus_pull_close(BusPull *pull); /* gives back what was not taken; accepts NULL */
/* The next message: asks for up to batch when none is at hand and waits at most timeout_ms. NULL
 * without error: none came. NULL with FAULT_AGAIN: not connected, or the consumer is not there. */
BusMessage *bus_pull_next(BusPull *pull, guint batch, int timeout_ms, GError **error);

/* What became of a message of a pull, by its reply subject (bus_message_reply), which outlives the
 * message. Lost settlements are harmless: the message comes again. */
bool bus_ack(Bus *bus, const char *reply, GError **error);
bool bus_nak(Bus *bus, const char *reply, gint64 delay_ms, GError **error);
bool bus_still_working(Bus *bus, const char *reply, GError **error);
/* How often it was delivered, from 1, by its reply subject; 1 if that cannot be told. */
guint bus_delivery_count(const char *reply);

#endif
