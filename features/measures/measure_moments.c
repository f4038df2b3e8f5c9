/* moments: the shape of the distribution. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"skewness", "1", "m3 / std^3, population", "Pearson", "sparse bright objects, debris", NULL,
     "histogram", 1},
    {"kurtosis", "1", "m4 / std^4 - 3, population", "Pearson", "sparse bright objects, debris",
     NULL, "histogram", 1},
    {"cv", "1", "std / mean", "own", "staining contrast", NULL, "histogram", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const LevelsMoments *m = &scan->moments;
    if (m->m2 > 0) {
        values[0] = m->m3 / pow(m->m2, 1.5);
        values[1] = m->m4 / (m->m2 * m->m2) - 3;
    }
    if (m->mean > 0)
        values[2] = sqrt(m->m2) / m->mean;
}

const Measure measure_moments = {"moments", numbers, compute};
