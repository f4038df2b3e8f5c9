/* report: how measure and list show what they have: as a table for people, as CSV, as JSON. */
#ifndef FEATURES_REPORT_H
#define FEATURES_REPORT_H

#include "features/pipeline.h"

typedef enum { REPORT_TABLE, REPORT_CSV, REPORT_JSON } ReportFormat;

/* "table", "csv", "json"; NULL is table. FAULT_USAGE for anything else. */
bool report_parse_format(const char *text, ReportFormat *ret_format, GError **error);

/* One field of a CSV line, quoted where it must be (RFC 4180); NULL writes an empty one. comma:
 * whether others stand before it. */
void report_csv_field(const char *text, bool comma);

/* Twelve digits, a point whatever the locale; "" for NaN. Returns buffer. */
#define REPORT_NUMBER_LENGTH 32
char *report_number(double value, char buffer[REPORT_NUMBER_LENGTH]);

/* A column's value in few characters: a number with so many digits, a hash in hexadecimal, "[256]"
 * for an array. Returns buffer. */
char *report_value(const PipelineColumn *column, const double *values, int digits,
                   char buffer[REPORT_NUMBER_LENGTH]);
/* The whole value: twelve digits, the elements of an array with spaces between, "nan" for one that
 * is missing. The caller g_frees. */
char *report_value_text(const PipelineColumn *column, const double *values);

/* Tells people what has changed with the pipeline's plug-ins, on stderr, a line each. */
void report_news(Pipeline *pipeline);

/* Prints text from column `indent` on, broken between words so that no line passes 100 columns. The
 * first line is begun by the caller, who stands in column indent. */
void report_wrapped(const char *text, int indent);

#endif
