/* scan_plane: the one pass over the pixels that all cheap measures share.
 *
 * Plain C over rows: the histogram and every sum that a stencil needs are taken while a row and its
 * neighbours are in the cache. Sums of whole numbers are exact, so results depend on neither order
 * nor machine. A measure asks the scan, never the pixels, unless it says why.
 *
 * Stencils cover every place where they fit and nothing beyond: no border is invented. Places that
 * touch a NaN or an infinity are left out, and counted out of n.
 *
 * Everything is in the plane's own units: multiply by 1/scale, or its square, to report. */
#ifndef FEATURES_SCAN_PLANE_H
#define FEATURES_SCAN_PLANE_H

#include "features/levels.h"
#include "features/plane.h"
#include "stream/fault.h"

/* Sums over pairs (a, b) of pixels a step apart. a and b count from the scan's pivot, a value near
 * the median: that keeps small differences of large numbers out of the arithmetic. */
typedef struct {
    double n;              /* pairs */
    double sum_a, sum_b;   /* of (a - pivot), (b - pivot) */
    double sum_aa, sum_bb; /* of their squares */
    double sum_dd;         /* of (b - a) squared; sum_ab = (sum_aa + sum_bb - sum_dd) / 2 */
} ScanPairs;

/* Sums over the pixels whose eight neighbours exist. c is the pixel, n, s, e, w its neighbours. */
typedef struct {
    double n;                 /* places */
    double laplacian;         /* of L = 4c - n - s - e - w */
    double laplacian_squared; /* of L squared */
    double sobel_squared;     /* of Gx squared + Gy squared, {1 2 1} by {-1 0 1}, not normalised */
    double noise;             /* of |[1 -2 1; -2 4 -2; 1 -2 1]| */
} ScanNeighbourhood;

/* Sums over three pixels (a, b, c) one below the other. */
typedef struct {
    double n;
    double vollath; /* of a * (b - c), a as it is: not from the pivot */
} ScanTriples;

typedef struct {
    const Plane *plane; /* borrowed: must outlive the scan */
    guint64 n;          /* finite pixels */
    guint64 n_nonfinite;
    Levels *levels;          /* of the finite pixels; count 0 if there is none */
    LevelsMoments moments;   /* NaN if there is no finite pixel */
    double median;           /* the same */
    double pivot;            /* what pairs count from */
    ScanPairs right, right2; /* (x, x + 1), (x, x + 2) along a row */
    ScanPairs down, down2;   /* (y, y + 1), (y, y + 2) along a column */
    ScanTriples column;      /* (y, y + 1, y + 2) along a column */
    ScanNeighbourhood around;
} Scan;

/* FAULT_BROKEN if memory does not suffice for a plane of floats. */
Scan *scan_plane(const Plane *plane, GError **error);
void scan_free(Scan *scan); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* Sum of (a - pivot) * (b - pivot). */
static inline double scan_pairs_product(const ScanPairs *pairs) {
    return (pairs->sum_aa + pairs->sum_bb - pairs->sum_dd) / 2;
}

/* Quantile q in CellProfiler's units; NaN if there is no finite pixel. */
double scan_quantile(const Scan *scan, double q);
/* Standard deviation of the noise by Immerkaer's estimate, CellProfiler's units; NaN if the plane
 * is smaller than 3 by 3. */
double scan_noise_sigma(const Scan *scan);

#endif
