/* webhook: tells receivers outside of alerts and decisions by HTTP, from a thread of its own:
 * whoever hangs or refuses holds up nobody else, and PostgreSQL keeps what is to be tried again
 * (015). */
#ifndef STORE_WEBHOOK_H
#define STORE_WEBHOOK_H

#include "stream/settings.h"

typedef struct Webhooks Webhooks;

/* Reads the secrets of the [webhook] sections. FAULT_USAGE, without repeating them, if they are
 * none; or if the connection string is malformed. */
Webhooks *webhooks_new(const Settings *settings, GError **error);
/* Begins to post. Once; the schema is that of this program. */
void webhooks_start(Webhooks *webhooks);
/* Ends at once; what is under way is due again in a minute. Accepts NULL. */
void webhooks_free(Webhooks *webhooks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Webhooks, webhooks_free)

#endif
