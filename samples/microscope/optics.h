/* optics: what lens and lamp do to the light of the cells. */
#ifndef MICROSCOPE_OPTICS_H
#define MICROSCOPE_OPTICS_H

#include "samples/microscope/cells.h"

/* --- focus --- */

typedef struct Blur Blur;

/* For planes of that size, pixels. */
Blur *blur_new(guint width, guint height);
void blur_free(Blur *blur);

/* Blurs plane by three box filters one after the other, close to a Gaussian; edges are repeated.
 * amount: the sum of their radii, pixels; 0 leaves the plane as it is. Light is spread, none lost.
 */
void blur_plane(Blur *blur, Plane *plane, guint amount);

/* --- illumination: brightest in the middle, a quarter less in the corners --- */

#define LAMP_FULL 65536

/* Fills losses with what is lost, of LAMP_FULL, at each of length pixels along one axis. The light
 * at a pixel is LAMP_FULL less its losses along both axes. slope: lost besides at the far end. */
void lamp_losses(gint32 *losses, guint length, gint32 slope);

#endif
