/* fuzz_scan: bytes as the pixels of a plane of any type and shape, floats with all that bits can
 * mean. One scan looks at all of them, so that what one plane leaves behind meets the next; what it
 * says must hold together. */
#include "features/scan_plane.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>
#include <stdlib.h>

/* The first bytes: type, width. */
#define HEADER 3

static void demand(bool holds) {
    if (!holds)
        abort();
}

static void demand_tiles(const Scan *scan, const ScanGrid *grid) {
    const Levels *levels = scan->levels;
    double pixels = 0;
    for (gsize i = 0; i < (gsize)grid->columns * grid->rows; i++) {
        const ScanTile *tile = &grid->tiles[i];
        pixels += tile->n;
        demand(tile->n > 0 || (isnan(tile->mean) && isnan(tile->variance)));
        demand(!(tile->variance < 0));
        if (grid->median != NULL && !isnan(grid->median[i]))
            demand(grid->median[i] >= levels->values[0] &&
                   grid->median[i] <= levels->values[levels->count - 1]);
    }
    demand(pixels == (double)scan->n);
}

static void demand_scan(const Scan *scan) {
    const Levels *levels = scan->levels;
    demand(scan->n + scan->n_nonfinite == plane_pixels(scan->plane));
    demand(levels_total(levels) == scan->n);
    for (gsize i = 1; i < levels->count; i++)
        demand(levels->values[i - 1] < levels->values[i] && levels_pixels(levels, i) > 0);
    demand(!(scan->right.sum_dd < 0) && !(scan->around.sobel_squared < 0));
    demand_tiles(scan, scan->tiles);
    demand_tiles(scan, scan_grid(scan, 3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    static Scan *scan;
    if (scan == NULL)
        scan = scan_new(&(ScanPlan){SCAN_ALL, (const guint32[]){3, 0}});
    if (length < HEADER)
        return 0;
    PlaneType type = data[0] % 4;
    gsize pixels = (length - HEADER) / plane_type_bytes(type);
    guint32 width = 1 + (data[1] | (guint32)data[2] << 8), height = (guint32)(pixels / width);
    if (height == 0)
        return 0;
    /* a copy of its own size, so that a pixel read behind it is seen */
    GBytes *bytes = g_bytes_new(data + HEADER, (gsize)width * height * plane_type_bytes(type));
    g_autoptr(Plane) plane = plane_new(type, width, height, g_bytes_get_data(bytes, NULL), bytes);
    demand(scan_look(scan, plane, NULL));
    demand_scan(scan);
    return 0;
}
