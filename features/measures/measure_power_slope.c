/* power_slope: how steeply the power falls from low spatial frequencies to higher ones, as
 * CellProfiler sees it. It looks at the pixels itself, since no sum tells frequencies. */
#include "features/measure.h"
#include "features/measures/power_rings.h"
#include "features/measures/spectrum.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"plls", "1",
     "least-squares slope of ln of the power summed over ring r on ln r, r = 2 .. floor(least side "
     "/ 8) - 1; frequency (i, j) is in ring floor(sqrt(min(i, h - 1 - i)^2 + min(j, w - 1 - j)^2)) "
     "+ 1; 0 if constant or a side is below 32 px; a pixel that is not finite counts as the mean",
     "CellProfiler's MeasureImageQuality; Field 1987; Bray 2012",
     "blur (steeper), nothing but noise (about 1); not steady under defocus with noise",
     "ImageQuality_PowerLogLogSlope_{channel}", "fft", 1},
    {NULL},
};

/* CellProfiler divides by the median distance from the mean. That moves every logarithm alike and
 * leaves the slope, unless more than half of the pixels are the mean: then it has no power at all.
 * It works on 32-bit floats. */
static bool is_mostly_mean(const Scan *scan) {
    const Levels *levels = scan->levels;
    float mean = (float)(scan->moments.mean / scan->plane->scale);
    guint64 n = 0;
    for (gsize i = 0; i < levels->count; i++)
        if (scan_level_single(scan, i) == mean)
            n += levels_pixels(levels, i);
    return n > scan->n / 2;
}

static void compute(const Scan *scan, double values[]) {
    guint32 rings = MIN(scan->plane->width, scan->plane->height) / 8;
    values[0] = 0;
    if (rings < 4 || scan->levels->count < 2 || is_mostly_mean(scan))
        return;
    double *radius = scan_scratch(scan, rings * sizeof *radius);
    double *power = scan_scratch(scan, rings * sizeof *power);
    values[0] = NAN;
    if (radius == NULL || power == NULL || !power_rings(scan, rings, power))
        return;
    for (guint32 ring = 0; ring < rings; ring++)
        radius[ring] = ring;
    double slope = spectrum_slope(radius + 2, power + 2, rings - 2);
    values[0] = isnan(slope) ? 0 : slope;
}

const Measure measure_power_slope = {"power_slope", numbers, compute};
