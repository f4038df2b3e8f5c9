#include "samples/microscope/progress.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_US 200000

static double seconds_since(gint64 then_us) {
    return (double)(g_get_monotonic_time() - then_us) / G_USEC_PER_SEC;
}

static void plan_tell(const Options *options, guint64 files) {
    const Plate *plate = &options->plate;
    fprintf(stderr, "%s: %u wells x %u sites x %u channels x %u planes x %u times, ",
            options->plate_name, plate->wells->len, plate->sites, plate->channels, plate->zs,
            plate->ts);
    if (files == G_MAXUINT64)
        fprintf(stderr, "plate after plate");
    else
        fprintf(stderr, "%" G_GUINT64_FORMAT " frames", files * plate_pages(plate));
    fprintf(stderr, " of %u x %u pixels, into %s\n", options->width, options->height, options->out);
    for (char *const *fault = faults_chosen(options->faults); *fault; fault++)
        fprintf(stderr, "fault: %s\n", *fault);
}

Progress progress_start(const Options *options, guint64 files) {
    if (!options->is_quiet)
        plan_tell(options, files);
    gint64 now_us = g_get_monotonic_time();
    return (Progress){.options = options, .started_us = now_us, .shown_us = now_us};
}

void progress_show(Progress *progress, const Place *place) {
    gint64 now_us = g_get_monotonic_time();
    if (progress->options->is_quiet || now_us - progress->shown_us < REDRAW_US ||
        !isatty(STDERR_FILENO))
        return;
    progress->shown_us = now_us;
    g_autofree char *well = well_text(place->well);
    fprintf(stderr, "\r\033[K%" G_GUINT64_FORMAT " frames, %.1f a second, at well %s site %u",
            progress->frames, (double)progress->frames / seconds_since(progress->started_us), well,
            place->site + 1);
}

void progress_end(Progress *progress) {
    if (progress->options->is_quiet)
        return;
    double seconds = MAX(seconds_since(progress->started_us), 1e-6);
    fprintf(stderr,
            "%s%" G_GUINT64_FORMAT " frames in %" G_GUINT64_FORMAT
            " files, %.1f MB, in %.1f s: %.1f frames a second\nlist: %s\n",
            isatty(STDERR_FILENO) ? "\r\033[K" : "", progress->frames, progress->files,
            (double)progress->bytes / 1e6, seconds, (double)progress->frames / seconds,
            progress->options->list);
}
