/* options: the command line. */
#ifndef MICROSCOPE_OPTIONS_H
#define MICROSCOPE_OPTIONS_H

#include "samples/microscope/faults.h"
#include "samples/microscope/naming.h"
#include "samples/microscope/writer.h"

typedef struct {
    /* as given */
    char *out, *list, *naming_key, *plate_name, *date, *wells, *channels_text, *side, *compression,
        *manner_name, *pause, *linger;
    char **fault_requests;
    int sites, zs, ts, bits, camera_bits, pieces, reuse;
    gint64 frames, seed;
    double rate, pixel_size_um;
    gboolean is_stack, is_bigtiff, loops, obeys, waits, is_quiet, shows_version;

    /* as understood */
    const Naming *naming;
    const Manner *manner;
    Plate plate;
    char **channels;
    Faults *faults;
    guint width, height; /* pixels */
    gint64 pause_ms;
    gint64 linger_ms; /* below 0: until standard input ends */
} Options;

/* Reads the command line and checks it. --help and --version print and end the program.
 * G_OPTION_ERROR: one line that names the option and what it expects. */
Options *options_read(int *argc, char ***argv, GError **error);
void options_free(Options *options); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Options, options_free)

#endif
