#include "features/levels.h"
#include <math.h>
#include <string.h>

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

static void levels_append(Levels *levels, gsize *index, double value, guint64 pixels) {
    levels->values[*index] = value;
    levels->below[*index + 1] = levels->below[*index] + pixels;
    *index += 1;
}

Levels *levels_from_histogram(const guint32 *histogram, gsize bins) {
    gsize count = 0;
    for (gsize bin = 0; bin < bins; bin++)
        count += histogram[bin] > 0;

    Levels *levels = levels_new(count);
    gsize index = 0;
    for (gsize bin = 0; levels != NULL && bin < bins; bin++)
        if (histogram[bin] > 0)
            levels_append(levels, &index, bin, histogram[bin]);
    return levels;
}

/* --- from doubles: a radix sort over keys that order as the numbers do --- */

#define DIGIT_BITS 11
#define DIGITS     (1 << DIGIT_BITS)

/* IEEE 754 numbers order like whole numbers once the negative ones are turned over. */
static guint64 key_of(double value) {
    guint64 bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | (G_GUINT64_CONSTANT(1) << 63);
}

static guint64 digit_of(double value, int shift) {
    return key_of(value) >> shift & (DIGITS - 1);
}

/* One stable pass by the digit at shift. Returns where the values are now: unmoved when all share
 * the digit, as the lowest ones of 32-bit floats do. */
static double *sort_by_digit(double *from, double *to, gsize count, int shift, gsize *places) {
    memset(places, 0, DIGITS * sizeof *places);
    for (gsize i = 0; i < count; i++)
        places[digit_of(from[i], shift)]++;
    if (places[digit_of(from[0], shift)] == count)
        return from;

    gsize place = 0;
    for (gsize digit = 0; digit < DIGITS; digit++) {
        gsize here = places[digit];
        places[digit] = place;
        place += here;
    }
    for (gsize i = 0; i < count; i++)
        to[places[digit_of(from[i], shift)]++] = from[i];
    return to;
}

Levels *levels_from_doubles(double *values, double *scratch, gsize count) {
    g_autofree gsize *places = g_new(gsize, DIGITS);
    double *sorted = values;
    for (int shift = 0; count > 0 && shift < 64; shift += DIGIT_BITS)
        sorted = sort_by_digit(sorted, sorted == values ? scratch : values, count, shift, places);

    gsize distinct = count > 0;
    for (gsize i = 1; i < count; i++)
        distinct += sorted[i] != sorted[i - 1];

    Levels *levels = levels_new(distinct);
    gsize index = 0, start = 0;
    for (gsize i = 1; levels != NULL && i <= count; i++) {
        if (i < count && sorted[i] == sorted[start])
            continue;
        levels_append(levels, &index, sorted[start], i - start);
        start = i;
    }
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
