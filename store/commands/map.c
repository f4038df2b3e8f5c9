#include "store/pictures/map.h"
#include "store/commands/commands.h"
#include "store/person.h"
#include "store/pictures/plate_ask.h"
#include "stream/program.h"
#include <stdio.h>

enum { EACH_MS = 2000 };

static char *plate, *source, *channel, *measure, *pipeline, *well;
static gboolean watch;

/* Names of people are taken as they come, in UTF-8, whatever the locale is. */
const GOptionEntry map_options[] = {
    {"plate", 0, 0, G_OPTION_ARG_FILENAME, &plate, "of this plate (default: the newest)", "PLATE"},
    {"source", 0, 0, G_OPTION_ARG_FILENAME, &source,
     "of this source, where several have such a plate", "NAME"},
    {"channel", 0, 0, G_OPTION_ARG_FILENAME, &channel, "of this channel (default: the first)",
     "CHANNEL"},
    {"measure", 0, 0, G_OPTION_ARG_FILENAME, &measure,
     "a measure, score or frames (default: score, where frames have one, else frames)", "MEASURE"},
    {"pipeline", 0, 0, G_OPTION_ARG_FILENAME, &pipeline,
     "as this pipeline measured it (default: the last one)", "NAME"},
    {"well", 0, 0, G_OPTION_ARG_FILENAME, &well, "tell the numbers of these wells too", "A01,..."},
    {"watch", 0, 0, G_OPTION_ARG_NONE, &watch, "show it anew every 2 s, until Ctrl-C", NULL},
    {0},
};

/* --- what it shows --- */

/* Which plate, channel and number: "P1  channel DAPI (one of 3)  96 frames, ...". */
static char *title_text(const PlateName *name, const char *of_channel) {
    guint channels = g_strv_length(name->channels);
    g_autofree char *plain = screen_plain(name->plate);
    g_autofree char *plain_channel = of_channel != NULL ? screen_plain(of_channel) : NULL;
    GString *title = g_string_new(plain);
    if (plain_channel != NULL)
        g_string_append_printf(title, "  channel %s", plain_channel);
    if (plain_channel != NULL && channels > 1 && channel == NULL)
        g_string_append_printf(title, " (one of %u)", channels);
    g_string_append_printf(title, "  %" G_GINT64_FORMAT " frames, the newest of %.16s UTC",
                           name->frames, name->last_at);
    return g_string_free(title, FALSE);
}

/* ret_measure: what was asked for, or what there is. */
static Plate *ask(Postgres *postgres, const PlateName *name, const char *of_channel,
                  const char **ret_measure, GError **error) {
    *ret_measure = measure != NULL ? measure : "score";
    g_autoptr(Plate) values = plate_ask(postgres, name, of_channel, *ret_measure, pipeline, error);
    if (values == NULL || measure != NULL || plate_count(values, WELL_VALUE) > 0)
        return g_steal_pointer(&values);
    *ret_measure = "frames";
    return plate_ask(postgres, name, of_channel, *ret_measure, pipeline, error);
}

/* The whole page; g_free it. */
static char *page(Postgres *postgres, const Screen *screen, GError **error) {
    const char *of_channel, *of_measure;
    g_autoptr(PlateName) name = plate_find(postgres, plate, source, error);
    if (name == NULL || !plate_channel(name, channel, &of_channel, error))
        return NULL;
    g_autoptr(Plate) values = ask(postgres, name, of_channel, &of_measure, error);
    if (values == NULL)
        return NULL;
    gsize count;
    g_autofree double *numbers = plate_values(values, &count);
    ColourScale scale = colour_scale_make(numbers, count);
    g_autofree char *title = title_text(name, of_channel);
    g_autofree char *told = plate_ask_words(postgres, of_measure);
    g_autofree char *words = screen_plain(told);
    g_auto(GStrv) wells = well != NULL ? g_strsplit_set(well, ", ", -1) : NULL;
    const MapForm form = {values, &scale, title, words, wells};
    return map_text(&form, screen);
}

/* --- the subcommand --- */

static bool options_check(GError **error) {
    guint row, column;
    g_auto(GStrv) wells = well != NULL ? g_strsplit_set(well, ", ", -1) : NULL;
    for (char **one = wells; one != NULL && *one != NULL; one++)
        if (!well_read(*one, &row, &column))
            return fault_set(error, FAULT_USAGE, "--well %s: expected wells like A01,C12", well);
    return true;
}

/* A server that is away for a while is told on the page; what a person must put right ends it. */
static bool watch_page(const Settings *settings, Postgres *postgres, GError **error) {
    enum { AWAY_TIMEOUT_MS = 1000 };
    g_autofree char *last = NULL;
    Screen screen = screen_look();
    bool ok = true;
    screen_open(&screen);
    do {
        g_autoptr(GError) away = NULL;
        screen = screen_look();
        char *text = postgres_connect(postgres, AWAY_TIMEOUT_MS, &away)
                         ? page(postgres, &screen, &away)
                         : NULL;
        if (text == NULL && !fault_is(away, FAULT_AGAIN)) {
            g_propagate_error(error, g_steal_pointer(&away));
            ok = false;
            break;
        }
        g_autofree char *told = text == NULL ? g_strdup_printf("%s\n", away->message) : NULL;
        screen_show(&screen, text != NULL ? text : told);
        if (text != NULL) {
            g_free(last);
            last = text;
        }
    } while (program_sleep(EACH_MS));
    screen_close(&screen, ok ? last : NULL);
    return ok;
}

static bool map(const Settings *settings, GError **error) {
    g_autoptr(Postgres) postgres = options_check(error) ? person_connect(settings, error) : NULL;
    if (postgres == NULL)
        return false;
    if (watch)
        return watch_page(settings, postgres, error);
    Screen screen = screen_look();
    screen.lines = 0; /* what is too high scrolls */
    g_autofree char *text = page(postgres, &screen, error);
    if (text != NULL)
        fputs(text, stdout);
    return text != NULL;
}

int map_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    return map(settings, &error) ? EXIT_SUCCESS : program_fail(error);
}
