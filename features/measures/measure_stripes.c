/* stripes: lines of the camera or of the scanner that are brighter or darker than those beside
 * them. */
#include "features/measure.h"
#include "features/measures/ranks.h"
#include <math.h>

#define REACH      4 /* lines on each side that a line is compared with */
#define LEAST_SIDE 16

#define STRIPE(lines, pixels)                                                                      \
    "1.4826 * median of |d[i]| / (noise_sigma / sqrt(" pixels ")), d[i] = mean of " lines          \
    " i - median of the means of the 4 " lines "s before and the 4 after it; noise alone gives "   \
    "about 1.08"

static const MeasureNumber numbers[] = {
    {"row_stripe", "1", STRIPE("row", "width"), "own",
     "noise of the camera's lines, banding of an sCMOS camera, jitter of a laser scan", NULL,
     "tiles", 1},
    {"col_stripe", "1", STRIPE("column", "height"), "own",
     "noise of the camera's column amplifiers, a line scanner's stripes", NULL, "tiles", 1},
    {NULL},
};

/* How far line i stands out. The lines beside it, without itself, are fair to every pattern: of
 * lines that are bright and dark by turns four are of either kind. Their median follows a slope and
 * is not moved by one bad line. */
static double standing_out(const double *means, gsize i) {
    double beside[2 * REACH], sorted[2 * REACH];
    for (gsize k = 0; k < REACH; k++) {
        beside[k] = means[i - 1 - k];
        beside[REACH + k] = means[i + 1 + k];
    }
    return ranks_sort(beside, 2 * REACH, sorted) == 2 * REACH
               ? means[i] - ranks_quantile(sorted, 2 * REACH, 0.5)
               : NAN;
}

/* The standard deviation as a median tells it: the rims of a few bright cells, which stand out
 * fifty times as far as the camera's lines, do not enter it. */
static double deviation_of_lines(const Scan *scan, const double *means, gsize count) {
    double *off = scan_scratch(scan, count * sizeof *off);
    if (off == NULL)
        return NAN;
    gsize lines = count - 2 * REACH;
    for (gsize i = 0; i < lines; i++) /* NaN where a line without a pixel is near */
        off[i] = fabs(standing_out(means, i + REACH));
    return 1.4826 * ranks_median(off, lines);
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    if (scan->around.n == 0 || MIN(plane->width, plane->height) < LEAST_SIDE)
        return;
    double sigma = scan_noise_sigma(scan) * plane->scale;
    if (!(sigma > 0))
        return;
    double rows = deviation_of_lines(scan, scan->row_means, plane->height);
    double columns = deviation_of_lines(scan, scan->column_means, plane->width);
    values[0] = rows / (sigma / sqrt(plane->width));
    values[1] = columns / (sigma / sqrt(plane->height));
}

const Measure measure_stripes = {"stripes", numbers, compute, .needs = SCAN_LINES | SCAN_STENCILS,
                                 .least_side = LEAST_SIDE};
