/* fetch: the worker asks ingest over NATS for ranges, ingest answers in chunks the server lets
 * pass. It needs no open port and crosses leaf nodes and firewalls: it always works.
 *
 * A worker keeps several ranges in flight, within its window; because one subscription answers them
 * in order over one connection, chunks arrive in order of their offset, and one that does not
 * belong next means that something was lost: then the rest is asked for again. */
#include "stream/delivery_private.h"
#include "stream/json_read.h"
#include <string.h>

enum {
    CHUNK_LIMIT_BYTES = 4 << 20,
    ROOM_FOR_HEADERS_BYTES = 4096,
    REQUEST_LIMIT_BYTES = 1024,
    SILENCE_LIMIT_MS = 4000,
    ATTEMPTS = 3,
};

/* --- ingest's end --- */

typedef struct {
    FrameId id;
    guint64 offset, length;
} Range;

static bool read_request(const BusMessage *request, Range *ret_range, GError **error) {
    gsize length;
    const guint8 *data = bus_message_data(request, &length);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObject *object =
        length <= REQUEST_LIMIT_BYTES ? json_read_object(parser, data, length, NULL) : NULL;
    if (object == NULL)
        return fault_set(error, FAULT_VANISHED, "the request is no JSON object");
    const char *id = json_read_member_text(object, "frame_id");
    gint64 offset = json_read_member_count(object, "offset", -1);
    gint64 wanted = json_read_member_count(object, "length", -1);
    if (offset < 0 || wanted <= 0)
        return fault_set(error, FAULT_VANISHED, "the request's offset or length is wrong");
    ret_range->offset = (guint64)offset;
    ret_range->length = (guint64)wanted;
    return frame_id_parse(id != NULL ? id : "", &ret_range->id, error);
}

static void refuse(DeliveryOffice *office, const char *reply, const GError *why) {
    BusHeader headers[] = {{"Scopestream-Error", fault_is(why, FAULT_AGAIN) ? "busy" : "vanished"},
                           {NULL}};
    bus_publish(office->bus, reply, headers, why->message, strlen(why->message), NULL);
}

static bool send_chunk(DeliveryOffice *office, const char *reply, FrameBytes *bytes, guint64 offset,
                       guint8 *buffer, gsize length, GError **error) {
    if (!frame_bytes_read(bytes, offset, buffer, length, error))
        return false;
    char offset_text[24], total_text[24];
    g_snprintf(offset_text, sizeof offset_text, "%" G_GUINT64_FORMAT, offset);
    g_snprintf(total_text, sizeof total_text, "%" G_GUINT64_FORMAT, frame_bytes_total(bytes));
    BusHeader headers[] = {
        {"Scopestream-Offset", offset_text}, {"Scopestream-Total", total_text}, {NULL}};
    return bus_publish(office->bus, reply, headers, buffer, length, error);
}

static bool send_range(DeliveryOffice *office, const char *reply, const Range *range,
                       GError **error) {
    g_autoptr(FrameBytes) bytes = delivery_office_find(office, &range->id, error);
    if (bytes == NULL)
        return false;
    guint64 total = frame_bytes_total(bytes);
    if (range->offset > total)
        return fault_set(error, FAULT_VANISHED, "the frame has only %llu bytes",
                         (unsigned long long)total);
    guint64 end = range->offset + MIN(range->length, total - range->offset);
    gsize limit = MIN(bus_max_payload(office->bus), CHUNK_LIMIT_BYTES);
    if (limit <= ROOM_FOR_HEADERS_BYTES)
        return fault_set(error, FAULT_AGAIN, "the server lets no chunk pass");
    gsize chunk = limit - ROOM_FOR_HEADERS_BYTES;
    g_autofree guint8 *buffer = g_malloc(MIN(chunk, end - range->offset) + 1);
    guint64 offset = range->offset;
    do { /* an empty frame is answered too */
        gsize length = (gsize)MIN(chunk, end - offset);
        if (!send_chunk(office, reply, bytes, offset, buffer, length, error))
            return false;
        offset += length;
    } while (offset < end);
    return true;
}

static void answer(BusMessage *message, void *context) {
    g_autoptr(BusMessage) request = message;
    g_autoptr(GError) wrong = NULL;
    DeliveryOffice *office = context;
    const char *reply = bus_message_reply(request);
    Range range;
    if (reply == NULL)
        return;
    if (!read_request(request, &range, &wrong) || !send_range(office, reply, &range, &wrong))
        refuse(office, reply, wrong);
}

static char *subject_of(const char *source) {
    return g_strconcat("scopestream.fetch.", source, NULL);
}

static bool open_office(DeliveryOffice *office, void **ret_state, GError **error) {
    for (SourceSettings **source = office->settings->sources; *source != NULL; source++) {
        g_autofree char *subject = subject_of((*source)->name);
        if (!bus_subscribe(office->bus, subject, NULL, answer, office, error))
            return false;
    }
    return true;
}

static bool offer(DeliveryOffice *office, void *state, Descriptor *descriptor, GError **error) {
    descriptor->fetch_subject = subject_of(descriptor->frame->source);
    return true;
}

/* --- the worker's end --- */

static bool open_desk(DeliveryDesk *desk, void **ret_state, GError **error) {
    *ret_state = bus_inbox_open(desk->bus, error);
    return *ret_state != NULL;
}

static void close_desk(void *state) {
    bus_inbox_close(state);
}

static bool possible(DeliveryDesk *desk, void *state, const Descriptor *descriptor) {
    return descriptor->fetch_subject != NULL;
}

