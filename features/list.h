/* list: the subcommand that prints the catalogue. */
#ifndef FEATURES_LIST_H
#define FEATURES_LIST_H

#include "stream/settings.h"

extern const GOptionEntry list_options[];

/* Prints every number the measures give: name, unit, formula, source. Returns the exit status. */
int list_run(const Settings *settings, char **arguments);

#endif
