#include "store/pictures/plate.h"
#include <math.h>

enum { ROWS_MOST = 32, COLUMNS_MOST = 48 };

/* --- wells --- */

bool well_read(const char *text, guint *ret_row, guint *ret_column) {
    guint row = 0, letters = 0;
    for (; text != NULL && letters < 2 && g_ascii_isalpha(*text); letters++)
        row = row * 26 + (guint)(g_ascii_toupper(*text++) - 'A') + 1;
    guint64 column;
    if (letters == 0 || !g_ascii_string_to_unsigned(text, 10, 1, COLUMNS_MOST, &column, NULL) ||
        row > ROWS_MOST)
        return false;
    *ret_row = row - 1;
    *ret_column = (guint)column - 1;
    return true;
}

char *row_name(guint row) {
    if (row < 26)
        return g_strdup_printf("%c", 'A' + row);
    return g_strdup_printf("%c%c", 'A' + row / 26 - 1, 'A' + row % 26);
}

char *well_name(guint row, guint column) {
    g_autofree char *letters = row_name(row);
    return g_strdup_printf("%s%02u", letters, column + 1);
}

/* --- plates --- */

void plate_shape(guint row, guint column, guint *ret_rows, guint *ret_columns) {
    static const guint shapes[][2] = {
        {2, 3}, {3, 4}, {4, 6}, {6, 8}, {8, 12}, {16, 24}, {ROWS_MOST, COLUMNS_MOST}};
    guint i = 0;
    while (i + 1 < G_N_ELEMENTS(shapes) && (row >= shapes[i][0] || column >= shapes[i][1]))
        i++;
    *ret_rows = shapes[i][0];
    *ret_columns = shapes[i][1];
}

Plate *plate_new(guint rows, guint columns) {
    Plate *plate = g_new0(Plate, 1);
    plate->rows = rows;
    plate->columns = columns;
    plate->wells = g_new0(Well, (gsize)rows * columns);
    for (guint i = 0; i < rows * columns; i++)
        plate->wells[i].value = NAN;
    return plate;
}

void plate_free(Plate *plate) {
    if (plate == NULL)
        return;
    g_free(plate->wells);
    g_free(plate);
}

Well *plate_well(const Plate *plate, guint row, guint column) {
    return &plate->wells[(gsize)row * plate->columns + column];
}

double *plate_values(const Plate *plate, gsize *ret_count) {
    double *values = g_new(double, (gsize)plate->rows * plate->columns);
    *ret_count = 0;
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        if (plate->wells[i].state == WELL_VALUE)
            values[(*ret_count)++] = plate->wells[i].value;
    return values;
}

guint plate_count(const Plate *plate, WellState state) {
    guint count = 0;
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        count += plate->wells[i].state == state;
    return count;
}

guint plate_count_beyond(const Plate *plate, const ColourScale *scale, int side) {
    guint count = 0;
    for (guint i = 0; i < plate->rows * plate->columns; i++)
        count += plate->wells[i].state == WELL_VALUE &&
                 colour_scale_beyond(scale, plate->wells[i].value) == side;
    return count;
}
