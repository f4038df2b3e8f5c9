/* periodogram: the power at every spatial frequency, as a mean over some tiles of the frame:
 * Welch's method (IEEE Trans. Audio Electroacoust. 15, 1967). A full transform would be too dear
 * for every frame, and one without a window sees the frame's edges as a cross.
 *
 * Tiles are PERIODOGRAM_SIDE pixels a side; in a frame that is smaller, as many as its lesser side
 * has, down to the next even number without a prime factor above 5. There are two side by side and
 * two one below the other where they fit, in the middle of the frame's halves, else one in the
 * middle. A tile's mean is taken off, and a Hann window put on, 0.5 - 0.5 cos(2 pi n / side) for
 * n = 0 .. side - 1 in both directions. Pixels that are not finite count as the frame's mean. */
#ifndef FEATURES_PERIODOGRAM_H
#define FEATURES_PERIODOGRAM_H

#include "features/scan_plane.h"

#define PERIODOGRAM_SIDE      384
#define PERIODOGRAM_LEAST     32 /* pixels a side of a frame */
#define PERIODOGRAM_BINS      256
#define PERIODOGRAM_BINS_TO_1 512 /* in 1 cycle/px */

/* What the frequencies of a bin have together; those of 0 and above 0.5 cycles/px are in none. */
typedef struct {
    double n;         /* frequencies; may be 0 in small tiles, where they lie far apart */
    double power;     /* sum */
    double frequency; /* sum, cycles/px */
} PeriodogramBin;

/* Power is in arbitrary units, the same all over. */
typedef struct {
    guint32 side; /* of the tiles, pixels */
    /* side / 2 + 1 columns of side values: power[across * side + down], down as a transform has it,
     * above side / 2 standing for down - side. Of the columns but the first and last each value
     * stands for two frequencies, (across, down) and (-across, -down). */
    const float *power;
    double mean; /* over all frequencies but 0: what white noise of the same variance has */
    PeriodogramBin bins[PERIODOGRAM_BINS]; /* bin i: i / 512 up to (i + 1) / 512 cycles/px, the last
                                              with its end */
} Periodogram;

/* Lives as long as the scratch of the measure at work. False if a side is below PERIODOGRAM_LEAST,
 * there is no power or memory does not suffice. */
bool periodogram_make(const Scan *scan, Periodogram *ret_periodogram);

/* The bin of a frequency in cycles per tile; PERIODOGRAM_BINS or more: none. */
guint32 periodogram_bin(const Periodogram *periodogram, double radius);

/* Mean power of the bins that reach into low..high cycles/px; NaN if they hold no frequency. */
double periodogram_band(const Periodogram *periodogram, double low, double high);

#endif
