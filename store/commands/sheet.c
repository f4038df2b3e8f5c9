#include "store/commands/commands.h"
#include "store/person.h"
#include "store/pictures/order.h"
#include "stream/program.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *plate, *source, *channel, *measure, *pipeline, *out, *range, *site, *plane, *point,
    *well;
static gboolean all, strip;
static int cell;

/* Names of people are taken as they come, in UTF-8, whatever the locale is. */
const GOptionEntry sheet_options[] = {
    {"plate", 0, 0, G_OPTION_ARG_FILENAME, &plate, "of this plate (default: the newest)", "PLATE"},
    {"source", 0, 0, G_OPTION_ARG_FILENAME, &source,
     "of this source, where several have such a plate", "NAME"},
    {"channel", 0, 0, G_OPTION_ARG_FILENAME, &channel, "of this channel (default: the first)",
     "CHANNEL"},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all, "of all channels, one below the other", NULL},
    {"measure", 0, 0, G_OPTION_ARG_FILENAME, &measure,
     "numbers as colours: a measure, score or frames (default: thumbnails)", "MEASURE"},
    {"pipeline", 0, 0, G_OPTION_ARG_FILENAME, &pipeline,
     "with --measure: as this pipeline measured it (default: the last one)", "NAME"},
    {"strip", 0, 0, G_OPTION_ARG_NONE, &strip, "a well over time, as a strip", NULL},
    {"well", 0, 0, G_OPTION_ARG_FILENAME, &well, "with --strip: the well", "WELL"},
    {"site", 0, 0, G_OPTION_ARG_FILENAME, &site,
     "thumbnails of this site, or all (default: the first)", "SITE"},
    {"z", 0, 0, G_OPTION_ARG_FILENAME, &plane,
     "thumbnails of this focal plane (default: the middle one)", "Z"},
    {"t", 0, 0, G_OPTION_ARG_FILENAME, &point,
     "thumbnails of this time point (default: each well's newest)", "T"},
    {"range", 0, 0, G_OPTION_ARG_FILENAME, &range,
     "what the darkest and the brightest stand for: plate, one for all wells (default); each, "
     "every "
     "thumbnail its own; or LOW:HIGH",
     "RANGE"},
    {"cell", 0, 0, G_OPTION_ARG_INT, &cell, "side of a well in pixels, 16 to 1024", "PIXELS"},
    {"out", 0, 0, G_OPTION_ARG_FILENAME, &out,
     "file to write, or to replace; -: standard output (default: named after the plate)",
     "FILE.png"},
    {0},
};

/* --- what was asked for --- */

static bool read_place(const char *option, const char *text, int *ret_place, GError **error) {
    gint64 number;
    *ret_place = SHOTS_UNKNOWN;
    if (text == NULL)
        return true;
    if (!g_ascii_string_to_signed(text, 10, -1000000, G_MAXINT32, &number, NULL))
        return fault_set(error, FAULT_USAGE, "--%s %s: expected a whole number%s", option, text,
                         g_str_equal(option, "site") ? ", or all" : "");
    *ret_place = (int)number;
    return true;
}

static bool read_choice(ShotChoice *choice, GError **error) {
    *choice = (ShotChoice){.well = strip ? well : NULL, .all_times = strip};
    choice->all_sites = g_strcmp0(site, "all") == 0;
    return read_place("site", choice->all_sites ? NULL : site, &choice->site, error) &&
           read_place("z", plane, &choice->z, error) && read_place("t", point, &choice->t, error);
}

/* LOW:HIGH */
static bool read_bounds(const char *text, double *ret_low, double *ret_high) {
    char *end;
    *ret_low = g_ascii_strtod(text, &end);
    if (end == text || *end != ':')
        return false;
    const char *second = end + 1;
    *ret_high = g_ascii_strtod(second, &end);
    return end != second && *end == '\0' && isfinite(*ret_low) && isfinite(*ret_high) &&
           *ret_low < *ret_high;
}

static bool read_range(Order *order, GError **error) {
    order->range = RANGE_PLATE;
    if (range == NULL || g_str_equal(range, "plate"))
        return true;
    order->range = RANGE_EACH;
    if (g_str_equal(range, "each"))
        return measure == NULL ||
               fault_set(error, FAULT_USAGE,
                         "--range each is for thumbnails; numbers share one scale: plate, or "
                         "LOW:HIGH");
    order->range = RANGE_GIVEN;
    return read_bounds(range, &order->low, &order->high) ||
           fault_set(error, FAULT_USAGE,
                     "--range %s: expected plate, each, or LOW:HIGH like 0.1:0.5, LOW below HIGH",
                     range);
}

/* Fails if one of two that exclude each other is given beside the other. */
static bool both_given(const char *one, bool has_one, const char *other, bool has_other,
                       GError **error) {
    return !(has_one && has_other) ||
           fault_set(error, FAULT_USAGE, "--%s and --%s do not go together", one, other);
}

