#include "features/measures/haralick.h"
#include <math.h>

/* What all features are made of; x is the level of one pixel of a pair, y of the other. Both have
 * the same distribution, for every pair counts in both orders. */
typedef struct {
    guint levels;
    double x[HARALICK_LEVELS_LIMIT];          /* p_x */
    double sum[2 * HARALICK_LEVELS_LIMIT];    /* p_{x+y} */
    double difference[HARALICK_LEVELS_LIMIT]; /* p_{x-y} */
    double second_moment;                     /* sum of p squared */
    double product;                           /* mean of x * y */
    double homogeneity;                       /* mean of 1 / (1 + (x - y)^2) */
    double entropy;
} Table;

static double plogp(double p) {
    return p > 0 ? p * log2(p) : 0;
}

static double entropy_of(const double p[], guint count) {
    double sum = 0;
    for (guint i = 0; i < count; i++)
        sum += plogp(p[i]);
    return 0 - sum; /* and not a negative zero */
}

static double mean_of(const double p[], guint count) {
    double sum = 0;
    for (guint i = 0; i < count; i++)
        sum += p[i] * i;
    return sum;
}

static double variance_of(const double p[], guint count) {
    double mean = mean_of(p, count), sum = 0;
    for (guint i = 0; i < count; i++)
        sum += p[i] * (i - mean) * (i - mean);
    return sum;
}

static guint64 count_pairs(const guint32 *counts, guint levels, guint stride) {
    guint64 pairs = 0;
    for (guint i = 0; i < levels; i++)
        for (guint j = 0; j < levels; j++)
            pairs += counts[i * stride + j];
    return pairs;
}

static void add_cell(Table *table, guint i, guint j, double p) {
    double apart = (double)i - j;
    table->x[i] += p;
    table->sum[i + j] += p;
    table->difference[i > j ? i - j : j - i] += p;
    table->second_moment += p * p;
    table->product += p * i * j;
    table->homogeneity += p / (1 + apart * apart);
    table->entropy -= plogp(p);
}

static void fill(Table *table, const guint32 *counts, guint stride, double pairs) {
    for (guint i = 0; i < table->levels; i++)
        for (guint j = 0; j < table->levels; j++) {
            guint64 both = (guint64)counts[i * stride + j] + counts[j * stride + i];
            if (both > 0)
                add_cell(table, i, j, (double)both / (2 * pairs));
        }
}

static double contrast(const Table *table) {
    double sum = 0;
    for (guint i = 0; i < table->levels; i++)
        sum += table->difference[i] * i * i;
    return sum;
}

/* Of the vector itself, whose mean is 1 / levels: not of the difference. */
static double difference_variance(const Table *table) {
    double mean = 1. / table->levels, sum = 0;
    for (guint i = 0; i < table->levels; i++)
        sum += (table->difference[i] - mean) * (table->difference[i] - mean);
    return sum / table->levels;
}

void haralick_features(const guint32 *counts, guint levels, guint stride,
                       double features[HARALICK_FEATURES]) {
    guint64 pairs = count_pairs(counts, levels, stride);
    if (pairs == 0)
        return;
    Table table = {.levels = levels};
    fill(&table, counts, stride, (double)pairs);
    double mean = mean_of(table.x, levels), variance = variance_of(table.x, levels);
    double entropy_x = entropy_of(table.x, levels);
    /* Haralick's HXY1 and HXY2 are both 2 HX: the logarithm of a product of marginals is a sum. */
    double information = 2 * entropy_x - table.entropy;
    features[0] = table.second_moment;
    features[1] = contrast(&table);
    features[2] = variance > 0 ? (table.product - mean * mean) / variance : 1;
    features[3] = variance;
    features[4] = table.homogeneity;
    features[5] = mean_of(table.sum, 2 * levels);
    features[6] = variance_of(table.sum, 2 * levels);
    features[7] = entropy_of(table.sum, 2 * levels);
    features[8] = table.entropy;
    features[9] = difference_variance(&table);
    features[10] = entropy_of(table.difference, levels);
    features[11] = entropy_x > 0 ? -information / entropy_x : 0;
    features[12] = sqrt(MAX(0, 1 - exp(-2 * information)));
}
