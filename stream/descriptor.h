/* descriptor: the small message that says a frame exists, and by which deliveries its bytes can be
 * had. docs/wire.md tells its format field by field; so does descriptor.c, where it is read. */
#ifndef STREAM_DESCRIPTOR_H
#define STREAM_DESCRIPTOR_H

#include "stream/fault.h"
#include "stream/frame.h"

#define DESCRIPTOR_WIRE_VERSION 1

typedef struct {
    Frame *frame;
    char *pipeline;    /* [A-Za-z0-9_-]+ */
    guint32 attempt;   /* 1 for the first offer of this frame to this pipeline */
    gint64 offered_us; /* since 1970 */
    char *origin;      /* host name of the ingest that offers it */

    /* What each delivery needs; NULL where that way is not offered. */
    GBytes *inline_bytes; /* inline: the bytes themselves, an image file of one page */
    char *direct_address; /* direct: host:port of ingest's listener */
    char *direct_key;     /* direct: what proves to it that we were told of this frame */
    char *fetch_subject;  /* fetch: where ingest answers requests for ranges */
} Descriptor;

Descriptor *descriptor_new(void);
void descriptor_free(Descriptor *descriptor); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Descriptor, descriptor_free)

/* The message body: JSON, followed by the inline bytes if there are any. ret_json_length receives
 * the length of the JSON part. */
GBytes *descriptor_to_body(const Descriptor *descriptor, gsize *ret_json_length);

/* The reverse. json_length is the part of body that is JSON (from the header; the whole body where
 * the header is absent). FAULT_BROKEN, naming the member, if it is not a descriptor of a known wire
 * version. */
Descriptor *descriptor_from_body(GBytes *body, gsize json_length, GError **error);

#endif
