/* brenner: differences two pixels apart. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"brenner_h", "x^2", "mean of (x[i+2] - x[i])^2 along rows", "Brenner 1976", "blur", NULL,
     "stencil", 1},
    {"brenner_v", "x^2", "mean of (x[i+2] - x[i])^2 along columns", "Brenner 1976", "blur", NULL,
     "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->right2.n > 0)
        values[0] = scan->right2.sum_dd / scan->right2.n / (scale * scale);
    if (scan->down2.n > 0)
        values[1] = scan->down2.sum_dd / scan->down2.n / (scale * scale);
}

const Measure measure_brenner = {"brenner", numbers, compute, .needs = SCAN_STENCILS};
