/* reader: a connection that may only look. It takes the rights of scopestream_reader whoever it
 * logs in as, and no question holds the database up for long. */
#ifndef STORE_PAGE_READER_H
#define STORE_PAGE_READER_H

#include "store/postgres.h"
#include "stream/settings.h"

typedef struct Reader Reader;

/* Does not connect yet. FAULT_USAGE: the connection string is malformed. One thread at a time. */
Reader *reader_new(const Settings *settings, GError **error);
void reader_free(Reader *reader); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_free)

/* Connects where needed; a server that is away is not tried at every call. FAULT_USAGE: it refuses
 * us, or its schema is not this program's. */
bool reader_ready(Reader *reader, GError **error);
/* As postgres_ask_long, connecting first. */
PostgresRows *reader_ask(Reader *reader, const char *sql, const char *const parameters[], int count,
                         GError **error);
/* SQLSTATE of the last question that failed; "" if the server did not tell. */
const char *reader_sqlstate(const Reader *reader);
/* Connected or not; borrowed. */
Postgres *reader_postgres(Reader *reader);

#endif
