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

/* Hoare's: what is below and above a value from the middle changes sides, then only the side with
 * the rank is looked at. Below it lies nothing larger then, above it nothing smaller. */
static void bring_to_rank(double *values, gsize count, gsize rank) {
    gssize left = 0, right = (gssize)count - 1, wanted = (gssize)rank;
    while (left < right) {
        double pivot = values[left + (right - left) / 2];
        gssize low = left, high = right;
        while (low <= high) {
            while (values[low] < pivot)
                low++;
            while (values[high] > pivot)
                high--;
            if (low > high)
                break;
            double value = values[low];
            values[low++] = values[high];
            values[high--] = value;
        }
        if (wanted <= high)
            right = high;
        else if (wanted >= low)
            left = low;
        else
            return;
    }
}

double ranks_median(double *values, gsize count) {
    gsize kept = 0;
    for (gsize i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    if (kept == 0)
        return NAN;
    gsize middle = kept / 2;
    bring_to_rank(values, kept, middle);
    double upper = values[middle], lower = upper;
    if (kept % 2 == 0) {
        lower = values[0];
        for (gsize i = 1; i < middle; i++)
            lower = MAX(lower, values[i]);
    }
    return lower + 0.5 * (upper - lower);
}
