/* double_mode: twice the commonest value, which CellProfiler calls the background threshold. */
#include "features/measure.h"
#include "features/measures/bins.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"thr_background", "x",
     "min + 2 c (max - min), c = (k / 255 + 0.02) / 1.04, k the fullest of 256 bins, 0 to 255, "
     "over the middle 96 % of min to max, the first if several are; min + 0.02 (max - min) where "
     "no pixel lies there; x itself where all are one",
     "CellProfiler", "drift of the background", "ImageQuality_ThresholdBackground_{channel}",
     "histogram", 1},
    {NULL},
};

#define BINS 256

/* Returns whether any pixel is away from the ends. CellProfiler's pixels and the ends it leaves out
 * are 32-bit floats, its bins are not. */
static bool fill(const Scan *scan, const Bins *bins, double end, guint64 ret_pixels[BINS]) {
    bool some = false;
    for (gsize i = 0; i < scan->levels->count; i++) {
        float x = scan_level_single(scan, i);
        if (!(x > (float)bins->start && x < (float)end))
            continue;
        some = true;
        if (x >= bins->start && x <= end)
            ret_pixels[bins_place(bins, x)] += levels_pixels(scan->levels, i);
    }
    return some;
}

static gsize fullest(const guint64 pixels[BINS]) {
    gsize found = 0;
    for (gsize bin = 1; bin < BINS; bin++)
        if (pixels[bin] > pixels[found])
            found = bin;
    return found;
}

static void compute(const Scan *scan, double values[]) {
    float least = scan_level_single(scan, 0);
    float range = scan_level_single(scan, scan->levels->count - 1) - least;
    if (range == 0)
        values[0] = least;
    if (!(range > 0) || !isfinite(range))
        return;
    double start = 0.02 * range + least, end = 0.98 * range + least;
    Bins bins = {start, (end - start) / BINS, BINS};
    guint64 pixels[BINS] = {0};
    bool some = fill(scan, &bins, end, pixels);
    double cut = ((double)fullest(pixels) / (BINS - 1) + 0.02) / 1.04;
    values[0] = some ? least + 2 * cut * range : start;
}

const Measure measure_double_mode = {"double_mode", numbers, compute};
