/* plug_in_wire: what a worker and the process of a plug-in say to each other, over a socket: a
 * header, then so many bytes. Both are the same program on the same machine, so structs travel as
 * they lie in memory.
 *
 *     process -> worker   DESCRIBED or REFUSED, once, unasked
 *     worker -> process   IMAGE, for each frame
 *     process -> worker   COMPUTED, FAILED or WROTE_BEYOND
 *
 * The process ends when the socket does. Pixels do not pass the socket: both map the same memory,
 * which the process may only read. */
#ifndef FEATURES_PLUG_IN_WIRE_H
#define FEATURES_PLUG_IN_WIRE_H

#include "features/plug_ins/scopestream_measure.h"
#include <glib.h>
#include <stdbool.h>

/* The word after the program's name that makes it the process of a plug-in. It is followed by the
 * shared object's absolute path and the memory limit in bytes. */
#define PLUG_IN_HOST_COMMAND "plug-in-host"

/* What the process finds open, beside standard error. */
enum { PLUG_IN_SOCKET = 3, PLUG_IN_PIXELS = 4 };

enum {
    PLUG_IN_NUMBERS_LIMIT = 256,
    PLUG_IN_LENGTH_LIMIT = 4096,
    PLUG_IN_PLACES_LIMIT = 16384,
    PLUG_IN_TEXT_LIMIT = 500,
    PLUG_IN_MESSAGE_LIMIT = 4 << 20, /* bytes */
};

typedef enum {
    PLUG_IN_DESCRIBED,    /* its description, JSON */
    PLUG_IN_REFUSED,      /* why it cannot be used, words */
    PLUG_IN_IMAGE,        /* PlugInImage */
    PLUG_IN_COMPUTED,     /* its values, doubles */
    PLUG_IN_FAILED,       /* what compute returned, gint32 */
    PLUG_IN_WROTE_BEYOND, /* nothing; the process is not to be trusted any more */
} PlugInMessageKind;

typedef struct {
    guint32 kind; /* a PlugInMessageKind */
    guint32 length_bytes;
} PlugInHeader;

typedef struct {
    ScopestreamImage image; /* pixels: NULL; each side has its own */
    guint64 pixels_bytes;   /* from the beginning of the shared memory */
} PlugInImage;

#endif
