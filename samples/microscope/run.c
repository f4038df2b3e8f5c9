#include "samples/microscope/run.h"

#include "samples/microscope/orders.h"
#include "samples/microscope/stopping.h"
#include "samples/microscope/taking.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was done at a site of the plate on the stage. */
typedef struct {
    guint imaged; /* times, without those again */
    guint again;
    bool is_skipped;
} Site;

struct Run {
    const Options *options;
    Taking *taking;
    Orders *orders; /* NULL without --obey */
    bool is_told_to_stop;
    Site *sites;   /* well after well, of the plate on the stage */
    guint64 plate; /* on the stage; counts from 0 */
};

/* --- sites --- */

/* How often a site has its turn: a file of a whole site holds all times. */
static guint times_wanted(const Plate *plate) {
    return plate->stack == STACK_SITE ? 1 : plate->ts;
}

static void plate_change(Run *run, guint64 plate) {
    gsize sites = (gsize)run->options->plate.wells->len * run->options->plate.sites;
    memset(run->sites, 0, sites * sizeof *run->sites);
    run->plate = plate;
}

/* Whoever imaged again into this folder before keeps his files. */
static guint again_next(const Run *run, guint64 first, guint again) {
    do
        again++;
    while (taking_stands(run->taking, first, again));
    return again;
}

/* All files of a site at one time, one after the other. */
static bool site_take(Run *run, const Place *place, GError **error) {
    const Plate *plate = &run->options->plate;
    const guint64 first = plate_first_file(plate, place), end = first + plate_site_files(plate);
    bool goes_well = true;
    for (guint64 number = first; goes_well && number < end && !stopping(); number++)
        goes_well = taking_file(run->taking, number, place->again, place->focus_nm, error);
    return goes_well;
}

/* --- orders --- */

