#include "ingest/event.h"
#include "stream/json_write.h"

char *event_body(const char *source, const char *path, const char *level, const char *event,
                 const char *detail) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "kind", "event");
    json_write_time(builder, "at", g_get_real_time());
    json_write_text(builder, "source", source);
    json_write_text(builder, "path", path);
    json_write_text(builder, "level", level);
    json_write_text(builder, "event", event);
    json_write_text(builder, "detail", detail);
    json_builder_end_object(builder);
    return json_write_finish(builder, NULL);
}
