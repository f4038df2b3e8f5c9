/* status: one screen that tells where the frames are: on disk, waiting, queued, being measured,
 * stored; how fast they move; what failed and why. It asks PostgreSQL (views only: the reader's
 * role is enough), NATS, and every program that answers; what it cannot reach it says. */
#ifndef STORE_STATUS_H
#define STORE_STATUS_H

#include "stream/settings.h"

/* The subcommand's own options, for its row in the command table. */
extern const GOptionEntry status_options[];

/* The subcommand. Exit status 1 if it could reach neither PostgreSQL nor NATS. */
int status_command(const Settings *settings, char **arguments);

#endif
