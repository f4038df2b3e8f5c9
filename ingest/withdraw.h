/* withdraw: takes out of the queue what waits there for pipelines that are not wanted any longer;
 * it would take room in it for ever. Of this ingest's sources only: another may still want them. */
#ifndef INGEST_WITHDRAW_H
#define INGEST_WITHDRAW_H

#include "ingest/journal.h"
#include "stream/bus.h"

/* last_sequence: of the stream FRAMES. FAULT_AGAIN if NATS does not answer, FAULT_STOP from the
 * journal; it may be called again at any time. */
bool withdraw_abandoned(const Settings *settings, Journal *journal, Bus *bus, guint64 last_sequence,
                        GError **error);

#endif
