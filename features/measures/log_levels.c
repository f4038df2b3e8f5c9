#include "features/measures/log_levels.h"
#include <math.h>

#define CANDIDATES 256

static float logarithm(const Scan *scan, gsize level, float floor) {
    return logf(MAX(scan_level_single(scan, level), floor));
}

static void fill_sums(LogLevels *logs, const Scan *scan, float floor) {
    double range = logs->high - logs->low;
    logs->sum[0] = logs->squares[0] = 0;
    for (gsize i = 0; i < logs->levels->count - logs->first; i++) {
        double n = (double)levels_pixels(logs->levels, logs->first + i);
        double y = logarithm(scan, logs->first + i, floor) - logs->low;
        y = range > 0 ? y / range : 0;
        logs->y[i] = y;
        logs->sum[i + 1] = logs->sum[i] + n * y;
        logs->squares[i + 1] = logs->squares[i] + n * y * y;
    }
}

bool log_levels_fill(LogLevels *logs, const Scan *scan, gsize first, float floor) {
    const Levels *levels = scan->levels;
    gsize count = levels->count - first;
    if (!(floor > 0))
        return false;
    double *arrays = scan_scratch(scan, (3 * count + 2) * sizeof *arrays);
    if (arrays == NULL)
        return false;
    *logs = (LogLevels){.levels = levels,
                        .first = first,
                        .n = levels_total(levels) - levels->below[first],
                        .low = logarithm(scan, first, floor),
                        .high = logarithm(scan, levels->count - 1, floor),
                        .y = arrays,
                        .sum = arrays + count,
                        .squares = arrays + 2 * count + 1};
    if (!isfinite(logs->low) || !isfinite(logs->high))
        return false;
    fill_sums(logs, scan, floor);
    return true;
}

/* --- questions --- */

static gsize level_at(const LogLevels *logs, guint64 rank) {
    return levels_at_rank(logs->levels, logs->levels->below[logs->first] + rank) - logs->first;
}

double log_levels_at_rank(const LogLevels *logs, guint64 rank) {
    return logs->y[level_at(logs, rank)];
}

LogSums log_levels_all(const LogLevels *logs) {
    gsize count = logs->levels->count - logs->first;
    return (LogSums){logs->sum[count], logs->squares[count]};
}

LogSums log_levels_darkest(const LogLevels *logs, guint64 ranks) {
    if (ranks >= logs->n)
        return log_levels_all(logs);
    const guint64 *below = logs->levels->below + logs->first;
    gsize level = level_at(logs, ranks);
    double y = logs->y[level], part = (double)(ranks - (below[level] - below[0]));
    return (LogSums){logs->sum[level] + part * y, logs->squares[level] + part * y * y};
}

double log_levels_x(const LogLevels *logs, double y) {
    return exp(logs->low + y * (logs->high - logs->low));
}

double log_sums_variance(LogSums sums, double n) {
    return n > 1 ? MAX(sums.squares - sums.y * sums.y / n, 0) / (n - 1) : 0;
}

/* --- the split --- */

double log_levels_weighted_variance(double variance, double weight) {
    return variance * weight;
}

/* The pixels up to rank weigh as many as come before it, those after it as many as they are. */
static double score_of_rank(const LogLevels *logs, guint64 rank, LogLevelsScore *score) {
    LogSums all = log_levels_all(logs), low = log_levels_darkest(logs, rank + 1);
    LogSums high = {all.y - low.y, all.squares - low.squares};
    double below = (double)rank + 1, above = (double)logs->n - below;
    return score(log_sums_variance(low, below), (double)rank) +
           score(log_sums_variance(high, above), above);
}

double log_levels_split(const LogLevels *logs, LogLevelsScore *score) {
    guint64 n = logs->n, step = n / MIN(CANDIDATES, n), best = 0, last = 0;
    double least = INFINITY;
    if (n == 1)
        return 0;
    for (guint64 rank = 0; rank + 1 < n; rank += step) {
        double here = score_of_rank(logs, rank, score);
        if (here < least) {
            least = here;
            best = rank;
        }
        last = rank;
    }
    guint64 before = best >= step ? best - step : 0, behind = MIN(best + step, last);
    return (log_levels_at_rank(logs, before + 1) + log_levels_at_rank(logs, behind + 1)) / 2;
}
