#include "samples/microscope/options.h"

#include "samples/microscope/image_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REUSE_BYTES_MAX ((guint64)2 << 30)
#define STACK_BYTES_MAX ((guint64)2000 << 20)

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...) {
    va_list words;
    va_start(words, format);
    g_autofree char *text = g_strdup_vprintf(format, words);
    va_end(words);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return false;
}

/* --- the command line --- */

static char *help_text(void) {
    GString *help = g_string_new("Namings (--naming):\n");
    for (const Naming *naming = namings; naming->key; naming++)
        g_string_append_printf(help, "  %-20s %s\n", naming->key, naming->sentence);
    g_string_append(help, "\nManners of writing (--write):\n");
    for (const Manner *manner = manners; manner->name; manner++)
        g_string_append_printf(help, "  %-20s %s\n", manner->name, manner->sentence);
    g_autofree char *kinds = faults_help();
    g_string_append_printf(
        help,
        "\nFaults (--fault, as often as you like):\n%s"
        "  %-20s a choice of these that suits the plate, made from the seed\n"
        "  %-20s N wells each of defocus, saturated, empty, stuck and missing, likewise\n\n"
        "WHERE is [CHANNEL@]WELLS[/SITE]: defocus:B02,C01-C03  saturated:GFP@B05  dim:DAPI\n"
        "truncated:GFP@D04/1\n\n"
        "Commands (--obey), a line each; SITE as the file names write it:\n"
        "  image_again WELL [SITE] [focus=UM] [plate=NAME]   image once more, into again-1, ...\n"
        "  image WELL [SITE] [focus=UM] [plate=NAME]         image before its turn\n"
        "  skip WELL [SITE] [plate=NAME]                     leave out what is still to come "
        "there\n"
        "  continue WELL [SITE] [plate=NAME]                 take a skip back\n"
        "  stop                                              end the run\n\n"
        "Exit status: 0 done, or stopped by SIGINT or SIGTERM after the file in hand; 1 a file "
        "cannot be\nwritten; 2 an option is wrong.\n\n"
        "A plate in two minutes:\n"
        "  simulated-microscope --out /tmp/scope --wells A01-D06 --fault auto --rate 4\n",
        kinds, "auto", "each:N");
    return g_string_free(help, false);
}

