/* otsu: the foreground thresholds that CellProfiler calls Otsu, which are no textbook Otsu: they
 * search ranks of the sorted logarithms, and weigh sample variances. */
#include "features/measure.h"
#include "features/measures/log_levels.h"
#include <float.h>
#include <math.h>

#define SEARCH(found)                                                                              \
    "ln x of the n pixels not below 0, none taken for darker than min + range / 256 + 2^-23, "     \
    "stretched to 0..1 and sorted; " found

static const MeasureNumber numbers[] = {
    {"thr_otsu_2w", "x",
     SEARCH("of each floor(n / min(256, n))-th rank a the one with the least variance(0..a) a + "
            "variance(a+1..) (n - a - 1), of samples; mean of the values behind the ranks tried "
            "before and after it"),
     "centrosome's otsu; Otsu 1979", "staining level, empty fields",
     "ImageQuality_ThresholdOtsu_{channel}_2W", "histogram", 2},
    {"thr_otsu_2s", "x",
     SEARCH("of the ranks of thr_otsu_2w the one with the least sum of w ln(sqrt(2 pi e) w "
            "(variance + 1/512)), w pixels up to and above it; mean of the values as there"),
     "centrosome's entropy", "staining level, empty fields",
     "ImageQuality_ThresholdOtsu_{channel}_2S", "histogram", 1},
    {"thr_otsu_3fw", "x",
     SEARCH("of the pairs of each floor(n / min(128, n))-th rank that part it in three with the "
            "least sum of weighted "
            "variances the lower one's value: the middle class is foreground"),
     "centrosome's otsu3", "staining level with dim and bright cells",
     "ImageQuality_ThresholdOtsu_{channel}_3FW", "histogram", 1},
    {"thr_otsu_3bw", "x",
     SEARCH("the upper value of thr_otsu_3fw's pair: the middle class is background"),
     "centrosome's otsu3", "staining level with dim and bright cells",
     "ImageQuality_ThresholdOtsu_{channel}_3BW", "histogram", 1},
    {NULL},
};

/* What is darker than 1/256 of the range is noise to CellProfiler. */
static float noise_floor(const Scan *scan, gsize first) {
    float least = scan_level_single(scan, first);
    float largest = scan_level_single(scan, scan->levels->count - 1);
    return least + (largest - least) / 256 + FLT_EPSILON;
}

/* The index of the first level not below 0; count if there is none. */
static gsize first_not_negative(const Levels *levels) {
    gsize first = 0;
    while (first < levels->count && levels->values[first] < 0)
        first++;
    return first;
}

/* A flat side has no variance, and no logarithm of it. */
static double entropy(double variance, double weight) {
    return weight > 0 ? weight * log((variance + 1 / 512.) * weight * sqrt(2 * G_PI * G_E)) : 0;
}

/* --- three classes --- */

#define CANDIDATES 128

/* A rank where one class may end and the next begin. */
typedef struct {
    double y;
    LogSums darkest;    /* over the pixels up to it, itself too */
    double below, from; /* weighted variances of the pixels up to it, and of those from it on */
} Cut;

static Cut cut_at(const LogLevels *logs, guint64 rank) {
    LogSums all = log_levels_all(logs), before = log_levels_darkest(logs, rank);
    LogSums darkest = log_levels_darkest(logs, rank + 1);
    LogSums bright = {all.y - before.y, all.squares - before.squares};
    double above = (double)(logs->n - rank);
    return (Cut){log_levels_at_rank(logs, rank), darkest,
                 log_sums_variance(darkest, (double)rank + 1) * (double)rank,
                 log_sums_variance(bright, above) * above};
}

/* Weighted variance of the middle class, of so many pixels. */
static double middle(const Cut *low, const Cut *high, double pixels) {
    double mean = (high->darkest.y - low->darkest.y) / pixels;
    double mean_square = (high->darkest.squares - low->darkest.squares) / pixels;
    return pixels * (mean_square - mean * mean);
}

/* CellProfiler looks the outer classes up at rank * bins / n, which is the candidate itself only
 * where its ranks are whole parts of n; else it is the one before. */
static void find_three_classes(const LogLevels *logs, double ret_y[2]) {
    guint64 n = logs->n, bins = MIN(CANDIDATES, n), step = n / bins;
    Cut cuts[2 * CANDIDATES]; /* step is rounded down: up to twice as many */
    gsize count = 1;
    cuts[0] = cut_at(logs, 0);
    for (guint64 rank = step; rank < n; rank += step)
        cuts[count++] = cut_at(logs, rank);

    double least = INFINITY;
    ret_y[0] = ret_y[1] = cuts[0].y;
    for (gsize i = 0; i < count; i++)
        for (gsize j = i + 1; j < count; j++) {
            double score = cuts[i * step * bins / n].below +
                           middle(&cuts[i], &cuts[j], (double)((j - i) * step)) +
                           cuts[j * step * bins / n].from;
            if (score < least) {
                least = score;
                ret_y[0] = cuts[i].y;
                ret_y[1] = cuts[j].y;
            }
        }
}

static void compute(const Scan *scan, double values[]) {
    LogLevels logs;
    gsize first = first_not_negative(scan->levels);
    if (first == scan->levels->count ||
        !log_levels_fill(&logs, scan, first, noise_floor(scan, first)))
        return;
    double three[2];
    find_three_classes(&logs, three);
    values[0] = log_levels_x(&logs, log_levels_split(&logs, log_levels_weighted_variance));
    values[1] = log_levels_x(&logs, log_levels_split(&logs, entropy));
    values[2] = log_levels_x(&logs, three[0]);
    values[3] = log_levels_x(&logs, three[1]);
}

const Measure measure_otsu = {"otsu", numbers, compute};
