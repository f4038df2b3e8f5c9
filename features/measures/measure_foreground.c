/* foreground: what stands out from the background, split by Otsu's threshold. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"thr_otsu", "x",
     "the value t that maximises the variance between pixels <= t and pixels > t; x itself where "
     "all are one",
     "Otsu 1979; scikit-image's threshold_otsu, one bin a value", "staining level", NULL,
     "histogram", 2},
    {"otsu_separability", "1", "variance between the two sides of thr_otsu / variance of x",
     "Otsu 1979", "empty field: about 0.64 for pure noise, above 0.8 with cells", NULL, "histogram",
     1},
    {"fg_fraction", "1", "share of pixels with x > thr_otsu", "own", "confluence, empty wells",
     NULL, "histogram", 1},
    {"fg_mean", "x", "mean of x over pixels > thr_otsu", "own", "staining", NULL, "histogram", 1},
    {"bg_mean", "x", "mean of x over pixels <= thr_otsu", "own", "background", NULL, "histogram",
     1},
    {"sbr", "1", "fg_mean / bg_mean", "own", "signal to background", NULL, "histogram", 1},
    {"cnr", "1", "(fg_mean - bg_mean) / (1.4826 * median of |x - median| over pixels <= thr_otsu)",
     "own", "contrast that can be used", NULL, "histogram", 1},
    {NULL},
};

/* The values up to `count` are background. */
typedef struct {
    gsize count;
    double background_mean, foreground_mean, between; /* variance between the two */
} Split;

/* Values count from the mean, so that the variance between does not drown in it. */
static Split best_split(const Levels *levels, double mean) {
    Split best = {.between = -1};
    double n = (double)levels_total(levels), sum = 0;
    for (gsize i = 0; i + 1 < levels->count; i++) {
        sum += (double)levels_pixels(levels, i) * (levels->values[i] - mean);
        double below = (double)levels->below[i + 1], above = n - below;
        double between = sum / below * (sum / above);
        if (between > best.between)
            best = (Split){i + 1, mean + sum / below, mean - sum / above, between};
    }
    return best;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    double scale = scan->plane->scale;
    if (levels->count == 1) {
        values[0] = levels->values[0] / scale;
        return;
    }
    Split split = best_split(levels, scan->moments.mean);
    if (split.count == 0) /* floats so large that their squares are not finite */
        return;
    values[0] = levels->values[split.count - 1] / scale;
    values[1] =
        MIN(split.between / scan->moments.m2, 1); /* doubles of 1e15 lose the means' digits */
    values[2] = (double)(scan->n - levels->below[split.count]) / (double)scan->n;
    values[3] = split.foreground_mean / scale;
    values[4] = split.background_mean / scale;
    if (split.background_mean > 0)
        values[5] = split.foreground_mean / split.background_mean;
    double spread = 1.4826 * levels_mad(levels, split.count);
    if (spread > 0)
        values[6] = (split.foreground_mean - split.background_mean) / spread;
}

const Measure measure_foreground = {"foreground", numbers, compute};
