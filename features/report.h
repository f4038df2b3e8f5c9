/* report: how measure and list show what they have: as a table for people, as CSV, as JSON. */
#ifndef FEATURES_REPORT_H
#define FEATURES_REPORT_H

#include "stream/fault.h"

typedef enum { REPORT_TABLE, REPORT_CSV, REPORT_JSON } ReportFormat;

/* "table", "csv", "json"; NULL is table. FAULT_USAGE for anything else. */
bool report_parse_format(const char *text, ReportFormat *ret_format, GError **error);

/* One field of a CSV line, quoted where it must be (RFC 4180); NULL writes an empty one. comma:
 * whether others stand before it. */
void report_csv_field(const char *text, bool comma);

/* Twelve digits, a point whatever the locale; "" for NaN. Returns buffer. */
#define REPORT_NUMBER_LENGTH 32
char *report_number(double value, char buffer[REPORT_NUMBER_LENGTH]);

/* Prints text from column `indent` on, broken between words so that no line passes 100 columns. The
 * first line is begun by the caller, who stands in column indent. */
void report_wrapped(const char *text, int indent);

#endif
