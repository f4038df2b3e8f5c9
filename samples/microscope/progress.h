/* progress: what a person at the terminal sees of a run. */
#ifndef MICROSCOPE_PROGRESS_H
#define MICROSCOPE_PROGRESS_H

#include "samples/microscope/options.h"

typedef struct {
    const Options *options;
    guint64 files, frames, bytes; /* written so far; missing files count as frames only */
    gint64 started_us, shown_us;  /* monotonic */
} Progress;

/* Says what is going to be written, to stderr. */
Progress progress_start(const Options *options, guint64 files);
/* Redraws one line, now and then, if stderr is a terminal. */
void progress_show(Progress *progress, const Place *place);
void progress_end(Progress *progress);

#endif
