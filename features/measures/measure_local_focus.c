/* local_focus: how unevenly contrast is spread over the frame, as CellProfiler scores it. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"local_focus_{scale}", "x",
     "variance of the scores / median of the scores; a score is variance of x / mean of x in a "
     "tile of about {scale} px a side, c = ceil(width / {scale}) by r = ceil(height / {scale}) "
     "tiles that cover the image: pixel (x, y) lies in column floor(c x / width) of row "
     "floor(r y / height); tiles whose mean is 0 are left out; 0 where the median is not above 0",
     "CellProfiler's MeasureImageQuality (its code; its help says the mean)",
     "contrast here and none there; falls with defocus, but rises where noise is smoothed away",
     "ImageQuality_LocalFocusScore_{channel}_{scale}", "tiles", 1},
    {NULL},
};

/* Of the tiles that have one. Returns how many. */
static gsize fill_scores(const ScanGrid *grid, double *ret_scores) {
    gsize count = 0;
    for (gsize i = 0; i < (gsize)grid->columns * grid->rows; i++) {
        const ScanTile *tile = &grid->tiles[i];
        if (tile->n > 0 && tile->mean != 0)
            ret_scores[count++] = tile->variance / tile->mean;
    }
    return count;
}

static double variance_of(const double *values, gsize count) {
    double mean = 0, squares = 0;
    for (gsize i = 0; i < count; i++)
        mean += values[i];
    mean /= (double)count;
    for (gsize i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return squares / (double)count;
}

/* There may be as many tiles as pixels, which the levels sort faster than ranks.h. NaN if memory
 * does not suffice. */
static double median_of(const Scan *scan, const double *values, gsize count) {
    guint64 *keys = scan_scratch(scan, count * sizeof *keys);
    guint64 *room = scan_scratch(scan, count * sizeof *room);
    Levels levels = {.values = scan_scratch(scan, count * sizeof *levels.values),
                     .below = scan_scratch(scan, (count + 1) * sizeof *levels.below)};
    if (keys == NULL || room == NULL || levels.values == NULL || levels.below == NULL)
        return NAN;
    for (gsize i = 0; i < count; i++)
        keys[i] = levels_key_of_double(values[i]);
    levels_fill_doubles(&levels, keys, room, count);
    return levels_quantile(&levels, 0.5);
}

static void compute_at(const Scan *scan, guint32 scale, double values[]) {
    const ScanGrid *grid = scan_grid(scan, scale);
    double *scores = scan_scratch(scan, (gsize)grid->columns * grid->rows * sizeof *scores);
    if (scores == NULL)
        return;
    gsize count = fill_scores(grid, scores);
    double median = count > 0 ? median_of(scan, scores, count) : 0;
    if (!isnan(median))
        values[0] = median > 0 ? variance_of(scores, count) / median / scan->plane->scale : 0;
}

const Measure measure_local_focus = {"local_focus", numbers, .scales = "20",
                                     .compute_at = compute_at, .grid_of_scale = true};
