/* transform: discrete Fourier transforms of many lines at once.
 *
 * A transform of one line gives a processor little to do side by side. Here the lines stand side by
 * side, as lanes: every step is the same for all of them, and one instruction does it for as many
 * as the processor has room for. With 16 floats in a register that is ten times as fast as a
 * library that takes line after line. */
#ifndef FEATURES_TRANSFORM_H
#define FEATURES_TRANSFORM_H

#include "features/scan_plane.h"

#define TRANSFORM_LANES 16

/* One place, or one frequency, of all lanes. */
typedef struct {
    float re[TRANSFORM_LANES], im[TRANSFORM_LANES];
} TransformPoint;

/* That many, up to a multiple of TRANSFORM_LANES. */
static inline gsize transform_padded(gsize count) {
    return (count + TRANSFORM_LANES - 1) / TRANSFORM_LANES * TRANSFORM_LANES;
}

typedef struct Transform Transform;

/* The least length from that one on that has no prime factor above 5: such are transformed. */
guint32 transform_length(guint32 least);

/* For lines of that length, in the scratch of the measure at work. NULL if memory does not suffice.
 */
Transform *transform_make(const Scan *scan, guint32 length);

/* X(k) = sum of x(n) exp(-2 pi i k n / length) of every lane. Returns X(0 .. length - 1) and room
 * up to a padded length. It lies in points or in the transform's own memory, and is good until the
 * next call; what points held is lost. points have room up to a padded length, too. */
TransformPoint *transform_lanes(Transform *transform, TransformPoint *points);

/* Lane b of point a becomes lane a of point b, of TRANSFORM_LANES points. */
void transform_turn(const TransformPoint *points, TransformPoint *ret_points);
/* The same of TRANSFORM_LANES real lines that are line_floats apart: value b of line a becomes lane
 * a of b, where lanes are TRANSFORM_LANES floats side by side. */
void transform_turn_lines(const float *lines, gsize line_floats, float *ret_lanes);

#endif
