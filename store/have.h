/* have: answers ingest's question which of these frames have rows. It asks PostgreSQL over a
 * connection of its own, so that an answer never waits for a batch. */
#ifndef STORE_HAVE_H
#define STORE_HAVE_H

#include "stream/bus.h"

typedef struct Have Have;

/* Answers scopestream.have (docs/wire.md) from now on, until bus is closed; close it after bus.
 * FAULT_USAGE: the connection string is malformed. */
Have *have_open(const Settings *settings, Bus *bus, GError **error);
void have_close(Have *have); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Have, have_close)

#endif
