/* tile_content: in how many tiles there is something, and whether it is all in one place. */
#include "features/measure.h"
#include "features/measures/ranks.h"
#include <math.h>

#define TILES      (SCAN_TILES_A_SIDE * SCAN_TILES_A_SIDE)
#define LEAST_SIDE (4 * SCAN_TILES_A_SIDE) /* so that each tile has a median */
#define BRIGHT     3                       /* tiles: 1 % of 256, rounded */
#define OCCUPIED   3                       /* standard deviations of the noise */

static const MeasureNumber numbers[] = {
    {"tile_occupied", "1",
     "share of the 16 x 16 tiles (see tile_mean) with standard deviation > 3 noise_sigma", "own",
     "confluence, empty wells", NULL, "tiles", 1},
    {"bright_tile_share", "1",
     "light of the 3 brightest tiles / light of all; a tile's light is its pixels * max(its mean - "
     "b, 0), b the 0.1 quantile of the tiles' medians (see illum_cv)",
     "own", "a fibre, debris, dust out of the plane: one thing that outshines the cells", NULL,
     "tiles", 1},
    {NULL},
};

static double occupied_share(const ScanGrid *grid, double noise_sigma) {
    double limit = OCCUPIED * noise_sigma;
    guint occupied = 0, tiles = 0;
    for (guint i = 0; i < TILES; i++) {
        tiles += grid->tiles[i].n > 0;
        occupied += grid->tiles[i].n > 0 && sqrt(grid->tiles[i].variance) > limit;
    }
    return (double)occupied / tiles;
}

/* The background is a quantile of medians, and not the plane's mode: that is known to a bin only,
 * and the light of all is a small difference. */
static double bright_share(const ScanGrid *grid) {
    double sorted[TILES], light[TILES], all = 0, bright = 0;
    gsize count = ranks_sort(grid->median, TILES, sorted);
    if (count == 0)
        return NAN;
    double background = ranks_quantile(sorted, count, 0.1);
    for (guint i = 0; i < TILES; i++)
        light[i] =
            grid->tiles[i].n > 0 ? grid->tiles[i].n * MAX(grid->tiles[i].mean - background, 0) : 0;
    ranks_sort(light, TILES, sorted);
    for (guint i = 0; i < TILES; i++) {
        all += sorted[i];
        bright += i >= TILES - BRIGHT ? sorted[i] : 0;
    }
    return all > 0 ? bright / all : NAN;
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    if (scan->around.n == 0 || MIN(plane->width, plane->height) < LEAST_SIDE)
        return;
    values[0] = occupied_share(scan->tiles, scan_noise_sigma(scan) * plane->scale);
    values[1] = bright_share(scan->tiles);
}

const Measure measure_tile_content = {"tile_content", numbers, compute,
                                      .needs = SCAN_TILES | SCAN_STENCILS,
                                      .least_side = LEAST_SIDE};
