/* spectrum: what the measures of spatial frequencies share beside the transforms. */
#ifndef FEATURES_SPECTRUM_H
#define FEATURES_SPECTRUM_H

#include "features/scan_plane.h"

/* A plane's pixels as floats around its mean. Pixels that are not finite count as the mean. */
typedef struct {
    const Plane *plane;
    float mean;
    double gain;  /* a power of two: keeps values of any size within the range of floats */
    double *line; /* room for a row */
} SpectrumPixels;

/* False if the mean is not finite or memory does not suffice; lives as long as the scratch. */
bool spectrum_pixels(const Scan *scan, SpectrumPixels *ret_pixels);
/* (pixel - mean) * gain of width pixels of row y from x on. Whole numbers and floats of the same
 * values give the same bits, but for the gain. */
void spectrum_row(const SpectrumPixels *pixels, guint32 x, guint32 y, guint32 width,
                  float *ret_row);

/* Asks the processor for what spectrum_row will read soon, if it is there. */
void spectrum_call_for(const SpectrumPixels *pixels, guint32 x, guint32 y, guint32 width);

/* Slope of the least-squares line through (ln x, ln y) of count points, of which those with x and y
 * above 0 count; NaN if these are fewer than two or all of one x. */
double spectrum_slope(const double *x, const double *y, gsize count);

#endif
