/* Durable work: streams, publishes that wait for their PubAck, raw pulls. Not through the library's
 * Fetch, which in 3.4.1 overflows the heap for batches, ends early on a stale status and ties acks
 * to its subscription: a pull is a request with a reply address, and an ack is a publish. */
#include "stream/bus_private.h"
#include "stream/json_read.h"
#include <string.h>

enum {
    API_TIMEOUT_MS = 5000,
    DUPLICATE_WINDOW_S = 120,
    FRAMES_ACK_WAIT_MS = 30000,
    RESULTS_ACK_WAIT_MS = 60000,
    MESSAGE_LIMIT_BYTES = 1 << 20,
    /* The server sometimes forgets to end a pull: we take it as ended this much after its time. */
    PULL_GRACE_MS = 500,
};

/* --- the two streams --- */

BusStream bus_stream_frames(const Settings *settings, const char *pipeline) {
    /* Names of streams live as long as the program: interned. */
    g_autofree char *consumer = g_strdup_printf("workers_%s", pipeline);
    g_autofree char *filter = g_strdup_printf("scopestream.frame.%s.>", pipeline);
    return (BusStream){
        .name = "FRAMES",
        .subjects = {"scopestream.frame.>"},
        .max_bytes = settings->frames_limit_bytes,
        .max_messages = settings->frames_limit_messages,
        .max_message_bytes = MAX(MESSAGE_LIMIT_BYTES, settings->inline_limit_bytes + 65536),
        .replicas = settings->nats_replicas,
        .consumer = g_intern_string(consumer),
        .filter = g_intern_string(filter),
        .ack_wait_ms = FRAMES_ACK_WAIT_MS,
        .max_ack_pending = 4096,
    };
}

BusStream bus_stream_results(const Settings *settings) {
    return (BusStream){
        .name = "RESULTS",
        .subjects = {"scopestream.result.>", "scopestream.event.>", "scopestream.catalogue.>"},
        .max_bytes = settings->results_limit_bytes,
        .max_messages = -1,
        .max_message_bytes = MESSAGE_LIMIT_BYTES,
        .replicas = settings->nats_replicas,
        .consumer = "store",
        .ack_wait_ms = RESULTS_ACK_WAIT_MS,
        .max_ack_pending = 8192,
    };
}

static gint64 ns(gint64 ms) {
    return ms * 1000000;
}

static void stream_config(const BusStream *stream, jsStreamConfig *config) {
    jsStreamConfig_Init(config);
    config->Name = stream->name;
    config->Subjects = (const char **)stream->subjects;
    while (stream->subjects[config->SubjectsLen] != NULL)
        config->SubjectsLen++;
    config->Retention = js_WorkQueuePolicy;
    config->Storage = js_FileStorage;
    config->Discard = js_DiscardNew;
    config->MaxAge = 0;
    config->MaxBytes = stream->max_bytes;
    config->MaxMsgs = stream->max_messages;
    config->MaxMsgSize = (int32_t)stream->max_message_bytes;
    config->Replicas = stream->replicas;
    config->Duplicates = ns(DUPLICATE_WINDOW_S * 1000);
}

static void consumer_config(const BusStream *stream, jsConsumerConfig *config) {
    jsConsumerConfig_Init(config);
    config->Durable = stream->consumer;
    config->FilterSubject = stream->filter;
    config->AckPolicy = js_AckExplicit;
    config->DeliverPolicy = js_DeliverAll;
    config->AckWait = ns(stream->ack_wait_ms);
    config->MaxAckPending = stream->max_ack_pending;
    config->MaxDeliver = -1;
    config->MaxWaiting = 2048;
}

/* JetStream's management calls, on one link. */
typedef struct {
    Link *link;
    jsCtx *context;
    jsErrCode code;
} Manager;

static void manager_clear(Manager *manager) {
    jsCtx_Destroy(manager->context);
    if (manager->link != NULL)
        link_unref(manager->link);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Manager, manager_clear)

