/* levels: which values occur at all. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"n_levels", "1", "count of distinct values", "own", "8 bits stretched to 16, a stuck camera",
     NULL, "histogram", 1},
    {"level_step", "1",
     "greatest common divisor of (value - least value), in the file's numbers; not for floats and "
     "constant images",
     "own", "12 bits shifted by 4, stuck converter bits, rescaled data", NULL, "histogram", 1},
    {NULL},
};

static guint64 greatest_common_divisor(guint64 a, guint64 b) {
    while (b != 0) {
        guint64 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    values[0] = (double)levels->count;
    if (!scan->plane->whole || levels->count < 2)
        return;
    guint64 step = 0;
    for (gsize i = 1; i < levels->count && step != 1; i++)
        step = greatest_common_divisor(step, (guint64)(levels->values[i] - levels->values[0]));
    values[1] = (double)step;
}

const Measure measure_levels = {"levels", numbers, compute};
