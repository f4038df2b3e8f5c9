#include "features/ranks.h"
#include <math.h>
#include <stdlib.h>

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

gsize ranks_sort(const double *values, gsize count, double *ret_sorted) {
    gsize kept = 0;
    for (gsize i = 0; i < count; i++)
        if (!isnan(values[i]))
            ret_sorted[kept++] = values[i];
    qsort(ret_sorted, kept, sizeof *ret_sorted, compare);
    return kept;
}

double ranks_quantile(const double *sorted, gsize count, double q) {
    double position = q * (double)(count - 1);
    gsize low = (gsize)position, high = MIN(low + 1, count - 1);
    return sorted[low] + (position - (double)low) * (sorted[high] - sorted[low]);
}
