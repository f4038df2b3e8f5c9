/* vips_start: libvips, made ready for a process that measures one frame after the other. */
#ifndef FEATURES_VIPS_START_H
#define FEATURES_VIPS_START_H

#include "stream/fault.h"

/* Starts libvips in this process; again is a no-op. Call it after a fork, not before: pixels.c and
 * thumbnail.c call it themselves when they need it, a worker calls it early to spare its first
 * frame the wait. FAULT_STOP if libvips cannot start. */
bool vips_start(GError **error);

/* Forgets what libvips has said so far: call it before what may fail. */
void vips_forget_words(void);
/* libvips' words for what just failed, with the warnings before it, on one line; forgets them.
 * g_free it. */
char *vips_words(void);

#endif
