/* share: how much of the queue one of several pipelines may fill.
 *
 * All share the stream FRAMES and its limits. Without shares a pipeline whose workers are away
 * would fill it, and hold back the others too.
 *
 * Pure logic: it asks no server. */
#ifndef INGEST_SHARE_H
#define INGEST_SHARE_H

#include "stream/bus.h"

/* How many messages a pipeline, one of that many, may add to the queue now, at most most. frames:
 * the queue's limits; state: it with the pipeline's consumer, just asked for. 0: its workers have
 * to take some first. */
guint share_room(const BusStream *frames, const BusStreamState *state, guint pipelines, guint most);

#endif
