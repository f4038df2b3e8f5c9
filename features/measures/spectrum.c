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

#define SUBTRACT(Type)                                                                             \
    FOR_EACH_PROCESSOR                                                                             \
    static void subtract_from_##Type(const Type *pixels, guint32 width, float mean,                \
                                     float *restrict ret_row) {                                    \
        for (gsize i = 0; i < width; i++)                                                          \
            ret_row[i] = (float)pixels[i] - mean;                                                  \
    }
SUBTRACT(guint8)
SUBTRACT(guint16)

FOR_EACH_PROCESSOR
static void subtract_where_finite(const double *line, guint32 width, double gain, double mean,
                                  float *ret_row) {
#pragma omp simd
    for (guint32 i = 0; i < width; i++)
        ret_row[i] = isfinite(line[i]) ? (float)(line[i] * gain - mean) : 0;
}

static void real_row(const SpectrumPixels *pixels, gsize first, guint32 width, float *ret_row) {
    const Plane *plane = pixels->plane;
    Plane part = *plane; /* a plane of that one piece of a row */
    part.pixels = (const char *)plane->pixels + first * plane_type_bytes(plane->type);
    part.width = width;
    part.height = 1;
    plane_row_doubles(&part, 0, pixels->line);
    subtract_where_finite(pixels->line, width, pixels->gain, pixels->mean, ret_row);
}

void spectrum_row(const SpectrumPixels *pixels, guint32 x, guint32 y, guint32 width,
                  float *ret_row) {
    const Plane *plane = pixels->plane;
    gsize first = (gsize)y * plane->width + x;
    if (plane->type == PLANE_U8)
        subtract_from_guint8((const guint8 *)plane->pixels + first, width, pixels->mean, ret_row);
    else if (plane->type == PLANE_U16)
        subtract_from_guint16((const guint16 *)plane->pixels + first, width, pixels->mean, ret_row);
    else
        real_row(pixels, first, width, ret_row);
}

void spectrum_call_for(const SpectrumPixels *pixels, guint32 x, guint32 y, guint32 width) {
    const Plane *plane = pixels->plane;
    gsize bytes = plane_type_bytes(plane->type);
    if (y < plane->height)
        processor_call_for((const char *)plane->pixels + ((gsize)y * plane->width + x) * bytes,
                           width * bytes);
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
