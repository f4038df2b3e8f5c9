/* correlation: how alike the image and itself a step to the right are, in eight levels of grey: one
 * of Haralick's features as CellProfiler computes it. It looks at the pixels itself: no sum of the
 * scan knows the levels, which depend on the least and the largest value.
 *
 * The level never falls where the value rises. So seven thresholds are found once, among the values
 * that occur, and a pixel's level is how many of them it reaches: compared many at once, that takes
 * no longer than reading what another scale might have left behind. */
#include "features/measure.h"
#include "features/processor.h"
#include <float.h>
#include <math.h>

static const MeasureNumber numbers[] = {
    {"correlation_{scale}", "1",
     "Pearson's r of q(x, y) and q(x + {scale}, y), q = floor((x - min) / (max - min) / 0.125), at "
     "most 7; 0 where it has no value",
     "Haralick 1973, H3; CellProfiler's MeasureImageQuality",
     "texture of that scale, confluence, blur of bright frames",
     "ImageQuality_Correlation_{channel}_{scale}", "pass", 1},
    {NULL},
};

#define LEVELS 8

/* x - min on 32-bit floats, the rest on doubles, as CellProfiler. All are 0 where nothing differs.
 */
static int level_of(const Scan *scan, gsize index) {
    float low = scan_level_single(scan, 0);
    float range = scan_level_single(scan, scan->levels->count - 1) - low;
    float above = scan_level_single(scan, index) - low;
    return range > 0 ? (int)MIN((double)above / (double)range / (1.0 / LEVELS), LEVELS - 1) : 0;
}

/* thresholds[i] is the least value that occurs of level i + 1 or above: there always is one, for
 * the largest value has the highest level. */
static void find_thresholds(const Scan *scan, double thresholds[LEVELS - 1]) {
    for (int level = 1; level < LEVELS; level++) {
        gsize low = 0, high = scan->levels->count - 1;
        while (low < high) {
            gsize middle = low + (high - low) / 2;
            if (level_of(scan, middle) >= level)
                high = middle;
            else
                low = middle + 1;
        }
        thresholds[level - 1] = scan->levels->values[low];
    }
}

/* --- pixels into levels --- */

/* What is not finite is a level from here on. */
#define UNKNOWN LEVELS

/* Wide is as many bits as a pixel: then as many are compared at once as can be. Levels are of 16
 * bits, as their products are summed: of fewer, each comparison would be made narrower first. */
#define QUANTISE(name, Type, Wide, is_known)                                                       \
    FOR_EACH_PROCESSOR                                                                             \
    static void quantise_##name(const void *pixels, gsize count, const double *thresholds,         \
                                guint16 *restrict ret_levels) {                                    \
        const Type *row = pixels;                                                                  \
        Type t0 = (Type)thresholds[0], t1 = (Type)thresholds[1], t2 = (Type)thresholds[2];         \
        Type t3 = (Type)thresholds[3], t4 = (Type)thresholds[4], t5 = (Type)thresholds[5];         \
        Type t6 = (Type)thresholds[6];                                                             \
        for (gsize i = 0; i < count; i++) {                                                        \
            Type value = row[i];                                                                   \
            Wide level = (Wide)(value >= t0);                                                      \
            level = (Wide)(level + (value >= t1));                                                 \
            level = (Wide)(level + (value >= t2));                                                 \
            level = (Wide)(level + (value >= t3));                                                 \
            level = (Wide)(level + (value >= t4));                                                 \
            level = (Wide)(level + (value >= t5));                                                 \
            level = (Wide)(level + (value >= t6));                                                 \
            ret_levels[i] = (guint16)(level + UNKNOWN * !is_known(value));                         \
        }                                                                                          \
    }
#define ALWAYS(value)        1
#define FINITE_SINGLE(value) (fabsf(value) <= FLT_MAX)
#define FINITE_DOUBLE(value) (fabs(value) <= DBL_MAX)
QUANTISE(bytes, guint8, guint8, ALWAYS)
QUANTISE(words, guint16, guint16, ALWAYS)
QUANTISE(singles, float, guint32, FINITE_SINGLE)
QUANTISE(doubles, double, guint64, FINITE_DOUBLE)

