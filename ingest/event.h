/* event: something a person should know, as docs/wire.md tells it. */
#ifndef INGEST_EVENT_H
#define INGEST_EVENT_H

#include <glib.h>

#define EVENT_UNFINISHED  "unfinished"
#define EVENT_UNREADABLE  "unreadable"
#define EVENT_SOURCE_AWAY "source-away"
#define EVENT_SOURCE_BACK "source-back"

/* The message body. path is encoded, or NULL; level is "info" or "warning". Caller g_frees. */
char *event_body(const char *source, const char *path, const char *level, const char *event,
                 const char *detail);

#endif
