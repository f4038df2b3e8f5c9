/* postgres: one connection to PostgreSQL, built anew when it was lost. All of libpq is met here;
 * the rest of the room sees rows.
 *
 * Not for several threads at once: whoever works in a thread of its own has a connection of its
 * own. */
#ifndef STORE_POSTGRES_H
#define STORE_POSTGRES_H

#include "stream/fault.h"
#include <libpq-fe.h>

typedef struct Postgres Postgres;

/* connection: a libpq connection string or URI; "": the PG* environment variables. Does not connect
 * yet. FAULT_USAGE, with libpq's words, if it is malformed. */
Postgres *postgres_new(const char *connection, GError **error);
void postgres_free(Postgres *postgres); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Postgres, postgres_free)

/* How long each answer is waited for: a server that hangs says nothing, and neither does its socket.
 * Then it is FAULT_AGAIN, and the connection is given up. 0, as at first: without end. */
void postgres_set_patience(Postgres *postgres, gint64 patience_ms);

/* True at once if connected, else tries within timeout_ms. FAULT_AGAIN: nobody answers, or the
 * server is starting, stopping or full. FAULT_USAGE: it answers and refuses us: password, role,
 * database. */
bool postgres_connect(Postgres *postgres, gint64 timeout_ms, GError **error);
/* As far as the last call could tell. */
bool postgres_is_connected(const Postgres *postgres);
/* Gives the connection up; postgres_connect builds another. */
void postgres_disconnect(Postgres *postgres);
/* Where it leads, for people: "plates at db.example:5432". Borrowed; "" before the first attempt.
 */
const char *postgres_place(const Postgres *postgres);

typedef PGresult PostgresRows;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PostgresRows, PQclear)

/* Runs one statement, in a transaction of its own, with text parameters $1, $2, ...; count of them;
 * a NULL is SQL's NULL. What failed has changed nothing.
 *
 * FAULT_AGAIN: connection lost or absent, deadlock, lock not to be had, server stopping or out of
 * resources: the same statement may succeed later. FAULT_BROKEN: these parameters can never be
 * stored. FAULT_STOP: anything else: a table or a right is missing. */
PostgresRows *postgres_ask(Postgres *postgres, const char *sql, const char *const parameters[],
                           int count, GError **error);
/* The same for answers of any length: hands over the rows one by one as they come, each a
 * PostgresRows of one row which `each` takes over. What `each` fails with ends it, and so does a
 * request to stop: FAULT_AGAIN. */
typedef bool (*PostgresEach)(PostgresRows *row, void *context, GError **error);
bool postgres_each(Postgres *postgres, const char *sql, const char *const parameters[], int count,
                   PostgresEach each, void *context, GError **error);
/* As postgres_ask, for what may take minutes: when the program is asked to stop, the server gives
 * the statement up, and it is FAULT_AGAIN. */
PostgresRows *postgres_ask_long(Postgres *postgres, const char *sql, const char *const parameters[],
                                int count, GError **error);
/* Runs a text of several statements without parameters. Faults as postgres_ask. */
bool postgres_run(Postgres *postgres, const char *sql, GError **error);
/* SQLSTATE of the last call that failed, five characters; "" if the server did not tell. */
const char *postgres_sqlstate(const Postgres *postgres);

/* A field as text; NULL where it is NULL. Borrowed from rows. */
const char *postgres_text(const PostgresRows *rows, int row, int column);
double postgres_number(const PostgresRows *rows, int row, int column); /* NaN where it is NULL */
gint64 postgres_count(const PostgresRows *rows, int row, int column);  /* 0 where it is NULL */

#endif
