/* max_correlation: the threshold whose two sides correlate best with the grey values. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"thr_mct", "x",
     "min + (k - 1) (max - min) / 255, k the first of the 256 bins "
     "b = floor(255 (x - min) / (max - min)) with the largest correlation of b with b >= k; x "
     "itself where all are one",
     "CellProfiler; Padmanabhan 2010", "staining level", "ImageQuality_ThresholdMCT_{channel}",
     "histogram", 1},
    {NULL},
};

#define BINS 256

/* 32-bit floats, as CellProfiler's pixels. */
static void fill(const Scan *scan, float least, float range, double pixels[BINS]) {
    for (gsize i = 0; i < scan->levels->count; i++) {
        float x = scan_level_single(scan, i);
        pixels[(gsize)((x - least) * (BINS - 1) / range)] += (double)levels_pixels(scan->levels, i);
    }
}

static double mean_bin(const double pixels[BINS], double n) {
    double sum = 0;
    for (int bin = 0; bin < BINS; bin++)
        sum += pixels[bin] * bin;
    return sum / n;
}

/* The first bin of the brighter side. The correlation has a factor that is the same for all bins;
 * it is left out. */
static int best_bin(const double pixels[BINS], double n) {
    double mean = mean_bin(pixels, n), excess = 0, above = n, most = 0;
    int best = 0;
    for (int bin = 0; bin < BINS; bin++) {
        /* excess: how far the pixels below this bin lie below the mean, all together */
        double correlation = above < n && above > 0 ? excess / sqrt((n - above) * above / n) : 0;
        if (correlation > most) {
            most = correlation;
            best = bin;
        }
        excess += pixels[bin] * (mean - bin);
        above -= pixels[bin];
    }
    return best;
}

static void compute(const Scan *scan, double values[]) {
    float least = scan_level_single(scan, 0);
    float range = scan_level_single(scan, scan->levels->count - 1) - least;
    if (range == 0)
        values[0] = least;
    if (!(range > 0) || !isfinite(range * BINS))
        return;
    double pixels[BINS] = {0};
    fill(scan, least, range, pixels);
    values[0] = least + (best_bin(pixels, (double)scan->n) - 1) * (double)range / (BINS - 1);
}

const Measure measure_max_correlation = {"max_correlation", numbers, compute};
