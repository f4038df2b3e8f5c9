/* robust_background: how bright the background gets, as CellProfiler's RobustBackground. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"thr_robust_bg", "x",
     "mean + 2 std of x without the darkest and the brightest 5 % of pixels (a half rounded to the "
     "even count); 0 for less than 3 pixels",
     "CellProfiler", "noise and level of the background",
     "ImageQuality_ThresholdRobustBackground_{channel}", "histogram", 2},
    {NULL},
};

/* How many pixels of a level have a rank from `from` to before `to`. */
static double pixels_between(const Levels *levels, gsize level, guint64 from, guint64 to) {
    guint64 start = MAX(levels->below[level], from), end = MIN(levels->below[level + 1], to);
    return end > start ? (double)(end - start) : 0;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    if (scan->n < 3) {
        values[0] = 0;
        return;
    }
    guint64 trimmed = (guint64)rint(0.05 * (double)scan->n); /* halves to even, as numpy */
    guint64 from = trimmed, to = scan->n - trimmed;

    double n = (double)(to - from), sum = 0, squares = 0;
    for (gsize i = 0; i < levels->count; i++)
        sum += pixels_between(levels, i, from, to) * levels->values[i];
    double mean = sum / n;
    for (gsize i = 0; i < levels->count; i++) {
        double d = levels->values[i] - mean;
        squares += pixels_between(levels, i, from, to) * d * d;
    }
    values[0] = (mean + 2 * sqrt(squares / n)) / scan->plane->scale;
}

const Measure measure_robust_background = {"robust_background", numbers, compute};
