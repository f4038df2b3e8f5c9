/* ranks: quantiles of some hundred or thousand numbers, such as one of each tile; levels.h does the
 * same for pixels. */
#ifndef FEATURES_RANKS_H
#define FEATURES_RANKS_H

#include <glib.h>

/* The values that are not NaN, ascending, into ret_sorted, which has room for count and may be
 * values itself. Returns how many they are. */
gsize ranks_sort(const double *values, gsize count, double *ret_sorted);
/* Quantile q, 0..1, of count sorted values, at least one, between neighbours as numpy's 'linear'
 * quantile: position q * (count - 1). */
double ranks_quantile(const double *sorted, gsize count, double q);
/* Median of the values that are not NaN, as ranks_quantile's; NaN if there is none. Moves them
 * about: faster than to sort them. */
double ranks_median(double *values, gsize count);

#endif
