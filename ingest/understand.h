/* understand: from a complete file to its frames. */
#ifndef INGEST_UNDERSTAND_H
#define INGEST_UNDERSTAND_H

#include "ingest/format.h"
#include "stream/frame.h"
#include "stream/settings.h"

/* The frames of a complete file, one a page in the order of pages, with their ids set. Place comes
 * from the names of file and folders (stream/naming.h) and is the same for all pages: which z, t or
 * channel a page of a stack is, is not claimed.
 *
 * path: below the source's folder, encoded as Frame.path is. closed_us: when the file was seen
 * closed, in microseconds since 1970. Never fails: a name nobody knows makes frames of unknown
 * place. Returns Frame * with frame_free as the array's free function. */
GPtrArray *understand_frames(const SourceSettings *source, const char *path, guint64 size_bytes,
                             gint64 mtime_ns, gint64 closed_us, const Structure *structure);

#endif
