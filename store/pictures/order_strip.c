#include "store/pictures/order.h"
#include "store/pictures/strip.h"
#include "store/progress.h"
#include <math.h>

/* The pictures of one row: a channel's, or a site's. */
typedef struct {
    const char *name;
    GPtrArray *shots; /* of Shot, by time; borrowed from all */
} Row;

static void row_free(gpointer data) {
    Row *row = data;
    g_ptr_array_unref(row->shots);
    g_free((char *)row->name);
    g_free(row);
}

typedef struct {
    const Order *order;
    GPtrArray *all;  /* of GPtrArray of Shot: what was asked */
    GPtrArray *rows; /* of Row */
    bool is_counted; /* columns are time points; else the pictures of each row as they came */
    int *times;      /* time points of the columns, sorted; NULL unless they are counted */
    guint columns;
    guint each; /* one in so many is shown */
    char *choice;
    Strip *strip;
    const Row *row; /* while it is drawn */
    guint row_index;
    const ColourScale *greys;
    Progress progress;
    gint64 shown;
    guint gaps;
    OrderDone *done;
} Making;

static void making_clear(Making *making) {
    g_clear_pointer(&making->rows, g_ptr_array_unref);
    g_clear_pointer(&making->all, g_ptr_array_unref);
    g_free(making->times);
    g_free(making->choice);
    strip_free(making->strip);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Making, making_clear)

/* --- rows --- */

static Row *row_add(Making *making, char *name) {
    Row *row = g_new0(Row, 1);
    row->name = name;
    row->shots = g_ptr_array_new();
    g_ptr_array_add(making->rows, row);
    return row;
}

/* Shots come by site, and by time within it. */
static void add_rows(Making *making, const char *channel, const GPtrArray *shots) {
    bool by_site = making->order->choice.all_sites;
    const char *name = channel != NULL ? channel : "no channel";
    Row *row = NULL;
    int site = SHOTS_UNKNOWN;
    for (guint i = 0; i < shots->len; i++) {
        Shot *shot = g_ptr_array_index(shots, i);
        if (row == NULL || (by_site && shot->site != site))
            row = row_add(making,
                          by_site ? g_strdup_printf("%s %d", name, shot->site) : g_strdup(name));
        site = shot->site;
        g_ptr_array_add(row->shots, shot);
    }
}

static bool ask_rows(Making *making, GError **error) {
    const Order *order = making->order;
    making->all = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    making->rows = g_ptr_array_new_with_free_func(row_free);
    for (guint i = 0; i < order->channel_count; i++) {
        ShotChoice choice = order->choice;
        if (!shots_choose(&choice, order->postgres, order->name, order->channels[i], error))
            return false;
        GPtrArray *shots =
            shots_ask(order->postgres, order->name, order->channels[i], &choice, error);
        if (shots == NULL)
            return false;
        g_ptr_array_add(making->all, shots);
        add_rows(making, order->channels[i], shots);
        if (making->choice == NULL)
            making->choice = shots_choice_text(&choice);
    }
    return making->rows->len > 0 ||
           fault_set(error, FAULT_USAGE, "plate %s has no frame of well %s", order->name->plate,
                     order->choice.well);
}

/* --- columns --- */

static int compare_times(const void *one, const void *other) {
    int a = *(const int *)one, b = *(const int *)other;
    return (a > b) - (a < b);
}

/* Every time point of any row. */
static GArray *times_of(const Making *making) {
    GArray *times = g_array_new(FALSE, FALSE, sizeof(int));
    for (guint r = 0; r < making->rows->len; r++) {
        const Row *row = g_ptr_array_index(making->rows, r);
        for (guint i = 0; i < row->shots->len; i++)
            g_array_append_val(times, ((Shot *)g_ptr_array_index(row->shots, i))->t);
    }
    g_array_sort(times, compare_times);
    guint kept = 0;
    for (guint i = 0; i < times->len; i++)
        if (i == 0 || g_array_index(times, int, i) != g_array_index(times, int, i - 1))
            g_array_index(times, int, kept++) = g_array_index(times, int, i);
    g_array_set_size(times, kept);
    return times;
}

/* Time points that are missing between others get a column too, unless the instrument counts in
 * large steps. */
static void fill_gaps(GArray *times) {
    int first = g_array_index(times, int, 0), last = g_array_index(times, int, times->len - 1);
    gint64 span = (gint64)last - first + 1;
    if (span > 2 * (gint64)times->len)
        return;
    g_array_set_size(times, (guint)span);
    for (int i = 0; i < span; i++)
        g_array_index(times, int, i) = first + i;
}

static void make_columns(Making *making) {
    GArray *times = times_of(making);
    guint columns = 0;
    for (guint r = 0; r < making->rows->len; r++)
        columns = MAX(columns, ((Row *)g_ptr_array_index(making->rows, r))->shots->len);
    making->is_counted = times->len > 0 && g_array_index(times, int, 0) != SHOTS_UNKNOWN;
    if (making->is_counted)
        fill_gaps(times);
    making->columns = making->is_counted ? times->len : columns;
    making->times = (int *)(void *)g_array_free(times, FALSE);
    making->each = (making->columns + STRIP_TIMES_MOST - 1) / STRIP_TIMES_MOST;
    making->columns = (making->columns + making->each - 1) / making->each;
}

/* false: it is one of those left out. */
static bool column_of(const Making *making, const Shot *shot, guint place, guint *ret_column) {
    if (making->is_counted) {
        guint i = 0;
        for (; making->times[i * making->each] != shot->t; i++)
            if (i + 1 >= making->columns)
                return false;
        *ret_column = i;
        return true;
    }
    *ret_column = place / making->each;
    return place % making->each == 0;
}

