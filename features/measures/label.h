/* label: the connected regions of a mask. Places that touch along a side or at a corner belong
 * together (8-connected), as CellProfiler and scipy with ones((3, 3)) see them; vips_labelregions
 * knows sides only.
 *
 * Plain C over rows; no picture of labels is made, for measures ask for areas only. */
#ifndef FEATURES_LABEL_H
#define FEATURES_LABEL_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint32 area;   /* places */
    bool at_border; /* has a place in the first or last row or column */
} LabelRegion;

/* Bytes of room that label_regions needs for a mask of that size, whatever it holds. */
gsize label_room_bytes(guint32 width, guint32 height);

/* The regions of width x height places, row by row, each 0 (outside) or 1, fewer than 2^32; in the
 * order of their first places. They lie in room, which is aligned for any type; *ret_regions lives
 * as long. Returns how many there are. */
guint32 label_regions(const guint8 *mask, guint32 width, guint32 height, void *room,
                      LabelRegion **ret_regions);

#endif
