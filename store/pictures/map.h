/* map: a plate in a terminal, its wells in their places: colours, or digits where there are none,
 * with numbers in them where they fit. */
#ifndef STORE_PICTURES_MAP_H
#define STORE_PICTURES_MAP_H

#include "store/pictures/colour_scale.h"
#include "store/pictures/plate.h"
#include "store/screen.h"

typedef struct {
    const Plate *plate;
    const ColourScale *scale;
    const char *title; /* in one line */
    const char *words; /* what the numbers are, with their unit */
    GStrv wells;       /* whose numbers are told below; NULL: none */
} MapForm;

/* Lines ending with \n, none wider than the screen; where its height is limited, two rows of wells
 * may share a line. g_free it. */
char *map_text(const MapForm *form, const Screen *screen);

#endif
