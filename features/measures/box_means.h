/* box_means: a frame made smaller by whole factors, each box of pixels to its mean. */
#ifndef FEATURES_BOX_MEANS_H
#define FEATURES_BOX_MEANS_H

#include "features/scan_plane.h"

typedef struct {
    guint32 columns, rows;
    gsize count;   /* columns * rows, at least 1 */
    double *means; /* row by row; NaN where no pixel of the box is finite */
} BoxMeans;

/* Boxes of box_width x box_height pixels, at least 1 x 1, from the upper left corner on; what is
 * left over at the right and below is in none. Pixels that are not finite are left out. The means
 * live as long as the scratch of the measure at work. False if the frame is smaller than a box or
 * memory does not suffice. */
bool box_means(const Scan *scan, guint32 box_width, guint32 box_height, BoxMeans *ret_boxes);

#endif
