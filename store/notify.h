/* notify: tells ingest, after the commit, which frames have rows now, so that it need not ask. At
 * most once, on purpose: what got lost is found by `have?`. */
#ifndef STORE_NOTIFY_H
#define STORE_NOTIFY_H

#include "store/batch.h"
#include "stream/bus.h"

/* One message a source and pipeline, on scopestream.stored.<source>; docs/wire.md. */
void notify_stored(Bus *bus, const Batch *batch);

#endif
