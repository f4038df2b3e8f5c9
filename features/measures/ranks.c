#include "features/measures/ranks.h"
#include <math.h>
#include <stdlib.h>

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

#define FEW 16

/* Of some eight values, thousands of times: qsort calls a function for every step. */
static void sort_few(double *values, gsize count) {
    for (gsize i = 1; i < count; i++) {
        double value = values[i];
        gsize place = i;
        for (; place > 0 && values[place - 1] > value; place--)
            values[place] = values[place - 1];
        values[place] = value;
    }
}

gsize ranks_sort(const double *values, gsize count, double *ret_sorted) {
    gsize kept = 0;
    for (gsize i = 0; i < count; i++)
        if (!isnan(values[i]))
            ret_sorted[kept++] = values[i];
    if (kept <= FEW)
        sort_few(ret_sorted, kept);
    else
        qsort(ret_sorted, kept, sizeof *ret_sorted, compare);
    return kept;
}

double ranks_quantile(const double *sorted, gsize count, double q) {
    double position = q * (double)(count - 1);
    gsize low = (gsize)position, high = MIN(low + 1, count - 1);
    return sorted[low] + (position - (double)low) * (sorted[high] - sorted[low]);
}
