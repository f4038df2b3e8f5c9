#include "stream/json_write.h"
#include "tests/suite.h"
#include <math.h>
#include <string.h>

static char *written(double number, const char *text) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_number(builder, "e", number);
    json_write_text(builder, "text", text);
    json_write_array(builder, "array");
    json_write_number(builder, NULL, number);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    gsize length;
    char *json = json_write_finish(builder, &length);
    ck_assert_uint_eq(length, strlen(json));
    return json;
}

static const struct {
    double number;
    const char *digits;
} numbers[] = {
    {1e+20, "1e+20"}, {-1e+308, "-1e+308"}, {1e-10, "1e-10"}, {0.5, "0.5"},
    {2, "2.0"},       {0, "0.0"},           {NAN, "null"},    {INFINITY, "null"},
};

START_TEST(every_number_is_json) {
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autofree char *json = written(numbers[i].number, "");
        g_autofree char *expected = g_strdup_printf("{\"e\":%s,\"text\":\"\",\"array\":[%s]}",
                                                    numbers[i].digits, numbers[i].digits);
        ck_assert_str_eq(json, expected);
    }
}
END_TEST

START_TEST(texts_that_look_like_numbers_stay_as_they_are) {
    static const char *const texts[] = {"1e+20.0", "\"1e+20.0", "\\", "\\\"e5.0", "e5.0\n1e+9.0"};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *json = written(1e+20, texts[i]);
        g_autoptr(JsonNode) root = json_from_string(json, NULL);
        ck_assert_msg(root != NULL, "%s", json);
        JsonObject *object = json_node_get_object(root);
        ck_assert_str_eq(json_object_get_string_member(object, "text"), texts[i]);
        ck_assert_double_eq(json_object_get_double_member(object, "e"), 1e+20);
    }
}
END_TEST

SUITE("json_write", every_number_is_json, texts_that_look_like_numbers_stay_as_they_are)
