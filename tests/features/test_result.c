#include "features/result.h"
#include "tests/features/measuring.h"
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

/* Every third column has no value. */
static Measurement *some_measurement(void) {
    Measurement *measurement = g_new0(Measurement, 1);
    measurement->values = g_new(double, measure_places());
    measurement->reasons = g_new0(const char *, measure_columns_count());
    for (guint i = 0; i < measure_places(); i++)
        measurement->values[i] = i + 3;
    for (guint i = 0; i < measure_columns_count(); i++)
        if (i % 3 == 2)
            measurement->reasons[i] = "all pixels are equal";
    return measurement;
}

START_TEST(a_measured_frame_tells_every_member_of_the_wire) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    g_autoptr(Measurement) measurement = some_measurement();
    const Thumbnail thumbnail = {.mime = "image/jpeg",
                                 .width = 4,
                                 .height = 3,
                                 .low = 0.25,
                                 .high = 0.5,
                                 .bytes = g_bytes_new_static("\xff\xd8\xff", 3)};
    const Result result = {.descriptor = descriptor,
                           .status = RESULT_OK,
                           .pipeline = measuring_pipeline(NULL),
                           .measurement = measurement,
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
    ck_assert_str_eq(json_object_get_string_member(pipeline, "name"), "test");
    ck_assert_str_eq(json_object_get_string_member(pipeline, "definition"),
                     pipeline_definition_id(measuring_pipeline(NULL)));
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

static void check_value(const PipelineColumn *column, JsonNode *node, const double *values) {
    values += column->place;
    if (column->number->kind == MEASURE_HASH) {
        ck_assert_uint_eq((guint64)json_node_get_int(node), measure_hash_get(values));
    } else if (column->number->kind == MEASURE_ARRAY) {
        JsonArray *elements = json_node_get_array(node);
        ck_assert_uint_eq(json_array_get_length(elements), column->places);
        for (guint i = 0; i < column->places; i++)
            ck_assert_double_eq(json_array_get_double_element(elements, i), values[i]);
    } else {
        ck_assert_double_eq(json_node_get_double(node), *values);
    }
}

START_TEST(every_value_survives_the_document_and_what_has_none_tells_why) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    g_autoptr(Measurement) measurement = some_measurement();
    const Result result = {.descriptor = descriptor,
                           .pipeline = measuring_pipeline(NULL),
                           .measurement = measurement,
                           .worker = "h/1"};
    g_autofree char *text = result_to_json(&result, NULL);
    g_autoptr(JsonNode) root = parse(text);
    JsonObject *document = json_node_get_object(root);
    JsonObject *values = json_object_get_object_member(document, "values");
    JsonObject *nulls = json_object_get_object_member(document, "nulls");
    ck_assert_uint_eq(json_object_get_size(values), measure_columns_count());
    for (guint i = 0; i < measure_columns_count(); i++) {
        const PipelineColumn *column = measure_column(i);
        JsonNode *node = json_object_get_member(values, column->name);
        ck_assert(json_object_has_member(nulls, column->name) == (i % 3 == 2));
        if (i % 3 == 2)
            ck_assert(json_node_is_null(node));
        else
            check_value(column, node, measurement->values);
    }
}
END_TEST

START_TEST(a_broken_frame_tells_why_and_has_no_values) {
    g_autoptr(Descriptor) descriptor = a_descriptor();
    const Result result = {.descriptor = descriptor,
                           .pipeline = measuring_pipeline(NULL),
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
    g_autofree char *text = result_catalogue(measuring_pipeline(NULL), 0, G_MAXUINT, &length);
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

/* A server takes no message beyond its max_payload. */
START_TEST(a_catalogue_in_parts_has_every_number_once) {
    guint count = measure_columns_count(), found = 0;
    for (guint first = 0; first < count; first += 40) {
        g_autofree char *text = result_catalogue(measuring_pipeline(NULL), first, 40, NULL);
        g_autoptr(JsonNode) root = parse(text);
        JsonArray *rows = json_object_get_array_member(json_node_get_object(root), "measures");
        ck_assert_uint_eq(json_array_get_length(rows), MIN(40, count - first));
        for (guint i = 0; i < json_array_get_length(rows); i++)
            ck_assert_str_eq(
                json_object_get_string_member(json_array_get_object_element(rows, i), "name"),
                measure_column(found++)->name);
    }
    ck_assert_uint_eq(found, count);
}
END_TEST

SUITE("result", a_measured_frame_tells_every_member_of_the_wire,
      every_value_survives_the_document_and_what_has_none_tells_why,
      a_broken_frame_tells_why_and_has_no_values,
      the_message_id_carries_frame_pipeline_attempt_and_status,
      the_catalogue_has_a_row_for_every_number, a_catalogue_in_parts_has_every_number_once)
