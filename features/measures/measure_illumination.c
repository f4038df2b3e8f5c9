/* illumination: how even the light is, from the tiles' medians. Means would tell where the cells
 * lie; a median sees the background as long as cells cover less than half of a tile. */
#include "features/measure.h"
#include <math.h>

#define SIDE       SCAN_TILES_A_SIDE
#define TILES      (SIDE * SIDE)
#define LEAST_SIDE (4 * SIDE) /* so that each tile has a pixel that its median looks at */

#define MEDIANS                                                                                    \
    "the medians of 16 x 16 tiles (see tile_mean), each over the pixels whose x and y are "        \
    "multiples of 4"
#define FITTED                                                                                     \
    "least-squares fit of a + b u + c v + d u^2 + e u v + f v^2 to illum_cv's medians at column "  \
    "u, row v"

static const MeasureNumber numbers[] = {
    {"illum_cv", "1", "standard deviation (population) / mean of " MEDIANS, "own",
     "uneven light of any kind", NULL, "tiles", 1},
    {"illum_corner_center", "1",
     "mean of illum_cv's medians over the 3 x 3 tiles in each of the four corners / mean over the "
     "4 x 4 tiles in the centre",
     "own", "vignetting: below 1", NULL, "tiles", 1},
    {"illum_tilt_x", "1",
     "16 b / mean, of the least-squares fit of a + b u + c v to illum_cv's medians at column u, "
     "row v: the change over the frame's width; above 0: brighter to the right",
     "own", "light that comes from one side, a tilted lamp or filter", NULL, "tiles", 1},
    {"illum_tilt_y", "1",
     "16 c / mean, of the fit of illum_tilt_x; above 0: brighter to the bottom", "own",
     "light that comes from one side, a tilted lamp or filter", NULL, "tiles", 1},
    {"illum_quad", "1", "(largest - least of the 256 fitted values) / mean; " FITTED, "own",
     "a lamp that is not adjusted, a flat-field correction that has failed", NULL, "tiles", 1},
    {"illum_resid", "1", "root of the mean squared rest of illum_quad's fit / mean", "own",
     "unevenness that no lamp makes: dense cells, bubbles, dirt", NULL, "tiles", 1},
    {NULL},
};

/* The functions of the fit. They are orthogonal over the full square of tiles, so each coefficient
 * is a projection of its own, and the first three are the fit of a plane. */
typedef enum { FLAT, ACROSS, DOWN, ACROSS2, BOTH, DOWN2, TERMS } Term;

static double term_at(Term term, guint tile) {
    const double mean_square = (SIDE * SIDE - 1) / 12.; /* of u over its 16 values */
    double u = tile % SIDE - (SIDE - 1) / 2., v = tile / SIDE - (SIDE - 1) / 2.;
    const double terms[TERMS] = {[FLAT] = 1,     [ACROSS] = u,
                                 [DOWN] = v,     [ACROSS2] = u * u - mean_square,
                                 [BOTH] = u * v, [DOWN2] = v * v - mean_square};
    return terms[term];
}

static double coefficient(const double *medians, Term term) {
    double sum = 0, squares = 0;
    for (guint tile = 0; tile < TILES; tile++) {
        double t = term_at(term, tile);
        sum += t * medians[tile];
        squares += t * t;
    }
    return sum / squares;
}

static double fitted_at(const double coefficients[TERMS], guint tile) {
    double sum = 0;
    for (Term term = FLAT; term < TERMS; term++)
        sum += coefficients[term] * term_at(term, tile);
    return sum;
}

static double block_mean(const double *medians, guint left, guint top, guint side) {
    double sum = 0;
    for (guint i = 0; i < side * side; i++)
        sum += medians[(top + i / side) * SIDE + left + i % side];
    return sum / (side * side);
}

static double corner_to_center(const double *medians) {
    const guint far = SIDE - 3;
    double corners = block_mean(medians, 0, 0, 3) + block_mean(medians, far, 0, 3) +
                     block_mean(medians, 0, far, 3) + block_mean(medians, far, far, 3);
    double center = block_mean(medians, SIDE / 2 - 2, SIDE / 2 - 2, 4);
    return center > 0 ? corners / 4 / center : NAN;
}

static double deviation(const double *medians, double mean) {
    double squares = 0;
    for (guint tile = 0; tile < TILES; tile++)
        squares += (medians[tile] - mean) * (medians[tile] - mean);
    return sqrt(squares / TILES);
}

static void compute(const Scan *scan, double values[]) {
    const double *medians = scan->tiles->median;
    if (MIN(scan->plane->width, scan->plane->height) < LEAST_SIDE)
        return;
    double coefficients[TERMS], squares = 0, least = INFINITY, largest = -INFINITY;
    for (Term term = FLAT; term < TERMS; term++)
        coefficients[term] = coefficient(medians, term);
    double mean = coefficients[FLAT];
    if (!(mean > 0)) /* also where a tile has no median: the fit needs them all */
        return;
    for (guint tile = 0; tile < TILES; tile++) {
        double fitted = fitted_at(coefficients, tile), rest = medians[tile] - fitted;
        squares += rest * rest;
        least = MIN(least, fitted);
        largest = MAX(largest, fitted);
    }
    values[0] = deviation(medians, mean) / mean;
    values[1] = corner_to_center(medians);
    values[2] = SIDE * coefficients[ACROSS] / mean;
    values[3] = SIDE * coefficients[DOWN] / mean;
    values[4] = (largest - least) / mean;
    values[5] = sqrt(squares / TILES) / mean;
}

const Measure measure_illumination = {"illumination", numbers, compute, .needs = SCAN_TILES,
                                      .least_side = LEAST_SIDE};