static bool parse(Options *options, int *argc, char ***argv, GError **error) {
    const GOptionEntry entries[] = {
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
         "folder to write into; made when missing", "DIR"},
        {"naming", 'n', 0, G_OPTION_ARG_STRING, &options->naming_key,
         "whose folders and file names (imagexpress)", "NAME"},
        {"plate", 'p', 0, G_OPTION_ARG_STRING, &options->plate_name, "name of the plate (P1)",
         "NAME"},
        {"date", 0, 0, G_OPTION_ARG_STRING, &options->date,
         "date in the names that have one (2025-01-31)", "YYYY-MM-DD"},
        {"wells", 'w', 0, G_OPTION_ARG_STRING, &options->wells,
         "wells to visit: A01-B06, A01,C03, all96, all384, all1536 (A01-B06)", "LIST"},
        {"sites", 0, 0, G_OPTION_ARG_INT, &options->sites, "sites in a well (2)", "N"},
        {"channels", 'c', 0, G_OPTION_ARG_STRING, &options->channels_text,
         "channels; known dyes give fitting cells (DAPI,GFP)", "LIST"},
        {"z", 0, 0, G_OPTION_ARG_INT, &options->zs, "planes; the middle one is sharp (1)", "N"},
        {"t", 0, 0, G_OPTION_ARG_INT, &options->ts, "times the plate is visited (1)", "N"},
        {"side", 0, 0, G_OPTION_ARG_STRING, &options->side, "pixels: N or WIDTHxHEIGHT (1080)",
         "N"},
        {"bits", 0, 0, G_OPTION_ARG_INT, &options->bits,
         "bits of a pixel in the file, 8 or 16 (16)", "N"},
        {"camera-bits", 0, 0, G_OPTION_ARG_INT, &options->camera_bits,
         "bits the camera gives, 8 to 16 (12, or 8 with --bits 8)", "N"},
        {"pixel-size", 0, 0, G_OPTION_ARG_DOUBLE, &options->pixel_size_um,
         "micrometres a pixel covers (0.65)", "UM"},
        {"rate", 'r', 0, G_OPTION_ARG_DOUBLE, &options->rate,
         "frames a second; 0: as fast as it can (5)", "N"},
        {"frames", 'f', 0, G_OPTION_ARG_INT64, &options->frames,
         "stop after so many frames; a stack is finished (the whole plate)", "N"},
        {"loop", 0, 0, G_OPTION_ARG_NONE, &options->loops,
         "go on with plates NAME-2, NAME-3, ... until stopped or --frames", NULL},
        {"seed", 's', 0, G_OPTION_ARG_INT64, &options->seed,
         "of everything random: the same seed gives the same pixels (1)", "N"},
        {"compression", 0, 0, G_OPTION_ARG_STRING, &options->compression,
         "none, lzw or deflate (none)", "NAME"},
        {"stack", 0, 0, G_OPTION_ARG_NONE, &options->is_stack,
         "multi-page files: the planes of a channel; micromanager: all of a site", NULL},
        {"bigtiff", 0, 0, G_OPTION_ARG_NONE, &options->is_bigtiff, "BigTIFF files", NULL},
        {"write", 0, 0, G_OPTION_ARG_STRING, &options->manner_name,
         "how files come to disk, see below (whole)", "MANNER"},
        {"pieces", 0, 0, G_OPTION_ARG_INT, &options->pieces,
         "pieces of a file that is written in pieces (4)", "N"},
        {"pause", 0, 0, G_OPTION_ARG_STRING, &options->pause, "pause between pieces (200ms)",
         "TIME"},
        {"reuse", 0, 0, G_OPTION_ARG_INT, &options->reuse,
         "make N files beforehand and write them in turn, for high rates; with --write hardlinked "
         "not even written again",
         "N"},
        {"fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->fault_requests,
         "what goes wrong, see below", "KIND:WHERE"},
        {"obey", 0, 0, G_OPTION_ARG_NONE, &options->obeys,
         "read commands from standard input while imaging, see below, and answer on standard "
         "output",
         NULL},
        {"wait", 0, 0, G_OPTION_ARG_NONE, &options->waits,
         "with --obey: image nothing but what commands say", NULL},
        {"linger", 0, 0, G_OPTION_ARG_STRING, &options->linger,
         "with --obey: how long without a command a finished run waits for more (until standard "
         "input ends)",
         "TIME"},
        {"list", 'l', 0, G_OPTION_ARG_FILENAME, &options->list,
         "CSV list of what was written, outside DIR (DIR-written.csv)", "FILE"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->is_quiet, "say nothing but errors", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->shows_version, "print the version", NULL},
        {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("--out DIR");
    g_option_context_set_summary(context, "Writes a plate of cells as a microscope does: images in "
                                          "an instrument's folders, at its pace,\nwith its noise, "
                                          "and with faults on request.");
    g_autofree char *help = help_text();
    g_option_context_set_description(context, help);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    return *argc == 1 || refuse(error, "\"%s\" is no option", (*argv)[1]);
}

/* --- what it means --- */

/* G_OPTION_ARG_STRING replaces a default without freeing it only when it is NULL; so defaults come
 * after the parse. */
static void default_text(char **text, const char *value) {
    if (!*text)
        *text = g_strdup(value);
}

static void defaults_fill(Options *options) {
    default_text(&options->naming_key, "imagexpress");
    default_text(&options->plate_name, "P1");
    default_text(&options->date, "2025-01-31");
    default_text(&options->wells, "A01-B06");
    default_text(&options->channels_text, "DAPI,GFP");
    default_text(&options->side, "1080");
    default_text(&options->compression, "none");
    default_text(&options->manner_name, "whole");
    default_text(&options->pause, "200ms");
    if (options->camera_bits == 0)
        options->camera_bits = options->bits == 8 ? 8 : 12;
}

/* Names go into file names and into the list: no separators of either. */
static bool name_check(const char *option, const char *name, GError **error) {
    return g_regex_match_simple("^[A-Za-z0-9][A-Za-z0-9 ._#+-]{0,79}$", name, 0, 0) ||
           refuse(error, "%s %s: expected letters, digits, spaces and . _ # + -", option, name);
}

static bool names_understand(Options *options, GError **error) {
    if (!options->out)
        return refuse(error, "--out DIR is missing: where shall the images go?");
    if (!name_check("--plate", options->plate_name, error))
        return false;
    if (!g_regex_match_simple("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", options->date, 0, 0))
        return refuse(error, "--date %s: expected YYYY-MM-DD", options->date);
    options->channels = g_strsplit(options->channels_text, ",", -1);
    for (char **channel = options->channels; *channel; channel++)
        if (!name_check("--channels", g_strstrip(*channel), error))
            return false;
    return options->channels[0] || refuse(error, "--channels: expected at least one name");
}

static bool choices_understand(Options *options, GError **error) {
    options->naming = naming_find(options->naming_key);
    if (!options->naming)
        return refuse(error, "--naming %s: expected one that --help lists", options->naming_key);
    options->manner = manner_find(options->manner_name);
    if (!options->manner)
        return refuse(error, "--write %s: expected one that --help lists", options->manner_name);
    return image_compression_known(options->compression) ||
           refuse(error, "--compression %s: expected none, lzw or deflate", options->compression);
}

/* N or WIDTHxHEIGHT */
static bool side_understand(Options *options, GError **error) {
    g_auto(GStrv) sides = g_strsplit(options->side, "x", 2);
    guint64 width, height;
    if (sides[0] && g_ascii_string_to_unsigned(sides[0], 10, 16, 20000, &width, NULL) &&
        g_ascii_string_to_unsigned(sides[1] ? sides[1] : sides[0], 10, 16, 20000, &height, NULL)) {
        options->width = (guint)width;
        options->height = (guint)height;
        return true;
    }
    return refuse(error, "--side %s: expected pixels as N or WIDTHxHEIGHT, 16 to 20000",
                  options->side);
}

static bool time_understand(const char *option, const char *text, gint64 *ret_ms, GError **error) {
    double number;
    char unit[3] = "", rest;
    int parts = sscanf(text, "%lf%2[ms]%c", &number, unit, &rest);
    bool is_ms = strcmp(unit, "ms") == 0, is_s = strcmp(unit, "s") == 0;
    if (parts != 2 || (!is_ms && !is_s) || !(number >= 0 && number <= 3600000))
        return refuse(error, "%s %s: expected a time such as 200ms or 1.5s", option, text);
    *ret_ms = (gint64)(is_s ? number * 1000 : number);
    return true;
}

/* What each number may be. */
static bool numbers_check(const Options *options, GError **error) {
    const Naming *naming = options->naming;
    const struct {
        const char *option;
        gint64 value, low, high;
    } ranges[] = {
        {"--sites", options->sites, 1, 99},
        {"--channels (how many)", g_strv_length(options->channels), 1, naming->channels_max},
        {"--z", options->zs, 1, naming->zs_max},
        {"--t", options->ts, 1, naming->ts_max},
        {"--pieces", options->pieces, 1, 10000},
        {"--reuse", options->reuse, 0, 10000},
        {"--frames", options->frames, 0, G_MAXINT64},
        {"--camera-bits", options->camera_bits, 8, options->bits},
        {"--seed", options->seed, 0, G_MAXINT64},
    };
    if (options->bits != 8 && options->bits != 16)
        return refuse(error, "--bits %d: expected 8 or 16", options->bits);
    if (!(options->rate >= 0 && options->rate <= 1e6))
        return refuse(error, "--rate %g: expected frames a second, 0 to 1000000", options->rate);
    if (!(options->pixel_size_um > 0.00001 && options->pixel_size_um < 1000))
        return refuse(error, "--pixel-size %g: expected micrometres, 0.00001 to 1000",
                      options->pixel_size_um);
    for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++)
        if (ranges[i].value < ranges[i].low || ranges[i].value > ranges[i].high)
            return refuse(error,
                          "%s %" G_GINT64_FORMAT ": expected %" G_GINT64_FORMAT
                          " to %" G_GINT64_FORMAT " (naming %s)",
                          ranges[i].option, ranges[i].value, ranges[i].low, ranges[i].high,
                          naming->key);
    return true;
}

