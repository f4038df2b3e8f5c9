/* fuzz_frame: bytes as the JSON of a frame from the network. What is accepted must come out of its
 * own JSON again. */
#include "stream/fault.h"
#include "stream/frame.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>

static JsonNode *json_of(const Frame *frame) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    frame_to_json(frame, builder);
    json_builder_end_object(builder);
    return json_builder_get_root(builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    g_autoptr(JsonParser) parser = json_parser_new();
    if (!json_parser_load_from_data(parser, (const char *)data, (gssize)length, NULL))
        return 0;
    JsonNode *root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(Frame) frame = frame_from_json(json_node_get_object(root), &error);
    if (frame == NULL && !fault_is(error, FAULT_BROKEN))
        abort();
    if (frame == NULL)
        return 0;
    g_autoptr(JsonNode) again = json_of(frame);
    g_autoptr(Frame) copy = frame_from_json(json_node_get_object(again), NULL);
    if (copy == NULL || !frame_id_equal(&copy->id, &frame->id))
        abort();
    return 0;
}
