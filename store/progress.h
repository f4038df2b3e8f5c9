/* progress: how far a long piece of work has come, on stderr: a bar that is written over where a
 * person watches, a line now and then elsewhere. */
#ifndef STORE_PROGRESS_H
#define STORE_PROGRESS_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    bool is_terminal;
    gint64 all; /* about how many there are; 0: nobody knows */
    gint64 begun_us, shown_us;
} Progress;

Progress progress_begin(gint64 all);
/* Shows it, if it was not shown just now. */
void progress_show(Progress *progress, gint64 done);
/* Takes the bar away. */
void progress_end(Progress *progress);

/* What is shown: "[######              ]  30 %, 3000 of about 10000 frames, 500/s, 14 s to go",
 * with width for the bar, without where width is 0. g_free it. */
char *progress_text(gint64 done, gint64 all, double elapsed_s, int width);

#endif
