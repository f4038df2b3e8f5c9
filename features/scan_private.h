/* scan_private: what the parts of the scan share: scan_plane.c has the memory and what both kinds
 * of planes need, scan_whole.c looks at whole numbers, scan_reals.c at floats. */
#ifndef FEATURES_SCAN_PRIVATE_H
#define FEATURES_SCAN_PRIVATE_H

#include "features/scan_plane.h"

/* Totals of a whole plane: 400 million squares of 18 bits do not fit 64. */
typedef __int128 ScanExact;

/* Inner loops run over so many columns at most: then sums of 32 bits hold what one row adds, and
 * what a loop reads stays in the first-level cache however wide the plane is. */
#define SCAN_SEGMENT 4096

/* Pixels of the row of 16 tiles that the look is in, those that the tiles' medians are of, as keys
 * that order as they do: room of them for each tile. */
typedef struct {
    guint64 *keys;
    gsize room, counts[SCAN_TILES_A_SIDE];
} TileKeys;

struct ScanPrivate {
    guint needs;
    ScanGrid *grids; /* the 16 x 16 tiles first if they are needed, then one for each scale */
    guint grids_count;
    TileKeys samples;
    Levels levels;
    Scratch *memory;  /* of the scan, until the next look */
    Scratch *scratch; /* of the measure at work */
    bool failed;      /* memory did not suffice since the look began */
};

/* count elements of size bytes, not cleared, or cleared, until the next look. NULL if memory does
 * not suffice: then failed is set, too, and whoever takes several looks there once. */
void *scan_take(Scan *scan, gsize count, gsize size_bytes);
void *scan_take_zeroed(Scan *scan, gsize count, gsize size_bytes);

/* Is the scan asked for sums that each column keeps for itself, of its pixels, of its Laplacians?
 */
static inline bool scan_needs_columns(const Scan *scan) {
    return (scan->private->needs & SCAN_LINES) != 0 || scan->private->grids_count > 0;
}
static inline bool scan_needs_laplacians(const Scan *scan) {
    return (scan->private->needs & (SCAN_STENCILS | SCAN_TILES)) != 0;
}

/* Where tile index of count begins along a side: the first place p with p * count / side == index;
 * index == count: the end. */
static inline guint32 scan_tile_start(guint32 index, guint32 count, guint32 side) {
    return (guint32)(((guint64)index * side + count - 1) / count);
}
static inline guint32 scan_tile_of(guint32 place, guint32 count, guint32 side) {
    return (guint32)((guint64)place * count / side);
}
/* Does a row of tiles of some grid end before row y? */
bool scan_tiles_end(const Scan *scan, guint32 y);

/* Called for every row in turn while it is in the cache; fills the medians of the tiles. */
void scan_sample_row(const Scan *scan, guint32 y);

/* Fill what the plan asks for and levels, n, n_nonfinite, pivot. False if memory does not suffice.
 */
bool scan_look_whole(Scan *scan);
bool scan_look_reals(Scan *scan);

#endif