static bool plate_understand(Options *options, GError **error) {
    WellSet wells = {0};
    if (!wells_parse(options->wells, &wells, error)) {
        g_prefix_error(error, "--wells: ");
        return false;
    }
    options->plate = (Plate){wells_snake(&wells),
                             (guint)options->sites,
                             g_strv_length(options->channels),
                             (guint)options->zs,
                             (guint)options->ts,
                             options->is_stack ? options->naming->stack : STACK_NONE};
    return true;
}

static bool sizes_check(const Options *options, GError **error) {
    guint64 page_bytes = (guint64)options->width * options->height * (guint)options->bits / 8;
    guint64 file_bytes = page_bytes * plate_pages(&options->plate);
    if (file_bytes > STACK_BYTES_MAX)
        return refuse(error, "--stack: a file would have %u pages and %.1f GB; at most 2 GB",
                      plate_pages(&options->plate), (double)file_bytes / 1e9);
    if (file_bytes * (guint)options->reuse > REUSE_BYTES_MAX)
        return refuse(error, "--reuse %d: these files would take %.1f GB of memory; at most 2 GB",
                      options->reuse, (double)(file_bytes * (guint)options->reuse) / 1e9);
    return true;
}

static bool reuse_check(const Options *options, GError **error) {
    if (options->reuse == 0)
        return true;
    if (strcmp(options->compression, "none") != 0)
        return refuse(error, "--reuse: needs --compression none, each frame is stamped");
    guint in_pixels = faults_anywhere(options->faults) & FAULTS_IN_PIXELS;
    g_autofree char *kinds = faults_text(in_pixels);
    return in_pixels == 0 ||
           refuse(error, "--reuse: its pictures are made beforehand, so %s cannot be had", kinds);
}

