/* scratch: memory for the time of one computation, taken from the system once per process: what
 * was needed for one frame serves the next. */
#ifndef FEATURES_SCRATCH_H
#define FEATURES_SCRATCH_H

#include <glib.h>
#include <stdbool.h>

typedef struct Scratch Scratch;

Scratch *scratch_new(void);
void scratch_free(Scratch *scratch); /* accepts NULL */

/* size_bytes of memory, aligned to 64 bytes, not cleared, good until scratch_reset. NULL if memory
 * does not suffice. */
void *scratch_take(Scratch *scratch, gsize size_bytes);
/* All that was taken is free again; what the system gave is kept, in one piece from now on. False
 * if memory did not suffice for something that was asked for since the last time. */
bool scratch_reset(Scratch *scratch);

#endif
