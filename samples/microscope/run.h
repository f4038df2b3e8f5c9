/* run: one run of the microscope, from the first well to the last. */
#ifndef MICROSCOPE_RUN_H
#define MICROSCOPE_RUN_H

#include "samples/microscope/options.h"

typedef struct Run Run;

/* Makes what a run needs: optics, folder, list, and with --reuse the pictures. G_FILE_ERROR. */
Run *run_new(const Options *options, GError **error);
void run_free(Run *run); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Run, run_free)

/* Takes picture after picture until the plate is done or the run is asked to stop. G_FILE_ERROR if
 * a file or the list cannot be written. */
bool run_plate(Run *run, GError **error);

#endif
