#include "features/result.h"
#include "features/measure.h"
#include <math.h>

const char *result_status_text(ResultStatus status) {
    static const char *const texts[] = {
        [RESULT_OK] = "ok",
        [RESULT_BROKEN] = "broken",
        [RESULT_VANISHED] = "vanished",
        [RESULT_POISON] = "poison",
    };
    return texts[status];
}

/* --- members --- */

/* Texts come from decoders and file headers: what is not UTF-8 is made so. */
static void add_text(JsonBuilder *builder, const char *member, const char *text) {
    if (text == NULL)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_builder_set_member_name(builder, member);
    json_builder_add_string_value(builder, valid);
}

static void add_whole(JsonBuilder *builder, const char *member, gint64 value) {
    json_builder_set_member_name(builder, member);
    json_builder_add_int_value(builder, value);
}

static void add_number(JsonBuilder *builder, const char *member, double value) {
    json_builder_set_member_name(builder, member);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_time(JsonBuilder *builder, const char *member, gint64 us) {
    if (us == 0)
        return;
    g_autofree char *text = frame_time_text(us);
    add_text(builder, member, text);
}

/* --- objects --- */

static void add_pipeline(JsonBuilder *builder, const char *name) {
    json_builder_set_member_name(builder, "pipeline");
    json_builder_begin_object(builder);
    add_text(builder, "name", name);
    add_whole(builder, "version", PIPELINE_VERSION);
    json_builder_end_object(builder);
}

void result_values_to_json(const double *values, JsonBuilder *builder) {
    json_builder_set_member_name(builder, "values");
    json_builder_begin_object(builder);
    for (guint i = 0; values != NULL && i < measure_columns_count(); i++)
        add_number(builder, measure_column(i)->name, values[i]);
    json_builder_end_object(builder);
}

static void add_thumbnail(JsonBuilder *builder, const Thumbnail *thumbnail) {
    if (thumbnail == NULL)
        return;
    gsize length;
    const guint8 *data = g_bytes_get_data(thumbnail->bytes, &length);
    g_autofree char *base64 = g_base64_encode(data, length);
    json_builder_set_member_name(builder, "thumbnail");
    json_builder_begin_object(builder);
    add_text(builder, "mime", thumbnail->mime);
    add_whole(builder, "width", thumbnail->width);
    add_whole(builder, "height", thumbnail->height);
    add_number(builder, "low", thumbnail->low);
    add_number(builder, "high", thumbnail->high);
    add_text(builder, "base64", base64);
    json_builder_end_object(builder);
}

static void add_timing(JsonBuilder *builder, const Result *result) {
    json_builder_set_member_name(builder, "timing");
    json_builder_begin_object(builder);
    add_time(builder, "offered_at", result->descriptor->offered_us);
    add_time(builder, "taken_at", result->taken_us);
    add_time(builder, "received_at", result->received_us);
    add_time(builder, "decoded_at", result->decoded_us);
    add_time(builder, "measured_at", result->measured_us);
    json_builder_end_object(builder);
}

static char *builder_finish(JsonBuilder *builder, gsize *ret_length) {
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autoptr(JsonGenerator) generator = json_generator_new();
    json_generator_set_root(generator, root);
    return json_generator_to_data(generator, ret_length);
}

/* --- documents --- */

char *result_to_json(const Result *result, gsize *ret_length) {
    const Descriptor *descriptor = result->descriptor;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "kind", "result");
    json_builder_set_member_name(builder, "frame");
    json_builder_begin_object(builder);
    frame_to_json(descriptor->frame, builder);
    json_builder_end_object(builder);
    add_pipeline(builder, descriptor->pipeline);
    add_text(builder, "status", result_status_text(result->status));
    add_text(builder, "reason", result->reason);
    result_values_to_json(result->values, builder);
    add_thumbnail(builder, result->thumbnail);
    add_text(builder, "delivery", result->delivery);
    add_whole(builder, "attempt", descriptor->attempt);
    add_text(builder, "worker", result->worker);
    add_timing(builder, result);
    json_builder_end_object(builder);
    return builder_finish(builder, ret_length);
}

char *result_message_id(const Result *result) {
    const Descriptor *descriptor = result->descriptor;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    return g_strdup_printf("%s/%s/%u/%s", frame_id_text(&descriptor->frame->id, id),
                           descriptor->pipeline, descriptor->attempt,
                           result_status_text(result->status));
}

static void add_catalogue_number(JsonBuilder *builder, const MeasureNumber *number) {
    json_builder_begin_object(builder);
    add_text(builder, "name", number->name);
    add_text(builder, "unit", number->unit);
    add_text(builder, "formula", number->formula);
    add_text(builder, "source", number->source);
    add_text(builder, "detects", number->detects);
    add_text(builder, "cellprofiler", number->cellprofiler);
    add_text(builder, "cost", number->cost);
    add_whole(builder, "version", number->version);
    json_builder_end_object(builder);
}

char *result_catalogue(const char *pipeline, gsize *ret_length) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "kind", "catalogue");
    add_pipeline(builder, pipeline);
    json_builder_set_member_name(builder, "measures");
    json_builder_begin_array(builder);
    for (guint i = 0; i < measure_columns_count(); i++)
        add_catalogue_number(builder, measure_column(i));
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return builder_finish(builder, ret_length);
}
