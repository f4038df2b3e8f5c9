/* The figures as a screen for people, and as JSON for scripts. */
#include "store/person.h"
#include "store/status/figures.h"
#include <math.h>
#include <string.h>

/* --- as text --- */

static void add_line(GString *text, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void add_line(GString *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(text, format, arguments);
    va_end(arguments);
    g_string_append_c(text, '\n');
}

static char *count_text(gint64 count) {
    return count == FIGURE_UNKNOWN ? g_strdup("?") : g_strdup_printf("%" G_GINT64_FORMAT, count);
}

static char *number_text(double number, const char *unit) {
    return isnan(number) ? g_strdup("?") : g_strdup_printf("%.2f%s", number, unit);
}

static void add_stage(GString *text, const char *name, gint64 count, const char *remark) {
    g_autofree char *figure = count_text(count);
    add_line(text, "%-26s%12s%s%s", name, figure, remark != NULL ? "   " : "",
             remark != NULL ? remark : "");
}

static char *oldest_text(const Figures *figures) {
    g_autoptr(GDateTime) at = figures->oldest_unstored_at != NULL
                                  ? g_date_time_new_from_iso8601(figures->oldest_unstored_at, NULL)
                                  : NULL;
    if (at == NULL)
        return NULL;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    return g_strdup_printf("the oldest frame without a row was closed %.1f s ago",
                           (double)g_date_time_difference(now, at) / G_TIME_SPAN_SECOND);
}

void figures_stages(const Figures *figures, FigureStage ret_stages[FIGURE_STAGES]) {
    g_autofree char *oldest = oldest_text(figures);
    g_autofree char *rate_10 = number_text(figures->rate_10_s, "/s");
    g_autofree char *rate_60 = number_text(figures->rate_60_s, "/s");
    bool is_held = figures->holding != NULL;
    const FigureStage stages[FIGURE_STAGES] = {
        {"on disk, not complete", figures->unsettled,
         figures->unfinished > 0 ? g_strdup_printf("and %d given up on", (int)figures->unfinished)
                                 : NULL},
        {"complete, not yet queued", figures->waiting,
         g_strdup(is_held ? figures->holding : oldest)},
        {"queued", figures->queued, is_held ? g_strdup(oldest) : NULL},
        {"being measured", figures->measuring,
         figures->nats_reached ? g_strdup_printf("by %d workers", (int)figures->workers) : NULL},
        {"measured, not yet stored", figures->results_queued, NULL},
        {"stored", figures->stored,
         figures->database_reached ? g_strdup_printf("%s over 10 s, %s over 60 s", rate_10, rate_60)
                                   : NULL},
    };
    memcpy(ret_stages, stages, sizeof stages);
}

static void add_stages(GString *text, const Figures *figures) {
    FigureStage stages[FIGURE_STAGES];
    figures_stages(figures, stages);
    for (guint i = 0; i < FIGURE_STAGES; i++) {
        add_stage(text, stages[i].name, stages[i].count, stages[i].remark);
        g_free(stages[i].remark);
    }
}

void figures_add_outcomes(GString *text, const Figures *figures) {
    static const char *const names[] = {"ok", "broken", "vanished", "poison", "rejected"};
    const gint64 counts[] = {figures->ok, figures->broken, figures->vanished, figures->poison,
                             figures->rejected};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *figure = count_text(counts[i]);
        g_string_append_printf(text, "%s%s %s", i > 0 ? "    " : "", names[i], figure);
    }
    g_autofree char *p50 = number_text(figures->latency_p50_s, " s");
    g_autofree char *p95 = number_text(figures->latency_p95_s, " s");
    g_autofree char *p99 = number_text(figures->latency_p99_s, " s");
    add_line(text, "\nfrom file closed to row written, last 1000: median %s    p95 %s    p99 %s",
             p50, p95, p99);
}

static void add_sources(GString *text, const Figures *figures) {
    for (guint i = 0; i < figures->sources->len; i++) {
        const SourceFigures *source = g_ptr_array_index(figures->sources, i);
        add_line(text, "%s%-16s %s, %s", i == 0 ? "\nsources\n  " : "  ", source->name,
                 source->state != NULL ? source->state : "?",
                 source->folder != NULL ? source->folder : "?");
    }
}

/* One alone has its figures above. */
static void add_pipelines(GString *text, const Figures *figures) {
    for (guint i = 0; figures->pipelines->len > 1 && i < figures->pipelines->len; i++) {
        const PipelineFigures *pipeline = g_ptr_array_index(figures->pipelines, i);
        g_autofree char *waiting = count_text(pipeline->waiting);
        g_autofree char *queued = count_text(pipeline->queued);
        g_autofree char *measuring = count_text(pipeline->measuring);
        add_line(text, "%s%-16s %s not yet queued, %s queued, %s being measured by %d workers",
                 i == 0 ? "\npipelines\n  " : "  ", pipeline->name, waiting, queued, measuring,
                 (int)pipeline->workers);
    }
}

static void add_notices(GString *text, const char *title, const GPtrArray *notices) {
    for (guint i = 0; i < notices->len; i++) {
        const Notice *notice = g_ptr_array_index(notices, i);
        add_line(text, "%s%s%s  %-16s %s: %.100s", i == 0 ? "\n" : "", i == 0 ? title : "",
                 i == 0 ? "\n" : "", notice->at, notice->what, notice->why);
    }
}

