/* tiles: the frame as 16 x 16 numbers, for maps in SQL: the mean over a plate's frames is its
 * flat-field. */
#include "features/measure.h"

#define TILES (SCAN_TILES_A_SIDE * SCAN_TILES_A_SIDE)

static const MeasureNumber numbers[] = {
    {"tile_mean", "x",
     "mean of x over each of 16 x 16 tiles, row by row from the top left; pixel (x, y) lies in "
     "column floor(16 x / width) of row floor(16 y / height); NULL for a tile without a pixel",
     "own", "where light is uneven or debris lies; averaged over a plate: the flat-field", NULL,
     "tiles", 1, MEASURE_ARRAY, TILES},
    {"tile_lap", "x^2",
     "variance of L = 4c - n - s - e - w over each tile of tile_mean, where c has its four "
     "neighbours and the diagonal ones",
     "Pech-Pacheco 2000, by tiles",
     "map of focus: a tilted plate, a field that is sharp in one half", NULL, "tiles", 1,
     MEASURE_ARRAY, TILES},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const ScanGrid *grid = scan->tiles;
    double scale = scan->plane->scale;
    for (guint i = 0; i < TILES; i++) {
        values[i] = grid->tiles[i].mean / scale;
        values[TILES + i] = grid->laplacian_variance[i] / (scale * scale);
    }
}

const Measure measure_tiles = {"tiles", numbers, compute, .needs = SCAN_TILES};
