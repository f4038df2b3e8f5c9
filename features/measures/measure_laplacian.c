/* laplacian: fine detail, and how much of it is more than noise. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"lap_var", "x^2", "variance of L = 4c - n - s - e - w over interior pixels",
     "Pech-Pacheco 2000", "blur of clean data; with camera noise it measures the noise", NULL,
     "stencil", 1},
    {"lap_excess", "1", "lap_var / noise_sigma^2 - 20; white noise alone gives 0", "own",
     "blur, noise taken out", NULL, "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const ScanNeighbourhood *around = &scan->around;
    if (around->n == 0)
        return;
    double mean = around->laplacian / around->n, scale = scan->plane->scale;
    double variance = MAX(around->laplacian_squared / around->n - mean * mean, 0) / (scale * scale);
    double sigma = scan_noise_sigma(scan);
    values[0] = variance;
    if (sigma > 0)
        values[1] = variance / (sigma * sigma) - 20;
}

const Measure measure_laplacian = {"laplacian", numbers, compute, .needs = SCAN_STENCILS};
