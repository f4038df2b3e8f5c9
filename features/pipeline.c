#include "features/pipeline.h"
#include "features/plug_ins/plug_ins.h"
#include <math.h>
#include <string.h>

/* Scales a measure may be given, and how large. */
#define SCALES_LIMIT 16
#define SCALE_LIMIT  100000

/* One measure of the pipeline, at all its scales. */
typedef struct {
    const Measure *measure;
    GArray *scales; /* of guint32; empty: it has none */
    int plug_in;    /* its index there; -1: it is built in */
    guint first_column, columns;
    const char *trouble; /* with the last plane; NULL: none */
} Step;

struct Pipeline {
    char *name, *definition, *definition_id;
    GPtrArray *steps;   /* of Step */
    GPtrArray *columns; /* of PipelineColumn */
    guint places;
    Scan *scan;
    PlugIns *plug_ins;
    bool lacks_plug_ins; /* some were named that cannot be used */
};

static void step_free(Step *step) {
    g_array_unref(step->scales);
    g_free(step);
}

static void column_free(PipelineColumn *column) {
    g_free((char *)column->name);
    g_free((char *)column->formula);
    g_free((char *)column->cellprofiler);
    g_free(column);
}

void pipeline_free(Pipeline *pipeline) {
    if (pipeline == NULL)
        return;
    scan_free(pipeline->scan);
    plug_ins_free(pipeline->plug_ins);
    g_ptr_array_unref(pipeline->columns);
    g_ptr_array_unref(pipeline->steps);
    g_free(pipeline->definition_id);
    g_free(pipeline->definition);
    g_free(pipeline->name);
    g_free(pipeline);
}

/* --- the words --- */

/* Where the words stand, for errors. */
static bool wrong_word(const Pipeline *pipeline, GError **error, const char *word,
                       const char *expected) {
    return fault_set(error, FAULT_USAGE, "[pipeline %s] measures: '%s': %s", pipeline->name, word,
                     expected);
}

static int step_index(const Pipeline *pipeline, const Measure *measure) {
    for (guint i = 0; i < pipeline->steps->len; i++)
        if (((const Step *)pipeline->steps->pdata[i])->measure == measure)
            return (int)i;
    return -1;
}

static bool parse_scales(const char *text, GArray *scales) {
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part != NULL; part++) {
        guint64 scale;
        if (!g_ascii_string_to_unsigned(*part, 10, 1, SCALE_LIMIT, &scale, NULL))
            return false;
        guint32 pixels = (guint32)scale;
        for (guint i = 0; i < scales->len; i++)
            if (g_array_index(scales, guint32, i) == pixels)
                return false;
        g_array_append_val(scales, pixels);
    }
    return scales->len > 0 && scales->len <= SCALES_LIMIT;
}

static int plug_in_index(const Pipeline *pipeline, const Measure *measure) {
    for (guint i = 0; i < plug_ins_count(pipeline->plug_ins); i++)
        if (plug_ins_at(pipeline->plug_ins, i) == measure)
            return (int)i;
    return -1;
}

/* Built in or plugged in; NULL if there is none. */
static const Measure *find_measure(const Pipeline *pipeline, const char *name) {
    for (guint i = 0; i < plug_ins_count(pipeline->plug_ins); i++)
        if (strcmp(plug_ins_at(pipeline->plug_ins, i)->name, name) == 0)
            return plug_ins_at(pipeline->plug_ins, i);
    return measure_find(name);
}

static Step *step_for(Pipeline *pipeline, const Measure *measure) {
    int index = step_index(pipeline, measure);
    if (index >= 0)
        return pipeline->steps->pdata[index];
    Step *step = g_new0(Step, 1);
    step->measure = measure;
    step->plug_in = plug_in_index(pipeline, measure);
    step->scales = g_array_new(FALSE, FALSE, sizeof(guint32));
    if (measure->scales != NULL)
        parse_scales(measure->scales, step->scales);
    g_ptr_array_add(pipeline->steps, step);
    return step;
}

static bool has_cellprofiler_name(const Measure *measure) {
    for (const MeasureNumber *number = measure->numbers; number->name != NULL; number++)
        if (number->cellprofiler != NULL)
            return true;
    return false;
}

static void add_cellprofiler(Pipeline *pipeline) {
    for (gsize i = 0; measures[i] != NULL; i++)
        if (!measures[i]->slow && has_cellprofiler_name(measures[i]))
            step_for(pipeline, measures[i]);
}

static void add_standard(Pipeline *pipeline) {
    for (gsize i = 0; measures[i] != NULL; i++)
        if (!measures[i]->slow)
            step_for(pipeline, measures[i]);
    for (guint i = 0; i < plug_ins_count(pipeline->plug_ins); i++)
        step_for(pipeline, plug_ins_at(pipeline->plug_ins, i));
}

