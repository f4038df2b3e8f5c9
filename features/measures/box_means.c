#include "features/measures/box_means.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

FOR_EACH_PROCESSOR
static void add_row(const double *restrict row, gsize width, double *restrict sums) {
#pragma omp simd
    for (gsize x = 0; x < width; x++)
        sums[x] += row[x];
}

FOR_EACH_PROCESSOR
static void take_out(double *restrict row, gsize width, double *restrict missing) {
#pragma omp simd
    for (gsize x = 0; x < width; x++) {
        bool is_finite = isfinite(row[x]);
        row[x] = is_finite ? row[x] : 0;
        missing[x] += is_finite ? 0 : 1;
    }
}

/* A row of whole numbers, without a detour by floats: sums of 32 bits hold ROWS_LIMIT rows. */
#define ROWS_LIMIT 65536
#define ADD_ROW_OF(Pixel)                                                                          \
    FOR_EACH_PROCESSOR                                                                             \
    static void add_##Pixel##_row(const Pixel *restrict row, gsize width,                          \
                                  guint32 *restrict sums) {                                        \
        for (gsize x = 0; x < width; x++)                                                          \
            sums[x] += row[x];                                                                     \
    }
ADD_ROW_OF(guint8)
ADD_ROW_OF(guint16)

static void add_whole_row(const Plane *plane, guint32 y, gsize width, guint32 *sums) {
    gsize start = (gsize)y * plane->width;
    if (plane->type == PLANE_U8)
        add_guint8_row((const guint8 *)plane->pixels + start, width, sums);
    else
        add_guint16_row((const guint16 *)plane->pixels + start, width, sums);
}

static double whole_sum_of(const guint32 *values, guint32 count) {
    guint64 sum = 0;
    for (guint32 i = 0; i < count; i++)
        sum += values[i];
    return (double)sum;
}

static void fill_whole_means(const Plane *plane, guint32 box_width, guint32 box_height,
                             guint32 *sums, const BoxMeans *boxes) {
    gsize width = (gsize)boxes->columns * box_width;
    double *means = boxes->means;
    for (guint32 row = 0; row < boxes->rows; row++) {
        memset(sums, 0, width * sizeof *sums);
        for (guint32 y = 0; y < box_height; y++) {
            plane_call_for(plane, row * box_height + y + 2);
            add_whole_row(plane, row * box_height + y, width, sums);
        }
        for (gsize x = 0; x < width; x += box_width)
            *means++ = whole_sum_of(sums + x, box_width) / ((double)box_width * box_height);
    }
}

static double sum_of(const double *values, guint32 count) {
    double sum = 0;
    for (guint32 i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

bool box_means(const Scan *scan, guint32 box_width, guint32 box_height, BoxMeans *ret_boxes) {
    const Plane *plane = scan->plane;
    guint32 columns = plane->width / box_width, rows = plane->height / box_height;
    gsize width = (gsize)columns * box_width;
    double pixels = (double)box_width * box_height; /* of a box */
    double *row = scan_scratch(scan, plane->width * sizeof *row);
    double *sums = scan_scratch(scan, plane->width * sizeof *sums);
    double *missing = scan_scratch(scan, plane->width * sizeof *missing);
    double *means = scan_scratch(scan, (gsize)columns * rows * sizeof *means);
    if (columns == 0 || rows == 0 || row == NULL || sums == NULL || missing == NULL ||
        means == NULL)
        return false;
    *ret_boxes = (BoxMeans){columns, rows, (gsize)columns * rows, means};
    if (plane_is_integer(plane) && box_height <= ROWS_LIMIT) {
        fill_whole_means(plane, box_width, box_height, (guint32 *)(void *)sums, ret_boxes);
        return true;
    }
    for (guint32 y = 0; y < rows * box_height; y++) {
        if (y % box_height == 0) {
            memset(sums, 0, width * sizeof *sums);
            memset(missing, 0, width * sizeof *missing);
        }
        plane_row_doubles(plane, y, row);
        if (scan->n_nonfinite > 0)
            take_out(row, width, missing);
        add_row(row, width, sums);
        for (gsize x = 0; y % box_height == box_height - 1 && x < width; x += box_width) {
            double count = pixels - sum_of(missing + x, box_width);
            *means++ = count > 0 ? sum_of(sums + x, box_width) / count : NAN;
        }
    }
    return true;
}
