#include "features/result.h"
#include "stream/json_write.h"
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

/* --- objects --- */

static void add_pipeline(JsonBuilder *builder, const Pipeline *pipeline) {
    json_write_object(builder, "pipeline");
    json_write_text(builder, "name", pipeline_name(pipeline));
    json_write_text(builder, "definition", pipeline_definition_id(pipeline));
}

static void add_number(JsonBuilder *builder, const PipelineColumn *column, const double *values) {
    json_write_number(builder, column->name, *values);
}

static void add_array(JsonBuilder *builder, const PipelineColumn *column, const double *values) {
    json_write_array(builder, column->name);
    for (guint i = 0; i < column->places; i++)
        json_write_number(builder, NULL, (float)values[i]); /* as wide as its column in SQL */
    json_builder_end_array(builder);
}

static void add_hash(JsonBuilder *builder, const PipelineColumn *column, const double *values) {
    json_write_count(builder, column->name, (gint64)measure_hash_get(values));
}

static void add_value(JsonBuilder *builder, const PipelineColumn *column, const double *values) {
    static void (*const add[])(JsonBuilder *, const PipelineColumn *, const double *) = {
        [MEASURE_NUMBER] = add_number, [MEASURE_ARRAY] = add_array, [MEASURE_HASH] = add_hash};
    add[column->number->kind](builder, column, values + column->place);
}

static void add_nulls(const Pipeline *pipeline, const Measurement *measurement,
                      JsonBuilder *builder) {
    bool begun = false;
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++) {
        if (measurement->reasons[i] == NULL)
            continue;
        if (!begun)
            json_write_object(builder, "nulls");
        begun = true;
        json_write_text(builder, pipeline_column(pipeline, i)->name, measurement->reasons[i]);
    }
    if (begun)
        json_builder_end_object(builder);
}

void result_values_to_json(const Pipeline *pipeline, const Measurement *measurement,
                           JsonBuilder *builder) {
    json_write_object(builder, "values");
    for (guint i = 0; measurement != NULL && i < pipeline_columns_count(pipeline); i++) {
        const PipelineColumn *column = pipeline_column(pipeline, i);
        if (measurement->reasons[i] == NULL)
            add_value(builder, column, measurement->values);
        else
            json_write_number(builder, column->name, NAN);
    }
    json_builder_end_object(builder);
    if (measurement != NULL)
        add_nulls(pipeline, measurement, builder);
}

static void add_thumbnail(JsonBuilder *builder, const Thumbnail *thumbnail) {
    if (thumbnail == NULL)
        return;
    gsize length;
    const guint8 *data = g_bytes_get_data(thumbnail->bytes, &length);
    g_autofree char *base64 = g_base64_encode(data, length);
    json_write_object(builder, "thumbnail");
    json_write_text(builder, "mime", thumbnail->mime);
    json_write_count(builder, "width", thumbnail->width);
    json_write_count(builder, "height", thumbnail->height);
    json_write_number(builder, "low", thumbnail->low);
    json_write_number(builder, "high", thumbnail->high);
    json_write_text(builder, "base64", base64);
    json_builder_end_object(builder);
}

/* Steps that were never reached are left out. */
static void add_step(JsonBuilder *builder, const char *name, gint64 us) {
    if (us != 0)
        json_write_time(builder, name, us);
}

static void add_timing(JsonBuilder *builder, const Result *result) {
    json_write_object(builder, "timing");
    add_step(builder, "offered_at", result->descriptor->offered_us);
    add_step(builder, "taken_at", result->taken_us);
    add_step(builder, "received_at", result->received_us);
    add_step(builder, "decoded_at", result->decoded_us);
    add_step(builder, "measured_at", result->measured_us);
    json_builder_end_object(builder);
}

/* --- documents --- */

char *result_to_json(const Result *result, gsize *ret_length) {
    const Descriptor *descriptor = result->descriptor;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "kind", "result");
    json_write_object(builder, "frame");
    frame_to_json(descriptor->frame, builder);
    json_builder_end_object(builder);
    add_pipeline(builder, result->pipeline);
    json_builder_end_object(builder);
    json_write_text(builder, "status", result_status_text(result->status));
    json_write_text(builder, "reason", result->reason);
    result_values_to_json(result->pipeline, result->measurement, builder);
    add_thumbnail(builder, result->thumbnail);
    json_write_text(builder, "delivery", result->delivery);
    json_write_count(builder, "attempt", descriptor->attempt);
    json_write_text(builder, "worker", result->worker);
    add_timing(builder, result);
    json_builder_end_object(builder);
    return json_write_finish(builder, ret_length);
}

char *result_message_id(const Result *result) {
    const Descriptor *descriptor = result->descriptor;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    return g_strdup_printf("%s/%s/%u/%s", frame_id_text(&descriptor->frame->id, id),
                           descriptor->pipeline, descriptor->attempt,
                           result_status_text(result->status));
}

char *result_unreadable(const char *source, const char *reason, gsize *ret_length) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "kind", "event");
    json_write_time(builder, "at", g_get_real_time());
    json_write_text(builder, "source", source);
    json_write_text(builder, "level", "error");
    json_write_text(builder, "event", "unreadable-descriptor");
    json_write_text(builder, "detail", reason);
    json_builder_end_object(builder);
    return json_write_finish(builder, ret_length);
}

static void add_catalogue_column(JsonBuilder *builder, const PipelineColumn *column) {
    static const char *const kinds[] = {
        [MEASURE_NUMBER] = "number", [MEASURE_ARRAY] = "array", [MEASURE_HASH] = "hash"};
    const MeasureNumber *number = column->number;
    json_builder_begin_object(builder);
    json_write_text(builder, "name", column->name);
    json_write_text(builder, "kind", kinds[number->kind]);
    if (number->kind == MEASURE_ARRAY)
        json_write_count(builder, "length", number->length);
    json_write_text(builder, "unit", number->unit);
    json_write_text(builder, "formula", column->formula);
    json_write_text(builder, "source", number->source);
    json_write_text(builder, "detects", number->detects);
    json_write_text(builder, "cellprofiler", column->cellprofiler);
    json_write_text(builder, "cost", number->cost);
    json_write_count(builder, "version", number->version);
    json_write_text(builder, "measure", column->measure);
    if (column->scale > 0)
        json_write_count(builder, "scale", column->scale);
    json_builder_end_object(builder);
}

char *result_catalogue(const Pipeline *pipeline, guint first, guint count, gsize *ret_length) {
    guint columns = pipeline_columns_count(pipeline);
    guint end = count < columns - MIN(first, columns) ? first + count : columns;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "kind", "catalogue");
    add_pipeline(builder, pipeline);
    json_write_text(builder, "measures", pipeline_definition(pipeline));
    json_builder_end_object(builder);
    json_write_array(builder, "measures");
    for (guint i = first; i < end; i++)
        add_catalogue_column(builder, pipeline_column(pipeline, i));
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return json_write_finish(builder, ret_length);
}
