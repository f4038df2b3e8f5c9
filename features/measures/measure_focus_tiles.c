/* focus_tiles: whether all of the frame is equally sharp. */
#include "features/measure.h"
#include "features/measures/ranks.h"

#define TILES      (SCAN_TILES_A_SIDE * SCAN_TILES_A_SIDE)
#define LEAST_SIDE (4 * SCAN_TILES_A_SIDE)

static const MeasureNumber numbers[] = {
    {"focus_tile_med", "x^2", "median of tile_lap", "own",
     "blur of most of the field; with camera noise it measures the noise", NULL, "tiles", 1},
    {"focus_tile_min", "1", "least of tile_lap / focus_tile_med", "own",
     "a part of the field that is out of focus, a bubble", NULL, "tiles", 1},
    {"focus_tile_max", "1", "largest of tile_lap / focus_tile_med", "own",
     "detail in few places only: few cells, a sharp piece of dust in a field out of focus", NULL,
     "tiles", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    double sorted[TILES];
    gsize count = ranks_sort(scan->tiles->laplacian_variance, TILES, sorted);
    if (count == 0 || MIN(plane->width, plane->height) < LEAST_SIDE)
        return;
    double median = ranks_quantile(sorted, count, 0.5);
    values[0] = median / (plane->scale * plane->scale);
    if (!(median > 0))
        return;
    values[1] = sorted[0] / median;
    values[2] = sorted[count - 1] / median;
}

const Measure measure_focus_tiles = {"focus_tiles", numbers, compute, .needs = SCAN_TILES,
                                     .least_side = LEAST_SIDE};
