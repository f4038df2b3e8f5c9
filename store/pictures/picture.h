/* picture: a stored thumbnail's pixels. What stands in the database may have been written by
 * anybody: only JPEG and PNG are read, and nothing that says it is large. All of gdk-pixbuf is met
 * here. */
#ifndef STORE_PICTURES_PICTURE_H
#define STORE_PICTURES_PICTURE_H

#include "stream/fault.h"

#define PICTURE_PIXELS_LIMIT (1024 * 1024) /* the largest thumbnail-side, squared */

typedef struct {
    guint width, height;
    guint8 *pixels; /* grey, row by row */
} Picture;

/* FAULT_BROKEN, in words, for what is no such picture. */
Picture *picture_read(const char *mime, const void *bytes, gsize length, GError **error);
void picture_free(Picture *picture); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Picture, picture_free)

#endif
