#include "store/pictures/order.h"
#include "store/pictures/sheet.h"
#include "store/progress.h"
#include <math.h>

static const char *channel_words(const char *channel) {
    return channel != NULL ? channel : "no channel";
}

static Sheet *sheet_for(const Order *order, const Plate *plate, guint tiles, double aspect,
                        const char *subtitle, GError **error) {
    g_autofree char *title = order_title(order), *remark = order_remark(order);
    const SheetForm form = {.rows = plate->rows,
                            .columns = plate->columns,
                            .panels = order->channel_count,
                            .cell = order->cell,
                            .tiles = MAX(1, tiles),
                            .aspect = aspect,
                            .title = title,
                            .subtitle = subtitle,
                            .remark = remark};
    return sheet_new(&form, error);
}

/* --- numbers --- */

static ColourScale value_scale(const Order *order, const Plate *plate) {
    gsize count;
    g_autofree double *values = plate_values(plate, &count);
    return order->range == RANGE_GIVEN
               ? colour_scale_between(order->low, order->high, values, count)
               : colour_scale_make(values, count);
}

static const char *value_subtitle(const Order *order) {
    if (g_str_equal(order->measure, "frames"))
        return "how many frames of each well are stored";
    if (g_str_equal(order->measure, "score"))
        return "the default model's score, the highest of each well's newest frames";
    return "of each well the median over the newest frame of each place";
}

static bool draw_panel_values(Sheet *sheet, const Order *order, guint panel, const Plate *plate,
                              OrderDone *done) {
    g_autofree char *words = plate_ask_words(order->postgres, order->measure);
    ColourScale scale = value_scale(order, plate);
    sheet_draw_values(sheet, panel, channel_words(order->channels[panel]), plate, &scale, words);
    done->wells += plate_count(plate, WELL_VALUE);
    done->outside += plate->outside;
    return true;
}

bool order_draw_values(const Order *order, OrderDone *ret_done, GError **error) {
    g_autoptr(Sheet) sheet = NULL;
    *ret_done = (OrderDone){0};
    for (guint panel = 0; panel < order->channel_count; panel++) {
        g_autoptr(Plate) plate = plate_ask(order->postgres, order->name, order->channels[panel],
                                           order->measure, order->pipeline, error);
        if (plate != NULL && sheet == NULL)
            sheet = sheet_for(order, plate, 1, 1, value_subtitle(order), error);
        if (plate == NULL || sheet == NULL ||
            !draw_panel_values(sheet, order, panel, plate, ret_done))
            return false;
    }
    return sheet != NULL && sheet_write(sheet, order->out, error);
}

/* --- pictures --- */

/* One channel's. */
typedef struct {
    const Order *order;
    Sheet *sheet;
    guint panel;
    const Plate *plate;
    const int *sites; /* of the tiles of a well, sorted; NULL: one tile */
    guint site_count;
    const ColourScale *greys; /* NULL: each its own */
    Progress *progress;
    gint64 *shown;
    OrderDone *done;
} Panel;

static int compare_sites(const void *one, const void *other) {
    int a = *(const int *)one, b = *(const int *)other;
    return (a > b) - (a < b);
}

/* The sites of any well, sorted; g_free it. */
static int *sites_of(const GPtrArray *shots, guint *ret_count) {
    int *sites = g_new(int, shots->len + 1);
    guint count = 0;
    for (guint i = 0; i < shots->len; i++)
        sites[i] = ((const Shot *)g_ptr_array_index(shots, i))->site;
    qsort(sites, shots->len, sizeof *sites, compare_sites);
    for (guint i = 0; i < shots->len; i++)
        if (i == 0 || sites[i] != sites[i - 1])
            sites[count++] = sites[i];
    *ret_count = count;
    return sites;
}

static bool shot_place(const Panel *panel, const Shot *shot, guint *ret_row, guint *ret_column,
                       guint *ret_tile) {
    const int *site = panel->sites != NULL ? bsearch(&shot->site, panel->sites, panel->site_count,
                                                     sizeof *panel->sites, compare_sites)
                                           : NULL;
    *ret_tile = site != NULL ? (guint)(site - panel->sites) : 0;
    return well_read(shot->well, ret_row, ret_column) && *ret_row < panel->plate->rows &&
           *ret_column < panel->plate->columns && (panel->sites == NULL || site != NULL);
}

/* What is known before any thumbnail is read. */
static void draw_unread(const Panel *panel, const GPtrArray *shots) {
    guint row, column, tile;
    for (guint i = 0; i < shots->len; i++) {
        const Shot *shot = g_ptr_array_index(shots, i);
        if (!shot_place(panel, shot, &row, &column, &tile) || shot->is_kept)
            continue;
        if (shot->is_ok) {
            sheet_draw_pale(panel->sheet, panel->panel, row, column, tile);
            panel->done->not_kept++;
        } else {
            sheet_draw_tile(panel->sheet, panel->panel, row, column, tile, NULL, NULL);
            panel->done->broken++;
        }
    }
}

