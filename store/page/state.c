#include "store/page/state.h"
#include "store/page/reader.h"
#include "store/page/web.h"
#include "store/status/figures.h"
#include "stream/bus.h"
#include "stream/frame.h"
#include "stream/json_write.h"
#include <math.h>
#include <string.h>

enum {
    PERIOD_MS = 1000,
    FRESH_MS = 1500,
    STEP_S = 10, /* of history; speed.sql has the same */
    STEPS = 60,
};

/* A step of the last ten minutes. */
typedef struct {
    gint64 begins_s; /* since 1970, by the database's clock; 0: nothing known */
    gint64 stored;
    double lag_s;   /* median; NaN: nothing was stored */
    gint64 waiting; /* the most that was seen; FIGURE_UNKNOWN: nobody looked */
} Step;

struct State {
    const Settings *settings;
    Reader *reader;
    Bus *bus;
    Http *http;
    GThread *thread;
    Step steps[STEPS];    /* of the thread; step n stands at n modulo STEPS */
    gint64 asked_until_s; /* up to where steps are known; 0: nothing */

    GMutex lock; /* for what follows */
    GCond changed;
    bool stopping;
    GPtrArray *waiting; /* of HttpRequest */
    GBytes *document;   /* the last; NULL: none yet */
    gint64 made_us;     /* monotonic */
};

/* --- history --- */

static Step *step_at(State *state, gint64 at_s) {
    gint64 begins_s = at_s - at_s % STEP_S;
    Step *step = &state->steps[begins_s / STEP_S % STEPS];
    if (step->begins_s != begins_s)
        *step = (Step){.begins_s = begins_s, .lag_s = NAN, .waiting = FIGURE_UNKNOWN};
    return step;
}

/* Only the steps that may have changed are asked for; after a pause, all of the ten minutes. */
static bool ask_speed(State *state, gint64 now_s, GError **error) {
    gint64 oldest_s = now_s - now_s % STEP_S - (STEPS - 1) * STEP_S;
    gint64 since_s = MAX(oldest_s, state->asked_until_s - 2 * STEP_S);
    g_autofree char *since = g_strdup_printf("%" G_GINT64_FORMAT, since_s);
    const char *parameters[] = {since};
    g_autoptr(PostgresRows) rows =
        reader_ask(state->reader, web_sql("speed"), parameters, 1, error);
    for (int row = 0; rows != NULL && row < PQntuples(rows); row++) {
        gint64 at_s = postgres_count(rows, row, 0);
        if (at_s < oldest_s || at_s > now_s + STEP_S)
            continue; /* a row whose clock was wrong */
        Step *step = step_at(state, at_s);
        step->stored = postgres_count(rows, row, 1);
        step->lag_s = postgres_number(rows, row, 2);
    }
    if (rows != NULL)
        state->asked_until_s = now_s - now_s % STEP_S;
    return rows != NULL;
}

static gint64 frames_waiting(const Figures *figures) {
    const gint64 counts[] = {figures->unsettled, figures->waiting, figures->queued,
                             figures->measuring, figures->results_queued};
    gint64 sum = FIGURE_UNKNOWN;
    for (guint i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i] != FIGURE_UNKNOWN)
            sum = MAX(sum, 0) + counts[i];
    return sum;
}

static void write_history(State *state, JsonBuilder *builder, gint64 now_s) {
    gint64 last_s = now_s - now_s % STEP_S;
    json_write_array(builder, "history");
    for (gint64 at_s = last_s - (STEPS - 1) * STEP_S; at_s <= last_s; at_s += STEP_S) {
        const Step *step = step_at(state, at_s);
        json_builder_begin_array(builder);
        json_builder_add_int_value(builder, at_s);
        json_builder_add_int_value(builder, step->stored);
        json_write_number(builder, NULL, step->lag_s);
        json_write_number(builder, NULL,
                          step->waiting == FIGURE_UNKNOWN ? NAN : (double)step->waiting);
        json_builder_end_array(builder);
    }
    json_builder_end_array(builder);
}

/* --- gathering --- */

/* One JSON object as the database wrote it; NULL and *ret_words if it is away. */
static char *ask_told(State *state, gint64 now_s, char **ret_words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = reader_ask(state->reader, web_sql("told"), NULL, 0, &error);
    if (rows == NULL || !ask_speed(state, now_s, &error)) {
        *ret_words = g_strdup(error->message);
        return NULL;
    }
    return g_strdup(postgres_text(rows, 0, 0));
}

/* Events are lines; outside of its strings, where it has none, JSON may be on one. */
static char *on_one_line(char *json) {
    return g_strdelimit(json, "\r\n", ' ');
}

static char *document_text(State *state, const Figures *figures, const char *told, const char *away,
                           gint64 now_s) {
    g_autoptr(JsonBuilder) builder = json_builder_new_immutable();
    json_builder_begin_object(builder);
    json_write_time(builder, "at", g_get_real_time());
    json_write_text(builder, "database_away", away);
    json_write_text(builder, "nats_away", figures->nats_reached ? NULL : figures->nats);
    write_history(state, builder, now_s);
    json_builder_end_object(builder);
    g_autofree char *own = json_write_finish(builder, NULL);
    g_autofree char *flow = figures_json(figures);
    own[strlen(own) - 1] = '\0'; /* its brace: two more members follow */
    return on_one_line(
        g_strdup_printf("%s,\"flow\":%s,\"told\":%s}", own, flow, told != NULL ? told : "null"));
}

