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

static void compute(const Scan *scan, double values[]) {
    values[0] = (double)scan->levels->count;
    if (scan->plane->whole && scan->levels->count > 1)
        values[1] = (double)levels_step(scan->levels);
}

const Measure measure_levels = {"levels", numbers, compute};
