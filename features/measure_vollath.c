/* vollath: correlation that blur destroys and noise does not. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"vollath_f4", "x^2", "mean of x[i] x[i+1] - mean of x[i] x[i+2] along columns", "Vollath 1987",
     "blur, whatever the noise: falls steadily with defocus", NULL, "stencil", 1},
    {NULL},
};

/* Products of pixels as they are, from sums that count from the pivot. */
static double mean_product(const ScanPairs *pairs, double pivot) {
    return (scan_pairs_product(pairs) + pivot * (pairs->sum_a + pairs->sum_b)) / pairs->n;
}

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    if (scan->down.n > 0 && scan->down2.n > 0) /* the pivot's own square cancels out */
        values[0] =
            (mean_product(&scan->down, scan->pivot) - mean_product(&scan->down2, scan->pivot)) /
            (scale * scale);
}

const Measure measure_vollath = {"vollath", numbers, compute};
