#include "ingest/have.h"
#include "stream/json_read.h"
#include <string.h>

static char *question(const char *pipeline, GPtrArray *frames) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "pipeline");
    json_builder_add_string_value(builder, pipeline);
    json_builder_set_member_name(builder, "frames");
    json_builder_begin_array(builder);
    for (guint index = 0; index < frames->len; index++) {
        const Frame *frame = g_ptr_array_index(frames, index);
        char id[FRAME_ID_TEXT_LENGTH + 1];
        g_autofree char *acquired_at = frame_time_text(frame->acquired_us);
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "frame_id");
        json_builder_add_string_value(builder, frame_id_text(&frame->id, id));
        json_builder_set_member_name(builder, "acquired_at");
        json_builder_add_string_value(builder, acquired_at);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

GArray *have_read_ids(JsonArray *texts, guint most) {
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(FrameId));
    for (guint index = 0; index < MIN(json_array_get_length(texts), most); index++) {
        JsonNode *node = json_array_get_element(texts, index);
        FrameId id;
        if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING &&
            frame_id_parse(json_node_get_string(node), &id, NULL))
            g_array_append_val(ids, id);
    }
    return ids;
}

static GArray *answer_read(const BusMessage *answer, GError **error) {
    gsize length;
    const guint8 *data = bus_message_data(answer, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = json_read_object(parser, data, length, NULL);
    JsonArray *stored = object == NULL ? NULL : json_read_member_array(object, "stored");
    if (stored != NULL)
        return have_read_ids(stored, HAVE_FRAMES_MAX);
    const char *why = object == NULL ? NULL : json_read_member_text(object, "error");
    fault_set(error, FAULT_AGAIN, "the store cannot tell what it has: %s",
              why != NULL ? why : "its answer is no JSON object with 'stored'");
    return NULL;
}

GArray *have_ask(Bus *bus, const char *pipeline, GPtrArray *frames, int timeout_ms,
                 GError **error) {
    g_autofree char *text = question(pipeline, frames);
    g_autoptr(BusMessage) answer =
        bus_request(bus, "scopestream.have", NULL, text, strlen(text), timeout_ms, error);
    return answer == NULL ? NULL : answer_read(answer, error);
}
