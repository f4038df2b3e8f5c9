/* heading: what stands above wells, or a strip: which plate, what was chosen, where it comes from.
 */
#ifndef STORE_PICTURES_HEADING_H
#define STORE_PICTURES_HEADING_H

#include "store/pictures/canvas.h"

#define PAGE_MARGIN      36.0  /* pixels, around everything */
#define PAGE_WIDTH_LEAST 820.0 /* what a heading and a legend need */
#define HEADING_HEIGHT   92.0

/* Three lines across the page, smaller from the title to the remark. */
void heading_draw(Canvas *canvas, double page_width, const char *title, const char *subtitle,
                  const char *remark);

#endif
