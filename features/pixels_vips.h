/* pixels_vips: the image files that libvips decodes: PNG, and TIFF in colour spaces of its own. */
#ifndef FEATURES_PIXELS_VIPS_H
#define FEATURES_PIXELS_VIPS_H

#include "features/pixels.h"

typedef enum { PIXELS_VIPS_PNG, PIXELS_VIPS_TIFF } PixelsVipsFormat;

/* As pixels_decode. */
Plane *pixels_vips_decode(GBytes *bytes, PixelsVipsFormat format, guint32 page,
                          const Settings *settings, GError **error);

/* FAULT_BROKEN unless a side and the area are within the limits; for both decoders, before memory
 * is taken. */
bool pixels_check_size(guint64 width, guint64 height, const Settings *settings, GError **error);

#endif
