/* Messages of core NATS: looking at one, sending one, asking. */
#include "stream/bus_private.h"

BusMessage *bus_message_take(natsMsg *message) {
    BusMessage *taken = g_new0(BusMessage, 1);
    taken->message = message;
    return taken;
}

const char *bus_message_subject(const BusMessage *message) {
    return natsMsg_GetSubject(message->message);
}

const char *bus_message_reply(const BusMessage *message) {
    return natsMsg_GetReply(message->message);
}

const char *bus_message_header(const BusMessage *message, const char *name) {
    const char *value = NULL;
    return natsMsgHeader_Get(message->message, name, &value) == NATS_OK ? value : NULL;
}

const guint8 *bus_message_data(const BusMessage *message, gsize *ret_length) {
    *ret_length = (gsize)natsMsg_GetDataLength(message->message);
    return (const guint8 *)natsMsg_GetData(message->message);
}

GBytes *bus_message_into_bytes(BusMessage *message) {
    gsize length;
    const guint8 *data = bus_message_data(message, &length);
    return g_bytes_new_with_free_func(data, length, (GDestroyNotify)bus_message_free, message);
}

void bus_message_free(BusMessage *message) {
    if (message == NULL)
        return;
    natsMsg_Destroy(message->message);
    g_free(message);
}

/* --- sending --- */

static natsStatus compose(natsMsg **ret_message, const char *subject, const char *reply,
                          const BusHeader *headers, const void *data, gsize length) {
    if (length > G_MAXINT)
        return NATS_MAX_PAYLOAD;
    natsStatus status = natsMsg_Create(ret_message, subject, reply, data, (int)length);
    for (; status == NATS_OK && headers != NULL && headers->name != NULL; headers++)
        status = natsMsgHeader_Set(*ret_message, headers->name, headers->value);
    return status;
}

/* The library writes a subject as it is given. */
static bool is_one_word(const char *subject) {
    for (const char *at = subject; *at != '\0'; at++)
        if (g_ascii_isspace(*at) || g_ascii_iscntrl(*at))
            return false;
    return *subject != '\0';
}

bool bus_send(Link *link, const char *subject, const char *reply, const BusHeader *headers,
              const void *data, gsize length, GError **error) {
    natsStatus status;
    if (!is_one_word(subject) || (reply != NULL && !is_one_word(reply)))
        return bus_fail(error, "publish", NATS_INVALID_SUBJECT);
    if (headers == NULL && length <= G_MAXINT) { /* nothing to compose: no copy */
        status = reply == NULL
                     ? natsConnection_Publish(link->connection, subject, data, (int)length)
                     : natsConnection_PublishRequest(link->connection, subject, reply, data,
                                                     (int)length);
    } else {
        natsMsg *message = NULL;
        status = compose(&message, subject, reply, headers, data, length);
        if (status == NATS_OK)
            status = natsConnection_PublishMsg(link->connection, message);
        natsMsg_Destroy(message);
    }
    if (status == NATS_OK)
        return true;
    g_autofree char *doing = g_strdup_printf("publish to %s", subject);
    return bus_fail(error, doing, status);
}

bool bus_publish(Bus *bus, const char *subject, const BusHeader *headers, const void *data,
                 gsize length, GError **error) {
    g_autoptr(Link) link = bus_link(bus, error);
    return link != NULL && bus_send(link, subject, NULL, headers, data, length, error);
}

bool bus_flush(Bus *bus, int timeout_ms, GError **error) {
    g_autoptr(Link) link = bus_link(bus, error);
    if (link == NULL)
        return false;
    natsStatus status = natsConnection_FlushTimeout(link->connection, timeout_ms);
    return status == NATS_OK || bus_fail(error, "flush", status);
}

BusMessage *bus_request(Bus *bus, const char *subject, const BusHeader *headers, const void *data,
                        gsize length, int timeout_ms, GError **error) {
    g_autoptr(Link) link = bus_link(bus, error);
    if (link == NULL)
        return NULL;
    natsMsg *question = NULL, *answer = NULL;
    natsStatus status = compose(&question, subject, NULL, headers, data, length);
    if (status == NATS_OK)
        status = natsConnection_RequestMsg(&answer, link->connection, question, timeout_ms);
    natsMsg_Destroy(question);
    if (status != NATS_OK) {
        g_autofree char *doing = g_strdup_printf("request to %s", subject);
        bus_fail(error, doing, status);
        return NULL;
    }
    return bus_message_take(answer);
}
