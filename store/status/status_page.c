#include "store/status/status_page.h"
#include <math.h>
#include <string.h>

enum { ALERTS_SHOWN = 6, PLATES_SHOWN = 4, UNDER_WAY_S = 3600 };

static void alert_free(gpointer data) {
    StatusAlert *alert = data;
    g_free(alert->severity);
    g_free(alert->at);
    g_free(alert->title);
    g_free(alert);
}

static void plate_free(gpointer data) {
    StatusPlate *plate = data;
    g_free(plate->name);
    g_free(plate);
}

StatusPage *status_page_new(void) {
    StatusPage *page = g_new0(StatusPage, 1);
    for (guint i = 0; i < STATUS_RATES; i++)
        page->rates[i] = NAN;
    page->alerts_open = FIGURE_UNKNOWN;
    page->alerts = g_ptr_array_new_with_free_func(alert_free);
    page->plates = g_ptr_array_new_with_free_func(plate_free);
    return page;
}

void status_page_free(StatusPage *page) {
    if (page == NULL)
        return;
    g_ptr_array_unref(page->alerts);
    g_ptr_array_unref(page->plates);
    g_free(page);
}

/* --- asking --- */

void status_page_add_rate(StatusPage *page, gint64 until_s, double rate) {
    gint64 steps =
        page->rates_until_s == 0 ? 1 : (until_s - page->rates_until_s) / STATUS_RATE_EACH_S;
    if (steps <= 0)
        return;
    gsize kept = (gsize)MAX(0, STATUS_RATES - steps);
    memmove(page->rates, page->rates + STATUS_RATES - kept, kept * sizeof *page->rates);
    for (gsize i = kept; i < STATUS_RATES; i++)
        page->rates[i] = NAN;
    page->rates[STATUS_RATES - 1] = rate;
    page->rates_until_s = until_s;
}

/* Whole steps of time alone, each counted once; all of them the first time. */
static bool ask_rates(StatusPage *page, Postgres *postgres) {
    g_autofree char *since = g_strdup_printf("%" G_GINT64_FORMAT, page->rates_until_s);
    const char *parameters[] = {since};
    g_autofree char *sql = g_strdup_printf(
        "select until_s, (select count(*) from scopestream.frames where stored_at >= "
        "to_timestamp(until_s - %1$d) and stored_at < to_timestamp(until_s)) from "
        "(select generate_series(greatest($1::bigint + %1$d, whole_s - %2$d), whole_s, %1$d) "
        "as until_s from (select floor(extract(epoch from now()) / %1$d)::bigint * %1$d as "
        "whole_s) w) s order by 1",
        STATUS_RATE_EACH_S, STATUS_RATE_EACH_S * (STATUS_RATES - 1));
    g_autoptr(PostgresRows) rows = postgres_ask(postgres, sql, parameters, 1, NULL);
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++)
        status_page_add_rate(page, postgres_count(rows, row, 0),
                             (double)postgres_count(rows, row, 1) / STATUS_RATE_EACH_S);
    return rows != NULL;
}

static char *plain_text(const PostgresRows *rows, int row, int column) {
    const char *text = postgres_text(rows, row, column);
    return screen_plain(text != NULL ? text : "");
}

static bool ask_alerts(StatusPage *page, Postgres *postgres) {
    g_autoptr(PostgresRows) rows = postgres_ask(
        postgres,
        "select severity, to_char(opened_at, 'DD Mon HH24:MI'), title, state = 'acknowledged', "
        "count(*) over () from scopestream.alerts where state <> 'closed' "
        "order by array_position('{critical,warning,info}'::text[], severity), opened_at desc, "
        "alert_id limit 6",
        NULL, 0, NULL);
    if (rows == NULL)
        return false;
    page->alerts_open = PQntuples(rows) > 0 ? postgres_count(rows, 0, 4) : 0;
    for (int row = 0; row < MIN(PQntuples(rows), ALERTS_SHOWN); row++) {
        StatusAlert *alert = g_new0(StatusAlert, 1);
        alert->severity = plain_text(rows, row, 0);
        alert->at = plain_text(rows, row, 1);
        alert->title = plain_text(rows, row, 2);
        alert->is_acknowledged = g_str_equal(postgres_text(rows, row, 3), "t");
        g_ptr_array_add(page->alerts, alert);
    }
    return true;
}

