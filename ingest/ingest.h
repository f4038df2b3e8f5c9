/* ingest: the loop of scopestream-ingest run. */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "stream/settings.h"

/* Watches all sources until the program is asked to stop. Returns the exit status. */
int ingest_run(const Settings *settings, char **arguments);

#endif
