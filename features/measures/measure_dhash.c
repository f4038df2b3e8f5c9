/* dhash: nearly the same picture again: 64 bits that stay when brightness or noise change a little.
 * How alike two frames are is how many bits they share. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"dhash", "1",
     "of 9 x 8 means of boxes that cover the image, one bit each for the 8 neighbours of a row: 1 "
     "where the right one is brighter; the upper left pair is the highest bit. Boxes are made of "
     "the 16 x 16 tiles, cut where a box ends within one",
     "Krawetz 2013, dHash", "near duplicates: a stage that did not move, the same field twice",
     NULL, "tiles", 1, MEASURE_HASH},
    {NULL},
};

#define COLUMNS    9
#define ROWS       8
#define LEAST_SIDE SCAN_TILES_A_SIDE /* or boxes might have no pixel */

/* How much of tile i, counted in ninths of its width, lies in box j, which is 16 ninths wide. */
static int overlap(int tile, int box) {
    int left = MAX(tile * COLUMNS, box * SCAN_TILES_A_SIDE);
    int right = MIN((tile + 1) * COLUMNS, (box + 1) * SCAN_TILES_A_SIDE);
    return MAX(right - left, 0);
}

/* NaN if it has no finite pixel. */
static double mean_of_box(const ScanGrid *grid, int column, int row) {
    const int rows = SCAN_TILES_A_SIDE / ROWS;
    double n = 0, sum = 0;
    for (int y = row * rows; y < (row + 1) * rows; y++)
        for (int x = 0; x < SCAN_TILES_A_SIDE; x++) {
            const ScanTile *tile = &grid->tiles[y * SCAN_TILES_A_SIDE + x];
            double share = overlap(x, column) * tile->n;
            if (share > 0) {
                n += share;
                sum += share * tile->mean;
            }
        }
    return sum / n;
}

/* Equal boxes may differ by what doubles lose; nothing that can be seen is that small. */
static bool is_brighter(double right, double left) {
    return right - left > 1e-9 * (ABS(right) + ABS(left));
}

static void compute(const Scan *scan, double values[]) {
    guint64 hash = 0;
    if (MIN(scan->plane->width, scan->plane->height) < LEAST_SIDE)
        return;
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column + 1 < COLUMNS; column++) {
            double left = mean_of_box(scan->tiles, column, row);
            double right = mean_of_box(scan->tiles, column + 1, row);
            hash = hash << 1 | is_brighter(right, left);
        }
    measure_hash_set(values, hash);
}

const Measure measure_dhash = {"dhash", numbers, compute, .needs = SCAN_TILES,
                               .least_side = LEAST_SIDE};
