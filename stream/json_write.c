#include "stream/json_write.h"
#include "stream/frame.h"
#include <math.h>
#include <string.h>

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

/* --- what json-glib spoils --- */

/* Behind the closing quote of the text that begins at `at`. */
static const char *text_end(const char *at) {
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* json-glib shows that a number is no whole one by ".0" at its end, even behind an exponent:
 * "1e+20.0", which is no JSON. Returns the new length. */
static gsize mend_exponents(char *json) {
    const char *from = json;
    char *to = json;
    while (*from != '\0') {
        gsize length = strcspn(from, "\"e");
        const char *end = from + length;
        if (*end == '"')
            end = text_end(end);
        else if (*end == 'e') /* also that of true and false */
            end += 1 + strspn(end + 1, "+-0123456789");
        bool is_exponent = end > from + length && g_ascii_isdigit(end[-1]);
        memmove(to, from, (gsize)(end - from));
        to += end - from;
        from = end + (is_exponent && g_str_has_prefix(end, ".0") ? 2 : 0);
    }
    *to = '\0';
    return (gsize)(to - json);
}

char *json_write_finish(JsonBuilder *builder, gsize *ret_length) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    char *json = json_generator_to_data(generator, NULL);
    gsize length = mend_exponents(json);
    if (ret_length != NULL)
        *ret_length = length;
    return json;
}
