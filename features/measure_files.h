/* measure_files: the subcommand that measures image files given by name. No server is needed. */
#ifndef FEATURES_MEASURE_FILES_H
#define FEATURES_MEASURE_FILES_H

#include "stream/settings.h"

extern const GOptionEntry measure_files_options[];

/* Measures every page of every file; folders stand for the *.tif, *.tiff and *.png below them.
 * Prints a table, CSV or JSON lines; one line on stderr for what cannot be measured. Returns the
 * exit status: 0 all measured, 1 some not, 2 wrong use. */
int measure_files_run(const Settings *settings, char **arguments);

#endif
