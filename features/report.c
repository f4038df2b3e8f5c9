#include "features/report.h"
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
