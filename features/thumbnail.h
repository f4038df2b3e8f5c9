/* thumbnail: a frame as a person can see it in a table: shrunk by a whole factor, its display range
 * from the 1st to the 99.9th percentile, as a small grey JPEG. */
#ifndef FEATURES_THUMBNAIL_H
#define FEATURES_THUMBNAIL_H

#include "features/scan_plane.h"
#include "stream/frame.h"

typedef struct {
    const char *mime; /* static */
    guint32 width, height;
    double low, high; /* what is shown as black and as white, in CellProfiler's units like `mean` */
    GBytes *bytes;    /* the JPEG, at most THUMBNAIL_BYTES_LIMIT */
} Thumbnail;

#define THUMBNAIL_BYTES_LIMIT (12 * 1024)

/* The longer side becomes at most side pixels; a smaller plane keeps its size. NaN and what lies
 * outside the range is black or white. NULL with FAULT_STOP, in libvips' words, if it cannot be
 * encoded. */
Thumbnail *thumbnail_make(const Scan *scan, guint32 side, GError **error);
void thumbnail_free(Thumbnail *thumbnail); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Thumbnail, thumbnail_free)

/* Whether this frame is one of the 1 in `every` that have a thumbnail; 0: none has. A function of
 * the id alone: whoever measures the frame again decides the same. */
bool thumbnail_is_wanted(const FrameId *id, gint64 every);

#endif