static void quantise_row(const Plane *plane, guint32 y, const double *thresholds,
                         guint16 *ret_levels) {
    static void (*const quantise[])(const void *, gsize, const double *,
                                    guint16 *) = {[PLANE_U8] = quantise_bytes,
                                                  [PLANE_U16] = quantise_words,
                                                  [PLANE_F32] = quantise_singles,
                                                  [PLANE_F64] = quantise_doubles};
    gsize start = (gsize)y * plane->width * plane_type_bytes(plane->type);
    quantise[plane->type]((const char *)plane->pixels + start, plane->width, thresholds,
                          ret_levels);
}

/* --- sums over pairs --- */

typedef struct {
    guint64 n, a, b, aa, bb, ab;
} Sums;

/* Sums of 16 bits hold this many products of 7 by 7. */
#define BLOCK 1024

FOR_EACH_PROCESSOR
static void add_block(Sums *sums, const guint16 *first, const guint16 *second, gsize count) {
    guint16 n = 0, sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
    for (gsize i = 0; i < count; i++) {
        bool known = (first[i] < UNKNOWN) & (second[i] < UNKNOWN);
        guint16 a = known ? first[i] : 0, b = known ? second[i] : 0;
        n = (guint16)(n + known);
        sum_a = (guint16)(sum_a + a);
        sum_b = (guint16)(sum_b + b);
        sum_aa = (guint16)(sum_aa + a * a);
        sum_bb = (guint16)(sum_bb + b * b);
        sum_ab = (guint16)(sum_ab + a * b);
    }
    sums->n += n;
    sums->a += sum_a;
    sums->b += sum_b;
    sums->aa += sum_aa;
    sums->bb += sum_bb;
    sums->ab += sum_ab;
}

/* The same where all levels are known. */
FOR_EACH_PROCESSOR
static void add_known_block(Sums *sums, const guint16 *first, const guint16 *second, gsize count) {
    guint16 sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
    for (gsize i = 0; i < count; i++) {
        guint16 a = first[i], b = second[i];
        sum_a = (guint16)(sum_a + a);
        sum_b = (guint16)(sum_b + b);
        sum_aa = (guint16)(sum_aa + a * a);
        sum_bb = (guint16)(sum_bb + b * b);
        sum_ab = (guint16)(sum_ab + a * b);
    }
    sums->n += count;
    sums->a += sum_a;
    sums->b += sum_b;
    sums->aa += sum_aa;
    sums->bb += sum_bb;
    sums->ab += sum_ab;
}

static Sums sum_pairs(const Scan *scan, guint32 step, guint16 *row) {
    const Plane *plane = scan->plane;
    gsize pairs = plane->width - step;
    void (*add)(Sums *, const guint16 *, const guint16 *, gsize) =
        scan->n_nonfinite == 0 ? add_known_block : add_block;
    double thresholds[LEVELS - 1];
    find_thresholds(scan, thresholds);
    Sums sums = {0};
    for (guint32 y = 0; y < plane->height; y++) {
        plane_call_for(plane, y + 1);
        quantise_row(plane, y, thresholds, row);
        for (gsize x = 0; x < pairs; x += BLOCK)
            add(&sums, row + x, row + x + step, MIN(pairs - x, BLOCK));
    }
    return sums;
}

static double correlation_of(const Sums *sums) {
    double n = (double)sums->n, a = (double)sums->a, b = (double)sums->b;
    double variance_a = (double)sums->aa - a * a / n, variance_b = (double)sums->bb - b * b / n;
    if (!(variance_a > 0 && variance_b > 0))
        return 0;
    return ((double)sums->ab - a * b / n) / sqrt(variance_a) / sqrt(variance_b);
}

static void compute_at(const Scan *scan, guint32 scale, double values[]) {
    values[0] = 0;
    if (scale >= scan->plane->width || level_of(scan, scan->levels->count - 1) < LEVELS - 1)
        return;
    guint16 *row = scan_scratch(scan, scan->plane->width * sizeof *row);
    if (row == NULL) {
        values[0] = NAN;
        return;
    }
    Sums sums = sum_pairs(scan, scale, row);
    values[0] = correlation_of(&sums);
}

const Measure measure_correlation = {"correlation", numbers, .scales = "20",
                                     .compute_at = compute_at};