static bool manager_open(Bus *bus, Manager *manager, GError **error) {
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = API_TIMEOUT_MS;
    manager->link = bus_link(bus, error);
    if (manager->link == NULL)
        return false;
    natsStatus status =
        natsConnection_JetStream(&manager->context, manager->link->connection, &options);
    return status == NATS_OK || bus_fail(error, "JetStream", status);
}

/* What the caller does next depends on who has to act: a server that is starting is waited for,
 * one that refuses for good needs a person. */
static bool manager_fail(const Manager *manager, const char *name, natsStatus status,
                         GError **error) {
    switch ((int)manager->code) {
    case JSStorageResourcesExceededErr:
    case JSInsufficientResourcesErr:
    case JSAccountResourcesExceededErr:
    case JSStreamMaxStreamBytesExceededErr:
        return fault_set(error, FAULT_USAGE,
                         "NATS has no room for stream %s (%s): lower [nats] frames-limit and "
                         "results-limit, or raise jetstream max_file in its configuration",
                         name, nats_GetLastError(NULL));
    case JSNotEnabledErr:
    case JSNotEnabledForAccountErr:
        return fault_set(error, FAULT_USAGE,
                         "JetStream is off at the NATS server: start it with -js, or give it a "
                         "jetstream section");
    case 0:
        return status == NATS_NO_RESPONDERS
                   ? fault_set(error, FAULT_AGAIN,
                               "stream %s: JetStream does not answer: is it on (nats-server -js)?",
                               name)
                   : bus_fail(error, name, status);
    default: return fault_set(error, FAULT_AGAIN, "stream %s: %s", name, nats_GetLastError(NULL));
    }
}

static bool ensure_stream(Manager *manager, const BusStream *stream, GError **error) {
    jsStreamConfig config;
    jsStreamInfo *info = NULL;
    stream_config(stream, &config);
    natsStatus status =
        js_GetStreamInfo(&info, manager->context, stream->name, NULL, &manager->code);
    if (status == NATS_NOT_FOUND || manager->code == JSStreamNotFoundErr) {
        manager->code = 0;
        status = js_AddStream(NULL, manager->context, &config, NULL, &manager->code);
    } else if (status == NATS_OK && info->Config->Retention != js_WorkQueuePolicy) {
        jsStreamInfo_Destroy(info);
        return fault_set(error, FAULT_USAGE,
                         "stream %s exists with another retention than work queue: it is not "
                         "scopestream's, or must be deleted by hand",
                         stream->name);
    } else if (status == NATS_OK && (info->Config->MaxBytes != config.MaxBytes ||
                                     info->Config->MaxMsgs != config.MaxMsgs ||
                                     info->Config->MaxMsgSize != config.MaxMsgSize ||
                                     info->Config->Replicas != config.Replicas)) {
        status = js_UpdateStream(NULL, manager->context, &config, NULL, &manager->code);
    }
    jsStreamInfo_Destroy(info);
    return status == NATS_OK || manager_fail(manager, stream->name, status, error);
}

static bool ensure_consumer(Manager *manager, const BusStream *stream, GError **error) {
    jsConsumerConfig config;
    jsConsumerInfo *info = NULL;
    consumer_config(stream, &config);
    natsStatus status = js_GetConsumerInfo(&info, manager->context, stream->name, stream->consumer,
                                           NULL, &manager->code);
    if (status == NATS_NOT_FOUND || manager->code == JSConsumerNotFoundErr) {
        manager->code = 0;
        status =
            js_AddConsumer(NULL, manager->context, stream->name, &config, NULL, &manager->code);
    } else if (status == NATS_OK && (info->Config->AckWait != config.AckWait ||
                                     info->Config->MaxAckPending != config.MaxAckPending)) {
        status =
            js_UpdateConsumer(NULL, manager->context, stream->name, &config, NULL, &manager->code);
    }
    jsConsumerInfo_Destroy(info);
    return status == NATS_OK || manager_fail(manager, stream->name, status, error);
}

bool bus_ensure_stream(Bus *bus, const BusStream *stream, GError **error) {
    g_auto(Manager) manager = {0};
    return manager_open(bus, &manager, error) && ensure_stream(&manager, stream, error) &&
           (stream->consumer == NULL || ensure_consumer(&manager, stream, error));
}