static bool ask_plates(StatusPage *page, Postgres *postgres) {
    g_autoptr(PostgresRows) rows = postgres_ask(
        postgres,
        "select plate, frames, failed, cardinality(channels), "
        "extract(epoch from now() - last_acquired_at) from scopestream.plates "
        "where plate is not null order by last_acquired_at > now() + interval '1 day', "
        "last_acquired_at desc limit 4", /* of tomorrow: of a wrong clock */
        NULL, 0, NULL);
    for (int row = 0; rows != NULL && row < MIN(PQntuples(rows), PLATES_SHOWN); row++) {
        StatusPlate *plate = g_new0(StatusPlate, 1);
        plate->name = plain_text(rows, row, 0);
        plate->frames = postgres_count(rows, row, 1);
        plate->failed = postgres_count(rows, row, 2);
        plate->channels = postgres_count(rows, row, 3);
        plate->ago_s = postgres_number(rows, row, 4);
        g_ptr_array_add(page->plates, plate);
    }
    return rows != NULL;
}

void status_page_ask(StatusPage *page, Postgres *postgres) {
    page->alerts_open = FIGURE_UNKNOWN;
    g_ptr_array_set_size(page->alerts, 0);
    g_ptr_array_set_size(page->plates, 0);
    if (postgres_is_connected(postgres) && ask_rates(page, postgres) && ask_alerts(page, postgres))
        ask_plates(page, postgres);
}

/* --- drawing --- */

typedef struct {
    const StatusPage *page;
    const Figures *figures;
    const Screen *screen;
    GString *text;
} Drawing;

static void add_styled(const Drawing *drawing, const char *style, const char *words) {
    bool is_styled = drawing->screen->colours != COLOURS_NONE && *style != '\0';
    g_string_append_printf(drawing->text, "%s%s%s%s%s", is_styled ? "\033[" : "",
                           is_styled ? style : "", is_styled ? "m" : "", words,
                           is_styled ? "\033[0m" : "");
}

static void add_repeated(GString *text, const char *letter, int times) {
    for (int i = 0; i < times; i++)
        g_string_append(text, letter);
}

/* Against the longest of those that wait: what is stored only grows. At least one letter for what
 * is not nothing. */
static void add_bar(const Drawing *drawing, gint64 count, gint64 greatest, int width) {
    if (count <= 0 || width <= 0)
        return;
    int filled = (int)((double)count / (double)greatest * width);
    g_string_append(drawing->text, "  ");
    if (drawing->screen->colours != COLOURS_NONE)
        g_string_append(drawing->text, "\033[36m");
    add_repeated(drawing->text, drawing->screen->has_unicode ? "\u2588" : "#",
                 CLAMP(filled, 1, width));
    if (drawing->screen->colours != COLOURS_NONE)
        g_string_append(drawing->text, "\033[0m");
}

static void add_stage(const Drawing *drawing, const FigureStage *stage, gint64 greatest,
                      bool has_bar) {
    enum { NAME = 26, COUNT = 10, BAR_MOST = 24 };
    int room = drawing->screen->columns - NAME - COUNT - 2;
    g_autofree char *count = stage->count == FIGURE_UNKNOWN
                                 ? g_strdup("?")
                                 : g_strdup_printf("%" G_GINT64_FORMAT, stage->count);
    g_string_append_printf(drawing->text, "%-*s%*s", NAME, stage->name, COUNT, count);
    if (has_bar)
        add_bar(drawing, stage->count, greatest, MIN(room, BAR_MOST));
    if (stage->remark != NULL)
        g_string_append_printf(drawing->text, "  %s", stage->remark);
    g_string_append_c(drawing->text, '\n');
}

static void add_stages(const Drawing *drawing) {
    FigureStage stages[FIGURE_STAGES];
    gint64 greatest = 1;
    figures_stages(drawing->figures, stages);
    for (guint i = 0; i + 1 < FIGURE_STAGES; i++)
        greatest = MAX(greatest, stages[i].count);
    for (guint i = 0; i < FIGURE_STAGES; i++) {
        add_stage(drawing, &stages[i], greatest, i + 1 < FIGURE_STAGES);
        g_free(stages[i].remark);
    }
}

