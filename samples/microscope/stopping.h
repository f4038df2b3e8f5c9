/* stopping: a run may be asked to end, and ends between two files. */
#ifndef MICROSCOPE_STOPPING_H
#define MICROSCOPE_STOPPING_H

#include <glib.h>
#include <stdbool.h>

/* From now on SIGINT and SIGTERM ask to stop; a second one of the same kind ends the process.
 * SIGPIPE does nothing. */
void stopping_listen(void);
bool stopping(void);
/* Sleeps that long, or until asked to stop. */
void stopping_sleep(gint64 us);

#endif
