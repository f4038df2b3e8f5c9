#include "ingest/have.h"
#include "stream/json_read.h"
#include "stream/json_write.h"
#include "stream/metrics.h"
#include <string.h>

enum { TIMEOUT_MS = 2000 };

static char *question(const char *pipeline, GPtrArray *offers) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "pipeline", pipeline);
    json_write_array(builder, "frames");
    for (guint index = 0; index < offers->len; index++) {
        const JournalOffer *offer = g_ptr_array_index(offers, index);
        const Frame *frame = offer->frame;
        char id[FRAME_ID_TEXT_LENGTH + 1];
        json_builder_begin_object(builder);
        json_write_text(builder, "frame_id", frame_id_text(&frame->id, id));
        json_write_time(builder, "acquired_at", frame->acquired_us);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return json_write_finish(builder, NULL);
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

static GArray *ask(Bus *bus, const char *pipeline, GPtrArray *offers, GError **error) {
    g_autofree char *text = question(pipeline, offers);
    g_autoptr(BusMessage) answer =
        bus_request(bus, "scopestream.have", NULL, text, strlen(text), TIMEOUT_MS, error);
    return answer == NULL ? NULL : answer_read(answer, error);
}

static void take_out(GPtrArray *offers, GArray *ids) {
    g_autoptr(GHashTable) stored = g_hash_table_new(frame_id_hash, frame_id_equal_key);
    for (guint index = 0; index < ids->len; index++)
        g_hash_table_add(stored, &g_array_index(ids, FrameId, index));
    for (guint index = offers->len; index-- > 0;) {
        const JournalOffer *offer = g_ptr_array_index(offers, index);
        if (g_hash_table_contains(stored, &offer->frame->id))
            g_ptr_array_remove_index(offers, index);
    }
}

bool have_sort_out(Bus *bus, Journal *journal, const char *pipeline, GPtrArray *offers,
                   guint *ret_stored, GError **error) {
    g_autoptr(GArray) ids = ask(bus, pipeline, offers, error);
    if (ids == NULL || !journal_set_stored(journal, pipeline, (const FrameId *)(void *)ids->data,
                                           ids->len, ret_stored, error))
        return false;
    metrics_add(scopestream_ingest_frames_told_stored_total, pipeline, *ret_stored);
    take_out(offers, ids);
    return true;
}
