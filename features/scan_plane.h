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
#include "features/scratch.h"
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

/* The plane cut into columns x rows tiles that cover it wholly: pixel (x, y) lies in column
 * x * columns / width of row y * rows / height, in whole numbers. */
typedef struct {
    double n;        /* finite pixels */
    double mean;     /* NaN if there is none */
    double variance; /* of all n: population */
} ScanTile;

typedef struct {
    guint32 scale; /* pixels a side the tiles were asked to have; 0: the 16 x 16 tiles */
    guint32 columns, rows;
    ScanTile *tiles; /* row by row */
    /* Of the 16 x 16 tiles only, else NULL; NaN for a tile without one of them. */
    double *laplacian_variance; /* over the places of the tile with eight neighbours */
    double *median;             /* over every fourth pixel of every fourth row of the plane */
} ScanGrid;

#define SCAN_TILES_A_SIDE 16

/* What a scan is asked for, beside the levels. */
enum {
    SCAN_STENCILS = 1 << 0, /* right .. around */
    SCAN_TILES = 1 << 1,    /* tiles, 16 x 16 */
    SCAN_LINES = 1 << 2,    /* row_means, column_means */
    SCAN_ALL = SCAN_STENCILS | SCAN_TILES | SCAN_LINES,
};

typedef struct {
    guint needs;
    const guint32 *grid_scales; /* pixels a side of tiles, for each further grid, ends with 0;
                                   NULL: none */
} ScanPlan;

/* What was not asked for is 0 or NULL. All of it is good until the next look. */
typedef struct Scan {
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
    ScanGrid *tiles;
    double *row_means, *column_means; /* of the finite pixels; NaN where there is none */
    struct ScanPrivate *private;
} Scan;

/* A scan looks at one plane after the other, with the same memory. */
Scan *scan_new(const ScanPlan *plan);
/* FAULT_BROKEN if memory does not suffice for the plane; the scan is then good for nothing but
 * another look. */
bool scan_look(Scan *scan, const Plane *plane, GError **error);
/* scan_new for SCAN_ALL without further grids, and scan_look. */
Scan *scan_plane(const Plane *plane, GError **error);
void scan_free(Scan *scan); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* The grid of tiles that are scale pixels a side: ceil(width / scale) columns, ceil(height / scale)
 * rows. NULL if it was not asked for. */
const ScanGrid *scan_grid(const Scan *scan, guint32 scale);

/* Memory for the measure at work, until it returns; see scratch_take. */
void *scan_scratch(const Scan *scan, gsize size_bytes);
/* Called between two measures. False if memory did not suffice for the one that was at work. */
bool scan_scratch_reset(const Scan *scan);

/* Sum of (a - pivot) * (b - pivot). */
static inline double scan_pairs_product(const ScanPairs *pairs) {
    return (pairs->sum_aa + pairs->sum_bb - pairs->sum_dd) / 2;
}

/* The value of a level in CellProfiler's units and as the 32-bit float that CellProfiler works on:
 * what hits its bins and ranks has to round as it does. */
static inline float scan_level_single(const Scan *scan, gsize level) {
    return (float)(scan->levels->values[level] / scan->plane->scale);
}

/* Quantile q in CellProfiler's units; NaN if there is no finite pixel. */
double scan_quantile(const Scan *scan, double q);
/* Standard deviation of the noise by Immerkaer's estimate, CellProfiler's units; NaN if the plane
 * is smaller than 3 by 3. */
double scan_noise_sigma(const Scan *scan);

#endif