static void answer(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void answer(const char *format, ...) {
    va_list words;
    va_start(words, format);
    vprintf(format, words);
    va_end(words);
    fflush(stdout);
}

/* The sites an order is for, by number, well after well: from *ret_first up to what is returned,
 * not included. */
static guint order_sites(const Run *run, const Order *order, guint *ret_first) {
    const Plate *plate = &run->options->plate;
    const bool is_plate = order->well_index == ALL, is_site = order->site != ALL;
    *ret_first = is_plate ? 0 : order->well_index * plate->sites + (is_site ? order->site : 0);
    return is_plate ? plate->wells->len * plate->sites : *ret_first + (is_site ? 1 : plate->sites);
}

/* Once more where it was imaged; what was not is imaged in its place of the plan. */
static Place site_place(Run *run, const Order *order, guint number) {
    const guint sites = run->options->plate.sites;
    Site *site = run->sites + number;
    Place place = {.plate = run->plate,
                   .well_index = number / sites,
                   .site = number % sites,
                   .t = site->imaged,
                   .focus_nm = order->focus_nm};
    if (order->kind == ORDER_IMAGE || site->imaged == 0) {
        site->imaged++;
        return place;
    }
    place.t--;
    site->again = again_next(run, plate_first_file(&run->options->plate, &place), site->again);
    place.again = site->again;
    return place;
}

static bool order_image(Run *run, const Order *order, const char *line, GError **error) {
    const guint times = times_wanted(&run->options->plate);
    guint first, end = order_sites(run, order, &first), sites = 0, again = 0;
    for (guint number = first; number < end && !stopping(); number++) {
        bool is_done = run->sites[number].imaged == times;
        if (order->kind == ORDER_IMAGE && is_done)
            continue;
        Place place = site_place(run, order, number);
        if (!site_take(run, &place, error))
            return false;
        again = MAX(again, place.again);
        sites++;
    }
    if (sites > 0)
        answer("ok %s files=%" G_GUINT64_FORMAT " again=%u\n", line,
               sites * plate_site_files(&run->options->plate), again);
    else
        answer("refused %s: was imaged already, say image_again\n", line);
    return true;
}

static void order_skip(Run *run, const Order *order, const char *line) {
    guint first, end = order_sites(run, order, &first);
    for (guint number = first; number < end; number++)
        run->sites[number].is_skipped = order->kind == ORDER_SKIP;
    answer("ok %s\n", line);
}

/* G_FILE_ERROR; an order that cannot be followed is answered, and no error. */
static bool order_follow(Run *run, const char *text, GError **error) {
    g_autofree char *plate_name = taking_plate(run->taking, run->plate);
    const OrderStage stage = {&run->options->plate, run->options->naming, plate_name};
    g_autofree char *line = g_utf8_make_valid(text, -1);
    g_autoptr(GError) wrong = NULL;
    Order order;
    g_strstrip(line);
    if (!order_parse(line, &stage, &order, &wrong)) {
        answer("refused %s: %s\n", line, wrong->message);
        return true;
    }
    switch (order.kind) {
    case ORDER_IMAGE:
    case ORDER_IMAGE_AGAIN: return order_image(run, &order, line, error);
    case ORDER_STOP:
        run->is_told_to_stop = true;
        answer("ok stop\n");
        return true;
    default: order_skip(run, &order, line); return true;
    }
}

static bool is_to_end(const Run *run) {
    return stopping() || run->is_told_to_stop;
}

/* Follows what has come in; empty lines say nothing. */
static bool orders_follow(Run *run, gint64 wait_ms, bool *ret_any, GError **error) {
    bool goes_well = true;
    *ret_any = false;
    while (goes_well && !is_to_end(run)) {
        g_autofree char *line = orders_next(run->orders, *ret_any ? 0 : wait_ms);
        if (!line)
            break;
        *ret_any = true;
        goes_well = *line == '\0' || order_follow(run, line, error);
    }
    return goes_well;
}

/* The plate is done; somebody may want some of it again. */
static bool linger(Run *run, GError **error) {
    const gint64 linger_ms = run->options->linger_ms;
    gint64 last_us = g_get_monotonic_time();
    bool goes_well = true, any;
    while (goes_well && !is_to_end(run) && !orders_ended(run->orders)) {
        goes_well = orders_follow(run, 100, &any, error);
        gint64 now_us = g_get_monotonic_time();
        if (any)
            last_us = now_us;
        if (linger_ms >= 0 && now_us - last_us >= linger_ms * 1000)
            break;
    }
    return goes_well;
}

/* --- the run --- */

Run *run_new(const Options *options, GError **error) {
    g_autoptr(Run) run = g_new0(Run, 1);
    run->options = options;
    run->orders = options->obeys ? orders_new(STDIN_FILENO) : NULL;
    run->sites = g_new0(Site, (gsize)options->plate.wells->len * options->plate.sites);
    run->taking = taking_new(options, error);
    return run->taking ? g_steal_pointer(&run) : NULL;
}

void run_free(Run *run) {
    if (!run)
        return;
    taking_free(run->taking);
    orders_free(run->orders);
    g_free(run->sites);
    g_free(run);
}

static guint64 files_wanted(const Options *options) {
    guint64 pages = plate_pages(&options->plate);
    guint64 files = options->loops ? G_MAXUINT64 : plate_files(&options->plate);
    if (options->waits)
        return 0;
    if (options->frames == 0)
        return files;
    return MIN(files, ((guint64)options->frames + pages - 1) / pages);
}

/* Whether the site that begins now is to be imaged: it may have been already, or be skipped. */
static bool site_begin(Run *run, const Place *place) {
    if (place->plate != run->plate)
        plate_change(run, place->plate);
    Site *site = run->sites + place->well_index * run->options->plate.sites + place->site;
    const guint t = run->options->plate.stack == STACK_SITE ? 0 : place->t;
    if (site->is_skipped || t < site->imaged)
        return false;
    site->imaged = t + 1;
    return true;
}

/* Orders are followed between two sites. */
static bool plan_follow(Run *run, guint64 files, GError **error) {
    const guint64 site_files = plate_site_files(&run->options->plate);
    bool goes_well = true, is_wanted = true, any;
    for (guint64 number = 0; goes_well && number < files && !is_to_end(run); number++) {
        if (number % site_files == 0) {
            goes_well = !run->orders || orders_follow(run, 0, &any, error);
            Place place = plate_place(&run->options->plate, number, 0);
            is_wanted = goes_well && !is_to_end(run) && site_begin(run, &place);
        }
        if (is_wanted)
            goes_well = taking_file(run->taking, number, 0, 0, error);
    }
    return goes_well;
}

bool run_plate(Run *run, GError **error) {
    const guint64 files = files_wanted(run->options);
    taking_begin(run->taking, files);
    bool goes_well = plan_follow(run, files, error) && (!run->orders || linger(run, error));
    taking_end(run->taking);
    return goes_well;
}