/* The newest at the right; as many as there is room for. */
static void add_rates(const Drawing *drawing) {
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    const char *const *heights = drawing->screen->has_unicode ? blocks : letters;
    int shown = MIN(STATUS_RATES, drawing->screen->columns - 2);
    const double *rates = drawing->page->rates + STATUS_RATES - shown;
    double greatest = 0;
    for (int i = 0; i < shown; i++)
        greatest = isnan(rates[i]) ? greatest : fmax(greatest, rates[i]);
    for (int i = 0; i < shown; i++) {
        bool is_nothing = isnan(rates[i]) || rates[i] <= 0;
        int height = is_nothing ? 0 : (int)ceil(rates[i] / greatest * 8) - 1;
        g_string_append(drawing->text, isnan(rates[i]) ? " "
                                       : is_nothing    ? heights[0]
                                                       : heights[CLAMP(height, 0, 7)]);
    }
    double minutes = shown * STATUS_RATE_EACH_S / 60.0;
    g_string_append_printf(drawing->text, "\nstored in the last %.2g min, at most %.1f/s\n",
                           minutes, greatest);
}

static void add_alerts(const Drawing *drawing) {
    static const struct {
        const char *severity, *style;
    } styles[] = {{"critical", "1;31"}, {"warning", "1;33"}};
    gint64 open = drawing->page->alerts_open;
    g_autofree char *title = open == FIGURE_UNKNOWN ? g_strdup("open alerts ?")
                             : open == 0            ? g_strdup("no open alert")
                                                    : g_strdup_printf("open alerts %d", (int)open);
    g_string_append_c(drawing->text, '\n');
    add_styled(drawing, open > 0 ? "1" : "", title);
    g_string_append_c(drawing->text, '\n');
    for (guint i = 0; i < drawing->page->alerts->len; i++) {
        const StatusAlert *alert = g_ptr_array_index(drawing->page->alerts, i);
        const char *style = "";
        for (guint s = 0; s < G_N_ELEMENTS(styles); s++)
            if (g_str_equal(alert->severity, styles[s].severity))
                style = styles[s].style;
        g_autofree char *severity = g_strdup_printf("%-9s", alert->severity);
        g_string_append(drawing->text, "  ");
        add_styled(drawing, style, severity);
        g_string_append_printf(drawing->text, "%s  %s%s\n", alert->at,
                               alert->is_acknowledged ? "(known) " : "", alert->title);
    }
}

/* "3 s", "12 min", "5 h", "4 d"; g_free it. */
static char *ago_text(double s) {
    if (!(s >= 0))
        return g_strdup("0 s");
    if (s < 120)
        return g_strdup_printf("%.0f s", s);
    if (s < 7200)
        return g_strdup_printf("%.0f min", s / 60);
    return s < 48 * 3600 ? g_strdup_printf("%.0f h", s / 3600)
                         : g_strdup_printf("%.0f d", s / 86400);
}

/* Those imaged within the hour; if none was, the newest. */
static void add_plates(const Drawing *drawing) {
    const GPtrArray *plates = drawing->page->plates;
    for (guint i = 0; i < plates->len; i++) {
        const StatusPlate *plate = g_ptr_array_index(plates, i);
        bool is_under_way = plate->ago_s < UNDER_WAY_S;
        if (i > 0 && !is_under_way)
            break;
        if (i == 0)
            g_string_append(drawing->text,
                            is_under_way ? "\nplates under way\n" : "\nnewest plate\n");
        g_autofree char *ago = ago_text(plate->ago_s);
        g_string_append_printf(drawing->text,
                               "  %-16s %" G_GINT64_FORMAT " frames, %" G_GINT64_FORMAT
                               " failed, %" G_GINT64_FORMAT " channels, the newest %s ago\n",
                               plate->name, plate->frames, plate->failed, plate->channels, ago);
    }
}

char *status_page_text(const StatusPage *page, const Figures *figures, const Screen *screen) {
    const Drawing drawing = {page, figures, screen, g_string_new(NULL)};
    figures_add_servers(drawing.text, figures);
    add_stages(&drawing);
    g_string_append_c(drawing.text, '\n');
    if (page->rates_until_s > 0)
        add_rates(&drawing);
    figures_add_outcomes(drawing.text, figures);
    add_alerts(&drawing);
    add_plates(&drawing);
    figures_add_details(drawing.text, figures);
    char *clipped = screen_clip(drawing.text->str, screen->columns, 0);
    g_string_free(drawing.text, TRUE);
    return clipped;
}
