/* plate: which wells a plate has, and what is known of each. */
#ifndef STORE_PICTURES_PLATE_H
#define STORE_PICTURES_PLATE_H

#include "store/pictures/colour_scale.h"
#include <glib.h>
#include <stdbool.h>

/* Row and column from 0 of A01 to AF48, also written a1; false for what is no well of any plate. */
bool well_read(const char *text, guint *ret_row, guint *ret_column);
/* "A01"; g_free it. */
char *well_name(guint row, guint column);
/* "A", "AF"; g_free it. */
char *row_name(guint row);

typedef enum {
    WELL_MISSING, /* no frame of it is stored */
    WELL_EMPTY,   /* by the layout nothing is in it: none is to come */
    WELL_SILENT,  /* frames are stored, but none has this number */
    WELL_VALUE,
} WellState;

typedef struct {
    WellState state;
    double value;  /* where there is one; else NaN */
    gint64 frames; /* the value is of */
    gint64 failed; /* without numbers: broken, vanished, poison */
    char mark;     /* + positive, - negative control, r reference, b blank; 0 none */
} Well;

/* One channel of a plate. */
typedef struct {
    guint rows, columns;
    Well *wells;   /* rows x columns, row by row */
    guint outside; /* wells of frames that have no place on any plate */
} Plate;

/* The least plate, of 6 to 1536 wells, on which a row and column from 0 have a place; that of 1536
 * where none has. */
void plate_shape(guint row, guint column, guint *ret_rows, guint *ret_columns);

Plate *plate_new(guint rows, guint columns);
void plate_free(Plate *plate); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plate, plate_free)

Well *plate_well(const Plate *plate, guint row, guint column);
/* The values there are; ret_count of them. g_free it. */
double *plate_values(const Plate *plate, gsize *ret_count);
guint plate_count(const Plate *plate, WellState state);
/* Wells whose value lies beyond the scale: side -1 below it, 1 above it. */
guint plate_count_beyond(const Plate *plate, const ColourScale *scale, int side);

#endif
