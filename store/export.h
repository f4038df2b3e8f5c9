/* export: what was measured, as a table other programs read. */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "stream/settings.h"

/* The subcommand's own options, for its row in the command table. */
extern const GOptionEntry export_options[];

/* The subcommand. Reads views only: the reader's role is enough. Exit status 2 if a plate, source
 * or pipeline is not known, or if the frames are of several pipelines and none is named. A file is
 * there whole, or not at all. */
int export_command(const Settings *settings, char **arguments);

#endif
