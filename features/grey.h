/* grey: samples of any kind, as a decoder hands them over block by block, become the grey values of
 * a plane. pixels.h says what becomes of what; here it is done. Knows no file format. */
#ifndef FEATURES_GREY_H
#define FEATURES_GREY_H

#include "features/plane.h"
#include "stream/fault.h"

typedef enum { GREY_UNSIGNED, GREY_SIGNED, GREY_FLOAT } GreyFormat;

/* What the samples are. */
typedef struct {
    GreyFormat format;
    guint32 bits;    /* of one sample: 1 to 16, 24, 32 or 64, floats 16, 32 or 64. In this machine's
                        byte order; samples that are no whole bytes are packed from the highest bit
                        on, and each row begins with a byte */
    guint32 samples; /* of one pixel */
    bool colour;     /* the first three are red, green and blue; else the first one is grey */
    bool inverted;   /* 0 is white */
    const guint16 *palette[3]; /* red, green, blue of each index, 65535 is full; NULL: none */
} GreySamples;

typedef struct Grey Grey;

/* Makes room for width * height grey values. FAULT_BROKEN if samples are of a kind this cannot
 * read, or memory does not suffice. The palettes are borrowed until grey_finish. */
Grey *grey_new(const GreySamples *samples, guint32 width, guint32 height, GError **error);
void grey_free(Grey *grey); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grey, grey_free)

/* How many of a pixel's samples are looked at: 1, or 3 for colour. */
guint32 grey_components(const Grey *grey);

#define GREY_CHUNKY (-1)

/* A block of the image: columns x to x + width - 1 of rows y to y + height - 1, its rows row_bytes
 * apart. component is which sample the block holds where each has blocks of its own (they must come
 * in the order 0 to grey_components - 1 for one place), or GREY_CHUNKY where they stand together.
 * FAULT_BROKEN if memory does not suffice. */
bool grey_add(Grey *grey, guint32 x, guint32 y, guint32 width, guint32 height, int component,
              const guint8 *data, gsize row_bytes, GError **error);

/* The plane; every place must have been added. Takes over grey. */
Plane *grey_finish(Grey *grey);

#endif
