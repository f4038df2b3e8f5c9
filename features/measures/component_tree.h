/* component_tree: which bright regions of an image lie in which darker ones.
 *
 * Each pixel stands for the region of pixels, connected by their four sides, that are at least as
 * bright as it and hang together with it; its parent stands for the next darker region around.
 * With that a greyscale reconstruction of the image from a marker, or what it sums up to, is one
 * walk from the brightest pixel to the darkest, whatever the shapes: where many reconstructions of
 * one image are wanted, that is far less work than growing each of them.
 *
 * The tree: P. Salembier, A. Oliveras, L. Garrido, IEEE Trans. Image Process. 7 (1998) 555, built
 * by union-find: L. Najman, M. Couprie, IEEE Trans. Image Process. 15 (2006) 3531. */
#ifndef FEATURES_COMPONENT_TREE_H
#define FEATURES_COMPONENT_TREE_H

#include <glib.h>

/* Pixels in the order of brightness, the brightest first: every one stands before its parent. */
typedef struct {
    gsize pixels;     /* at least 1 */
    guint32 *places;  /* where in the image each lies */
    guint32 *parents; /* where in this order the parent stands; the last is its own */
    guint32 *counts;  /* pixels of the region that are counted */
    float *levels;    /* how bright it is */
    float *reached;   /* room for a walk */
} ComponentTree;

/* Bytes of scratch the tree of an image of so many pixels, at most 2^32 - 2, takes. */
gsize component_tree_bytes(gsize pixels);

/* The tree of width * height floats, none of them negative or NaN, row by row. uncounted: 1 for
 * pixels that no count and no sum shall hold; NULL: all are counted. scratch: memory of
 * component_tree_bytes, aligned to 8 bytes, in which the tree lies. */
ComponentTree component_tree_build(const float *image, guint32 width, guint32 height,
                                   const guint8 *uncounted, void *scratch);

/* Sum, over the counted pixels, of the image reconstructed by dilation from marker: width * height
 * floats like the image's, nowhere above it. */
double component_tree_reconstructed_sum(const ComponentTree *tree, const float *marker);

#endif
