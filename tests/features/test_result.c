#include "features/measure.h"
#include "features/result.h"
#include "tests/suite.h"
#include <math.h>

static Descriptor *a_descriptor(void) {
    Descriptor *descriptor = descriptor_new();
    Frame *frame = frame_new();
    frame_set_text(&frame->source, "scope");
    frame_set_text(&frame->path, "P1/A01.tif");
    frame->size_bytes = 100;
    frame->mtime_ns = G_GINT64_CONSTANT(1700000000000000000);
    frame->pages = 1;
    frame_identify(frame);
    if (descriptor->frame != NULL)
        frame_free(descriptor->frame);
    descriptor->frame = frame;
    frame_set_text(&descriptor->pipeline, "quality");
    descriptor->attempt = 2;
    descriptor->offered_us = G_GINT64_CONSTANT(1700000001000000);
    return descriptor;
}

static JsonNode *parse(const char *text) {
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(text, &error);
    ck_assert_msg(root != NULL, "%s", error ? error->message : "");
    return root;
}

static double *some_values(void) {
    double *values = g_new(double, measure_columns_count());
    for (guint i = 0; i < measure_columns_count(); i++)
        values[i] = i % 7 == 3 ? NAN : 1.0 / (i + 3);
    return values;
}

START_TEST(a_measured_frame_tells_every_member_of_the_wire) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    g_autofree double *values = some_values();
    const Thumbnail thumbnail = {.mime = "image/jpeg",
                                 .width = 4,
                                 .height = 3,
                                 .low = 0.25,
                                 .high = 0.5,
                                 .bytes = g_bytes_new_static("\xff\xd8\xff", 3)};
    const Result result = {.descriptor = descriptor,
                           .status = RESULT_OK,
                           .values = values,
                           .thumbnail = &thumbnail,
                           .delivery = "path",
                           .worker = "host/1",
                           .taken_us = G_GINT64_CONSTANT(1700000002000000),
                           .received_us = G_GINT64_CONSTANT(1700000002000001),
                           .decoded_us = G_GINT64_CONSTANT(1700000002000002),
                           .measured_us = G_GINT64_CONSTANT(1700000002000003)};
    gsize length;
    g_autofree char *text = result_to_json(&result, &length);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_ptr_null(strchr(text, '\n'));
    g_autoptr(JsonNode) root = parse(text);
    JsonObject *object = json_node_get_object(root);

    ck_assert_str_eq(json_object_get_string_member(object, "kind"), "result");
    ck_assert_str_eq(json_object_get_string_member(object, "status"), "ok");
    ck_assert(!json_object_has_member(object, "reason"));
    ck_assert_str_eq(json_object_get_string_member(object, "delivery"), "path");
    ck_assert_int_eq(json_object_get_int_member(object, "attempt"), 2);
    ck_assert_str_eq(json_object_get_string_member(object, "worker"), "host/1");
    JsonObject *pipeline = json_object_get_object_member(object, "pipeline");
    ck_assert_str_eq(json_object_get_string_member(pipeline, "name"), "quality");
    ck_assert_int_eq(json_object_get_int_member(pipeline, "version"), PIPELINE_VERSION);
    JsonObject *frame = json_object_get_object_member(object, "frame");
    ck_assert_str_eq(json_object_get_string_member(frame, "path"), "P1/A01.tif");
    JsonObject *shown = json_object_get_object_member(object, "thumbnail");
    ck_assert_str_eq(json_object_get_string_member(shown, "base64"), "/9j/");
    ck_assert_double_eq(json_object_get_double_member(shown, "low"), 0.25);
    JsonObject *timing = json_object_get_object_member(object, "timing");
    ck_assert_int_eq((int)json_object_get_size(timing), 5);
    ck_assert_str_eq(json_object_get_string_member(timing, "measured_at"),
                     "2023-11-14T22:13:22.000003Z");
    g_bytes_unref(thumbnail.bytes);
}
END_TEST

