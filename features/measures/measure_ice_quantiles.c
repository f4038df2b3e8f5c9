/* ice_quantiles: how thick the ice of a cryo-EM frame is, and how evenly: thick ice is dark. It
 * looks at the pixels itself, since its patches are not the scan's tiles. */
#include "features/measure.h"
#include "features/measures/box_means.h"
#include "features/measures/ranks.h"

#define PATCHES   40 /* a side, at least */
#define QUANTILES 5

static const MeasureNumber numbers[] = {
    {"ice_quantiles", "1e-4 x",
     "minimum, quartiles (numpy's 'linear') and maximum of the means of patches, times 1e4: boxes "
     "of floor(width / 40) x floor(height / 40) px from the upper left corner, as many as fit, "
     "which is 40 a side or somewhat more; they are low pass and patch in one, and what is left "
     "over at the right and below is in none",
     "after IceBreaker's five figures", "ice that is thick (low) or uneven (wide), empty squares",
     NULL, "pass", 1, MEASURE_ARRAY, QUANTILES},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    BoxMeans boxes;
    if (MIN(plane->width, plane->height) < PATCHES ||
        !box_means(scan, plane->width / PATCHES, plane->height / PATCHES, &boxes))
        return;
    gsize count = ranks_sort(boxes.means, boxes.count, boxes.means);
    for (guint i = 0; count > 0 && i < QUANTILES; i++)
        values[i] = 1e4 * ranks_quantile(boxes.means, count, i / (QUANTILES - 1.)) / plane->scale;
}

const Measure measure_ice_quantiles = {
    .name = "ice_quantiles", .numbers = numbers, .compute = compute, .least_side = PATCHES};
