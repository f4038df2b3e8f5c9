/* worker: one process that takes a frame, receives its bytes, decodes, measures and tells, and only
 * then takes the next. */
#ifndef FEATURES_WORKER_H
#define FEATURES_WORKER_H

#include "features/slot.h"
#include "stream/settings.h"

/* Works until the program is asked to stop. job: its slot's index. Returns the exit status. */
int worker_run(const Settings *settings, Board *board, guint job);

#endif
