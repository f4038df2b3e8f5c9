/* contrast_ratio: contrast at the resolution where an electron microscope's particles and carbon
 * show. It looks at the pixels itself, since how many of them are taken together depends on their
 * size. */
#include "features/measure.h"
#include "features/measures/box_means.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"contrast_ratio", "1",
     "standard deviation (population) / mean of the means of boxes of n x n px, n the whole number "
     "next to 8 A / pixel size, from the upper left corner, without what is left over; NULL if a "
     "pixel is larger than 8 A, the mean is not above 0 or there are fewer than two boxes",
     "own", "empty holes, ice too thick (low), carbon or contamination (high)", NULL, "pass", 1,
     .needs_pixel_size = true},
    {NULL},
};

#define BOX_A 8.0

static double contrast(const BoxMeans *boxes) {
    double n = 0, sum = 0, squares = 0;
    for (gsize i = 0; i < boxes->count; i++)
        if (!isnan(boxes->means[i])) {
            n++;
            sum += boxes->means[i];
        }
    for (gsize i = 0; i < boxes->count; i++)
        if (!isnan(boxes->means[i]))
            squares += (boxes->means[i] - sum / n) * (boxes->means[i] - sum / n);
    return n > 1 && sum > 0 ? sqrt(squares / n) / (sum / n) : NAN;
}

static void compute(const Scan *scan, double values[]) {
    double pixel_A = scan->plane->pixel_size_um * 1e4, side = rint(BOX_A / pixel_A);
    bool is_fine_enough = pixel_A > 0 && pixel_A <= BOX_A * (1 + 1e-9);
    guint32 largest = MIN(scan->plane->width, scan->plane->height);
    BoxMeans boxes;
    if (is_fine_enough && side <= largest &&
        box_means(scan, (guint32)MAX(side, 1), (guint32)MAX(side, 1), &boxes))
        values[0] = contrast(&boxes);
}

const Measure measure_contrast_ratio = {
    .name = "contrast_ratio", .numbers = numbers, .compute = compute};
