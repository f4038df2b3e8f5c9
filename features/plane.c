#include "features/plane.h"
#include "features/processor.h"
#include <string.h>

Plane *plane_new(PlaneType type, guint32 width, guint32 height, const void *pixels,
                 GBytes *keeper) {
    Plane *plane = g_new0(Plane, 1);
    *plane = (Plane){.type = type,
                     .width = width,
                     .height = height,
                     .pixels = pixels,
                     .keeper = keeper,
                     .scale = 1};
    return plane;
}

void plane_free(Plane *plane) {
    if (plane == NULL)
        return;
    g_clear_pointer(&plane->keeper, g_bytes_unref);
    g_free(plane);
}

gsize plane_type_bytes(PlaneType type) {
    static const gsize bytes[] = {
        [PLANE_U8] = 1, [PLANE_U16] = 2, [PLANE_F32] = 4, [PLANE_F64] = 8};
    return bytes[type];
}

#define COPY_ROW(from, to)                                                                         \
    FOR_EACH_PROCESSOR                                                                             \
    static void copy_##from##_as_##to(const from *row, guint32 width, to *ret_row) {               \
        for (guint32 x = 0; x < width; x++)                                                        \
            ret_row[x] = (to)row[x];                                                               \
    }
COPY_ROW(guint8, float)
COPY_ROW(guint16, float)
COPY_ROW(float, float)
COPY_ROW(double, float)
COPY_ROW(guint8, double)
COPY_ROW(guint16, double)
COPY_ROW(float, double)
COPY_ROW(double, double)

/* Two pixels at once, as the two halves of one number: which is which does not matter to their
 * sum, and nothing has to be moved about. */
#define SUM_FOURS(from, Two, BITS)                                                                 \
    FOR_EACH_PROCESSOR                                                                             \
    static void sum_fours_of_##from(const from *upper, const from *lower, guint32 count,           \
                                    gint32 *restrict ret_sums) {                                   \
        for (gsize i = 0; i < count; i++) {                                                        \
            Two above, below;                                                                      \
            memcpy(&above, upper + 2 * i, sizeof above);                                           \
            memcpy(&below, lower + 2 * i, sizeof below);                                           \
            ret_sums[i] = (gint32)(((above & ((1u << BITS) - 1)) + (above >> BITS)) +              \
                                   ((below & ((1u << BITS) - 1)) + (below >> BITS)));              \
        }                                                                                          \
    }
SUM_FOURS(guint8, guint16, 8)
SUM_FOURS(guint16, guint32, 16)

static const void *row_start(const Plane *plane, guint32 y) {
    return (const char *)plane->pixels + (gsize)y * plane->width * plane_type_bytes(plane->type);
}

void plane_call_for(const Plane *plane, guint32 y) {
    if (y < plane->height)
        processor_call_for(row_start(plane, y), plane->width * plane_type_bytes(plane->type));
}

void plane_row_floats(const Plane *plane, guint32 y, float *ret_row) {
    const void *row = row_start(plane, y);
    switch (plane->type) {
    case PLANE_U8: copy_guint8_as_float(row, plane->width, ret_row); break;
    case PLANE_U16: copy_guint16_as_float(row, plane->width, ret_row); break;
    case PLANE_F32: copy_float_as_float(row, plane->width, ret_row); break;
    case PLANE_F64: copy_double_as_float(row, plane->width, ret_row); break;
    }
}

void plane_row_doubles(const Plane *plane, guint32 y, double *ret_row) {
    const void *row = row_start(plane, y);
    switch (plane->type) {
    case PLANE_U8: copy_guint8_as_double(row, plane->width, ret_row); break;
    case PLANE_U16: copy_guint16_as_double(row, plane->width, ret_row); break;
    case PLANE_F32: copy_float_as_double(row, plane->width, ret_row); break;
    case PLANE_F64: copy_double_as_double(row, plane->width, ret_row); break;
    }
}

void plane_sum_fours(const Plane *plane, guint32 y, gint32 *ret_sums) {
    const void *upper = row_start(plane, 2 * y), *lower = row_start(plane, 2 * y + 1);
    if (plane->type == PLANE_U8)
        sum_fours_of_guint8(upper, lower, plane->width / 2, ret_sums);
    else
        sum_fours_of_guint16(upper, lower, plane->width / 2, ret_sums);
}
