/* pixels: an image file in memory becomes a plane.
 *
 * Three ways, the cheapest that is right. Grey TIFF pixels that lie in the file uncompressed, in
 * one piece and in this machine's byte order are measured where they lie. Every other TIFF that is
 * grey, RGB or palette goes through libtiff. PNG, and TIFF in colour spaces of its own (YCbCr,
 * CMYK, Lab, LogLuv), go through libvips.
 *
 * What becomes of what:
 *
 *   whole numbers, 1 to 64 bits   as they are; signed ones are shifted up by their type's minimum,
 *                                 as CellProfiler does, and offset says so
 *   floats, 16, 32 and 64 bits    as they are
 *   MinIsWhite                    inverted within the type's range, so that black is low
 *   palette                       each entry's grey value, in 8 bits (16 where indices have 16)
 *   RGB                           luma 0.2125 R + 0.7154 G + 0.0721 B, which is scikit-image's
 *                                 rgb2gray and so what CellProfiler measures on a colour file
 * loaded as monochrome; rounded to the file's own levels where it holds whole numbers more samples
 * than these       alpha and whatever else follows is dropped
 *
 * A file that cannot be read whole is broken: no pixel is ever made up. */
#ifndef FEATURES_PIXELS_H
#define FEATURES_PIXELS_H

#include "features/plane.h"
#include "stream/fault.h"
#include "stream/settings.h"

/* Pixels a side may have at most; the area is bounded by settings->pixel_limit. */
#define PIXELS_SIDE_LIMIT 1000000

/* Page (0-based) of the image file in bytes. The plane keeps bytes alive where it is measured in
 * place. FAULT_BROKEN, with the decoder's own words, if it is no TIFF or PNG, has no such page, is
 * larger than settings->pixel_limit or than memory, or cannot be decoded whole. */
Plane *pixels_decode(GBytes *bytes, guint32 page, const Settings *settings, GError **error);

/* How many pages the image file in bytes has, 1 for PNG; 0 with FAULT_BROKEN if it is neither TIFF
 * nor PNG, or its first page cannot be found. */
guint32 pixels_pages(GBytes *bytes, GError **error);

#endif
