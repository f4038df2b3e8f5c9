/* plane: the pixels of one frame, as measures see them: one grey value a pixel, black is low.
 *
 * Whatever the file held has become one of four types by then (pixels.h tells how), so that a
 * measure never asks what a file looked like. The values are the file's own; a measure reports in
 * CellProfiler's units, x = value / scale, which lie in 0..1 for every whole-number file. */
#ifndef FEATURES_PLANE_H
#define FEATURES_PLANE_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
    PLANE_U8,  /* whole numbers of up to 8 bits */
    PLANE_U16, /* whole numbers of up to 16 bits */
    PLANE_F32, /* 16- and 32-bit floats; may hold NaN and infinity */
    PLANE_F64, /* 64-bit floats, and whole numbers of more than 16 bits */
} PlaneType;

typedef struct {
    PlaneType type;
    guint32 width, height; /* at least 1 */
    const void *pixels; /* width * height values, row by row from the top, aligned for the type */
    GBytes *keeper;     /* what pixels lie in: kept as long as the plane */
    bool in_place;      /* keeper is the file itself: nothing was copied */

    bool whole;    /* the file holds whole numbers */
    double scale;  /* what a value is divided by to be in CellProfiler's units: the largest value of
                      the file's type (255, 4095, 65535, ...); 1 for floats */
    double offset; /* the file's own number for a value of 0: -32768 for signed 16 bits, else 0 */
    double pixel_size_um; /* micrometres per pixel; 0: unknown */
} Plane;

/* Takes over one reference of keeper. scale 1, offset 0, not whole, until set. */
Plane *plane_new(PlaneType type, guint32 width, guint32 height, const void *pixels, GBytes *keeper);
void plane_free(Plane *plane); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plane, plane_free)

/* Bytes of one value. */
gsize plane_type_bytes(PlaneType type);

/* Row y, 0 to height - 1, as floats: exact for whole numbers of up to 16 bits and for floats. */
void plane_row_floats(const Plane *plane, guint32 y, float *ret_row);
/* The same as doubles: exact for every type. NaN and infinity come as they are. */
void plane_row_doubles(const Plane *plane, guint32 y, double *ret_row);

/* Is a value of the plane a whole number of 8 or 16 bits? A file's whole numbers of more are not:
 * they lie in PLANE_F64. */
static inline bool plane_is_integer(const Plane *plane) {
    return plane->type == PLANE_U8 || plane->type == PLANE_U16;
}

/* Of such a plane only: the sums of 2 x 2 pixels of rows 2 y and 2 y + 1, from the left on, width /
 * 2 of them. */
void plane_sum_fours(const Plane *plane, guint32 y, gint32 *ret_sums);

/* Asks the processor for row y, which will be read soon; for none if the plane ends before it. */
void plane_call_for(const Plane *plane, guint32 y);

static inline guint64 plane_pixels(const Plane *plane) {
    return (guint64)plane->width * plane->height;
}

#endif
