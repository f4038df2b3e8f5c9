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
