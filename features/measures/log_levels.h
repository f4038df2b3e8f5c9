/* log_levels: the logarithms of a plane's levels, stretched to 0..1, and the search for the rank
 * that splits them best: what CellProfiler's Otsu and Ridler-Calvard thresholds have in common.
 *
 * CellProfiler works on 32-bit floats up to the stretch and on 64-bit ones from there; so must we,
 * to hit the same ranks. */
#ifndef FEATURES_LOG_LEVELS_H
#define FEATURES_LOG_LEVELS_H

#include "features/scan_plane.h"

/* Ranks count from 0, the darkest pixel of those that are in. */
typedef struct {
    const Levels *levels; /* borrowed */
    gsize first;          /* the levels before it are left out */
    guint64 n;            /* pixels of the others: at least 1 */
    double low, high;     /* logarithms at y = 0 and y = 1 */
    double *y;            /* of each level, from first on; 0 if all are one */
    double *sum;          /* of y over the pixels below each level; one more than y */
    double *squares;      /* the same of y squared */
} LogLevels;

/* Sums of y, and of its square, over some pixels. */
typedef struct {
    double y, squares;
} LogSums;

/* The levels from first on, a valid index. Those with x = value / scale below floor count as
 * floor. The arrays live in the scan's scratch. False if floor is not above 0, if a logarithm is
 * not finite or if memory does not suffice: there is no threshold then. */
bool log_levels_fill(LogLevels *logs, const Scan *scan, gsize first, float floor);

/* y of the pixel at rank, 0 to n - 1. */
double log_levels_at_rank(const LogLevels *logs, guint64 rank);
/* Over the `ranks` darkest pixels. */
LogSums log_levels_darkest(const LogLevels *logs, guint64 ranks);
/* Over all pixels. */
LogSums log_levels_all(const LogLevels *logs);
/* The x, in CellProfiler's units, that y stands for. */
double log_levels_x(const LogLevels *logs, double y);

/* Sample variance (divided by n - 1) of n values with these sums; 0 for less than two. */
double log_sums_variance(LogSums sums, double n);

/* What a side of a split adds to the score: the sample variance of its pixels, and its weight. */
typedef double LogLevelsScore(double variance, double weight);
double log_levels_weighted_variance(double variance, double weight);

/* The y of the best threshold: of up to 256 ranks a, n / 256 apart, the first with the least
 *     score(variance of ranks 0..a, a) + score(variance of the others, n - 1 - a);
 * midway between the y after the rank before it and the y after the rank behind it. */
double log_levels_split(const LogLevels *logs, LogLevelsScore *score);

#endif