static void draw_shot(const Shot *shot, const Picture *picture, const char *words, void *context) {
    Panel *panel = context;
    guint row, column, tile;
    guint8 shades[256];
    if (!shot_place(panel, shot, &row, &column, &tile))
        return;
    order_shades(shot, panel->greys, shades);
    sheet_draw_tile(panel->sheet, panel->panel, row, column, tile, picture, shades);
    *(picture != NULL ? &panel->done->pictures : &panel->done->broken) += 1;
    progress_show(panel->progress, ++*panel->shown);
}

static bool draw_panel_pictures(Panel *panel, const GPtrArray *shots, GError **error) {
    ColourScale greys;
    panel->greys = order_greys(panel->order, shots, &greys) ? &greys : NULL;
    guint broken = panel->done->broken, not_kept = panel->done->not_kept;
    sheet_draw_wells(panel->sheet, panel->panel,
                     channel_words(panel->order->channels[panel->panel]), panel->plate);
    draw_unread(panel, shots);
    if (!shots_each(panel->order->postgres, shots, draw_shot, panel, error))
        return false;
    sheet_draw_legend(panel->sheet, panel->panel, panel->plate, panel->greys,
                      order_grey_words(panel->order, panel->greys), panel->done->broken > broken,
                      panel->done->not_kept > not_kept);
    return true;
}

/* All that is asked before anything is drawn: of each channel its wells and shots. */
typedef struct {
    GPtrArray *plates, *shots; /* of Plate, of GPtrArray of Shot */
    char *choice;              /* in words */
    guint tiles;
    double aspect; /* of the first channel's */
    gint64 count;
} Asked;

static void asked_clear(Asked *asked) {
    g_clear_pointer(&asked->plates, g_ptr_array_unref);
    g_clear_pointer(&asked->shots, g_ptr_array_unref);
    g_clear_pointer(&asked->choice, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

static bool ask_channel(Asked *asked, const Order *order, const char *channel, GError **error) {
    ShotChoice choice = order->choice;
    if (!shots_choose(&choice, order->postgres, order->name, channel, error))
        return false;
    Plate *plate = plate_ask_wells(order->postgres, order->name, channel, error);
    if (plate == NULL)
        return false;
    g_ptr_array_add(asked->plates, plate);
    GPtrArray *shots = shots_ask(order->postgres, order->name, channel, &choice, error);
    if (shots == NULL)
        return false;
    g_ptr_array_add(asked->shots, shots);
    guint site_count;
    g_free(sites_of(shots, &site_count));
    asked->tiles = MAX(asked->tiles, choice.all_sites ? site_count : 1);
    asked->count += shots->len;
    if (asked->shots->len == 1)
        asked->aspect = shots_aspect(shots);
    if (asked->choice == NULL)
        asked->choice = shots_choice_text(&choice);
    return true;
}

static bool ask_all(Asked *asked, const Order *order, GError **error) {
    asked->plates = g_ptr_array_new_with_free_func((GDestroyNotify)plate_free);
    asked->shots = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint i = 0; i < order->channel_count; i++)
        if (!ask_channel(asked, order, order->channels[i], error))
            return false;
    return true;
}

static bool draw_asked(Sheet *sheet, const Order *order, const Asked *asked, OrderDone *done,
                       GError **error) {
    Progress progress = progress_begin(asked->count);
    gint64 shown = 0;
    bool ok = true;
    for (guint i = 0; ok && i < order->channel_count; i++) {
        const GPtrArray *shots = g_ptr_array_index(asked->shots, i);
        guint site_count;
        g_autofree int *sites = sites_of(shots, &site_count);
        Panel panel = {.order = order,
                       .sheet = sheet,
                       .panel = i,
                       .plate = g_ptr_array_index(asked->plates, i),
                       .sites = order->choice.all_sites ? sites : NULL,
                       .site_count = site_count,
                       .progress = &progress,
                       .shown = &shown,
                       .done = done};
        ok = draw_panel_pictures(&panel, shots, error);
        done->outside += panel.plate->outside;
    }
    progress_end(&progress);
    return ok;
}

bool order_draw_pictures(const Order *order, OrderDone *ret_done, GError **error) {
    g_auto(Asked) asked = {0};
    *ret_done = (OrderDone){0};
    if (!ask_all(&asked, order, error))
        return false;
    g_autoptr(Sheet) sheet = sheet_for(order, g_ptr_array_index(asked.plates, 0), asked.tiles,
                                       asked.aspect, asked.choice, error);
    return sheet != NULL && draw_asked(sheet, order, &asked, ret_done, error) &&
           sheet_write(sheet, order->out, error);
}
