/* otsu_2w: the foreground threshold as CellProfiler finds it, which is no textbook Otsu: it
 * searches 256 ranks of the sorted logarithms, and weighs sample variances. */
#include "features/measure.h"
#include <float.h>
#include <math.h>

static const MeasureNumber numbers[] = {
    {"thr_otsu_2w", "x",
     "of 256 ranks of sorted ln x, darkest 1/256 of the range levelled: the one with the least sum "
     "of weighted variances below and above; mean of its neighbours' values",
     "centrosome's otsu; Otsu 1979", "staining level, empty fields",
     "ImageQuality_ThresholdOtsu_2W", "histogram", 1},
    {NULL},
};

#define CANDIDATES 256

/* Logarithms of the levels, stretched to 0..1, with sums from the lowest on. */
typedef struct {
    const Levels *levels;
    double low, high;          /* logarithms at 0 and 1 */
    double *y;                 /* of each level */
    double *sum, *sum_squares; /* of all pixels below each level; one more than levels */
} Logarithms;

/* CellProfiler works on 32-bit floats up to here; so must we, to hit the same ranks. What is darker
 * than 1/256 of the range is noise to it. */
static float logarithm(const Scan *scan, gsize level, float floor) {
    float x = (float)(scan->levels->values[level] / scan->plane->scale);
    return logf(MAX(x, floor));
}

static float noise_floor(const Scan *scan) {
    const Levels *levels = scan->levels;
    float least = (float)(levels->values[0] / scan->plane->scale);
    float largest = (float)(levels->values[levels->count - 1] / scan->plane->scale);
    return least + (largest - least) / 256 + FLT_EPSILON;
}

static void logarithms_fill(Logarithms *logs, const Scan *scan, float floor) {
    const Levels *levels = logs->levels;
    double range = logs->high - logs->low;
    logs->sum[0] = logs->sum_squares[0] = 0;
    for (gsize i = 0; i < levels->count; i++) {
        double y = logarithm(scan, i, floor) - logs->low, n = (double)levels_pixels(levels, i);
        y = range > 0 ? y / range : 0;
        logs->y[i] = y;
        logs->sum[i + 1] = logs->sum[i] + n * y;
        logs->sum_squares[i + 1] = logs->sum_squares[i] + n * y * y;
    }
}

static double sample_variance(double n, double sum, double sum_squares) {
    return n > 1 ? MAX(sum_squares - sum * sum / n, 0) / (n - 1) : 0;
}

/* Weighted variances of the pixels up to rank and of those after it. */
static double score_of_rank(const Logarithms *logs, guint64 rank) {
    const Levels *levels = logs->levels;
    gsize level = levels_at_rank(levels, rank);
    double y = logs->y[level], part = (double)(rank + 1 - levels->below[level]);
    double sum = logs->sum[level] + part * y;
    double sum_squares = logs->sum_squares[level] + part * y * y;
    double below = (double)rank + 1, above = (double)levels_total(levels) - below;
    return sample_variance(below, sum, sum_squares) * (double)rank +
           sample_variance(above, logs->sum[levels->count] - sum,
                           logs->sum_squares[levels->count] - sum_squares) *
               above;
}

static double value_after_rank(const Logarithms *logs, guint64 rank) {
    return logs->y[levels_at_rank(logs->levels, rank + 1)];
}

static double best_threshold(const Logarithms *logs) {
    guint64 n = levels_total(logs->levels), step = n / MIN(CANDIDATES, n), best = 0, last = 0;
    double least = INFINITY;
    for (guint64 rank = 0; rank + 1 < n; rank += step) {
        double score = score_of_rank(logs, rank);
        if (score < least) {
            least = score;
            best = rank;
        }
        last = rank;
    }
    guint64 before = best >= step ? best - step : 0, after = MIN(best + step, last);
    return (value_after_rank(logs, before) + value_after_rank(logs, after)) / 2;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    float floor = noise_floor(scan);
    if (!(floor > 0)) /* no logarithm of negative intensities */
        return;
    g_autofree double *sums = g_new(double, 3 * levels->count + 2);
    Logarithms logs = {.levels = levels,
                       .low = logarithm(scan, 0, floor),
                       .high = logarithm(scan, levels->count - 1, floor),
                       .y = sums,
                       .sum = sums + levels->count,
                       .sum_squares = sums + 2 * levels->count + 1};
    logarithms_fill(&logs, scan, floor);
    double y = scan->n > 1 ? best_threshold(&logs) : 0;
    values[0] = exp(logs.low + y * (logs.high - logs.low));
}

const Measure measure_otsu_2w = {"otsu_2w", numbers, compute};
