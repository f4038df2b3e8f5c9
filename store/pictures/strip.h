/* strip: one well over time on a page: times from left to right, going on in the next line; a row a
 * channel, or a site. */
#ifndef STORE_PICTURES_STRIP_H
#define STORE_PICTURES_STRIP_H

#include "store/pictures/canvas.h"

typedef struct Strip Strip;

#define STRIP_TIMES_MOST 600 /* more are not shown: the caller leaves some out */

typedef struct {
    guint rows, times;
    guint cell;    /* width of a picture in pixels; 0: what suits */
    double aspect; /* height of a picture by its width */
    const char *title, *subtitle, *remark;
} StripForm;

/* FAULT_USAGE if it would be too large. */
Strip *strip_new(const StripForm *form, GError **error);
void strip_free(Strip *strip); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Strip, strip_free)

void strip_draw_row_name(Strip *strip, guint row, const char *name);
/* name: the time point; ago: since the first one. */
void strip_draw_time(Strip *strip, guint time, const char *name, const char *ago);
/* NULL: a cross, for one that is broken. */
void strip_draw_picture(Strip *strip, guint row, guint time, const Picture *picture,
                        const guint8 shades[256]);
void strip_draw_pale(Strip *strip, guint row, guint time);
/* Below; one a row. greys NULL: there is no range they share. */
void strip_draw_legend(Strip *strip, guint row, const ColourScale *greys, const char *words);
void strip_draw_samples(Strip *strip, bool has_crosses, bool has_pale, bool has_gaps);

/* As canvas_write. */
bool strip_write(Strip *strip, const char *path, GError **error);

/* Where a picture stands: for tests. */
Box strip_box(const Strip *strip, guint row, guint time);

#endif
