/* teller: the process of a crew that serves its metrics: the crew's parent has no thread that
 * could. */
#ifndef FEATURES_TELLER_H
#define FEATURES_TELLER_H

#include "features/slot.h"
#include "stream/settings.h"
#include <sys/types.h>

/* Runs until the program is asked to stop. Returns the exit status: 0 also if there is nothing to
 * serve, 2 if the address cannot be had; board->wrong says why. */
int teller_run(const Settings *settings, Board *board, pid_t parent);

#endif
