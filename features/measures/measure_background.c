/* background: the commonest value. */
#include "features/measure.h"
#include "features/measures/bins.h"
#include <string.h>

static const MeasureNumber numbers[] = {
    {"bg_mode", "x",
     "the middle of the 5 neighbouring bins that hold most pixels, the lowest if several do; bins "
     "are as wide as level_step, or 1/1024 of min to p999 for floats and more than 16 bits",
     "own", "background, autofluorescence of the medium", NULL, "histogram", 1},
    {NULL},
};

#define FLOAT_BINS 1024
#define WINDOW     5

/* Up to 65536 equal bins over the range that holds the background. */
static Bins bins_over(const Scan *scan) {
    const Levels *levels = scan->levels;
    double least = levels->values[0], largest = levels->values[levels->count - 1];
    if (plane_is_integer(scan->plane)) {
        double width = (double)levels_step(levels);
        return (Bins){least, width, (gsize)((largest - least) / width) + 1};
    }
    double end = levels_quantile(levels, 0.999);
    return (Bins){least, ((end > least ? end : largest) - least) / FLOAT_BINS, FLOAT_BINS};
}

/* Pixels per bin; what lies above the last is left out. */
static void fill(const Bins *bins, const Levels *levels, guint64 *ret_pixels) {
    memset(ret_pixels, 0, bins->count * sizeof *ret_pixels);
    for (gsize i = 0; i < levels->count; i++) {
        double bin = (levels->values[i] - bins->start) / bins->width;
        if (bin < (double)bins->count)
            ret_pixels[(gsize)bin] += levels_pixels(levels, i);
    }
}

/* The bin in the middle of the fullest window; windows reach over the ends. */
static gsize fullest(const guint64 *pixels, gsize count) {
    guint64 sum = 0, most = 0;
    gsize found = 0;
    for (gsize end = 0; end < count + WINDOW / 2; end++) {
        sum += end < count ? pixels[end] : 0;
        sum -= end >= WINDOW ? pixels[end - WINDOW] : 0;
        if (end >= WINDOW / 2 && sum > most) {
            most = sum;
            found = end - WINDOW / 2;
        }
    }
    return found;
}

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->levels->count == 1) {
        values[0] = scan->levels->values[0] / scale;
        return;
    }
    Bins bins = bins_over(scan);
    guint64 *pixels = scan_scratch(scan, bins.count * sizeof *pixels);
    if (pixels == NULL)
        return;
    fill(&bins, scan->levels, pixels);
    double middle = plane_is_integer(scan->plane) ? 0 : 0.5; /* a bin of those is one value */
    values[0] = (bins.start + bins.width * ((double)fullest(pixels, bins.count) + middle)) / scale;
}

const Measure measure_background = {"background", numbers, compute};
