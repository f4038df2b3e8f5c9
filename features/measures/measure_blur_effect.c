/* blur_effect: how little a frame loses by being smoothed, which is much if it is sharp. It looks
 * at the pixels itself: smoothing reaches six pixels to each side, further than the scan's
 * stencils.
 *
 * The derivative of a box of BOX pixels needs no box: but for four pixels at its ends everything
 * cancels out. All is multiplied by BOX and by Sobel's 4, which leaves whole numbers of at most
 * 2.9 million of whole numbers of 16 bits, and so the sums are exact. */
#include "features/measure.h"
#include "features/processor.h"
#include <math.h>
#include <stdlib.h>

static const MeasureNumber numbers[] = {
    {"blur_effect", "1",
     "greater of x and y: 1 - sum max(0, |S| - |S11|) / sum |S|; S: Sobel's derivative along the "
     "axis, S11: the same of the image smoothed along it by a box of 11 px, edges mirrored; over "
     "rows and columns 2 .. size - 2, without places that touch a pixel that is not finite",
     "Crete 2007; scikit-image 0.19's measure.blur_effect",
     "blur (towards 1); not steady under defocus with noise", NULL, "pass", 1},
    {NULL},
};

enum {
    BOX = 11,
    FAR = BOX / 2,    /* and one more: where the ends of two boxes lie, two pixels apart */
    MARGIN = FAR + 1, /* of a line, mirrored */
    FIRST = 2,        /* row and column; the last is size - 2 */
    CHUNK = 512,      /* columns at a time: their sums fit 32 bits */
    BAND = 32,        /* rows at a time: their pixels fit the second cache */
    LEAST_SIDE = FIRST + 2,
};

/* Strength of all edges, and of what smoothing takes away from them. */
typedef struct {
    double sharp, lost;
} Edges;

/* The pixel that stands for one beyond the edge: d c b a | a b c d | d c b a. */
static gint mirrored(gint index, gint size) {
    gint rest = index % (2 * size);
    if (rest < 0)
        rest += 2 * size;
    return rest < size ? rest : 2 * size - 1 - rest;
}

#define NAME(verb)        verb##_bytes
#define Pixel             guint8
#define Value             gint32
#define ABSOLUTE(value)   abs(value)
#define IS_COUNTED(value) true
#include "features/measures/measure_blur_effect.inc"

#define NAME(verb)        verb##_words
#define Pixel             guint16
#define Value             gint32
#define ABSOLUTE(value)   abs(value)
#define IS_COUNTED(value) true
#include "features/measures/measure_blur_effect.inc"

#define NAME(verb)        verb##_floats
#define Pixel             float
#define Value             double
#define ABSOLUTE(value)   fabs(value)
#define IS_COUNTED(value) isfinite(value)
#include "features/measures/measure_blur_effect.inc"

#define NAME(verb)        verb##_doubles
#define Pixel             double
#define Value             double
#define ABSOLUTE(value)   fabs(value)
#define IS_COUNTED(value) isfinite(value)
#include "features/measures/measure_blur_effect.inc"

static void compute(const Scan *scan, double values[]) {
    static bool (*const add_all[])(const Scan *, Edges *,
                                   Edges *) = {[PLANE_U8] = add_all_bytes,
                                               [PLANE_U16] = add_all_words,
                                               [PLANE_F32] = add_all_floats,
                                               [PLANE_F64] = add_all_doubles};
    const Plane *plane = scan->plane;
    Edges across = {0}, down = {0};
    if (MIN(plane->width, plane->height) < LEAST_SIDE ||
        !add_all[plane->type](scan, &across, &down))
        return;
    if (across.sharp > 0 && down.sharp > 0)
        values[0] = 1 - MIN(across.lost / across.sharp, down.lost / down.sharp);
}

const Measure measure_blur_effect = {
    .name = "blur_effect", .numbers = numbers, .compute = compute, .least_side = LEAST_SIDE};
