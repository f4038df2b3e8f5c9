/* frame_bytes: what a frame looks like on the wire, told as pieces, so that nothing is copied
 * before it is sent: pieces held in memory (a small new TIFF header) and ranges of an open file.
 *
 * For a single-page file it is one range, the whole file. For a page of a stack it is a one-page
 * TIFF cut out losslessly: header and directory in memory, then the page's strips or tiles where
 * they lie (ingest/format_tiff.c makes it). */
#ifndef STREAM_FRAME_BYTES_H
#define STREAM_FRAME_BYTES_H

#include "stream/fault.h"
#include <glib.h>
#include <sys/types.h>

typedef struct FrameBytes FrameBytes;

/* Takes over fd, an open regular file that must keep size_bytes and mtime_ns; it is closed with the
 * last reference. */
FrameBytes *frame_bytes_new(int fd, guint64 size_bytes, gint64 mtime_ns);
FrameBytes *frame_bytes_ref(FrameBytes *bytes);
void frame_bytes_unref(FrameBytes *bytes); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FrameBytes, frame_bytes_unref)

/* Appends a piece. add_memory copies; add_range refers to the file: offset + length must lie within
 * size_bytes. */
void frame_bytes_add_memory(FrameBytes *bytes, const void *data, gsize length);
void frame_bytes_add_range(FrameBytes *bytes, guint64 offset, guint64 length);

/* Sum of all pieces, in bytes. */
guint64 frame_bytes_total(const FrameBytes *bytes);

/* Reads length bytes from offset on into buffer; offset + length must lie within the total.
 * FAULT_VANISHED if the file is no longer the one that was announced: checked after reading, so
 * that what was returned is not a mixture of two versions. */
bool frame_bytes_read(FrameBytes *bytes, guint64 offset, void *buffer, gsize length,
                      GError **error);

/* The same range to a socket, ranges by sendfile. Errors: FAULT_VANISHED as above (the socket's
 * stream is then spoiled and must be closed), FAULT_AGAIN if the peer went away or was too slow. */
bool frame_bytes_send(FrameBytes *bytes, guint64 offset, guint64 length, int socket,
                      GError **error);

/* FAULT_VANISHED, with the reason, if the file has changed since it was announced. */
bool frame_bytes_check(FrameBytes *bytes, GError **error);

#endif