/* People know the numbers better than the measures that give them. */
static const Measure *measure_of_number(const char *name) {
    for (gsize i = 0; measures[i] != NULL; i++)
        for (const MeasureNumber *number = measures[i]->numbers; number->name != NULL; number++)
            if (strcmp(number->name, name) == 0)
                return measures[i];
    return NULL;
}

static bool unknown_measure(const Pipeline *pipeline, GError **error, const char *word) {
    const Measure *giver = measure_of_number(word);
    g_autofree char *words =
        giver != NULL
            ? g_strdup_printf("is a number of the measure %s; measures stand here", giver->name)
            : g_strdup("no measure has that name; scopestream-features list --format csv tells "
                       "them; spaces stand between names");
    return wrong_word(pipeline, error, word, words);
}

static bool add_named(Pipeline *pipeline, const char *word, GError **error) {
    g_auto(GStrv) halves = g_strsplit(word, ":", 2);
    const Measure *measure = find_measure(pipeline, halves[0]);
    if (measure == NULL && plug_ins_is_broken(pipeline->plug_ins, word))
        return pipeline->lacks_plug_ins = true; /* which is news, and no reason to stand still */
    if (measure == NULL)
        return unknown_measure(pipeline, error, halves[0]);
    Step *step = step_for(pipeline, measure);
    if (halves[1] == NULL)
        return true;
    if (measure->scales == NULL)
        return wrong_word(pipeline, error, word, "this measure has no scales");
    g_array_set_size(step->scales, 0);
    return parse_scales(halves[1], step->scales) ||
           wrong_word(
               pipeline, error, word,
               "expected up to " G_STRINGIFY(SCALES_LIMIT) " scales, whole numbers of pixels, each "
                                                           "once, with commas: 10,20,50");
}

static bool take_out(Pipeline *pipeline, const char *word, GError **error) {
    const Measure *measure = find_measure(pipeline, word + 1);
    if (measure == NULL && plug_ins_is_broken(pipeline->plug_ins, word + 1))
        return true;
    int index = measure != NULL ? step_index(pipeline, measure) : -1;
    if (index < 0)
        return wrong_word(pipeline, error, word, "no measure of that name stands before it");
    g_ptr_array_remove_index(pipeline->steps, (guint)index);
    return true;
}

static bool read_word(Pipeline *pipeline, const char *word, GError **error) {
    if (g_str_equal(word, "standard"))
        add_standard(pipeline);
    else if (g_str_equal(word, "cellprofiler"))
        add_cellprofiler(pipeline);
    else if (*word == '-')
        return take_out(pipeline, word, error);
    else
        return add_named(pipeline, word, error);
    return true;
}

static bool read_words(Pipeline *pipeline, const char *words, GError **error) {
    g_auto(GStrv) parts = g_strsplit_set(words, " \t", -1);
    for (char **word = parts; *word != NULL; word++)
        if (**word != '\0' && !read_word(pipeline, *word, error))
            return false;
    return pipeline->steps->len > 0 || pipeline->lacks_plug_ins ||
           fault_set(error, FAULT_USAGE, "[pipeline %s] measures: no measure is left",
                     pipeline->name);
}

/* --- the columns --- */

/* text with {scale} filled in; NULL stays NULL. */
static char *at_scale(const char *text, guint32 scale) {
    if (text == NULL)
        return NULL;
    GString *filled = g_string_new(text);
    char digits[16];
    g_snprintf(digits, sizeof digits, "%u", scale);
    g_string_replace(filled, "{scale}", digits, 0);
    return g_string_free(filled, FALSE);
}

static void add_columns(Pipeline *pipeline, const Step *step, guint32 scale) {
    for (const MeasureNumber *number = step->measure->numbers; number->name != NULL; number++) {
        PipelineColumn *column = g_new0(PipelineColumn, 1);
        *column = (PipelineColumn){.name = at_scale(number->name, scale),
                                   .formula = at_scale(number->formula, scale),
                                   .cellprofiler = at_scale(number->cellprofiler, scale),
                                   .number = number,
                                   .measure = step->measure->name,
                                   .scale = scale,
                                   .place = pipeline->places,
                                   .places = measure_number_places(number)};
        pipeline->places += column->places;
        g_ptr_array_add(pipeline->columns, column);
    }
}

static void make_columns(Pipeline *pipeline) {
    for (guint i = 0; i < pipeline->steps->len; i++) {
        Step *step = pipeline->steps->pdata[i];
        step->first_column = pipeline->columns->len;
        for (guint scale = 0; scale < step->scales->len; scale++)
            add_columns(pipeline, step, g_array_index(step->scales, guint32, scale));
        if (step->scales->len == 0)
            add_columns(pipeline, step, 0);
        step->columns = pipeline->columns->len - step->first_column;
    }
}

