#include "stream/frame.h"
#include "stream/fault.h"
#include "stream/json_write.h"
#include <string.h>

/* --- id --- */

FrameId frame_id_make(const char *source, const char *path, guint64 size_bytes, gint64 mtime_ns,
                      guint32 page) {
    /* NUL-separated text, so that no two frames can spell the same bytes. */
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *numbers = g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GINT64_FORMAT "/%u",
                                               size_bytes, mtime_ns, page);
    g_checksum_update(sum, (const guchar *)source, strlen(source) + 1);
    g_checksum_update(sum, (const guchar *)path, strlen(path) + 1);
    g_checksum_update(sum, (const guchar *)numbers, strlen(numbers) + 1);
    guint8 digest[32];
    gsize length = sizeof digest;
    g_checksum_get_digest(sum, digest, &length);

    FrameId id;
    memcpy(id.bytes, digest, sizeof id.bytes);
    id.bytes[6] = (guint8)((id.bytes[6] & 0x0f) | 0x80); /* version 8: made by a rule of our own */
    id.bytes[8] = (guint8)((id.bytes[8] & 0x3f) | 0x80); /* variant of RFC 9562 */
    return id;
}

bool frame_id_equal(const FrameId *a, const FrameId *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

guint frame_id_hash(gconstpointer id) {
    guint hash; /* the id is a hash already */
    memcpy(&hash, ((const FrameId *)id)->bytes, sizeof hash);
    return hash;
}

gboolean frame_id_equal_key(gconstpointer a, gconstpointer b) {
    return frame_id_equal(a, b);
}

/* Digits stand in groups of 8-4-4-4-12: a dash comes before these bytes. */
static bool dash_before(guint byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

char *frame_id_text(const FrameId *id, char text[FRAME_ID_TEXT_LENGTH + 1]) {
    static const char digits[] = "0123456789abcdef";
    char *end = text;
    for (guint byte = 0; byte < sizeof id->bytes; byte++) {
        if (dash_before(byte))
            *end++ = '-';
        *end++ = digits[id->bytes[byte] >> 4];
        *end++ = digits[id->bytes[byte] & 15];
    }
    *end = '\0';
    return text;
}

bool frame_id_parse(const char *text, FrameId *ret_id, GError **error) {
    FrameId id;
    const char *at = text;
    for (guint byte = 0; byte < sizeof id.bytes; byte++) {
        if (dash_before(byte) && *at++ != '-')
            return fault_set(error, FAULT_BROKEN, "'%.40s' is not a frame id", text);
        int high = g_ascii_xdigit_value(at[0]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(at[1]);
        if (low < 0)
            return fault_set(error, FAULT_BROKEN, "'%.40s' is not a frame id", text);
        id.bytes[byte] = (guint8)(high << 4 | low);
        at += 2;
    }
    if (*at != '\0')
        return fault_set(error, FAULT_BROKEN, "'%.40s' is not a frame id", text);
    *ret_id = id;
    return true;
}

/* --- frame --- */

Frame *frame_new(void) {
    Frame *frame = g_new0(Frame, 1);
    frame->pages = 1;
    frame->site = frame->z = frame->t = FRAME_UNKNOWN;
    return frame;
}

Frame *frame_copy(const Frame *frame) {
    Frame *copy = g_memdup2(frame, sizeof *frame);
    copy->source = g_strdup(frame->source);
    copy->path = g_strdup(frame->path);
    copy->naming = g_strdup(frame->naming);
    copy->experiment = g_strdup(frame->experiment);
    copy->plate = g_strdup(frame->plate);
    copy->well = g_strdup(frame->well);
    copy->channel = g_strdup(frame->channel);
    copy->format = g_strdup(frame->format);
    return copy;
}

void frame_free(Frame *frame) {
    if (frame == NULL)
        return;
    g_free(frame->source);
    g_free(frame->path);
    g_free(frame->naming);
    g_free(frame->experiment);
    g_free(frame->plate);
    g_free(frame->well);
    g_free(frame->channel);
    g_free(frame->format);
    g_free(frame);
}

/* The years tables are partitioned over; a camera PC with a dead battery writes 1970 or 2106. */
static const gint64 FIRST_US = G_GINT64_CONSTANT(946684800) * G_USEC_PER_SEC;     /* 2000-01-01 */
static const gint64 LAST_US = G_GINT64_CONSTANT(4102444800) * G_USEC_PER_SEC - 1; /* 2099-12-31 */

void frame_identify(Frame *frame) {
    frame->id =
        frame_id_make(frame->source, frame->path, frame->size_bytes, frame->mtime_ns, frame->page);
    frame->acquired_us = CLAMP(frame->mtime_ns / 1000, FIRST_US, LAST_US);
}

void frame_set_text(char **field, const char *text) {
    g_free(*field);
    *field = text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

bool frame_name_is_plain(const char *name) {
    gsize length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    return length > 0 && length <= 64 && name[length] == '\0';
}

/* --- names that are not UTF-8 --- */

char *frame_path_encode(const char *raw) {
    GString *text = g_string_sized_new(strlen(raw));
    for (const char *at = raw; *at != '\0';) {
        gunichar letter = g_utf8_get_char_validated(at, -1);
        bool plain = letter != (gunichar)-1 && letter != (gunichar)-2 && letter >= 0x20 &&
                     letter != 0x7f && *at != '%';
        const char *next = plain ? g_utf8_next_char(at) : at + 1;
        if (plain)
            g_string_append_len(text, at, next - at);
        else
            g_string_append_printf(text, "%%%02X", (guint8)*at);
        at = next;
    }
    return g_string_free(text, FALSE);
}

char *frame_path_decode(const char *text) {
    g_autoptr(GString) raw = g_string_sized_new(strlen(text));
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '%') {
            g_string_append_c(raw, *at);
            continue;
        }
        int high = g_ascii_xdigit_value(at[1]);
        int low = high < 0 ? -1 : g_ascii_xdigit_value(at[2]);
        if (low < 0 || (high == 0 && low == 0))
            return NULL;
        g_string_append_c(raw, (char)(high << 4 | low));
        at += 2;
    }
    return g_strdup(raw->str);
}

/* --- JSON --- */

char *frame_time_text(gint64 us) {
    g_autoptr(GDateTime) second = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    g_autofree char *day_and_time = g_date_time_format(second, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", day_and_time, (int)(us % G_USEC_PER_SEC));
}

bool frame_time_parse(const char *text, gint64 *ret_us) {
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, NULL);
    if (time == NULL)
        return false;
    *ret_us = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return true;
}

static void add_known(JsonBuilder *builder, const char *name, gint64 number, gint64 unknown) {
    if (number != unknown)
        json_write_count(builder, name, number);
}

void frame_to_json(const Frame *frame, JsonBuilder *builder) {
    char id[FRAME_ID_TEXT_LENGTH + 1];
    json_write_text(builder, "frame_id", frame_id_text(&frame->id, id));
    json_write_text(builder, "source", frame->source);
    json_write_text(builder, "path", frame->path);
    json_write_count(builder, "size_bytes", (gint64)frame->size_bytes);
    json_write_count(builder, "mtime_ns", frame->mtime_ns);
    json_write_count(builder, "page", frame->page);
    json_write_count(builder, "pages", frame->pages);
    json_write_time(builder, "acquired_at", frame->acquired_us);
    json_write_time(builder, "closed_at", frame->closed_us);
    json_write_text(builder, "naming", frame->naming);
    json_write_text(builder, "experiment", frame->experiment);
    json_write_text(builder, "plate", frame->plate);
    json_write_text(builder, "well", frame->well);
    json_write_text(builder, "channel", frame->channel);
    add_known(builder, "site", frame->site, FRAME_UNKNOWN);
    add_known(builder, "z", frame->z, FRAME_UNKNOWN);
    add_known(builder, "t", frame->t, FRAME_UNKNOWN);
    json_write_text(builder, "format", frame->format);
    add_known(builder, "width", frame->width, 0);
    add_known(builder, "height", frame->height, 0);
    add_known(builder, "bits", frame->bits, 0);
    add_known(builder, "samples", frame->samples, 0);
    if (frame->pixel_size_um > 0)
        json_write_number(builder, "pixel_size_um", frame->pixel_size_um);
}

/* Reading goes member by member; the first that is wrong ends it. An absent member leaves the
 * field as frame_new made it, unless it is needed. */
typedef struct {
    JsonObject *object;
    GError *error;
} Reader;

static JsonNode *member_of_type(Reader *reader, const char *name, GType type, bool needed) {
    if (reader->error != NULL)
        return NULL;
    JsonNode *node = json_object_get_member(reader->object, name);
    if (node == NULL || JSON_NODE_HOLDS_NULL(node)) {
        if (needed)
            fault_set(&reader->error, FAULT_BROKEN, "frame has no member '%s'", name);
        return NULL;
    }
    bool fits = JSON_NODE_HOLDS_VALUE(node) &&
                (json_node_get_value_type(node) == type ||
                 (type == G_TYPE_DOUBLE && json_node_get_value_type(node) == G_TYPE_INT64));
    if (!fits) {
        fault_set(&reader->error, FAULT_BROKEN, "frame member '%s' is not a %s", name,
                  type == G_TYPE_STRING ? "string" : "number");
        return NULL;
    }
    return node;
}

static void read_text(Reader *reader, const char *name, bool needed, char **field) {
    JsonNode *node = member_of_type(reader, name, G_TYPE_STRING, needed);
    if (node != NULL)
        frame_set_text(field, json_node_get_string(node));
    if (needed && *field == NULL && reader->error == NULL)
        fault_set(&reader->error, FAULT_BROKEN, "frame member '%s' is empty", name);
}

static void read_name(Reader *reader, const char *name, char **field) {
    read_text(reader, name, true, field);
    if (reader->error == NULL && !frame_name_is_plain(*field))
        fault_set(&reader->error, FAULT_BROKEN,
                  "frame member '%s' is '%.40s', expected letters, digits, '_' and '-'", name,
                  *field);
}

static gint64 read_number(Reader *reader, const char *name, bool needed, gint64 absent, gint64 low,
                          gint64 high) {
    JsonNode *node = member_of_type(reader, name, G_TYPE_INT64, needed);
    if (node == NULL)
        return absent;
    gint64 number = json_node_get_int(node);
    if (number < low || number > high) {
        fault_set(&reader->error, FAULT_BROKEN,
                  "frame member '%s' is %" G_GINT64_FORMAT ", not within %" G_GINT64_FORMAT
                  " to %" G_GINT64_FORMAT,
                  name, number, low, high);
        return absent;
    }
    return number;
}

static void read_time(Reader *reader, const char *name, bool needed, gint64 *field) {
    JsonNode *node = member_of_type(reader, name, G_TYPE_STRING, needed);
    if (node != NULL && !frame_time_parse(json_node_get_string(node), field))
        fault_set(&reader->error, FAULT_BROKEN, "frame member '%s' is no RFC 3339 time: '%.40s'",
                  name, json_node_get_string(node));
}

Frame *frame_from_json(JsonObject *object, GError **error) {
    g_autoptr(Frame) frame = frame_new();
    Reader reader = {.object = object};
    g_autofree char *id = NULL;

    read_text(&reader, "frame_id", true, &id);
    read_name(&reader, "source", &frame->source);
    read_text(&reader, "path", true, &frame->path);
    frame->size_bytes = (guint64)read_number(&reader, "size_bytes", true, 0, 0, G_MAXINT64);
    frame->mtime_ns = read_number(&reader, "mtime_ns", true, 0, G_MININT64, G_MAXINT64);
    frame->page = (guint32)read_number(&reader, "page", true, 0, 0, G_MAXINT32);
    frame->pages = (guint32)read_number(&reader, "pages", false, 1, 1, G_MAXINT32);
    read_time(&reader, "closed_at", false, &frame->closed_us);
    read_text(&reader, "naming", false, &frame->naming);
    read_text(&reader, "experiment", false, &frame->experiment);
    read_text(&reader, "plate", false, &frame->plate);
    read_text(&reader, "well", false, &frame->well);
    read_text(&reader, "channel", false, &frame->channel);
    frame->site = (gint32)read_number(&reader, "site", false, FRAME_UNKNOWN, 0, G_MAXINT32);
    frame->z = (gint32)read_number(&reader, "z", false, FRAME_UNKNOWN, 0, G_MAXINT32);
    frame->t = (gint32)read_number(&reader, "t", false, FRAME_UNKNOWN, 0, G_MAXINT32);
    read_text(&reader, "format", false, &frame->format);
    frame->width = (guint32)read_number(&reader, "width", false, 0, 0, G_MAXINT32);
    frame->height = (guint32)read_number(&reader, "height", false, 0, 0, G_MAXINT32);
    frame->bits = (guint32)read_number(&reader, "bits", false, 0, 0, G_MAXINT32);
    frame->samples = (guint32)read_number(&reader, "samples", false, 0, 0, G_MAXINT32);
    JsonNode *size = member_of_type(&reader, "pixel_size_um", G_TYPE_DOUBLE, false);
    if (size != NULL)
        frame->pixel_size_um = json_node_get_double(size);
    if (reader.error != NULL) {
        g_propagate_error(error, reader.error);
        return NULL;
    }

    FrameId told;
    if (!frame_id_parse(id, &told, error))
        return NULL;
    frame_identify(frame);
    if (!frame_id_equal(&frame->id, &told)) {
        fault_set(error, FAULT_BROKEN, "frame id %s is not the one of %s page %u", id, frame->path,
                  frame->page);
        return NULL;
    }
    return g_steal_pointer(&frame);
}
