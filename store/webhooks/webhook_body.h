/* webhook_body: what a receiver is sent. */
#ifndef STORE_WEBHOOK_BODY_H
#define STORE_WEBHOOK_BODY_H

#include <glib.h>

/* A message of steering (docs/wire.md) with one member more: `text`, a line for people, which chats
 * show. g_free it. FAULT_BROKEN: it is no JSON object, or larger than any message is. */
char *webhook_body(const char *message, GError **error);

#endif
