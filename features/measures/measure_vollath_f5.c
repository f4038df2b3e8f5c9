/* vollath_f5: how alike neighbours are, beyond the mean: contrast that noise does not make. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"vollath_f5", "x^2",
     "mean of x[i] x[i+1] over all pairs along rows - (mean of x over all pixels)^2",
     "Vollath 1988", "loss of contrast, blur: what is left falls slower than vollath_f4", NULL,
     "stencil", 1},
    {NULL},
};

/* Everything counts from the pivot p, or the difference drowns in the square of the mean:
 * E[ab] - m^2 = E[(a-p)(b-p)] + p (E[a-p] + E[b-p] - 2 (m-p)) - (m-p)^2 */
static void compute(const Scan *scan, double values[]) {
    const ScanPairs *pairs = &scan->right;
    double p = scan->pivot, m = scan->moments.mean - p, scale = scan->plane->scale;
    if (pairs->n == 0)
        return;
    double outer = (pairs->sum_a + pairs->sum_b) / pairs->n - 2 * m; /* what the edges lack */
    values[0] = (scan_pairs_product(pairs) / pairs->n + p * outer - m * m) / (scale * scale);
}

const Measure measure_vollath_f5 = {"vollath_f5", numbers, compute, .needs = SCAN_STENCILS};
