/* laplacian_energy: fine detail; unlike lap_var it also counts what all of the frame has alike. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"lap_energy", "x^2", "mean of L^2, L = 4c - n - s - e - w over interior pixels",
     "Subbarao 1993", "blur of clean data; with camera noise it measures the noise", NULL,
     "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->around.n > 0)
        values[0] = scan->around.laplacian_squared / scan->around.n / (scale * scale);
}

const Measure measure_laplacian_energy = {"laplacian_energy", numbers, compute,
                                          .needs = SCAN_STENCILS, .least_side = 3};
