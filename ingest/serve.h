/* serve: the bytes of announced frames, for workers that ask.
 *
 * A request names a frame by its id, and the journal says which file that is: no path that came
 * over the network is ever opened. */
#ifndef INGEST_SERVE_H
#define INGEST_SERVE_H

#include "ingest/journal.h"
#include "stream/frame_bytes.h"
#include "stream/settings.h"

typedef struct Serve Serve;

/* Both are borrowed. */
Serve *serve_new(const Settings *settings, Journal *journal);
void serve_free(Serve *serve); /* accepts NULL */

/* Whether the journal knows every frame that was ever announced: not yet, while a new journal is
 * filled, or a source is away. Until then an unknown frame is one to ask for later. */
void serve_set_complete(Serve *serve, bool complete);

/* Where the folder of the source at index of the settings stood when it was last seen; NULL: it is
 * away, as all are until this is called. A file that is not found in a folder that is not this one
 * is not gone: its disk may be unmounted. */
void serve_set_root(Serve *serve, guint index, const FileSight *root);

/* A DeliveryLookup; context is the Serve. Any thread. FAULT_VANISHED: gone or changed, and unknown
 * frames; FAULT_AGAIN: its folder is away, or the frame may yet become known. */
FrameBytes *serve_lookup(const FrameId *id, void *context, GError **error);

#endif
