/* ridler: the threshold midway between the means of its two sides, as CellProfiler finds it: on
 * logarithms, from its Otsu threshold on. */
#include "features/measure.h"
#include "features/measures/log_levels.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"thr_ridler", "x",
     "ln x, x below max / 256 levelled, stretched to 0..1; t = (mean below t + mean from t on) / 2 "
     "from the least sum of weighted variances on, until it moves no more than 0.00001; x itself "
     "where all are one, 0 for less than 3 pixels",
     "centrosome; Ridler and Calvard 1978", "staining level",
     "ImageQuality_ThresholdRidlerCalvard_{channel}", "histogram", 1},
    {NULL},
};

#define CLOSE_ENOUGH 0.00001

/* The first level with a y of at least t; count if there is none. */
static gsize level_from(const LogLevels *logs, gsize count, double t) {
    gsize low = 0, high = count;
    while (low < high) {
        gsize half = low + (high - low) / 2;
        if (logs->y[half] < t)
            low = half + 1;
        else
            high = half;
    }
    return low;
}

/* NaN if one side is empty. */
static double midway(const LogLevels *logs, double t) {
    const guint64 *below = logs->levels->below + logs->first;
    gsize count = logs->levels->count - logs->first, level = level_from(logs, count, t);
    double dark = (double)(below[level] - below[0]), bright = (double)logs->n - dark;
    return (logs->sum[level] / dark + (logs->sum[count] - logs->sum[level]) / bright) / 2;
}

static double settled(const LogLevels *logs) {
    double before = 0, t = log_levels_split(logs, log_levels_weighted_variance);
    while (fabs(t - before) > CLOSE_ENOUGH) {
        before = t;
        t = midway(logs, t);
    }
    return t;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    double scale = scan->plane->scale, largest = levels->values[levels->count - 1] / scale;
    LogLevels logs;
    if (scan->n < 3)
        values[0] = 0;
    else if (levels->count == 1)
        values[0] = largest;
    else if (log_levels_fill(&logs, scan, 0, (float)largest / 256))
        values[0] = log_levels_x(&logs, settled(&logs));
}

const Measure measure_ridler = {"ridler", numbers, compute};
