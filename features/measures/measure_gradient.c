/* gradient: differences of neighbours, and whether one direction is sharper. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"grad_h", "x^2", "mean of (x[i+1] - x[i])^2 along rows", "Pertuz 2013, GRAS",
     "motion blur, vibration", NULL, "stencil", 1},
    {"grad_v", "x^2", "mean of (x[i+1] - x[i])^2 along columns", "Pertuz 2013, GRAS",
     "motion blur, vibration, interlace", NULL, "stencil", 1},
    {"grad_anisotropy", "1", "grad_h / grad_v", "own",
     "motion blur, vibration, interlace: far from 1", NULL, "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->right.n > 0)
        values[0] = scan->right.sum_dd / scan->right.n / (scale * scale);
    if (scan->down.n > 0)
        values[1] = scan->down.sum_dd / scan->down.n / (scale * scale);
    if (values[1] > 0)
        values[2] = values[0] / values[1];
}

const Measure measure_gradient = {"gradient", numbers, compute, .needs = SCAN_STENCILS};
