#include "store/status/figures.h"
#include "store/migrate.h"
#include "stream/frame.h"
#include "stream/json_read.h"
#include "stream/program.h"
#include <math.h>
#include <string.h>

enum {
    AWAY_TIMEOUT_MS = 1000,
    ANSWERS_MS = 300,
    NOTICES_SHOWN = 8,
    PIPELINES_MOST = 64, /* each is asked about at NATS, and anybody may tell a name */
};

static void notice_free(gpointer data) {
    Notice *notice = data;
    g_free(notice->at);
    g_free(notice->what);
    g_free(notice->why);
    g_free(notice);
}

/* The screen shows what others told over the bus. NULL for NULL. */
static char *one_line(const char *text) {
    return text != NULL ? program_one_line(g_strdup(text)) : NULL;
}

static void notice_add(GPtrArray *notices, const char *at, const char *what, const char *why) {
    Notice *notice = g_new0(Notice, 1);
    notice->at = one_line(at != NULL ? at : "");
    notice->what = one_line(what != NULL ? what : "");
    notice->why = one_line(why != NULL ? why : "");
    g_ptr_array_add(notices, notice);
}

static void source_free(gpointer data) {
    SourceFigures *source = data;
    g_free(source->name);
    g_free(source->folder);
    g_free(source->state);
    g_free(source);
}

static void pipeline_free(gpointer data) {
    PipelineFigures *pipeline = data;
    g_free(pipeline->name);
    g_free(pipeline);
}

Figures *figures_new(void) {
    Figures *figures = g_new0(Figures, 1);
    figures->stored = figures->ok = figures->broken = figures->vanished = figures->poison =
        figures->rejected = FIGURE_UNKNOWN;
    figures->rate_10_s = figures->rate_60_s = NAN;
    figures->latency_p50_s = figures->latency_p95_s = figures->latency_p99_s = NAN;
    figures->queued = figures->measuring = figures->results_queued = FIGURE_UNKNOWN;
    figures->unsettled = figures->waiting = figures->unfinished = figures->offered = FIGURE_UNKNOWN;
    figures->failures = g_ptr_array_new_with_free_func(notice_free);
    figures->files = g_ptr_array_new_with_free_func(notice_free);
    figures->sources = g_ptr_array_new_with_free_func(source_free);
    figures->pipelines = g_ptr_array_new_with_free_func(pipeline_free);
    return figures;
}

void figures_free(Figures *figures) {
    if (figures == NULL)
        return;
    g_free(figures->database);
    g_free(figures->nats);
    g_free(figures->oldest_unstored_at);
    g_free(figures->holding);
    g_ptr_array_unref(figures->failures);
    g_ptr_array_unref(figures->files);
    g_ptr_array_unref(figures->sources);
    g_ptr_array_unref(figures->pipelines);
    g_free(figures);
}

/* --- PostgreSQL --- */

static bool ask_totals(Figures *figures, Postgres *postgres, GError **error) {
    g_autoptr(PostgresRows) rows =
        postgres_ask(postgres,
                     "select coalesce(sum(frames), 0),"
                     "       coalesce(sum(frames) filter (where status = 'ok'), 0),"
                     "       coalesce(sum(frames) filter (where status = 'broken'), 0),"
                     "       coalesce(sum(frames) filter (where status = 'vanished'), 0),"
                     "       coalesce(sum(frames) filter (where status = 'poison'), 0),"
                     "       (select count(*) from scopestream.rejected) from scopestream.totals",
                     NULL, 0, error);
    if (rows == NULL)
        return false;
    gint64 *counts[] = {&figures->stored,   &figures->ok,     &figures->broken,
                        &figures->vanished, &figures->poison, &figures->rejected};
    for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
        *counts[i] = postgres_count(rows, 0, (int)i);
    return true;
}

static bool ask_speed(Figures *figures, Postgres *postgres, GError **error) {
    g_autoptr(PostgresRows) rates =
        postgres_ask(postgres,
                     "select count(*) filter (where stored_at > now() - interval '10 s') / 10.0,"
                     "       count(*) / 60.0"
                     " from scopestream.frames where stored_at > now() - interval '60 s'",
                     NULL, 0, error);
    g_autoptr(PostgresRows) latencies = postgres_ask(
        postgres,
        "select percentile_cont(0.5) within group (order by latency_s),"
        "       percentile_cont(0.95) within group (order by latency_s),"
        "       percentile_cont(0.99) within group (order by latency_s) from scopestream.newest",
        NULL, 0, rates != NULL ? error : NULL);
    if (rates == NULL || latencies == NULL)
        return false;
    figures->rate_10_s = postgres_number(rates, 0, 0);
    figures->rate_60_s = postgres_number(rates, 0, 1);
    figures->latency_p50_s = postgres_number(latencies, 0, 0);
    figures->latency_p95_s = postgres_number(latencies, 0, 1);
    figures->latency_p99_s = postgres_number(latencies, 0, 2);
    return true;
}

