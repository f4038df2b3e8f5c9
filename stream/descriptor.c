/* The descriptor's JSON, as docs/wire.md tells it:
 *
 *   wire        integer   1; another number is refused, so that an old worker never guesses
 *   frame       object    stream/frame.c
 *   pipeline    string
 *   attempt     integer   from 1
 *   offered_at  string    time
 *   origin      string    host name of the ingest
 *   direct      object    address, key: only where TCP is offered
 *   fetch       object    subject: only where NATS is offered
 *
 * Inline bytes stand behind the JSON, not in it. To add a member: write it in descriptor_to_body,
 * read it in descriptor_from_body with a value for its absence, tell it in docs/wire.md; the wire
 * number changes only when an old reader would do something wrong. */
#include "stream/descriptor.h"
#include "stream/json_read.h"
#include "stream/json_write.h"
#include <string.h>

enum { JSON_LIMIT_BYTES = 64 * 1024 };
#define FETCH_SUBJECTS "scopestream.fetch."

Descriptor *descriptor_new(void) {
    Descriptor *descriptor = g_new0(Descriptor, 1);
    descriptor->attempt = 1;
    return descriptor;
}

void descriptor_free(Descriptor *descriptor) {
    if (descriptor == NULL)
        return;
    frame_free(descriptor->frame);
    g_free(descriptor->pipeline);
    g_free(descriptor->origin);
    g_clear_pointer(&descriptor->inline_bytes, g_bytes_unref);
    g_free(descriptor->direct_address);
    g_free(descriptor->direct_key);
    g_free(descriptor->fetch_subject);
    g_free(descriptor);
}

/* --- writing --- */

static void add_ways(JsonBuilder *builder, const Descriptor *descriptor) {
    if (descriptor->direct_address != NULL) {
        json_write_object(builder, "direct");
        json_write_text(builder, "address", descriptor->direct_address);
        json_write_text(builder, "key", descriptor->direct_key);
        json_builder_end_object(builder);
    }
    if (descriptor->fetch_subject != NULL) {
        json_write_object(builder, "fetch");
        json_write_text(builder, "subject", descriptor->fetch_subject);
        json_builder_end_object(builder);
    }
}

static char *descriptor_json(const Descriptor *descriptor, gsize *ret_length) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_count(builder, "wire", DESCRIPTOR_WIRE_VERSION);
    json_write_object(builder, "frame");
    frame_to_json(descriptor->frame, builder);
    json_builder_end_object(builder);
    json_write_text(builder, "pipeline", descriptor->pipeline);
    json_write_count(builder, "attempt", descriptor->attempt);
    json_write_time(builder, "offered_at", descriptor->offered_us);
    json_write_text(builder, "origin", descriptor->origin != NULL ? descriptor->origin : "");
    add_ways(builder, descriptor);
    json_builder_end_object(builder);
    return json_write_finish(builder, ret_length);
}

GBytes *descriptor_to_body(const Descriptor *descriptor, gsize *ret_json_length) {
    char *json = descriptor_json(descriptor, ret_json_length);
    if (descriptor->inline_bytes == NULL)
        return g_bytes_new_take(json, *ret_json_length);

    gsize length;
    const void *data = g_bytes_get_data(descriptor->inline_bytes, &length);
    json = g_realloc(json, *ret_json_length + length);
    memcpy(json + *ret_json_length, data, length);
    return g_bytes_new_take(json, *ret_json_length + length);
}

/* --- reading --- */

/* NULL if absent, empty, or no string. */
static char *text_member(JsonObject *object, const char *name) {
    const char *text = object != NULL ? json_read_member_text(object, name) : NULL;
    return text != NULL && *text != '\0' ? g_strdup(text) : NULL;
}

/* 0 if absent, or no time. */
static gint64 time_member(JsonObject *object, const char *name) {
    const char *text = json_read_member_text(object, name);
    gint64 us;
    return text != NULL && frame_time_parse(text, &us) ? us : 0;
}

/* Where a way leads is written into a socket or a subject by whoever takes it: nothing passes that
 * could be more than an address. */
static bool read_ways(JsonObject *object, Descriptor *descriptor, GError **error) {
    JsonObject *direct = json_read_member_object(object, "direct");
    descriptor->direct_address = text_member(direct, "address");
    descriptor->direct_key = text_member(direct, "key");
    descriptor->fetch_subject = text_member(json_read_member_object(object, "fetch"), "subject");
    const char *key = descriptor->direct_key, *subject = descriptor->fetch_subject;
    if (key != NULL && key[strspn(key, "0123456789abcdef")] != '\0')
        return fault_set(error, FAULT_BROKEN,
                         "descriptor member 'direct' has a key that is not hexadecimal");
    if (subject != NULL && (!g_str_has_prefix(subject, FETCH_SUBJECTS) ||
                            !frame_name_is_plain(subject + strlen(FETCH_SUBJECTS))))
        return fault_set(error, FAULT_BROKEN,
                         "descriptor member 'fetch' has subject '%.60s', expected " FETCH_SUBJECTS
                         "SOURCE",
                         subject);
    return true;
}

static bool read_members(JsonObject *object, Descriptor *descriptor, GError **error) {
    gint64 wire = json_read_member_count(object, "wire", -1);
    if (wire != DESCRIPTOR_WIRE_VERSION)
        return fault_set(error, FAULT_BROKEN,
                         "descriptor of wire version %" G_GINT64_FORMAT ", this program knows %d",
                         wire, DESCRIPTOR_WIRE_VERSION);
    JsonObject *frame = json_read_member_object(object, "frame");
    if (frame == NULL)
        return fault_set(error, FAULT_BROKEN, "descriptor has no member 'frame'");
    descriptor->frame = frame_from_json(frame, error);
    if (descriptor->frame == NULL)
        return false;
    descriptor->pipeline = text_member(object, "pipeline");
    if (descriptor->pipeline == NULL)
        return fault_set(error, FAULT_BROKEN, "descriptor has no member 'pipeline'");
    if (!frame_name_is_plain(descriptor->pipeline))
        return fault_set(error, FAULT_BROKEN,
                         "descriptor member 'pipeline' is '%.40s', expected letters, digits, '_' "
                         "and '-'",
                         descriptor->pipeline);
    descriptor->attempt =
        (guint32)CLAMP(json_read_member_count(object, "attempt", 1), 1, G_MAXINT32);
    descriptor->offered_us = time_member(object, "offered_at");
    descriptor->origin = text_member(object, "origin");
    return read_ways(object, descriptor, error);
}

Descriptor *descriptor_from_body(GBytes *body, gsize json_length, GError **error) {
    gsize length;
    const char *data = g_bytes_get_data(body, &length);
    if (json_length > length || json_length > JSON_LIMIT_BYTES) {
        fault_set(error, FAULT_BROKEN, "descriptor's JSON has %zu bytes, expected at most %zu",
                  json_length, MIN(length, (gsize)JSON_LIMIT_BYTES));
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObject *object = json_read_object(parser, data, json_length, error);
    if (object == NULL) {
        g_prefix_error(error, "descriptor: ");
        return NULL;
    }
    g_autoptr(Descriptor) descriptor = descriptor_new();
    if (!read_members(object, descriptor, error))
        return NULL;
    if (length > json_length)
        descriptor->inline_bytes = g_bytes_new_from_bytes(body, json_length, length - json_length);
    return g_steal_pointer(&descriptor);
}
