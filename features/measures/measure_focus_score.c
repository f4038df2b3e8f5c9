/* focus_score: normalised variance. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"focus_score", "x", "variance of x / mean of x; 0 where the mean is not above 0",
     "Sun 2004; CellProfiler", "gross blur at one site; the count of cells moves it, too",
     "ImageQuality_FocusScore_{channel}", "histogram", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const LevelsMoments *m = &scan->moments;
    values[0] = m->mean > 0 ? m->m2 / m->mean / scan->plane->scale : 0;
}

const Measure measure_focus_score = {"focus_score", numbers, compute};
