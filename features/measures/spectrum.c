#include "features/measures/spectrum.h"
#include "features/processor.h"
#include <math.h>

/* Whole numbers of 16 bits fit as they are. The exponent's limits keep gain itself finite, and the
 * products within the range of floats. */
static double gain_for(const Scan *scan) {
    const Levels *levels = scan->levels;
    if (plane_is_integer(scan->plane))
        return 1;
    int exponent;
    frexp(levels->values[levels->count - 1] / 2 - levels->values[0] / 2, &exponent);
    return ldexp(1, CLAMP(-exponent, -1000, 1000));
}

bool spectrum_pixels(const Scan *scan, SpectrumPixels *ret_pixels) {
    if (!isfinite(scan->moments.mean) || scan->levels->count == 0)
        return false;
    *ret_pixels = (SpectrumPixels){
        .plane = scan->plane,
        .gain = gain_for(scan),
        .line = scan_scratch(scan, scan->plane->width * sizeof(double)),
    };
    ret_pixels->mean = (float)(scan->moments.mean * ret_pixels->gain);
    return ret_pixels->line != NULL;
}

FOR_EACH_PROCESSOR
static void subtract(float *row, guint32 width, float mean) {
#pragma omp simd
    for (guint32 i = 0; i < width; i++)
        row[i] -= mean;
}

FOR_EACH_PROCESSOR
static void subtract_where_finite(const double *line, guint32 width, double gain, double mean,
                                  float *ret_row) {
#pragma omp simd
    for (guint32 i = 0; i < width; i++)
        ret_row[i] = isfinite(line[i]) ? (float)(line[i] * gain - mean) : 0;
}

void spectrum_row(const SpectrumPixels *pixels, guint32 x, guint32 y, guint32 width,
                  float *ret_row) {
    const Plane *plane = pixels->plane;
    gsize first = (gsize)y * plane->width + x;
    Plane part = *plane; /* a plane of that one piece of a row */
    part.pixels = (const char *)plane->pixels + first * plane_type_bytes(plane->type);
    part.width = width;
    part.height = 1;
    if (plane_is_integer(plane)) {
        plane_row_floats(&part, 0, ret_row);
        subtract(ret_row, width, pixels->mean);
    } else {
        plane_row_doubles(&part, 0, pixels->line);
        subtract_where_finite(pixels->line, width, pixels->gain, pixels->mean, ret_row);
    }
}

double spectrum_slope(const double *x, const double *y, gsize count) {
    double n = 0, sum_x = 0, sum_y = 0, covariance = 0, variance = 0;
    for (gsize i = 0; i < count; i++)
        if (x[i] > 0 && y[i] > 0) {
            n++;
            sum_x += log(x[i]);
            sum_y += log(y[i]);
        }
    for (gsize i = 0; i < count; i++)
        if (x[i] > 0 && y[i] > 0) {
            double offset = log(x[i]) - sum_x / n;
            covariance += offset * (log(y[i]) - sum_y / n);
            variance += offset * offset;
        }
    return variance > 0 ? covariance / variance : NAN;
}
