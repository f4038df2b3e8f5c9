/* person: a person's own connection, questions asked over it, and words of people for parameters.
 */
#ifndef STORE_PERSON_H
#define STORE_PERSON_H

#include "store/postgres.h"
#include "stream/settings.h"

/* What to do where no database answers: in words. */
#define PERSON_NAMES_DATABASE "name it: --postgres, the PG* variables or [store] postgres"

/* Connected to a schema this program knows. Faults, with what to do, as postgres_connect and
 * migrate_check. */
Postgres *person_connect(const Settings *settings, GError **error);

/* As postgres_ask_long. What a person can put right is FAULT_USAGE: a value the database refuses,
 * in its words, and a right that is missing, with the role to be granted. */
PostgresRows *person_ask(Postgres *postgres, const char *sql, const char *const parameters[],
                         int count, GError **error);

/* Prints the rows of sql as one JSON array of objects; with the members of one row alone where
 * `alone` is true. Faults as person_ask. */
bool person_print_json(Postgres *postgres, const char *sql, const char *const parameters[],
                       int count, bool alone, GError **error);

/* --format of those that print tables; NULL is table. FAULT_USAGE. */
bool person_wants_json(const char *format, bool *ret_json, GError **error);

/* Since when: a date, 2026-03-01; a time, 2026-03-01T14:30, of this machine's zone unless one
 * follows; or how long ago: 90min, 7d. ret_since is RFC 3339, g_free it, NULL for NULL.
 * FAULT_USAGE. */
bool person_read_since(const char *text, char **ret_since, GError **error);

/* Whether text is a finite number, or a whole one above 0. option stands in the words if not:
 * FAULT_USAGE. */
bool person_check_number(const char *option, const char *text, GError **error);
bool person_check_count(const char *option, const char *text, GError **error);

#endif
