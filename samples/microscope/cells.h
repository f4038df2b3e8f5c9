/* cells: what lies under the objective. Where the cells of a site are, and the light each stain
 * makes them give. */
#ifndef MICROSCOPE_CELLS_H
#define MICROSCOPE_CELLS_H

#include <glib.h>

#define LIGHT_BITS 4 /* binary digits after the point of a light value */

/* The light that reaches each pixel during one exposure, in electrons times 2^LIGHT_BITS. */
typedef struct {
    guint width, height;
    guint32 *light; /* row by row */
} Plane;

typedef enum { STAIN_NUCLEI, STAIN_CYTOPLASM, STAIN_MITOCHONDRIA, STAIN_MEMBRANE } Stain;

typedef struct Texture Texture;

/* A tile of cloudy noise, for what cells look like inside. */
Texture *texture_new(void);
void texture_free(Texture *texture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Texture, texture_free)

/* The stain a channel's name tells (DAPI, GFP, Cy5, 561, ...); for an unknown name one by its
 * number. */
Stain stain_find(const char *channel, guint number);

/* Adds to plane the light of the cells of one site. key: of the site; the same key gives the same
 * cells in every channel, and a little further on at each time t. */
void cells_paint(Plane *plane, guint64 key, guint t, Stain stain, const Texture *texture);
/* What lies about where no cells are: a few specks of dust. */
void debris_paint(Plane *plane, guint64 key, const Texture *texture);

#endif
