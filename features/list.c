#include "features/list.h"
#include "features/measure.h"
#include "features/report.h"
#include "features/result.h"
#include "stream/program.h"
#include <stdio.h>

static char *format_text;

const GOptionEntry list_options[] = {
    {"format", 0, 0, G_OPTION_ARG_STRING, &format_text, "table (as is), csv or json", "FORMAT"},
    {NULL},
};

#define NAME_WIDTH 20
#define UNIT_WIDTH 5

static void print_labelled(const char *label, const char *text) {
    g_autofree char *line = g_strdup_printf("%s: %s", label, text);
    int indent = NAME_WIDTH + UNIT_WIDTH;
    printf("%*s", indent, "");
    report_wrapped(line, indent);
}

static void print_number(const MeasureNumber *number) {
    printf("%-*s%-*s", NAME_WIDTH, number->name, UNIT_WIDTH, number->unit);
    report_wrapped(number->formula, NAME_WIDTH + UNIT_WIDTH);
    print_labelled("finds", number->detects);
    print_labelled("from", number->source);
    if (number->cellprofiler != NULL)
        print_labelled("CellProfiler", number->cellprofiler);
}

static void print_table(const char *pipeline) {
    printf("%-*s%-*s%s\n", NAME_WIDTH, "name", UNIT_WIDTH, "unit", "formula");
    for (guint i = 0; i < measure_columns_count(); i++)
        print_number(measure_column(i));
    printf("\n");
    report_wrapped(
        "x is intensity as CellProfiler has it: the file's value / intensity_scale, 0 to 1 "
        "for whole numbers. Stencils use the places where they fit, no border is "
        "invented. A number that is not defined for an image is empty.",
        0);
}

static void print_csv(const char *pipeline) {
    printf("name,unit,formula,source,detects,cellprofiler,cost,version\n");
    for (guint i = 0; i < measure_columns_count(); i++) {
        const MeasureNumber *number = measure_column(i);
        const char *const fields[] = {number->name,   number->unit,    number->formula,
                                      number->source, number->detects, number->cellprofiler,
                                      number->cost};
        for (gsize field = 0; field < G_N_ELEMENTS(fields); field++)
            report_csv_field(fields[field], field > 0);
        printf(",%d\n", number->version);
    }
}

static void print_json(const char *pipeline) {
    g_autofree char *catalogue = result_catalogue(pipeline, NULL);
    printf("%s\n", catalogue);
}

int list_run(const Settings *settings, char **arguments) {
    static void (*const print[])(const char *) = {
        [REPORT_TABLE] = print_table, [REPORT_CSV] = print_csv, [REPORT_JSON] = print_json};
    GError *error = NULL;
    ReportFormat format;
    if (!report_parse_format(format_text, &format, &error))
        return program_fail(error);
    print[format](settings->pipeline);
    return EXIT_SUCCESS;
}
