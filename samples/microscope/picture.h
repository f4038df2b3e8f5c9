/* picture: one exposure, from the cells through the optics to the camera.
 *
 * Order is as in life: cells, focus, illumination, then the camera's noise, so that a picture out
 * of focus has the noise of a sharp one and a focus measure sees what a microscope would give it.
 * All arithmetic is in integers: the same seed and place give the same pixels on every machine. */
#ifndef MICROSCOPE_PICTURE_H
#define MICROSCOPE_PICTURE_H

#include "samples/microscope/plate.h"

typedef struct {
    guint width, height;   /* pixels */
    guint camera_bits;     /* of the camera's converter, 8 to 16 */
    guint64 seed;          /* of everything random */
    char *const *channels; /* names, ends with NULL; must outlive the Scope */
    guint zs;              /* planes, the middle one is in focus */
    guint wells;           /* of the run: how far the stage goes */
} ScopeSetup;

#define PLANE_NM 2000 /* from one plane of a stack to the next */

typedef struct Scope Scope;

Scope *scope_new(const ScopeSetup *setup);
void scope_free(Scope *scope);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scope, scope_free)

/* How far the objective stands from the focal plane, signed. Out of focus is a distance that seed
 * and site decide; the offset of place is added to it, so one that undoes it makes the picture
 * sharp. */
gint32 scope_off_focus_nm(const Scope *scope, const Place *place, guint faults);

/* Takes a picture at place with these faults (bits of FaultKind; those not in pixels are ignored).
 * Returns width times height pixels row by row, 0 to 2^camera_bits - 1. They belong to scope and
 * last until its next picture. */
const guint16 *scope_shoot(Scope *scope, const Place *place, guint faults);

#endif
