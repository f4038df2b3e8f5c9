/* canvas: what sheets and strips are drawn on. Sizes are pixels. */
#ifndef STORE_PICTURES_CANVAS_H
#define STORE_PICTURES_CANVAS_H

#include "store/pictures/colour_scale.h"
#include "store/pictures/picture.h"
#include "stream/fault.h"
#include <cairo.h>

typedef struct Canvas Canvas;

typedef struct {
    double x, y, width, height;
} Box;

#define CANVAS_SIDE_LIMIT   32000 /* pixels; cairo's is 32767 */
#define CANVAS_PIXELS_LIMIT (150 * 1000 * 1000)

/* White. FAULT_USAGE if it would be too large. */
Canvas *canvas_new(double width, double height, GError **error);
void canvas_free(Canvas *canvas); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Canvas, canvas_free)

/* --- text --- */

typedef enum { TEXT_LEFT, TEXT_MIDDLE, TEXT_RIGHT } TextPlace;

typedef struct {
    double size;
    bool is_bold;
    TextPlace place;
    Colour colour;
} TextStyle;

/* In one line, in the middle of the box's height, cut with an ellipsis where it is too wide. text
 * may be anything: it is shown as it is, and controls nothing. */
void canvas_text(Canvas *canvas, Box box, const TextStyle *style, const char *text);
double canvas_text_width(Canvas *canvas, const TextStyle *style, const char *text);

/* --- boxes --- */

void canvas_fill(Canvas *canvas, Box box, Colour colour);
void canvas_frame(Canvas *canvas, Box box, Colour colour);
/* Nothing is there: slanted lines on light grey. */
void canvas_hatch(Canvas *canvas, Box box);
/* Something is there and is bad: a cross on grey. */
void canvas_cross(Canvas *canvas, Box box);
/* The scale's colours, from left to right; grey ones for pictures. */
void canvas_scale(Canvas *canvas, Box box, bool is_grey);
/* An arrow head that fills the box: there is more to the left, or to the right. */
void canvas_arrow(Canvas *canvas, Box box, bool to_the_left, Colour colour);

/* --- pictures --- */

/* As large as it fits the box, its sides in proportion, in the middle; pixel value v shown as the
 * grey shades[v]. */
void canvas_picture(Canvas *canvas, Box box, const Picture *picture, const guint8 shades[256]);
/* The same on white; picture NULL: a cross, for one that is broken. */
void canvas_tile(Canvas *canvas, Box box, const Picture *picture, const guint8 shades[256]);

/* --- the file --- */

/* "-": standard output. A file is there whole, or not at all; into a pipe or a device is written.
 * FAULT_STOP. */
bool canvas_write(Canvas *canvas, const char *path, GError **error);

#endif
