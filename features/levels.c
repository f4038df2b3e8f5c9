#include "features/levels.h"
#include <math.h>

static Levels *levels_new(gsize count) {
    Levels *levels = g_new0(Levels, 1);
    levels->count = count;
    levels->values = g_try_new(double, MAX(count, 1));
    levels->below = g_try_new(guint64, count + 1);
    if (levels->values == NULL || levels->below == NULL)
        g_clear_pointer(&levels, levels_free);
    else
        levels->below[0] = 0;
    return levels;
}

void levels_free(Levels *levels) {
    if (levels == NULL)
        return;
    g_free(levels->values);
    g_free(levels->below);
    g_free(levels);
}

/* Empty bins write a place that the next one writes again: no branch to guess wrong. */
void levels_fill_histogram(Levels *levels, const guint32 *histogram, gsize bins) {
    gsize index = 0;
    guint64 below = 0;
    levels->below[0] = 0;
    for (gsize bin = 0; bin < bins; bin++) {
        below += histogram[bin];
        levels->values[index] = (double)bin;
        levels->below[index + 1] = below;
        index += histogram[bin] > 0;
    }
    levels->count = index;
}

Levels *levels_from_histogram(const guint32 *histogram, gsize bins) {
    Levels *levels = levels_new(bins);
    if (levels != NULL)
        levels_fill_histogram(levels, histogram, bins);
    return levels;
}

/* A key is as wide as its double and takes its place. */
Levels *levels_from_doubles(double *values, double *scratch, gsize count) {
    Levels *levels = levels_new(count);
    if (levels == NULL)
        return NULL;
    guint64 *keys = (guint64 *)(void *)values;
    for (gsize i = 0; i < count; i++)
        keys[i] = levels_key_of_double(values[i]);
    levels_fill_doubles(levels, keys, (guint64 *)(void *)scratch, count);
    return levels;
}

/* --- questions --- */

gsize levels_at_rank(const Levels *levels, guint64 rank) {
    gsize low = 0, high = levels->count - 1; /* the answer lies in low..high */
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (levels->below[middle + 1] > rank)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

guint64 levels_pixels_at(const Levels *levels, double value) {
    gsize low = 0, high = levels->count;
    while (low < high) {
        gsize middle = low + (high - low) / 2;
        if (levels->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < levels->count && levels->values[low] == value;
    return found ? levels_pixels(levels, low) : 0;
}

static guint64 greatest_common_divisor(guint64 a, guint64 b) {
    while (b != 0) {
        guint64 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Doubles hold every whole number up to here; 64-bit values beyond are rounded, and step by 1. */
#define EXACT_LIMIT 0x1p53

guint64 levels_step(const Levels *levels) {
    if (levels->count > 1 && levels->values[levels->count - 1] - levels->values[0] > EXACT_LIMIT)
        return 1;
    guint64 step = 0;
    for (gsize i = 1; i < levels->count && step != 1; i++)
        step = greatest_common_divisor(step, (guint64)(levels->values[i] - levels->values[0]));
    return step;
}

double levels_quantile(const Levels *levels, double q) {
    double position = q * (double)(levels_total(levels) - 1);
    guint64 rank = (guint64)position;
    double part = position - (double)rank;
    gsize index = levels_at_rank(levels, rank);
    double low = levels->values[index];
    if (part == 0 || rank + 1 < levels->below[index + 1])
        return low;
    return low + part * (levels->values[index + 1] - low);
}

/* The mean first, then the powers of what differs from it: sums of raw squares would lose the
 * variance of a bright, flat frame. */
LevelsMoments levels_moments(const Levels *levels) {
    double n = (double)levels_total(levels);
    double sum = 0, sum2 = 0, sum3 = 0, sum4 = 0;
    for (gsize i = 0; i < levels->count; i++)
        sum += (double)levels_pixels(levels, i) * levels->values[i];
    double mean = sum / n;
    for (gsize i = 0; i < levels->count; i++) {
        double d = levels->values[i] - mean, weighted = d * d * (double)levels_pixels(levels, i);
        sum2 += weighted;
        sum3 += weighted * d;
        sum4 += weighted * d * d;
    }
    return (LevelsMoments){.mean = mean, .m2 = sum2 / n, .m3 = sum3 / n, .m4 = sum4 / n};
}

/* Walks outward from the median, always to the nearer value, until the middle ranks are passed. */
double levels_mad(const Levels *levels, gsize count) {
    guint64 n = levels->below[count], ranks[2] = {(n - 1) / 2, n / 2};
    gsize up = levels_at_rank(levels, ranks[0]), down = up;
    double median = levels->values[up] / 2 + levels->values[levels_at_rank(levels, ranks[1])] / 2;

    double found[2] = {0, 0};
    guint64 passed = 0;
    for (int next = 0; next < 2;) {
        bool upward = down == 0 || (up < count && fabs(levels->values[up] - median) <=
                                                      median - levels->values[down - 1]);
        gsize index = upward ? up++ : --down;
        passed += levels_pixels(levels, index);
        while (next < 2 && passed > ranks[next])
            found[next++] = fabs(levels->values[index] - median);
    }
    return (found[0] + found[1]) / 2;
}
