/* tell: publishes what steering has to say, alerts, decisions and priorities, after the commit that
 * decided it and never before. They stand in table message until the server has had them: at least
 * once. */
#ifndef STORE_TELL_H
#define STORE_TELL_H

#include "store/postgres.h"
#include "stream/bus.h"

/* Publishes what waits on scopestream.<kind>.<source> (docs/wire.md). Whoever runs beside us leaves
 * what we have in hand alone. FAULT_AGAIN: PostgreSQL or NATS went away, what was not published
 * stays; FAULT_STOP as postgres_ask. */
bool tell_messages(Bus *bus, Postgres *postgres, GError **error);

/* Lets steering look at the clock: what did not come, what expired. Faults as postgres_ask. */
bool tell_time(Postgres *postgres, GError **error);

#endif
