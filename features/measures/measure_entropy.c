/* entropy: how much the values tell. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"entropy", "bit", "-sum of p log2 p over distinct values, p their share of pixels",
     "Shannon 1948; scikit-image's shannon_entropy", "under-exposure, smoothing after the noise",
     NULL, "histogram", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double sum = 0;
    for (gsize i = 0; i < scan->levels->count; i++) {
        double p = (double)levels_pixels(scan->levels, i) / (double)scan->n;
        sum -= p * log2(p);
    }
    values[0] = MAX(sum, 0); /* not the -0 of a constant image */
}

const Measure measure_entropy = {"entropy", numbers, compute};