static bool ask_failures(Figures *figures, Postgres *postgres, GError **error) {
    g_autoptr(PostgresRows) rows =
        postgres_ask(postgres,
                     "select to_char(stored_at, 'HH24:MI:SS') || ' ' || status,"
                     "       source || ':' || path || case when page > 0 then ' page ' || page"
                     "                                     else '' end, reason"
                     " from scopestream.failures order by stored_at desc limit 5",
                     NULL, 0, error);
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++)
        notice_add(figures->failures, postgres_text(rows, row, 0), postgres_text(rows, row, 1),
                   postgres_text(rows, row, 2));
    return rows != NULL;
}

static void ask_database(Figures *figures, Postgres *postgres) {
    g_autoptr(GError) error = NULL;
    if (postgres == NULL)
        return;
    figures->database_reached =
        postgres_connect(postgres, AWAY_TIMEOUT_MS, &error) && migrate_check(postgres, &error) &&
        ask_totals(figures, postgres, &error) && ask_speed(figures, postgres, &error) &&
        ask_failures(figures, postgres, &error);
    figures->database_away = !postgres_is_connected(postgres);
    figures->database = g_strdup(error != NULL ? error->message : postgres_place(postgres));
}

/* --- NATS --- */

static void add_count(gint64 *sum, gint64 count) {
    *sum = (*sum == FIGURE_UNKNOWN ? 0 : *sum) + MAX(0, count);
}

static void take_files(Figures *figures, const char *name, JsonArray *files) {
    for (guint i = 0; files != NULL && i < json_array_get_length(files); i++) {
        JsonNode *node = json_array_get_element(files, i);
        if (!JSON_NODE_HOLDS_OBJECT(node) || figures->files->len >= NOTICES_SHOWN)
            continue;
        JsonObject *file = json_node_get_object(node);
        notice_add(figures->files, name, json_read_member_text(file, "path"),
                   json_read_member_text(file, "reason"));
    }
}

static void take_oldest(Figures *figures, const char *at) {
    if (at == NULL ||
        (figures->oldest_unstored_at != NULL && strcmp(figures->oldest_unstored_at, at) <= 0))
        return; /* one format and zone: text compares as time */
    g_free(figures->oldest_unstored_at);
    figures->oldest_unstored_at = g_strdup(at);
}

/* Made when it is heard of first. NULL if that is no name, or there are too many. */
static PipelineFigures *pipeline_named(Figures *figures, const char *name) {
    for (guint i = 0; name != NULL && i < figures->pipelines->len; i++) {
        PipelineFigures *known = g_ptr_array_index(figures->pipelines, i);
        if (g_str_equal(known->name, name))
            return known;
    }
    if (name == NULL || !frame_name_is_plain(name) || figures->pipelines->len >= PIPELINES_MOST)
        return NULL;
    PipelineFigures *pipeline = g_new0(PipelineFigures, 1);
    pipeline->name = g_strdup(name);
    pipeline->queued = pipeline->measuring = FIGURE_UNKNOWN;
    g_ptr_array_add(figures->pipelines, pipeline);
    return pipeline;
}

static void take_pipelines(Figures *figures, JsonArray *pipelines) {
    for (guint i = 0; pipelines != NULL && i < json_array_get_length(pipelines); i++) {
        JsonNode *node = json_array_get_element(pipelines, i);
        JsonObject *told = JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
        PipelineFigures *pipeline =
            told == NULL ? NULL : pipeline_named(figures, json_read_member_text(told, "name"));
        if (pipeline != NULL)
            add_count(&pipeline->waiting, json_read_member_count(told, "waiting", 0));
    }
}

static void take_source(Figures *figures, JsonObject *told) {
    SourceFigures *source = g_new0(SourceFigures, 1);
    const char *name = json_read_member_text(told, "name");
    source->name = one_line(name != NULL ? name : "?");
    source->folder = one_line(json_read_member_text(told, "folder"));
    source->state = one_line(json_read_member_text(told, "state"));
    source->unsettled = json_read_member_count(told, "unsettled", 0);
    source->waiting = json_read_member_count(told, "waiting", 0);
    source->offered = json_read_member_count(told, "offered", 0);
    source->stored = json_read_member_count(told, "stored", 0);
    source->unfinished = json_read_member_count(told, "unfinished", 0);
    add_count(&figures->unsettled, source->unsettled);
    add_count(&figures->waiting, source->waiting);
    add_count(&figures->offered, source->offered);
    add_count(&figures->unfinished, source->unfinished);
    take_oldest(figures, json_read_member_text(told, "oldest_unstored_at"));
    take_pipelines(figures, json_read_member_array(told, "pipelines"));
    take_files(figures, source->name, json_read_member_array(told, "files"));
    g_ptr_array_add(figures->sources, source);
}

