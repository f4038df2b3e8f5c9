#include "features/report.h"
#include "stream/program.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 100

bool report_parse_format(const char *text, ReportFormat *ret_format, GError **error) {
    static const char *const names[] = {
        [REPORT_TABLE] = "table", [REPORT_CSV] = "csv", [REPORT_JSON] = "json"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(text == NULL ? "table" : text, names[i]) == 0) {
            *ret_format = (ReportFormat)i;
            return true;
        }
    return fault_set(error, FAULT_USAGE, "--format %s: expected table, csv or json", text);
}

void report_csv_field(const char *text, bool comma) {
    if (comma)
        putchar(',');
    if (text == NULL)
        return;
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++)
        fputs((char[]){*text, *text == '"' ? '"' : '\0', '\0'}, stdout);
    putchar('"');
}

char *report_number(double value, char buffer[REPORT_NUMBER_LENGTH]) {
    if (isnan(value))
        return strcpy(buffer, "");
    return g_ascii_formatd(buffer, REPORT_NUMBER_LENGTH, "%.12g", value);
}

char *report_value(const PipelineColumn *column, const double *values, int digits,
                   char buffer[REPORT_NUMBER_LENGTH]) {
    const double *value = values + column->place;
    char format[8];
    g_snprintf(format, sizeof format, "%%.%dg", digits);
    switch (column->number->kind) {
    case MEASURE_NUMBER: return g_ascii_formatd(buffer, REPORT_NUMBER_LENGTH, format, *value);
    case MEASURE_ARRAY: g_snprintf(buffer, REPORT_NUMBER_LENGTH, "[%u]", column->places); break;
    case MEASURE_HASH:
        g_snprintf(buffer, REPORT_NUMBER_LENGTH, "%016" G_GINT64_MODIFIER "x",
                   measure_hash_get(value));
        break;
    }
    return buffer;
}

char *report_value_text(const PipelineColumn *column, const double *values) {
    char buffer[REPORT_NUMBER_LENGTH];
    if (column->number->kind != MEASURE_ARRAY)
        return g_strdup(report_value(column, values, 12, buffer));
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < column->places; i++) {
        double value = values[column->place + i];
        g_string_append_printf(
            text, "%s%s", i > 0 ? " " : "",
            isnan(value) ? "nan" : g_ascii_formatd(buffer, sizeof buffer, "%.7g", value));
    }
    return g_string_free(text, FALSE);
}

void report_wrapped(const char *text, int indent) {
    int column = indent;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (char **word = words; *word != NULL; word++) {
        int length = (int)g_utf8_strlen(*word, -1);
        bool breaks = column > indent && column + 1 + length > COLUMNS;
        if (breaks)
            printf("\n%*s", indent, "");
        else if (column > indent)
            putchar(' ');
        fputs(*word, stdout);
        column = breaks ? indent + length : column + (column > indent) + length;
    }
    putchar('\n');
}

void report_news(Pipeline *pipeline) {
    g_auto(GStrv) news = pipeline_take_news(pipeline);
    for (char **line = news; line != NULL && *line != NULL; line++)
        fprintf(stderr, "%s: %s\n", g_get_prgname(), program_one_line(*line));
}