/* --- times in words --- */

/* "+45 s", "+35 min", "+3 h 05", "+2 d 4 h"; g_free it. */
static char *ago_text(gint64 us) {
    gint64 s = us / G_USEC_PER_SEC;
    if (s < 120)
        return g_strdup_printf("+%" G_GINT64_FORMAT " s", s);
    if (s < 7200)
        return g_strdup_printf("+%" G_GINT64_FORMAT " min", s / 60);
    if (s < 48 * 3600)
        return g_strdup_printf("+%" G_GINT64_FORMAT " h %02d", s / 3600, (int)(s / 60 % 60));
    return g_strdup_printf("+%" G_GINT64_FORMAT " d %d h", s / 86400, (int)(s / 3600 % 24));
}

static char *moment_text(gint64 us) {
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    return at != NULL ? g_date_time_format(at, "%Y-%m-%d %H:%M") : g_strdup("?");
}

/* Of the first row that has a picture there. */
static void draw_times(Making *making) {
    g_autofree gint64 *at_us = g_new0(gint64, making->columns);
    gint64 first_us = G_MAXINT64;
    for (guint r = making->rows->len; r-- > 0;) {
        const Row *row = g_ptr_array_index(making->rows, r);
        for (guint i = 0, column; i < row->shots->len; i++) {
            const Shot *shot = g_ptr_array_index(row->shots, i);
            first_us = MIN(first_us, shot->acquired_us);
            if (column_of(making, shot, i, &column))
                at_us[column] = shot->acquired_us;
        }
    }
    for (guint column = 0; column < making->columns; column++) {
        guint place = column * making->each;
        g_autofree char *name =
            g_strdup_printf("t %d", making->is_counted ? making->times[place] : (int)place + 1);
        g_autofree char *ago = at_us[column] == 0 ? g_strdup("")
                               : column == 0      ? moment_text(at_us[column])
                                                  : ago_text(MAX(0, at_us[column] - first_us));
        strip_draw_time(making->strip, column, name, ago);
    }
}

/* --- pictures --- */

static guint place_in_row(const Row *row, const Shot *shot) {
    guint place;
    return g_ptr_array_find(row->shots, shot, &place) ? place : 0;
}

static void draw_shot(const Shot *shot, const Picture *picture, const char *words, void *context) {
    Making *making = context;
    guint column;
    guint8 shades[256];
    if (!column_of(making, shot, place_in_row(making->row, shot), &column))
        return;
    order_shades(shot, making->greys, shades);
    strip_draw_picture(making->strip, making->row_index, column, picture, shades);
    *(picture != NULL ? &making->done->pictures : &making->done->broken) += 1;
    progress_show(&making->progress, ++making->shown);
}

static void draw_unread(Making *making) {
    guint column, seen = 0;
    for (guint i = 0; i < making->row->shots->len; i++) {
        const Shot *shot = g_ptr_array_index(making->row->shots, i);
        if (!column_of(making, shot, i, &column))
            continue;
        seen++;
        if (shot->is_kept)
            continue;
        if (shot->is_ok)
            strip_draw_pale(making->strip, making->row_index, column);
        else
            strip_draw_picture(making->strip, making->row_index, column, NULL, NULL);
        *(shot->is_ok ? &making->done->not_kept : &making->done->broken) += 1;
    }
    making->gaps += making->columns - MIN(seen, making->columns);
}

static bool draw_row(Making *making, guint index, GError **error) {
    ColourScale greys;
    making->row_index = index;
    making->row = g_ptr_array_index(making->rows, index);
    making->greys = order_greys(making->order, making->row->shots, &greys) ? &greys : NULL;
    strip_draw_row_name(making->strip, index, making->row->name);
    draw_unread(making);
    g_autofree char *words = g_strdup_printf("%s: %s", making->row->name,
                                             order_grey_words(making->order, making->greys));
    strip_draw_legend(making->strip, index, making->greys, words);
    return shots_each(making->order->postgres, making->row->shots, draw_shot, making, error);
}

static Strip *strip_for(const Making *making, GError **error) {
    const Order *order = making->order;
    g_autofree char *left_out =
        making->each > 1 ? g_strdup_printf(", one in %u shown", making->each) : NULL;
    g_autofree char *title = order_title(order);
    g_autofree char *remark = order_remark(order);
    g_autofree char *subtitle = g_strconcat(making->choice, left_out != NULL ? left_out : "", NULL);
    const StripForm form = {.rows = making->rows->len,
                            .times = making->columns,
                            .cell = order->cell,
                            .aspect = shots_aspect(g_ptr_array_index(making->all, 0)),
                            .title = title,
                            .subtitle = subtitle,
                            .remark = remark};
    return strip_new(&form, error);
}

bool order_draw_strip(const Order *order, OrderDone *ret_done, GError **error) {
    g_auto(Making) making = {.order = order, .done = ret_done};
    *ret_done = (OrderDone){0};
    if (!ask_rows(&making, error))
        return false;
    make_columns(&making);
    making.strip = strip_for(&making, error);
    if (making.strip == NULL)
        return false;
    draw_times(&making);
    making.progress = progress_begin((gint64)making.columns * making.rows->len);
    bool ok = true;
    for (guint i = 0; ok && i < making.rows->len; i++)
        ok = draw_row(&making, i, error);
    progress_end(&making.progress);
    strip_draw_samples(making.strip, ret_done->broken > 0, ret_done->not_kept > 0, making.gaps > 0);
    return ok && strip_write(making.strip, order->out, error);
}
