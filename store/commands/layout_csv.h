/* layout_csv: a plate layout as spreadsheets write it. */
#ifndef STORE_COMMANDS_LAYOUT_CSV_H
#define STORE_COMMANDS_LAYOUT_CSV_H

#include "stream/fault.h"

/* A plate by its number of wells: 6, 12, 24, 48, 96, 384 or 1536. false if there is none. */
bool layout_plate(guint wells, guint *ret_rows, guint *ret_columns);

/* The wells of a plate of at most rows x columns as JSON, [{"well": "A01", "role": ...}, ...],
 * texts all, for scopestream.load_layout; g_free it. text: a line of names, then one a well, with
 * commas, semicolons or tabs as the first line has them; after semicolons and tabs 0,5 is 0.5.
 * Names: well, and in any order as far as they are there role, treatment, concentration, unit.
 *
 * FAULT_USAGE, naming the lines that are wrong and what was expected, if any is. */
char *layout_csv_read(const char *text, gsize length, guint rows, guint columns, GError **error);

#endif