/* --- the definition --- */

static void define_step(GString *definition, const Step *step) {
    g_string_append_printf(definition, "%s%s", definition->len > 0 ? " " : "", step->measure->name);
    for (guint i = 0; i < step->scales->len; i++)
        g_string_append_printf(definition, "%s%u", i == 0 ? "(" : ",",
                               g_array_index(step->scales, guint32, i));
    g_string_append(definition, step->scales->len > 0 ? "):" : ":");
    for (const MeasureNumber *number = step->measure->numbers; number->name != NULL; number++)
        g_string_append_printf(definition, "%s%d", number == step->measure->numbers ? "" : ".",
                               number->version);
}

static void make_definition(Pipeline *pipeline) {
    GString *definition = g_string_new(NULL);
    for (guint i = 0; i < pipeline->steps->len; i++)
        define_step(definition, pipeline->steps->pdata[i]);
    pipeline->definition = g_string_free(definition, FALSE);
    g_autofree char *digest =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, pipeline->definition, -1);
    pipeline->definition_id = g_strndup(digest, 16);
}

/* --- the scan, and the processes --- */

static void make_scan(Pipeline *pipeline) {
    g_autoptr(GArray) grids = g_array_new(TRUE, FALSE, sizeof(guint32));
    ScanPlan plan = {0};
    for (guint i = 0; i < pipeline->steps->len; i++) {
        const Step *step = pipeline->steps->pdata[i];
        plan.needs |= step->measure->needs;
        if (step->measure->grid_of_scale)
            g_array_append_vals(grids, step->scales->data, step->scales->len);
    }
    plan.grid_scales = (const guint32 *)(const void *)grids->data;
    pipeline->scan = scan_new(&plan);
}

static void rest_others(Pipeline *pipeline) {
    for (guint i = 0; i < plug_ins_count(pipeline->plug_ins); i++)
        if (step_index(pipeline, plug_ins_at(pipeline->plug_ins, i)) < 0)
            plug_ins_rest(pipeline->plug_ins, i);
}

Pipeline *pipeline_from_words(const Settings *settings, const char *name, const char *words,
                              GError **error) {
    g_autoptr(Pipeline) pipeline = g_new0(Pipeline, 1);
    pipeline->name = g_strdup(name);
    pipeline->steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
    pipeline->columns = g_ptr_array_new_with_free_func((GDestroyNotify)column_free);
    pipeline->plug_ins = plug_ins_open(settings, error);
    if (pipeline->plug_ins == NULL)
        return NULL;
    if (!read_words(pipeline, words == NULL || *words == '\0' ? "standard" : words, error))
        return NULL;
    make_columns(pipeline);
    make_definition(pipeline);
    make_scan(pipeline);
    rest_others(pipeline);
    return g_steal_pointer(&pipeline);
}

/* Where pipelines are defined at all, a name that is not is likely mistyped; the default's own name
 * is not. */
static bool may_lack_section(const Settings *settings, const char *name) {
    g_autoptr(Settings) defaults = settings_new();
    return settings->pipeline_sections[0] == NULL || g_str_equal(name, defaults->pipeline);
}

Pipeline *pipeline_new(const Settings *settings, const char *name, GError **error) {
    const PipelineSettings *section = settings_pipeline(settings, name);
    if (section == NULL && !may_lack_section(settings, name)) {
        fault_set(error, FAULT_USAGE,
                  "pipeline %s: the settings have sections for pipelines, and no [pipeline %s]; an "
                  "empty one stands for the standard measures",
                  name, name);
        return NULL;
    }
    return pipeline_from_words(settings, name, section != NULL ? section->measures : NULL, error);
}

/* --- what it is --- */

const char *pipeline_name(const Pipeline *pipeline) {
    return pipeline->name;
}

const char *pipeline_definition(const Pipeline *pipeline) {
    return pipeline->definition;
}

const char *pipeline_definition_id(const Pipeline *pipeline) {
    return pipeline->definition_id;
}

guint pipeline_columns_count(const Pipeline *pipeline) {
    return pipeline->columns->len;
}

const PipelineColumn *pipeline_column(const Pipeline *pipeline, guint index) {
    return pipeline->columns->pdata[index];
}

int pipeline_column_find(const Pipeline *pipeline, const char *name) {
    for (guint i = 0; i < pipeline->columns->len; i++)
        if (strcmp(pipeline_column(pipeline, i)->name, name) == 0)
            return (int)i;
    return -1;
}

guint pipeline_places(const Pipeline *pipeline) {
    return pipeline->places;
}

/* --- measuring --- */

void measurement_free(Measurement *measurement) {
    if (measurement == NULL)
        return;
    g_free(measurement->values);
    g_free(measurement->reasons);
    g_free(measurement);
}

