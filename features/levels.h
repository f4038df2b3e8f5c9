/* levels: the exact distribution of a plane's values: which there are, and how many pixels have
 * each. What one pass over the pixels leaves behind for every measure that does not care where a
 * pixel lies: at most 65536 rows for 8 and 16 bits, whatever the size of the frame.
 *
 * Values are in the plane's own units. Pixels that are NaN or infinite are not in it. */
#ifndef FEATURES_LEVELS_H
#define FEATURES_LEVELS_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>

typedef struct {
    gsize count;    /* distinct values */
    double *values; /* count of them, ascending */
    guint64 *below; /* count + 1: below[i] pixels are less than values[i]; below[count] is all */
} Levels;

/* From a histogram of bins whole numbers 0, 1, 2, ... */
Levels *levels_from_histogram(const guint32 *histogram, gsize bins);
/* From count values, none of them NaN, which are sorted in place; scratch has room for as many.
 * NULL if memory does not suffice. */
Levels *levels_from_doubles(double *values, double *scratch, gsize count);
void levels_free(Levels *levels); /* accepts NULL; of those above only */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Levels, levels_free)

/* The same into arrays of the caller's, for one plane after the other: levels->values with room for
 * bins, or count, values, levels->below with room for one more. */
void levels_fill_histogram(Levels *levels, const guint32 *histogram, gsize bins);
void levels_fill_floats(Levels *levels, guint32 *keys, guint32 *scratch, gsize count);
void levels_fill_doubles(Levels *levels, guint64 *keys, guint64 *scratch, gsize count);

/* Keys are what is sorted: whole numbers that order as the floats do. -0 is 0; NaN has none. */
static inline guint32 levels_key_of_float(float value) {
    guint32 bits;
    value += 0.0f;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}
static inline guint64 levels_key_of_double(double value) {
    guint64 bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | G_GUINT64_CONSTANT(1) << 63;
}
static inline float levels_float_of_key(guint32 key) {
    guint32 bits = key >> 31 ? key ^ 0x80000000u : ~key;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static inline double levels_double_of_key(guint64 key) {
    guint64 bits = key >> 63 ? key ^ G_GUINT64_CONSTANT(1) << 63 : ~key;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline guint64 levels_total(const Levels *levels) {
    return levels->below[levels->count];
}
static inline guint64 levels_pixels(const Levels *levels, gsize index) {
    return levels->below[index + 1] - levels->below[index];
}

/* The questions below need at least one pixel. */

/* Index of the value that stands at rank (0 to total - 1) when all pixels are sorted. */
gsize levels_at_rank(const Levels *levels, guint64 rank);
/* How many pixels have exactly this value. */
guint64 levels_pixels_at(const Levels *levels, double value);
/* Greatest common divisor of the distances between values, which must be whole numbers; 0 if there
 * is one value only. */
guint64 levels_step(const Levels *levels);
/* Quantile q, 0..1, between neighbours as numpy's 'linear' percentile: position q * (total - 1). */
double levels_quantile(const Levels *levels, double q);
/* Mean, and central moments m2, m3, m4 (divided by the count of pixels). */
typedef struct {
    double mean, m2, m3, m4;
} LevelsMoments;
LevelsMoments levels_moments(const Levels *levels);
/* Median of |value - median|, without CellProfiler's or anybody's factor, over the pixels of the
 * lowest `count` values; medians as numpy's, the mean of the middle two. */
double levels_mad(const Levels *levels, gsize count);

#endif