static bool options_check(GError **error) {
    guint row, column;
    if (!both_given("channel", channel != NULL, "all", all, error) ||
        !both_given("strip", strip, "measure", measure != NULL, error) ||
        !both_given("strip", strip, "t", point != NULL, error) ||
        !both_given("site", site != NULL, "measure", measure != NULL, error) ||
        !both_given("z", plane != NULL, "measure", measure != NULL, error) ||
        !both_given("t", point != NULL, "measure", measure != NULL, error))
        return false;
    if (strip != (well != NULL))
        return fault_set(error, FAULT_USAGE,
                         strip ? "--strip shows one well over time: name it with --well"
                               : "--well is for --strip, which shows one well over time");
    if (well != NULL && !well_read(well, &row, &column))
        return fault_set(error, FAULT_USAGE, "--well %s: expected A01 to AF48", well);
    if (cell != 0 && (cell < 16 || cell > 1024))
        return fault_set(error, FAULT_USAGE, "--cell %d: expected 16 to 1024 pixels", cell);
    if (g_strcmp0(out, "-") == 0 && isatty(STDOUT_FILENO))
        return fault_set(error, FAULT_USAGE,
                         "--out -: a picture is nothing for a terminal; send it to a file or "
                         "another program");
    return true;
}

/* --- names --- */

/* What may stand in a file's name, whatever the plate is called. */
static void add_plainly(GString *name, const char *text) {
    enum { LONGEST = 60 };
    if (text == NULL)
        return;
    if (name->len > 0)
        g_string_append_c(name, '_');
    for (gsize i = 0; text[i] != '\0' && i < LONGEST; i++)
        g_string_append_c(name, g_ascii_isalnum(text[i]) || strchr("-+", text[i]) != NULL ? text[i]
                                                                                          : '_');
}

static char *file_name(const Order *order) {
    GString *name = g_string_new(NULL);
    add_plainly(name, order->name->plate);
    add_plainly(name, order->choice.well);
    add_plainly(name, order->channel_count == 1 ? order->channels[0] : NULL);
    add_plainly(name, order->measure);
    add_plainly(name, order->choice.all_sites ? "all-sites" : NULL);
    g_string_append(name, ".png");
    return g_string_free(name, FALSE);
}

/* As it is written in the database: a1 is A01. */
static char *well_plainly(void) {
    guint row, column;
    return well != NULL && well_read(well, &row, &column) ? well_name(row, column) : NULL;
}

/* --- the subcommand --- */

static void tell(const Order *order, const OrderDone *done) {
    FILE *to = g_str_equal(order->out, "-") ? stderr : stdout;
    fprintf(to, "%s: ", g_str_equal(order->out, "-") ? "standard output" : order->out);
    if (order->measure != NULL)
        fprintf(to, "%u well%s with a number", done->wells, done->wells == 1 ? "" : "s");
    else
        fprintf(to, "%u picture%s", done->pictures, done->pictures == 1 ? "" : "s");
    if (done->broken > 0)
        fprintf(to, ", %u broken", done->broken);
    if (done->not_kept > 0)
        fprintf(to, ", %u not kept", done->not_kept);
    if (done->outside > 0)
        fprintf(to, ", %u wells that no plate has left out", done->outside);
    fputc('\n', to);
}

/* Which of several it took, where nobody said. */
static void tell_channel(const Order *order) {
    guint there = g_strv_length(order->name->channels);
    if (channel == NULL && !all && there > 1)
        fprintf(stderr, "channel %s of %u; --channel names another, --all shows all\n",
                order->channels[0], there);
}

static bool draw(Order *order, GError **error) {
    OrderDone done;
    g_autofree char *named = file_name(order);
    order->out = out != NULL ? out : named;
    bool ok = order->measure != NULL ? order_draw_values(order, &done, error)
              : strip                ? order_draw_strip(order, &done, error)
                                     : order_draw_pictures(order, &done, error);
    if (ok) {
        tell_channel(order);
        tell(order, &done);
    }
    return ok;
}

static bool sheet(const Settings *settings, GError **error) {
    Order order = {.measure = measure, .pipeline = pipeline, .cell = (guint)MAX(0, cell)};
    g_autofree char *plain_well = well_plainly();
    const char *one[1];
    if (!options_check(error) || !read_range(&order, error) || !read_choice(&order.choice, error))
        return false;
    order.choice.well = plain_well;
    g_autoptr(Postgres) postgres = person_connect(settings, error);
    g_autoptr(PlateName) name =
        postgres != NULL ? plate_find(postgres, plate, source, error) : NULL;
    if (name == NULL || !plate_channel(name, channel, &one[0], error))
        return false;
    bool takes_all = all && name->channels[0] != NULL;
    order.postgres = postgres;
    order.name = name;
    order.channels = takes_all ? (const char **)name->channels : one;
    order.channel_count = takes_all ? g_strv_length(name->channels) : 1;
    return draw(&order, error);
}

int sheet_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    return sheet(settings, &error) ? EXIT_SUCCESS : program_fail(error);
}
