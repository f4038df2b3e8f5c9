#include "ingest/event.h"
#include "stream/frame.h"

static void add(JsonBuilder *builder, const char *name, const char *text) {
    if (text == NULL)
        return;
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

char *event_body(const char *source, const char *path, const char *level, const char *event,
                 const char *detail) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *at = frame_time_text(g_get_real_time());
    g_autofree char *words = g_utf8_make_valid(detail, -1);
    json_builder_begin_object(builder);
    add(builder, "kind", "event");
    add(builder, "at", at);
    add(builder, "source", source);
    add(builder, "path", path);
    add(builder, "level", level);
    add(builder, "event", event);
    add(builder, "detail", words);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}