/* One frame on its way. */
typedef struct {
    DeliveryDesk *desk;
    BusInbox *inbox;
    const Descriptor *descriptor;
    guint8 *buffer; /* NULL until the first chunk tells the total */
    guint64 total, received, asked;
} Transfer;

static bool ask_range(Transfer *transfer, GError **error) {
    char id[FRAME_ID_TEXT_LENGTH + 1];
    guint64 length = MAX(1, (guint64)transfer->desk->settings->fetch_window_bytes / 2);
    if (transfer->buffer != NULL)
        length = MIN(length, transfer->total - transfer->asked);
    g_autofree char *request = g_strdup_printf(
        "{\"frame_id\":\"%s\",\"offset\":%" G_GUINT64_FORMAT ",\"length\":%" G_GUINT64_FORMAT "}",
        frame_id_text(&transfer->descriptor->frame->id, id), transfer->asked, length);
    transfer->asked += length;
    return bus_inbox_ask(transfer->inbox, transfer->descriptor->fetch_subject, NULL, request,
                         strlen(request), error);
}

/* Keeps the window full. Before the total is known one range is in flight. */
static bool ask_ahead(Transfer *transfer, GError **error) {
    guint64 window = (guint64)transfer->desk->settings->fetch_window_bytes;
    while (transfer->buffer != NULL && transfer->asked < transfer->total &&
           transfer->asked - transfer->received < window)
        if (!ask_range(transfer, error))
            return false;
    return true;
}

static bool number_header(const BusMessage *message, const char *name, guint64 *ret_number) {
    const char *text = bus_message_header(message, name);
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, ret_number, NULL);
}

static bool begin(Transfer *transfer, guint64 total, GError **error) {
    guint64 limit = (guint64)transfer->desk->settings->frame_limit_bytes;
    if (total > limit)
        return fault_set(error, FAULT_BROKEN,
                         "the frame has %llu bytes, [features] frame-limit allows %llu",
                         (unsigned long long)total, (unsigned long long)limit);
    transfer->total = total;
    transfer->buffer = g_try_malloc(total + 1);
    if (transfer->buffer == NULL)
        return fault_set(error, FAULT_BROKEN,
                         "memory does not suffice to receive %" G_GUINT64_FORMAT " bytes", total);
    transfer->asked = MIN(transfer->asked, total);
    return true;
}

static bool take_refusal(const BusMessage *chunk, const char *kind, GError **error) {
    gsize length;
    const char *why = (const char *)bus_message_data(chunk, &length);
    return fault_set(error, g_str_equal(kind, "vanished") ? FAULT_VANISHED : FAULT_AGAIN, "%.*s",
                     (int)MIN(length, 500), why);
}

static bool take_chunk(Transfer *transfer, const BusMessage *chunk, GError **error) {
    const char *refusal = bus_message_header(chunk, "Scopestream-Error");
    if (refusal != NULL)
        return take_refusal(chunk, refusal, error);
    guint64 offset, total;
    gsize length;
    const guint8 *data = bus_message_data(chunk, &length);
    if (!number_header(chunk, "Scopestream-Offset", &offset) ||
        !number_header(chunk, "Scopestream-Total", &total))
        return fault_set(error, FAULT_AGAIN, "a chunk without offset or total came");
    if (transfer->buffer == NULL && !begin(transfer, total, error))
        return false;
    if (offset != transfer->received || total != transfer->total ||
        length > total - transfer->received)
        return fault_set(error, FAULT_AGAIN, "a chunk is missing before byte %llu",
                         (unsigned long long)offset);
    memcpy(transfer->buffer + transfer->received, data, length);
    transfer->received += length;
    return true;
}

static bool transfer_rest(Transfer *transfer, GError **error) {
    bus_inbox_forget(transfer->inbox);
    transfer->asked = transfer->received;
    if (!ask_range(transfer, error))
        return false;
    do {
        g_autoptr(GError) lost = NULL;
        g_autoptr(BusMessage) chunk = bus_inbox_next(transfer->inbox, SILENCE_LIMIT_MS, &lost);
        if (chunk == NULL && lost == NULL)
            return fault_set(error, FAULT_AGAIN, "%s: no answer for %d ms",
                             transfer->descriptor->fetch_subject, SILENCE_LIMIT_MS);
        if (chunk == NULL)
            return fault_set(error, FAULT_AGAIN, "%s: %s", transfer->descriptor->fetch_subject,
                             lost->message);
        if (!take_chunk(transfer, chunk, error) || !ask_ahead(transfer, error))
            return false;
    } while (transfer->received < transfer->total);
    return true;
}

static bool receive(DeliveryDesk *desk, void *state, const Descriptor *descriptor,
                    DeliveryParcel *parcel, GError **error) {
    Transfer transfer = {.desk = desk, .inbox = state, .descriptor = descriptor};
    g_autoptr(GError) last = NULL;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        g_clear_error(&last);
        if (transfer_rest(&transfer, &last)) {
            parcel->bytes = g_bytes_new_take(transfer.buffer, transfer.total);
            return true;
        }
        if (!fault_is(last, FAULT_AGAIN) || transfer.received == 0)
            break; /* the last word, or nobody there: somebody else may have more luck, later */
    }
    g_free(transfer.buffer);
    g_propagate_error(error, g_steal_pointer(&last));
    return false;
}

const Delivery delivery_fetch = {
    .name = "fetch",
    .open_office = open_office,
    .offer = offer,
    .open_desk = open_desk,
    .close_desk = close_desk,
    .possible = possible,
    .receive = receive,
};