START_TEST(every_value_survives_the_document_and_nan_is_null) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    g_autofree double *values = some_values();
    const Result result = {.descriptor = descriptor, .values = values, .worker = "h/1"};
    g_autofree char *text = result_to_json(&result, NULL);
    g_autoptr(JsonNode) root = parse(text);
    JsonObject *object = json_object_get_object_member(json_node_get_object(root), "values");
    ck_assert_uint_eq(json_object_get_size(object), measure_columns_count());
    for (guint i = 0; i < measure_columns_count(); i++) {
        JsonNode *node = json_object_get_member(object, measure_column(i)->name);
        if (isnan(values[i]))
            ck_assert(json_node_is_null(node));
        else
            ck_assert_double_eq(json_node_get_double(node), values[i]);
    }
}
END_TEST

START_TEST(a_broken_frame_tells_why_and_has_no_values) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    const Result result = {.descriptor = descriptor,
                           .status = RESULT_BROKEN,
                           .reason = "strip 3: \xff not enough data",
                           .worker = "h/1",
                           .taken_us = 5};
    g_autofree char *text = result_to_json(&result, NULL);
    ck_assert(g_utf8_validate(text, -1, NULL));
    g_autoptr(JsonNode) root = parse(text);
    JsonObject *object = json_node_get_object(root);
    ck_assert_str_eq(json_object_get_string_member(object, "status"), "broken");
    ck_assert(g_str_has_prefix(json_object_get_string_member(object, "reason"), "strip 3"));
    ck_assert_uint_eq(json_object_get_size(json_object_get_object_member(object, "values")), 0);
    ck_assert(!json_object_has_member(object, "thumbnail"));
    ck_assert(!json_object_has_member(object, "delivery"));
    JsonObject *timing = json_object_get_object_member(object, "timing");
    ck_assert(!json_object_has_member(timing, "measured_at"));
}
END_TEST

START_TEST(the_message_id_carries_frame_pipeline_attempt_and_status) {
    static const char *const statuses[] = {"ok", "broken", "vanished", "poison"};
    g_autoptr(Descriptor) descriptor = a_descriptor();
    char id[FRAME_ID_TEXT_LENGTH + 1];
    frame_id_text(&descriptor->frame->id, id);
    for (int status = RESULT_OK; status <= RESULT_POISON; status++) {
        const Result result = {.descriptor = descriptor, .status = (ResultStatus)status};
        g_autofree char *text = result_message_id(&result);
        g_autofree char *expected = g_strdup_printf("%s/quality/2/%s", id, statuses[status]);
        ck_assert_str_eq(text, expected);
    }
}
END_TEST

START_TEST(the_catalogue_has_a_row_for_every_number) {
    gsize length;
    g_autofree char *text = result_catalogue("quality", &length);
    ck_assert_uint_eq(length, strlen(text));
    g_autoptr(JsonNode) root = parse(text);
    JsonObject *object = json_node_get_object(root);
    ck_assert_str_eq(json_object_get_string_member(object, "kind"), "catalogue");
    JsonArray *rows = json_object_get_array_member(object, "measures");
    ck_assert_uint_eq(json_array_get_length(rows), measure_columns_count());
    for (guint i = 0; i < measure_columns_count(); i++) {
        JsonObject *row = json_array_get_object_element(rows, i);
        ck_assert_str_eq(json_object_get_string_member(row, "name"), measure_column(i)->name);
        ck_assert(json_object_has_member(row, "unit") && json_object_has_member(row, "formula"));
    }
}
END_TEST

SUITE("result", a_measured_frame_tells_every_member_of_the_wire,
      every_value_survives_the_document_and_nan_is_null, a_broken_frame_tells_why_and_has_no_values,
      the_message_id_carries_frame_pipeline_attempt_and_status,
      the_catalogue_has_a_row_for_every_number)