static char *gather(State *state) {
    g_autoptr(GError) error = NULL;
    bool is_ready = reader_ready(state->reader, &error);
    g_autoptr(Figures) figures = figures_gather(state->settings, state->bus,
                                                is_ready ? reader_postgres(state->reader) : NULL);
    gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
    Step *step = step_at(state, now_s);
    step->waiting = MAX(step->waiting, frames_waiting(figures));
    g_autofree char *away = is_ready ? NULL : g_strdup(error->message);
    g_autofree char *told = is_ready ? ask_told(state, now_s, &away) : NULL;
    return document_text(state, figures, told, away, now_s);
}

/* --- telling --- */

static void answer(HttpRequest *request, GBytes *document) {
    http_answer(request, 200, "application/json", g_bytes_ref(document), "no-store");
}

static void refuse(HttpRequest *request) {
    http_answer_text(request, 503, "the page is ending");
}

/* Until somebody looks, and the last time is a while ago. Returns whether to go on. */
static bool wait_for_viewers(State *state) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&state->lock);
    for (;;) {
        gint64 now_us = g_get_monotonic_time();
        gint64 due_us = state->made_us == 0 ? now_us : state->made_us + PERIOD_MS * 1000;
        if (state->stopping)
            return false;
        if ((state->waiting->len > 0 || http_listeners(state->http) > 0) && now_us >= due_us)
            return true;
        /* A viewer who comes wakes us; one who goes is noticed when he is told something. */
        g_cond_wait_until(&state->changed, &state->lock, MAX(due_us, now_us + PERIOD_MS * 1000));
    }
}

static void tell(State *state, char *text) {
    http_tell(state->http, "state", text);
    g_autoptr(GBytes) document = g_bytes_new_take(text, strlen(text));
    g_mutex_lock(&state->lock);
    g_clear_pointer(&state->document, g_bytes_unref);
    state->document = g_bytes_ref(document);
    state->made_us = g_get_monotonic_time();
    g_autoptr(GPtrArray) waiting = g_steal_pointer(&state->waiting);
    state->waiting = g_ptr_array_new();
    g_mutex_unlock(&state->lock);
    for (guint i = 0; i < waiting->len; i++)
        answer(g_ptr_array_index(waiting, i), document);
}

static gpointer state_run(gpointer data) {
    State *state = data;
    while (wait_for_viewers(state))
        tell(state, gather(state));
    return NULL;
}

void state_answer(State *state, HttpRequest *request) {
    g_mutex_lock(&state->lock);
    bool is_fresh =
        state->document != NULL && g_get_monotonic_time() - state->made_us < FRESH_MS * 1000;
    g_autoptr(GBytes) document = is_fresh ? g_bytes_ref(state->document) : NULL;
    bool is_ending = state->stopping;
    if (!is_fresh && !is_ending) {
        g_ptr_array_add(state->waiting, request);
        g_cond_signal(&state->changed);
    }
    g_mutex_unlock(&state->lock);
    if (is_fresh)
        answer(request, document);
    else if (is_ending)
        refuse(request);
}

void state_wake(State *state) {
    g_mutex_lock(&state->lock);
    g_cond_signal(&state->changed);
    g_mutex_unlock(&state->lock);
}

/* --- beginning and end --- */

State *state_new(const Settings *settings, GError **error) {
    g_autoptr(Reader) reader = reader_new(settings, error);
    Bus *bus = reader != NULL ? bus_open(settings, "store-page", error) : NULL;
    if (bus == NULL)
        return NULL;
    State *state = g_new0(State, 1);
    state->settings = settings;
    state->reader = g_steal_pointer(&reader);
    state->bus = bus;
    state->waiting = g_ptr_array_new();
    g_mutex_init(&state->lock);
    g_cond_init(&state->changed);
    return state;
}

bool state_try(State *state, GError **error) {
    return reader_ready(state->reader, error);
}

void state_start(State *state, Http *http) {
    state->http = http;
    state->thread = g_thread_new("state", state_run, state);
}

void state_stop(State *state) {
    if (state == NULL)
        return;
    g_mutex_lock(&state->lock);
    state->stopping = true;
    g_cond_signal(&state->changed);
    g_mutex_unlock(&state->lock);
    if (state->thread != NULL)
        g_thread_join(state->thread);
    for (guint i = 0; i < state->waiting->len; i++)
        refuse(g_ptr_array_index(state->waiting, i));
    g_ptr_array_set_size(state->waiting, 0);
}

void state_free(State *state) {
    if (state == NULL)
        return;
    g_ptr_array_unref(state->waiting);
    g_clear_pointer(&state->document, g_bytes_unref);
    g_mutex_clear(&state->lock);
    g_cond_clear(&state->changed);
    bus_close(state->bus);
    reader_free(state->reader);
    g_free(state);
}
