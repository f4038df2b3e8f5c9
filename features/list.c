#include "features/list.h"
#include "features/pipeline.h"
#include "features/report.h"
#include "features/result.h"
#include "stream/program.h"
#include <stdio.h>

static char *format_text;
static gboolean all;

const GOptionEntry list_options[] = {
    {"format", 0, 0, G_OPTION_ARG_STRING, &format_text, "table (as is), csv or json", "FORMAT"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all, "every measure there is, also those not in the pipeline",
     NULL},
    {NULL},
};

#define NAME_WIDTH 24
#define UNIT_WIDTH 7

static void print_labelled(const char *label, const char *text) {
    g_autofree char *line = g_strdup_printf("%s: %s", label, text);
    int indent = NAME_WIDTH + UNIT_WIDTH;
    printf("%*s", indent, "");
    report_wrapped(line, indent);
}

static void print_column(const PipelineColumn *column) {
    const MeasureNumber *number = column->number;
    printf("%-*s %-*s ", NAME_WIDTH - 1, column->name, UNIT_WIDTH - 1, number->unit);
    report_wrapped(column->formula, NAME_WIDTH + UNIT_WIDTH);
    print_labelled("finds", number->detects);
    print_labelled("from", number->source);
    if (column->cellprofiler != NULL)
        print_labelled("CellProfiler", column->cellprofiler);
}

/* Measures that are there and were not asked for. */
static void print_others(const Pipeline *pipeline) {
    g_auto(GStrv) names = pipeline_other_measures(pipeline);
    g_autoptr(GString) others = g_string_new(NULL);
    for (char **name = names; *name != NULL; name++)
        g_string_append_printf(others, " %s", *name);
    if (others->len == 0)
        return;
    g_string_prepend(others, "Not in this pipeline, to be named in its section of the settings:");
    g_string_append(others, " (--all shows their numbers)");
    printf("\n");
    report_wrapped(others->str, 0);
}

static void print_table(const Pipeline *pipeline) {
    printf("%-*s%-*s%s\n", NAME_WIDTH, "name", UNIT_WIDTH, "unit", "formula");
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++)
        print_column(pipeline_column(pipeline, i));
    printf("\n");
    report_wrapped(
        "x is intensity as CellProfiler has it: the file's value / intensity_scale, 0 to 1 "
        "for whole numbers. Stencils use the places where they fit, no border is "
        "invented. A number that is not defined for an image is empty.",
        0);
    print_others(pipeline);
}

static void print_csv_row(const PipelineColumn *column) {
    const MeasureNumber *number = column->number;
    const char *const fields[] = {column->name,   number->unit,    column->formula,
                                  number->source, number->detects, column->cellprofiler,
                                  number->cost,   column->measure};
    for (gsize field = 0; field < G_N_ELEMENTS(fields); field++)
        report_csv_field(fields[field], field > 0);
    printf(",%u,%d\n", column->scale, number->version);
}

static void print_csv(const Pipeline *pipeline) {
    printf("name,unit,formula,source,detects,cellprofiler,cost,measure,scale,version\n");
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++)
        print_csv_row(pipeline_column(pipeline, i));
}

static void print_json(const Pipeline *pipeline) {
    g_autofree char *catalogue = result_catalogue(pipeline, 0, G_MAXUINT, NULL);
    printf("%s\n", catalogue);
}

static Pipeline *pipeline_asked_for(const Settings *settings, GError **error) {
    if (!all)
        return pipeline_new(settings, settings->pipeline, error);
    g_autoptr(GString) words = g_string_new("standard");
    for (gsize i = 0; measures[i] != NULL; i++)
        g_string_append_printf(words, " %s", measures[i]->name);
    return pipeline_from_words(settings, settings->pipeline, words->str, error);
}

int list_run(const Settings *settings, char **arguments) {
    static void (*const print[])(const Pipeline *) = {
        [REPORT_TABLE] = print_table, [REPORT_CSV] = print_csv, [REPORT_JSON] = print_json};
    GError *error = NULL;
    ReportFormat format;
    if (!report_parse_format(format_text, &format, &error))
        return program_fail(error);
    g_autoptr(Pipeline) pipeline = pipeline_asked_for(settings, &error);
    if (pipeline == NULL)
        return program_fail(error);
    report_news(pipeline);
    print[format](pipeline);
    return EXIT_SUCCESS;
}
