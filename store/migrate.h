/* migrate: brings the database to the schema this program knows: the numbered SQL files of schema/,
 * in order, each in one transaction, each written down with its checksum. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/postgres.h"
#include "stream/settings.h"

/* The subcommand. Prints a line for each file it applied; several at once wait for each other. Exit
 * status 2, and a line that says what to do, if a file that was applied has changed or is gone, or
 * if the database is newer than the files. */
int migrate_command(const Settings *settings, char **arguments);

/* Applies what is missing from folder (NULL: where the settings say); told is called with one line
 * for each thing done. FAULT_USAGE as above, or if folder holds no migrations; FAULT_STOP if a file
 * does not run, with its name; FAULT_AGAIN if the connection was lost. */
typedef void (*MigrateTold)(const char *line);
bool migrate_apply(Postgres *postgres, const char *folder, MigrateTold told, GError **error);

/* The folder the settings name, else share/scopestream/schema beside the program. g_free it. */
char *migrate_folder(const Settings *settings);

/* Whether the connected database has exactly the schema this program knows. FAULT_USAGE, saying
 * which of the two is older and what to do, if not, or if our role may not look. */
bool migrate_check(Postgres *postgres, GError **error);

#endif