static bool obeying_understand(Options *options, GError **error) {
    if (!options->obeys && (options->waits || options->linger))
        return refuse(error, "%s: needs --obey", options->waits ? "--wait" : "--linger");
    if (options->obeys && options->reuse > 0)
        return refuse(error, "--obey: needs pictures of their own, not --reuse");
    return !options->linger ||
           time_understand("--linger", options->linger, &options->linger_ms, error);
}

/* Below DIR a list would be one more file the watcher has to pass over. */
static bool list_understand(Options *options, GError **error) {
    g_autofree char *out = g_canonicalize_filename(options->out, NULL);
    if (!options->list)
        options->list = g_strconcat(out, "-written.csv", NULL);
    g_autofree char *list = g_canonicalize_filename(options->list, NULL);
    g_autofree char *inside = g_strconcat(out, "/", NULL);
    return !g_str_has_prefix(list, inside) ||
           refuse(error, "--list %s: expected a file outside %s", options->list, out);
}

static bool understand(Options *options, GError **error) {
    defaults_fill(options);
    if (!names_understand(options, error) || !choices_understand(options, error) ||
        !side_understand(options, error) ||
        !time_understand("--pause", options->pause, &options->pause_ms, error) ||
        !obeying_understand(options, error) || !numbers_check(options, error) ||
        !plate_understand(options, error))
        return false;
    options->faults = faults_new(options->fault_requests, &options->plate, options->channels,
                                 (guint64)options->seed, error);
    return options->faults && sizes_check(options, error) && reuse_check(options, error) &&
           list_understand(options, error);
}

Options *options_read(int *argc, char ***argv, GError **error) {
    g_autoptr(Options) options = g_new0(Options, 1);
    options->sites = 2;
    options->zs = options->ts = 1;
    options->bits = 16;
    options->pieces = 4;
    options->seed = 1;
    options->linger_ms = -1;
    options->rate = 5;
    options->pixel_size_um = 0.65;
    if (!parse(options, argc, argv, error))
        return NULL;
    if (options->shows_version) {
        puts("simulated-microscope " MICROSCOPE_VERSION);
        exit(EXIT_SUCCESS);
    }
    return understand(options, error) ? g_steal_pointer(&options) : NULL;
}

void options_free(Options *options) {
    if (!options)
        return;
    char *const texts[] = {options->out,           options->list,  options->naming_key,
                           options->plate_name,    options->date,  options->wells,
                           options->channels_text, options->side,  options->compression,
                           options->manner_name,   options->pause, options->linger};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(options->fault_requests);
    g_strfreev(options->channels);
    g_clear_pointer(&options->plate.wells, g_array_unref);
    faults_free(options->faults);
    g_free(options);
}
