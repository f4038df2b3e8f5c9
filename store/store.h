/* store: results into rows. The loop: pull a batch, commit it in one statement, acknowledge it,
 * tell ingest. Nothing is acknowledged before PostgreSQL has committed it; while PostgreSQL is away
 * the messages wait in RESULTS. Any number of stores may run at once. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "stream/settings.h"

/* The subcommand: runs until it is asked to stop (0), or until something is wrong that stays wrong:
 * credentials, database, schema version (2). */
int store_command(const Settings *settings, char **arguments);

#endif
