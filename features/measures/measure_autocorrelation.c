/* autocorrelation: structure, or pure noise? */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"autocorr1_h", "1", "Pearson's r of the pixels and their right neighbours", "own",
     "about 0: pure noise", NULL, "stencil", 1},
    {"autocorr1_v", "1", "Pearson's r of the pixels and the ones below", "own",
     "about 0: pure noise", NULL, "stencil", 1},
    {NULL},
};

static double correlation(const ScanPairs *pairs) {
    double n = pairs->n, a = pairs->sum_a, b = pairs->sum_b;
    double variance_a = pairs->sum_aa - a * a / n, variance_b = pairs->sum_bb - b * b / n;
    if (!(n > 1 && variance_a > 0 && variance_b > 0))
        return NAN;
    return (scan_pairs_product(pairs) - a * b / n) / sqrt(variance_a) / sqrt(variance_b);
}

static void compute(const Scan *scan, double values[]) {
    values[0] = correlation(&scan->right);
    values[1] = correlation(&scan->down);
}

const Measure measure_autocorrelation = {"autocorrelation", numbers, compute,
                                         .needs = SCAN_STENCILS};