static void take_stream(const jsStreamInfo *info, BusStreamState *state) {
    state->messages = info->State.Msgs;
    state->bytes = info->State.Bytes;
    state->first_sequence = info->State.FirstSeq;
    state->last_sequence = info->State.LastSeq;
    state->created_ns = info->Created;
}

/* info was asked for with the consumer's filter, if it has one: then it counts by subject. */
static void take_consumer(const jsStreamInfo *info, const jsConsumerInfo *work,
                          BusStreamState *state) {
    const jsStreamStateSubjects *subjects = info->State.Subjects;
    bool is_filtered = work->Config->FilterSubject != NULL;
    state->consumer_messages = is_filtered ? 0 : info->State.Msgs;
    for (int index = 0; is_filtered && subjects != NULL && index < subjects->Count; index++)
        state->consumer_messages += subjects->List[index].Msgs;
    state->consumer_floor = work->AckFloor.Stream;
    state->consumer_pending = work->NumPending;
    state->consumer_in_work = (guint64)work->NumAckPending;
    state->consumer_redelivered = (guint64)work->NumRedelivered;
    state->consumer_deliveries = work->Delivered.Consumer;
    state->consumer_sequence = work->Delivered.Stream;
    state->consumer_waiting = (guint64)work->NumWaiting;
}

bool bus_stream_state(Bus *bus, const char *stream, const char *consumer, BusStreamState *ret_state,
                      GError **error) {
    g_auto(Manager) manager = {0};
    jsStreamInfo *info = NULL;
    jsConsumerInfo *work = NULL;
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = API_TIMEOUT_MS;
    *ret_state = (BusStreamState){0};
    if (!manager_open(bus, &manager, error))
        return false;
    natsStatus status = NATS_OK;
    if (consumer != NULL)
        status = js_GetConsumerInfo(&work, manager.context, stream, consumer, NULL, &manager.code);
    if (status == NATS_OK && work != NULL)
        options.Stream.Info.SubjectsFilter = work->Config->FilterSubject;
    if (status == NATS_OK)
        status = js_GetStreamInfo(&info, manager.context, stream, &options, &manager.code);
    if (status == NATS_OK)
        take_stream(info, ret_state);
    if (status == NATS_OK && work != NULL)
        take_consumer(info, work, ret_state);
    jsStreamInfo_Destroy(info);
    jsConsumerInfo_Destroy(work);
    return status == NATS_OK || manager_fail(&manager, stream, status, error);
}

bool bus_drop_until(Bus *bus, const BusStream *stream, guint64 sequence, GError **error) {
    g_auto(Manager) manager = {0};
    jsOptions options;
    jsOptions_Init(&options);
    options.Wait = API_TIMEOUT_MS;
    options.Stream.Purge.Subject = stream->filter;
    options.Stream.Purge.Sequence = sequence + 1;
    if (!manager_open(bus, &manager, error))
        return false;
    natsStatus status = js_PurgeStream(manager.context, stream->name, &options, &manager.code);
    return status == NATS_OK || manager_fail(&manager, stream->name, status, error);
}

/* --- publishing --- */

static void take_refusal(BusPublication *publication, JsonObject *refusal) {
    gint64 code = json_read_member_count(refusal, "err_code", 0);
    const char *words = json_read_member_text(refusal, "description");
    words = words != NULL ? words : "no reason given";
    if (code == JSStreamStoreFailedErr)
        fault_set(&publication->error, FAULT_AGAIN, "the queue is full (%s)", words);
    else
        fault_set(&publication->error, FAULT_AGAIN, "%s refused: %s", publication->subject, words);
}

static void take_ack(BusPublication *publication, const BusMessage *answer) {
    if (natsMsg_IsNoResponders(answer->message)) {
        fault_set(&publication->error, FAULT_AGAIN, "no stream takes %s", publication->subject);
        return;
    }
    gsize length;
    const guint8 *data = bus_message_data(answer, &length);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObject *ack = json_read_object(parser, data, length, NULL);
    if (ack == NULL) {
        fault_set(&publication->error, FAULT_AGAIN, "unreadable PubAck for %s",
                  publication->subject);
        return;
    }
    JsonObject *refusal = json_read_member_object(ack, "error");
    if (refusal != NULL) {
        take_refusal(publication, refusal);
        return;
    }
    publication->stored = true;
    publication->duplicate = json_object_get_boolean_member_with_default(ack, "duplicate", false);
    publication->sequence = (guint64)json_read_member_count(ack, "seq", 0);
}

