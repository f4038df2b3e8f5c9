/* ice_quantiles: how thick the ice of a cryo-EM frame is, and how evenly: thick ice is dark. It
 * looks at the pixels itself, since its patches are not the scan's tiles. */
#include "features/box_means.h"
#include "features/measure.h"
#include <math.h>
#include <stdlib.h>

#define PATCHES   40 /* a side */
#define QUANTILES 5

static const MeasureNumber numbers[] = {
    {"ice_quantiles", "1e-4 x",
     "minimum, quartiles (numpy's 'linear') and maximum of the means of 40 x 40 patches, times "
     "1e4: "
     "boxes of floor(width / 40) x floor(height / 40) px from the upper left corner, which are low "
     "pass and patch in one; what is left over at the right and below is in none",
     "after IceBreaker's five figures", "ice that is thick (low) or uneven (wide), empty squares",
     NULL, "pass", 1, MEASURE_ARRAY, QUANTILES},
    {NULL},
};

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The means that there are, in order; returns how many. */
static gsize sort(BoxMeans *boxes) {
    gsize count = 0;
    for (gsize i = 0; i < boxes->count; i++)
        if (!isnan(boxes->means[i]))
            boxes->means[count++] = boxes->means[i];
    qsort(boxes->means, count, sizeof *boxes->means, compare);
    return count;
}

static double quantile(const double *sorted, gsize count, double q) {
    double position = q * (double)(count - 1), below = floor(position);
    gsize index = (gsize)below, next = MIN(index + 1, count - 1);
    return sorted[index] + (position - below) * (sorted[next] - sorted[index]);
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    BoxMeans boxes;
    if (MIN(plane->width, plane->height) < PATCHES ||
        !box_means(scan, plane->width / PATCHES, plane->height / PATCHES, &boxes))
        return;
    gsize count = sort(&boxes);
    for (guint i = 0; count > 0 && i < QUANTILES; i++)
        values[i] = 1e4 * quantile(boxes.means, count, i / (QUANTILES - 1.)) / plane->scale;
}

const Measure measure_ice_quantiles = {
    .name = "ice_quantiles", .numbers = numbers, .compute = compute, .least_side = PATCHES};
