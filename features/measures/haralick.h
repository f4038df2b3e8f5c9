/* haralick: the thirteen texture features of a table that counts which grey levels stand beside
 * which. R. M. Haralick, K. Shanmugam, I. Dinstein, Textural features for image classification,
 * IEEE Trans. Syst. Man Cybern. 3 (1973) 610; with the choices mahotas makes, and so CellProfiler:
 * logarithms to base 2, feature 10 as the variance of the vector p_{x-y}, feature 7 around the sum
 * average. */
#ifndef FEATURES_HARALICK_H
#define FEATURES_HARALICK_H

#include <glib.h>

#define HARALICK_FEATURES     13
#define HARALICK_LEVELS_LIMIT 256

/* counts: how many pairs have level i beside level j, at [i * stride + j], i and j from 0 to levels
 * - 1 (1 to HARALICK_LEVELS_LIMIT); counted in one order, and taken for both. Fills features in
 * Haralick's order; leaves them as they are if there is no pair. */
void haralick_features(const guint32 *counts, guint levels, guint stride,
                       double features[HARALICK_FEATURES]);

#endif