/* Sends them all; returns how many answers to wait for. */
static guint send_all(Bus *bus, Link *link, BusPublication publications[], guint count) {
    guint sent = 0;
    for (guint index = 0; index < count; index++) {
        BusPublication *publication = &publications[index];
        g_autofree char *reply = bus_inbox_address(bus->acks, index);
        sent += bus_send(link, publication->subject, reply, publication->headers, publication->data,
                         publication->length, &publication->error);
    }
    return sent;
}

static void collect_acks(Bus *bus, BusPublication publications[], guint count, guint expected,
                         int timeout_ms) {
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    while (expected > 0) {
        gint64 left_ms = (until - g_get_monotonic_time()) / 1000;
        natsStatus status;
        guint number;
        if (left_ms <= 0 || !bus_is_connected(bus))
            return;
        g_autoptr(BusMessage) answer = bus_inbox_take(bus->acks, (int)MIN(left_ms, 100), &status);
        if (answer == NULL && status != NATS_TIMEOUT)
            return;
        if (answer == NULL || !bus_inbox_is_current(bus->acks, answer, &number) || number >= count)
            continue;
        take_ack(&publications[number], answer);
        expected--;
    }
}

guint bus_publish_durably(Bus *bus, BusPublication publications[], guint count, int timeout_ms) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->publishing);
    g_autoptr(GError) away = NULL;
    g_autoptr(Link) link = bus_link(bus, &away);
    for (guint index = 0; index < count; index++) {
        publications[index].stored = false;
        publications[index].error = NULL;
    }
    if (link != NULL && bus_inbox_ready(bus->acks, link, &away)) {
        bus_inbox_forget(bus->acks); /* late answers to the last round are not ours */
        guint sent = send_all(bus, link, publications, count);
        collect_acks(bus, publications, count, sent, timeout_ms);
    }

    guint stored = 0;
    for (guint index = 0; index < count; index++) {
        BusPublication *publication = &publications[index];
        stored += publication->stored;
        if (!publication->stored && publication->error == NULL)
            fault_set(&publication->error, FAULT_AGAIN, "%s",
                      away != NULL ? away->message : "no PubAck in time");
    }
    return stored;
}

/* --- pulling --- */

struct BusPull {
    Bus *bus;
    BusInbox *inbox;
    char *subject;     /* $JS.API.CONSUMER.MSG.NEXT... */
    guint expected;    /* messages the request in flight may still bring */
    gint64 expires_us; /* monotonic: when that request is over, with or without a word */
    guint generation;  /* of the bus when it was made */
};

BusPull *bus_pull_open(Bus *bus, const char *stream, const char *consumer, GError **error) {
    BusPull *pull = g_new0(BusPull, 1);
    pull->bus = bus;
    pull->inbox = bus_inbox_open(bus, error);
    pull->subject = g_strdup_printf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", stream, consumer);
    return pull;
}

void bus_pull_close(BusPull *pull) {
    if (pull == NULL)
        return;
    /* What came and was not taken goes to somebody else at once. */
    for (;;) {
        g_autoptr(BusMessage) left = bus_pull_next(pull, 0, 0, NULL);
        if (left == NULL)
            break;
        bus_nak(pull->bus, bus_message_reply(left), 0, NULL);
    }
    bus_inbox_close(pull->inbox);
    g_free(pull->subject);
    g_free(pull);
}