/* Why this number may have no value for this plane, the first that is true. */
static const char *reason_of(const Measure *measure, const PipelineColumn *column,
                             const Scan *scan) {
    const Plane *plane = scan->plane;
    if (scan->n == 0)
        return "no pixel is a finite number";
    if (column->number->needs_pixel_size && !(plane->pixel_size_um > 0))
        return "the pixel size is not known";
    if (MIN(plane->width, plane->height) < MAX(measure->least_side, column->scale))
        return "the image is smaller than the computation needs";
    if (scan->levels->count == 1)
        return "all pixels are equal";
    return "the formula has no value for this image";
}

static void run_plug_in(Step *step, const Pipeline *pipeline, double *values) {
    step->trouble = plug_ins_compute(pipeline->plug_ins, (guint)step->plug_in, values);
}

static void end_one(Step *step, const Scan *scan) {
    if (!scan_scratch_reset(scan))
        step->trouble = "memory does not suffice";
}

static void run_built_in(Step *step, const Pipeline *pipeline, double *values) {
    const Measure *measure = step->measure;
    const Scan *scan = pipeline->scan;
    guint places = 0;
    for (const MeasureNumber *number = measure->numbers; number->name != NULL; number++)
        places += measure_number_places(number);
    for (guint i = 0; i < step->scales->len; i++, values += places) {
        measure->compute_at(scan, g_array_index(step->scales, guint32, i), values);
        end_one(step, scan);
    }
    if (step->scales->len > 0)
        return;
    measure->compute(scan, values);
    end_one(step, scan);
}

static void run_step(Step *step, const Pipeline *pipeline, double *values) {
    step->trouble = NULL;
    if (pipeline->scan->n == 0 && !step->measure->without_pixels)
        return;
    values += pipeline_column(pipeline, step->first_column)->place;
    if (step->plug_in >= 0)
        run_plug_in(step, pipeline, values);
    else
        run_built_in(step, pipeline, values);
}

static bool has_plug_ins(const Pipeline *pipeline) {
    for (guint i = 0; i < pipeline->steps->len; i++)
        if (((const Step *)pipeline->steps->pdata[i])->plug_in >= 0)
            return true;
    return false;
}

/* An array has a value as soon as one of its elements has. */
static bool has_value(const PipelineColumn *column, const double *values) {
    for (guint i = 0; i < column->places; i++)
        if (!isnan(values[column->place + i]))
            return true;
    return false;
}

static void give_reasons(const Pipeline *pipeline, const Step *step, Measurement *measurement) {
    for (guint c = step->first_column; c < step->first_column + step->columns; c++) {
        const PipelineColumn *column = pipeline_column(pipeline, c);
        if (has_value(column, measurement->values))
            continue;
        measurement->reasons[c] = step->trouble != NULL
                                      ? step->trouble
                                      : reason_of(step->measure, column, pipeline->scan);
    }
}

Measurement *pipeline_measure(Pipeline *pipeline, const Plane *plane, GError **error) {
    if (!scan_look(pipeline->scan, plane, error))
        return NULL;
    Measurement *measurement = g_new0(Measurement, 1);
    measurement->values = g_new(double, pipeline->places);
    measurement->reasons = g_new0(const char *, pipeline->columns->len);
    for (guint i = 0; i < pipeline->places; i++)
        measurement->values[i] = NAN;
    if (has_plug_ins(pipeline))
        plug_ins_show(pipeline->plug_ins, plane);
    for (guint i = 0; i < pipeline->steps->len; i++)
        run_step(pipeline->steps->pdata[i], pipeline, measurement->values);
    for (guint i = 0; i < pipeline->places; i++)
        if (isinf(measurement->values[i])) /* an overflow of huge floats is no number either */
            measurement->values[i] = NAN;
    for (guint i = 0; i < pipeline->steps->len; i++)
        give_reasons(pipeline, pipeline->steps->pdata[i], measurement);
    return measurement;
}

const Scan *pipeline_scan(const Pipeline *pipeline) {
    return pipeline->scan;
}

char **pipeline_take_news(Pipeline *pipeline) {
    return plug_ins_take_news(pipeline->plug_ins);
}

char **pipeline_other_measures(const Pipeline *pipeline) {
    GPtrArray *others = g_ptr_array_new();
    for (gsize i = 0; measures[i] != NULL; i++)
        if (step_index(pipeline, measures[i]) < 0)
            g_ptr_array_add(others, g_strdup(measures[i]->name));
    for (guint i = 0; i < plug_ins_count(pipeline->plug_ins); i++)
        if (step_index(pipeline, plug_ins_at(pipeline->plug_ins, i)) < 0)
            g_ptr_array_add(others, g_strdup(plug_ins_at(pipeline->plug_ins, i)->name));
    g_ptr_array_add(others, NULL);
    return (char **)g_ptr_array_free(others, FALSE);
}
