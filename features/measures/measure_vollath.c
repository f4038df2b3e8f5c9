/* vollath: correlation that blur destroys, and that noise leaves alone in the mean. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"vollath_f4", "x^2",
     "mean of x[i] x[i+1] - mean of x[i] x[i+2] along columns, both over the places where three "
     "fit",
     "Vollath 1987", "blur at one site and exposure; in little light noise hides the last steps",
     NULL, "stencil", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->column.n > 0)
        values[0] = scan->column.vollath / scan->column.n / (scale * scale);
}

const Measure measure_vollath = {"vollath", numbers, compute, .needs = SCAN_STENCILS};
