/* noise: what the camera adds, and what stands above it. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"noise_sigma", "x",
     "sqrt(pi / 2) / 6 * mean of |x * [1 -2 1; -2 4 -2; 1 -2 1]| over interior pixels",
     "Immerkaer 1996", "change of gain, exposure or binning", NULL, "stencil", 1},
    {"snr_db", "dB", "20 log10((p99 - median) / noise_sigma)", "own", "exposure too low", NULL,
     "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    if (scan->around.n == 0)
        return;
    double sigma = scan_noise_sigma(scan);
    double signal = scan_quantile(scan, 0.99) - scan_quantile(scan, 0.5);
    values[0] = sigma;
    if (sigma > 0 && signal > 0)
        values[1] = 20 * log10(signal / sigma);
}

const Measure measure_noise = {"noise", numbers, compute, .needs = SCAN_STENCILS};
