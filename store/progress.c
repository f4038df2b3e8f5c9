#include "store/progress.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 24,
    BAR_EACH_MS = 200,
    LINE_EACH_MS = 5000,
};

/* What is to go is not told of an estimate that was too low. */
char *progress_text(gint64 done, gint64 all, double elapsed_s, int width) {
    GString *text = g_string_new(NULL);
    double share = all > 0 ? MIN((double)done / (double)all, 1) : 0;
    if (all > 0 && width > 0) {
        int filled = (int)(share * width);
        g_string_append_c(text, '[');
        for (int i = 0; i < width; i++)
            g_string_append_c(text, i < filled ? '#' : ' ');
        g_string_append(text, "] ");
    }
    if (all > 0)
        g_string_append_printf(text, "%3d %%, ", (int)(100 * share));
    g_string_append_printf(text, "%" G_GINT64_FORMAT, done);
    if (all > 0)
        g_string_append_printf(text, " of about %" G_GINT64_FORMAT, MAX(all, done));
    g_string_append(text, " frames");
    if (done > 0 && elapsed_s > 0)
        g_string_append_printf(text, ", %.0f/s", (double)done / elapsed_s);
    if (done > 0 && done < all && elapsed_s > 0)
        g_string_append_printf(text, ", %.0f s to go",
                               elapsed_s * (double)(all - done) / (double)done);
    return g_string_free(text, FALSE);
}

Progress progress_begin(gint64 all) {
    gint64 now_us = g_get_monotonic_time();
    return (Progress){.is_terminal = isatty(STDERR_FILENO) != 0,
                      .all = all,
                      .begun_us = now_us,
                      .shown_us = now_us};
}

void progress_show(Progress *progress, gint64 done) {
    gint64 now_us = g_get_monotonic_time();
    gint64 each_ms = progress->is_terminal ? BAR_EACH_MS : LINE_EACH_MS;
    if (now_us - progress->shown_us < each_ms * 1000)
        return;
    progress->shown_us = now_us;
    double elapsed_s = (double)(now_us - progress->begun_us) / G_USEC_PER_SEC;
    g_autofree char *text =
        progress_text(done, progress->all, elapsed_s, progress->is_terminal ? BAR_WIDTH : 0);
    if (progress->is_terminal)
        fprintf(stderr, "\r%s\033[K", text);
    else
        fprintf(stderr, "%s\n", text);
}

void progress_end(Progress *progress) {
    if (progress->is_terminal)
        fputs("\r\033[K", stderr);
}
