/* table: rows of the database as people read them. Control characters in them are spaces. */
#ifndef STORE_COMMANDS_TABLE_H
#define STORE_COMMANDS_TABLE_H

#include "store/postgres.h"

/* A line of names, of those the columns have in SQL, and a line for each row: columns aligned,
 * numbers to the right, texts cut where they are long; the last column is not, and is broken into
 * lines on a terminal. Columns without any value are left out. */
void table_print(const PostgresRows *rows);
/* The same of the first columns alone. */
void table_print_columns(const PostgresRows *rows, int columns);

/* One row, a line for each of its columns that is not NULL: name, value; a long one goes on in the
 * next line. */
void table_print_row(const PostgresRows *rows, int row);

#endif
