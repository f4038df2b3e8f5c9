/* decisions: answers a microscope's question what it is to do now, for one that was not listening
 * when it was told. */
#ifndef STORE_DECISIONS_H
#define STORE_DECISIONS_H

#include "stream/bus.h"

typedef struct Decisions Decisions;

/* Answers scopestream.decisions (docs/wire.md) from now on, until bus is closed; close it after
 * bus. FAULT_USAGE: the connection string is malformed. */
Decisions *decisions_open(const Settings *settings, Bus *bus, GError **error);
void decisions_close(Decisions *decisions); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Decisions, decisions_close)

#endif
