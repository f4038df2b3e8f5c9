#include "stream/json_write.h"
#include "stream/frame.h"
#include <math.h>

void json_write_text(JsonBuilder *builder, const char *name, const char *text) {
    if (text == NULL)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, valid);
}

void json_write_count(JsonBuilder *builder, const char *name, gint64 count) {
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, count);
}

void json_write_number(JsonBuilder *builder, const char *name, double number) {
    if (name != NULL)
        json_builder_set_member_name(builder, name);
    if (isfinite(number))
        json_builder_add_double_value(builder, number);
    else
        json_builder_add_null_value(builder);
}

void json_write_time(JsonBuilder *builder, const char *name, gint64 us) {
    g_autofree char *text = frame_time_text(us);
    json_write_text(builder, name, text);
}

void json_write_object(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

void json_write_array(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, name);
    json_builder_begin_array(builder);
}

char *json_write_finish(JsonBuilder *builder, gsize *ret_length) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    return json_generator_to_data(generator, ret_length);
}