static void take_ingest(Figures *figures, JsonObject *answer) {
    JsonArray *sources = json_read_member_array(answer, "sources");
    figures->ingests++;
    for (guint i = 0; sources != NULL && i < json_array_get_length(sources); i++) {
        JsonNode *node = json_array_get_element(sources, i);
        if (JSON_NODE_HOLDS_OBJECT(node))
            take_source(figures, json_node_get_object(node));
    }
    if (figures->holding == NULL)
        figures->holding = one_line(json_read_member_text(answer, "holding"));
}

static void take_worker(Figures *figures, JsonObject *answer) {
    PipelineFigures *pipeline = pipeline_named(figures, json_read_member_text(answer, "pipeline"));
    if (pipeline != NULL)
        pipeline->workers++;
    figures->workers++;
}

static void take_store(Figures *figures, JsonObject *answer) {
    figures->stores++;
}

void figures_take_answer(Figures *figures, const void *body, gsize length) {
    static const struct {
        const char *program;
        void (*take)(Figures *figures, JsonObject *answer);
    } takers[] = {{"ingest", take_ingest}, {"features", take_worker}, {"store", take_store}};
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObject *answer = json_read_object(parser, body, length, NULL);
    const char *program = answer != NULL ? json_read_member_text(answer, "program") : NULL;
    for (guint i = 0; program != NULL && i < G_N_ELEMENTS(takers); i++)
        if (g_str_equal(program, takers[i].program))
            takers[i].take(figures, answer);
}

static void ask_programs(Figures *figures, Bus *bus) {
    g_autoptr(GError) error = NULL;
    BusInbox *inbox = bus_inbox_open(bus, &error);
    if (inbox == NULL)
        return;
    bool asked = bus_inbox_ask(inbox, "scopestream.status", NULL, NULL, 0, &error);
    gint64 until_us = g_get_monotonic_time() + ANSWERS_MS * 1000;
    while (asked) {
        int left_ms = (int)((until_us - g_get_monotonic_time()) / 1000);
        g_autoptr(BusMessage) answer = left_ms > 0 ? bus_inbox_next(inbox, left_ms, &error) : NULL;
        if (answer == NULL)
            break;
        gsize length;
        const guint8 *body = bus_message_data(answer, &length);
        figures_take_answer(figures, body, length);
    }
    bus_inbox_close(inbox);
}

static void ask_pipeline(Figures *figures, PipelineFigures *pipeline, Bus *bus) {
    g_autofree char *consumer = g_strconcat("workers_", pipeline->name, NULL);
    BusStreamState state;
    if (!bus_stream_state(bus, "FRAMES", consumer, &state, NULL))
        return;
    guint64 in_work = MIN(state.consumer_messages, state.consumer_in_work);
    pipeline->measuring = (gint64)state.consumer_in_work;
    pipeline->queued = (gint64)(state.consumer_messages - in_work);
    add_count(&figures->measuring, pipeline->measuring);
}

static void ask_streams(Figures *figures, Bus *bus) {
    BusStreamState state;
    for (guint i = 0; i < figures->pipelines->len; i++)
        ask_pipeline(figures, g_ptr_array_index(figures->pipelines, i), bus);
    if (bus_stream_state(bus, "FRAMES", NULL, &state, NULL)) {
        add_count(&figures->measuring, 0);
        figures->queued = (gint64)state.messages - MIN((gint64)state.messages, figures->measuring);
    }
    if (bus_stream_state(bus, "RESULTS", NULL, &state, NULL))
        figures->results_queued = (gint64)state.messages;
}

/* Also a pipeline of the settings that nobody works for now may have frames in the queue. */
static void name_pipelines(Figures *figures, const Settings *settings) {
    g_auto(GStrv) names = settings_pipeline_names(settings);
    for (char **name = names; *name != NULL; name++)
        pipeline_named(figures, *name);
}

static void ask_nats(Figures *figures, const Settings *settings, Bus *bus) {
    g_autoptr(GError) error = NULL;
    figures->nats_reached = bus_wait(bus, AWAY_TIMEOUT_MS, &error);
    figures->nats = bus_state(bus);
    if (!figures->nats_reached)
        return;
    ask_programs(figures, bus);
    if (figures->pipelines->len == 0)
        name_pipelines(figures, settings);
    ask_streams(figures, bus);
}

Figures *figures_gather(const Settings *settings, Bus *bus, Postgres *postgres) {
    Figures *figures = figures_new();
    ask_database(figures, postgres);
    ask_nats(figures, settings, bus);
    return figures;
}
