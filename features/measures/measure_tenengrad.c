/* tenengrad: strength of edges. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"tenengrad", "x^2",
     "mean of Gx^2 + Gy^2 over interior pixels, Sobel {1 2 1} by {-1 0 1}, not normalised",
     "Krotkov 1987", "blur", NULL, "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->around.n > 0)
        values[0] = scan->around.sobel_squared / scan->around.n / (scale * scale);
}

const Measure measure_tenengrad = {"tenengrad", numbers, compute, .needs = SCAN_STENCILS};
