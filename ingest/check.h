/* check: the commands that explain: what would be made of these files, which names are known. */
#ifndef INGEST_CHECK_H
#define INGEST_CHECK_H

#include "stream/settings.h"

/* `check FILE...`: is each file complete or why not, its frames, their place and ids. Exit status
 * 0: all are complete; 1: some are not; 2: no file given, or one cannot be opened (a line each to
 * stderr). */
int check_run(const Settings *settings, char **arguments);
/* --json; for the row of the command. Ends with an empty entry. */
extern const GOptionEntry check_options[];

/* `namings`: the instruments whose file names are known, with an example and what it tells. */
int namings_run(const Settings *settings, char **arguments);

#endif