void figures_add_servers(GString *text, const Figures *figures) {
    add_line(text, "%-12s%s", "NATS", figures->nats != NULL ? figures->nats : "?");
    const char *database = figures->database != NULL ? figures->database : "?";
    bool named = g_str_has_prefix(database, "PostgreSQL: ");
    add_line(text, "%-12s%s", "PostgreSQL", named ? database + strlen("PostgreSQL: ") : database);
    if (figures->database_away)
        add_line(text, "%-12s%s", "", PERSON_NAMES_DATABASE);
    g_string_append_c(text, '\n');
}

void figures_add_details(GString *text, const Figures *figures) {
    add_sources(text, figures);
    add_pipelines(text, figures);
    add_notices(text, "files not complete", figures->files);
    add_notices(text, "newest frames without numbers", figures->failures);
}

char *figures_text(const Figures *figures) {
    GString *text = g_string_new(NULL);
    figures_add_servers(text, figures);
    add_stages(text, figures);
    g_string_append_c(text, '\n');
    figures_add_outcomes(text, figures);
    figures_add_details(text, figures);
    return g_string_free(text, FALSE);
}

/* --- as JSON --- */

static void set_count(JsonObject *object, const char *name, gint64 count) {
    if (count == FIGURE_UNKNOWN)
        json_object_set_null_member(object, name);
    else
        json_object_set_int_member(object, name, count);
}

static void set_number(JsonObject *object, const char *name, double number) {
    if (isnan(number))
        json_object_set_null_member(object, name);
    else
        json_object_set_double_member(object, name, number);
}

static void set_text(JsonObject *object, const char *name, const char *text) {
    if (text == NULL)
        json_object_set_null_member(object, name);
    else
        json_object_set_string_member(object, name, text);
}

static void set_notices(JsonObject *object, const char *name, const char *at,
                        const GPtrArray *notices) {
    JsonArray *array = json_array_new();
    for (guint i = 0; i < notices->len; i++) {
        const Notice *notice = g_ptr_array_index(notices, i);
        JsonObject *row = json_object_new();
        set_text(row, at, notice->at);
        set_text(row, "path", notice->what);
        set_text(row, "reason", notice->why);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, name, array);
}

static void set_sources(JsonObject *object, const Figures *figures) {
    JsonArray *array = json_array_new();
    for (guint i = 0; i < figures->sources->len; i++) {
        const SourceFigures *source = g_ptr_array_index(figures->sources, i);
        JsonObject *row = json_object_new();
        set_text(row, "name", source->name);
        set_text(row, "folder", source->folder);
        set_text(row, "state", source->state);
        set_count(row, "unsettled", source->unsettled);
        set_count(row, "waiting", source->waiting);
        set_count(row, "offered", source->offered);
        set_count(row, "stored", source->stored);
        set_count(row, "unfinished", source->unfinished);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "sources", array);
}

static void set_pipelines(JsonObject *object, const Figures *figures) {
    JsonArray *array = json_array_new();
    for (guint i = 0; i < figures->pipelines->len; i++) {
        const PipelineFigures *pipeline = g_ptr_array_index(figures->pipelines, i);
        JsonObject *row = json_object_new();
        set_text(row, "name", pipeline->name);
        set_count(row, "waiting", pipeline->waiting);
        set_count(row, "queued", pipeline->queued);
        set_count(row, "measuring", pipeline->measuring);
        set_count(row, "workers", pipeline->workers);
        json_array_add_object_element(array, row);
    }
    json_object_set_array_member(object, "pipelines", array);
}

char *figures_json(const Figures *figures) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    const struct {
        const char *name;
        gint64 count;
    } counts[] = {
        {"stored", figures->stored},
        {"ok", figures->ok},
        {"broken", figures->broken},
        {"vanished", figures->vanished},
        {"poison", figures->poison},
        {"rejected", figures->rejected},
        {"unsettled", figures->unsettled},
        {"waiting", figures->waiting},
        {"offered", figures->offered},
        {"queued", figures->queued},
        {"measuring", figures->measuring},
        {"results_queued", figures->results_queued},
        {"unfinished", figures->unfinished},
        {"ingests", figures->nats_reached ? figures->ingests : FIGURE_UNKNOWN},
        {"workers", figures->nats_reached ? figures->workers : FIGURE_UNKNOWN},
        {"stores", figures->nats_reached ? figures->stores : FIGURE_UNKNOWN},
    };
    for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
        set_count(object, counts[i].name, counts[i].count);
    set_number(object, "rate_per_s", figures->rate_10_s);
    set_number(object, "rate_60_per_s", figures->rate_60_s);
    set_number(object, "latency_p50_s", figures->latency_p50_s);
    set_number(object, "latency_p95_s", figures->latency_p95_s);
    set_number(object, "latency_p99_s", figures->latency_p99_s);
    set_text(object, "oldest_unstored_at", figures->oldest_unstored_at);
    set_text(object, "holding", figures->holding);
    json_object_set_boolean_member(object, "nats_reached", figures->nats_reached);
    set_text(object, "nats", figures->nats);
    json_object_set_boolean_member(object, "database_reached", figures->database_reached);
    set_text(object, "database", figures->database);
    set_sources(object, figures);
    set_pipelines(object, figures);
    set_notices(object, "files", "source", figures->files);
    set_notices(object, "failures", "at", figures->failures);
    return json_to_string(root, FALSE);
}
