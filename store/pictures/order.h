/* order: what somebody wants drawn, and the drawing of it: data from the database onto a page. */
#ifndef STORE_PICTURES_ORDER_H
#define STORE_PICTURES_ORDER_H

#include "store/pictures/colour_scale.h"
#include "store/pictures/shots.h"

typedef enum {
    RANGE_PLATE, /* one for all wells, from what they hold */
    RANGE_EACH,  /* pictures only: each its own */
    RANGE_GIVEN,
} RangeKind;

typedef struct {
    Postgres *postgres;
    const PlateName *name;
    const char **channels; /* one panel or row each; NULL among them: frames without one */
    guint channel_count;
    const char *measure, *pipeline; /* measure NULL: pictures */
    ShotChoice choice;
    RangeKind range;
    double low, high; /* RANGE_GIVEN */
    guint cell;       /* pixels; 0: what suits */
    const char *out;  /* "-": standard output */
} Order;

/* What became of it, for the last line. */
typedef struct {
    guint wells, pictures, broken, not_kept, outside;
} OrderDone;

/* A plate as colours, or as pictures; a well over time as a strip. Faults as person_ask,
 * canvas_new and canvas_write. */
bool order_draw_values(const Order *order, OrderDone *ret_done, GError **error);
bool order_draw_pictures(const Order *order, OrderDone *ret_done, GError **error);
bool order_draw_strip(const Order *order, OrderDone *ret_done, GError **error);

/* --- shared by them --- */

/* Which plate, well, channel and measure; and where it comes from. g_free them. */
char *order_title(const Order *order);
char *order_remark(const Order *order);
/* The range of grey for these shots, as a scale: black its low end, white its high end; false if
 * nothing tells one. */
bool order_greys(const Order *order, const GPtrArray *shots, ColourScale *ret_greys);
const char *order_grey_words(const Order *order, const ColourScale *greys);
/* The shades of one shot; greys NULL: as it was stored. */
void order_shades(const Shot *shot, const ColourScale *greys, guint8 ret_shades[256]);

#endif
