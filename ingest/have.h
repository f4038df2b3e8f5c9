/* have: asks the store which frames have rows. */
#ifndef INGEST_HAVE_H
#define INGEST_HAVE_H

#include "stream/bus.h"
#include "stream/frame.h"

#define HAVE_FRAMES_MAX 500 /* in one question */

/* frames: of Frame, at most HAVE_FRAMES_MAX. Returns the FrameIds of those that have a row for
 * pipeline; the caller unrefs the array. FAULT_AGAIN if no store answers within timeout_ms, or its
 * database is away. */
GArray *have_ask(Bus *bus, const char *pipeline, GPtrArray *frames, int timeout_ms, GError **error);

/* The FrameIds of a JSON array of texts, at most most; what is no id is left out. */
GArray *have_read_ids(JsonArray *texts, guint most);

#endif
