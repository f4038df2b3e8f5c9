/* background: the commonest value. */
#include "features/measure.h"

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
typedef struct {
    double start, width;
    gsize count;
} Bins;

static Bins bins_over(const Scan *scan) {
    const Levels *levels = scan->levels;
    double least = levels->values[0], largest = levels->values[levels->count - 1];
    if (scan->plane->type == PLANE_U8 || scan->plane->type == PLANE_U16) {
        double width = (double)levels_step(levels);
        return (Bins){least, width, (gsize)((largest - least) / width) + 1};
    }
    double end = levels_quantile(levels, 0.999);
    return (Bins){least, ((end > least ? end : largest) - least) / FLOAT_BINS, FLOAT_BINS};
}

/* Pixels per bin; what lies above the last is left out. */
static guint64 *fill(const Bins *bins, const Levels *levels) {
    guint64 *pixels = g_new0(guint64, bins->count);
    for (gsize i = 0; i < levels->count; i++) {
        double bin = (levels->values[i] - bins->start) / bins->width;
        if (bin < (double)bins->count)
            pixels[(gsize)bin] += levels_pixels(levels, i);
    }
    return pixels;
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
    double mode = scan->levels->values[0];
    if (scan->levels->count > 1) {
        Bins bins = bins_over(scan);
        g_autofree guint64 *pixels = fill(&bins, scan->levels);
        bool floats = scan->plane->type == PLANE_F32 || scan->plane->type == PLANE_F64;
        mode = bins.start + bins.width * ((double)fullest(pixels, bins.count) + (floats ? 0.5 : 0));
    }
    values[0] = mode / scan->plane->scale;
}

const Measure measure_background = {"background", numbers, compute};