static bool pull_request(BusPull *pull, Link *link, guint batch, int timeout_ms, GError **error) {
    bus_inbox_forget(pull->inbox);
    g_autofree char *request =
        g_strdup_printf("{\"batch\":%u,\"expires\":%" G_GINT64_FORMAT "}", batch, ns(timeout_ms));
    g_autofree char *reply = bus_inbox_address(pull->inbox, 0);
    if (!bus_send(link, pull->subject, reply, NULL, request, strlen(request), error))
        return false;
    pull->expected = batch;
    pull->expires_us = g_get_monotonic_time() + (gint64)(timeout_ms + PULL_GRACE_MS) * 1000;
    pull->generation = bus_generation(pull->bus);
    return true;
}

/* Status messages end a request (408 time is up, 404 nothing there, 409 limits) or say that the
 * consumer does not exist; everything else is work. */
static bool pull_takes_status(BusPull *pull, const BusMessage *message, GError **error) {
    const char *status = bus_message_header(message, "Status");
    guint number;
    if (status == NULL)
        return false;
    if (!bus_inbox_is_current(pull->inbox, message, &number))
        return true;
    pull->expected = 0;
    if (g_str_equal(status, "503"))
        fault_set(error, FAULT_AGAIN, "%s: no such consumer, or JetStream is away",
                  pull->subject + strlen("$JS.API.CONSUMER.MSG.NEXT."));
    return true;
}

static bool pull_is_cut_off(BusPull *pull, natsStatus status, GError **error) {
    g_autoptr(Link) link = bus_link(pull->bus, error);
    return link == NULL || (status != NATS_TIMEOUT && !bus_fail(error, "pull", status));
}

BusMessage *bus_pull_next(BusPull *pull, guint batch, int timeout_ms, GError **error) {
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    g_autoptr(Link) link = bus_link(pull->bus, error);
    if (link == NULL || !bus_inbox_ready(pull->inbox, link, error))
        return NULL;
    for (;;) {
        GError *wrong = NULL;
        gint64 now = g_get_monotonic_time();
        int left_ms = (int)MAX(0, (until - now) / 1000);
        bool over = pull->expected == 0 || now > pull->expires_us ||
                    pull->generation != bus_generation(pull->bus);
        natsStatus status;
        g_autoptr(BusMessage) message = bus_inbox_take(pull->inbox, 0, &status);
        if (message == NULL && over && batch > 0 && left_ms > 0) {
            if (!pull_request(pull, link, batch, left_ms, error))
                return NULL;
        }
        if (message == NULL)
            message = bus_inbox_take(pull->inbox, MIN(left_ms, 100), &status);
        if (message == NULL && pull_is_cut_off(pull, status, error))
            return NULL;
        if (message == NULL && left_ms == 0)
            return NULL;
        if (message == NULL)
            continue;
        if (!pull_takes_status(pull, message, &wrong)) {
            pull->expected -= pull->expected > 0;
            return g_steal_pointer(&message);
        }
        if (wrong != NULL) {
            g_propagate_error(error, wrong);
            return NULL;
        }
    }
}

/* --- what became of a message --- */

static bool settle(Bus *bus, const char *reply, const char *verdict, GError **error) {
    return reply != NULL && bus_publish(bus, reply, NULL, verdict, strlen(verdict), error);
}

bool bus_ack(Bus *bus, const char *reply, GError **error) {
    return settle(bus, reply, "+ACK", error);
}

bool bus_nak(Bus *bus, const char *reply, gint64 delay_ms, GError **error) {
    if (delay_ms <= 0)
        return settle(bus, reply, "-NAK", error);
    g_autofree char *verdict =
        g_strdup_printf("-NAK {\"delay\":%" G_GINT64_FORMAT "}", ns(delay_ms));
    return settle(bus, reply, verdict, error);
}

bool bus_still_working(Bus *bus, const char *reply, GError **error) {
    return settle(bus, reply, "+WPI", error);
}

/* $JS.ACK.<stream>.<consumer>.<delivered>.<sequences and time>, 9 parts; newer servers put a domain
 * and an account before the stream, 11 or 12. */
guint bus_delivery_count(const char *reply) {
    g_auto(GStrv) parts = g_strsplit(reply != NULL ? reply : "", ".", -1);
    guint count = g_strv_length(parts);
    if (count < 9)
        return 1;
    return MAX(1, (guint)g_ascii_strtoull(parts[count >= 11 ? 6 : 4], NULL, 10));
}
