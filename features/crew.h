/* crew: keeps N worker processes at work. Decoders crash on hostile files; here that ends one
 * process, is counted against the frame it had in hand, and another takes its place. */
#ifndef FEATURES_CREW_H
#define FEATURES_CREW_H

#include "stream/settings.h"

/* The subcommand `run`. Returns the exit status: 0 after SIGTERM or SIGINT, when every worker has
 * finished the frame in its hand; 2 if a worker says that a setting is wrong. */
int crew_run(const Settings *settings, char **arguments);
/* Whether the sections of all pipelines can be meant. FAULT_USAGE, naming section and word. */
bool crew_check(const Settings *settings, GError **error);

#endif
