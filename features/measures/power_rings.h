/* power_rings: how much power a whole frame has at each of its low spatial frequencies.
 *
 * Rings are CellProfiler's: frequency (i, j) of the discrete Fourier transform of height x width
 * pixels belongs to ring
 *
 *     floor(sqrt(min(i, height - 1 - i)^2 + min(j, width - 1 - j)^2)) + 1
 *
 * with height - 1 - i where one would expect height - i: its code has it so. */
#ifndef FEATURES_POWER_RINGS_H
#define FEATURES_POWER_RINGS_H

#include "features/scan_plane.h"

/* Sums |DFT(pixels - mean)|^2 over each of the rings 1 .. rings - 1 into ret_power[1 .. rings - 1],
 * times an unknown factor common to all; ret_power[0] becomes 0. Pixels that are not finite count
 * as the mean. rings is at least 2 and at most an eighth of the frame's lesser side. False if
 * memory does not suffice or the mean is not finite. */
bool power_rings(const Scan *scan, guint32 rings, double *ret_power);

#endif
