/* asking: questions that come over NATS and are answered from PostgreSQL, over a connection of
 * their own, so that an answer never waits for a batch. */
#ifndef STORE_ASKING_H
#define STORE_ASKING_H

#include "store/postgres.h"
#include "stream/bus.h"
#include <json-glib/json-glib.h>

typedef struct Asking Asking;

/* FAULT_USAGE: the connection string is malformed. */
Asking *asking_new(const Settings *settings, GError **error);
void asking_free(Asking *asking); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Asking, asking_free)

/* As postgres_ask, connecting first where needed; a server that is away is not tried at every
 * question. One thread at a time. */
PostgresRows *asking_ask(Asking *asking, const char *sql, const char *const parameters[], int count,
                         GError **error);

/* Publishes {"error": ...} with error's words to whoever sent asked. */
void asking_refuse(Bus *bus, const BusMessage *asked, const GError *error);

#endif
