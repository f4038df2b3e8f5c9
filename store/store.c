#include "store/store.h"
#include "store/batch.h"
#include "store/decisions.h"
#include "store/have.h"
#include "store/migrate.h"
#include "store/notify.h"
#include "store/postgres.h"
#include "store/tell.h"
#include "store/thumbnails.h"
#include "store/vitals.h"
#include "store/webhooks/webhook.h"
#include "stream/bus.h"
#include "stream/json_write.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <string.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    IDLE_MS = 1000,       /* longest wait for a message before looking whether to stop */
    RETRY_FIRST_MS = 100, /* after a failure; doubled up to */
    RETRY_LAST_MS = 5000,
    STILL_WORKING_MS = 20000, /* a third of RESULTS' ack wait */
    WATCH_MS = 1000,          /* between looks of steering at the clock */
    POSTPONE_MS = 5000,       /* until a catalogue that had to wait is tried again */
    FORGET_MS = 600000,       /* between looks for thumbnails that are too old */
};

/* What is told to whoever asks scopestream.status; the loop writes, a thread of the bus reads. */
typedef struct {
    GMutex mutex;
    guint64 stored, rejected, batches;
    char *database;
    gint64 started_us; /* since 1970 */
    Bus *bus;
} Report;

/* A thing outside that may be away: its troubles are logged when they begin, when they change, and
 * when they are over. */
typedef struct {
    char *trouble; /* NULL: none */
} Outside;

typedef struct {
    const Settings *settings;
    Postgres *postgres;
    Bus *bus;
    BusPull *pull;
    Have *have;
    Decisions *decisions;
    Webhooks *webhooks;
    Vitals *vitals;
    Report report;
    Outside database, queue, steering;
    bool was_connected;       /* once, to PostgreSQL: from then on a refusal may pass */
    bool schema_checked;      /* on this connection */
    gint64 partitions_day;    /* day since 1970 on which months were last made ahead */
    gint64 watched_us;        /* monotonic: when steering last looked at the clock */
    gint64 forgotten_us;      /* monotonic: when thumbnails were last looked through; 0: never */
    guint streams_generation; /* of the bus, when the streams were last ensured */
    GError *fatal;            /* why the program must end */
} Store;

/* --- logging once --- */

static void outside_away(Outside *outside, const char *words) {
    if (g_strcmp0(outside->trouble, words) == 0)
        return;
    log_warning("%s; waiting", words);
    g_free(outside->trouble);
    outside->trouble = g_strdup(words);
}

static void outside_back(Outside *outside, const char *words) {
    if (outside->trouble != NULL)
        log_info("%s", words);
    g_clear_pointer(&outside->trouble, g_free);
}

/* --- being asked how we are --- */

static void report_database(Report *report, const char *words) {
    g_mutex_lock(&report->mutex);
    g_free(report->database);
    report->database = g_strdup(words);
    g_mutex_unlock(&report->mutex);
}

static char *report_text(Report *report) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    program_introduce(builder, "store", report->started_us);
    g_mutex_lock(&report->mutex);
    json_write_count(builder, "stored", (gint64)report->stored);
    json_write_count(builder, "rejected", (gint64)report->rejected);
    json_write_count(builder, "batches", (gint64)report->batches);
    json_write_text(builder, "database", report->database);
    g_mutex_unlock(&report->mutex);
    json_builder_end_object(builder);
    return json_write_finish(builder, NULL);
}

static void status_answer(BusMessage *asked, void *context) {
    Report *report = context;
    g_autoptr(BusMessage) message = asked;
    if (bus_message_reply(message) == NULL)
        return;
    g_autofree char *text = report_text(report);
    bus_publish(report->bus, bus_message_reply(message), NULL, text, strlen(text), NULL);
}

/* --- PostgreSQL --- */

static void database_away(Store *store, GError *error) {
    vitals_set_database(store->vitals, false);
    report_database(&store->report, error->message);
    outside_away(&store->database, error->message);
    g_error_free(error);
}

/* Months are made ahead at the start of each day, so that no batch has to. */
static bool partitions_ensure(Store *store, GError **error) {
    gint64 today = g_get_real_time() / G_TIME_SPAN_DAY;
    if (store->partitions_day == today)
        return true;
    g_autofree char *months = g_strdup_printf("%d", (int)store->settings->partitions_ahead_months);
    const char *parameters[] = {months};
    g_autoptr(PostgresRows) made = postgres_ask(store->postgres,
                                                "select scopestream_data.ensure_partitions(now(), "
                                                "now() + $1::integer * interval '1 month')",
                                                parameters, G_N_ELEMENTS(parameters), error);
    if (made == NULL && g_str_equal(postgres_sqlstate(store->postgres), "42501")) {
        g_clear_error(error);
        return fault_set(error, FAULT_USAGE,
                         "PostgreSQL, %s: our role may not store: grant it scopestream_store",
                         postgres_place(store->postgres));
    }
    if (made == NULL)
        return false;
    store->partitions_day = today;
    if (postgres_count(made, 0, 0) > 0)
        log_info("made tables for %d more months", (int)postgres_count(made, 0, 0));
    return true;
}

/* Connected to the right schema? If not, says so once; store->fatal is set if that cannot change.
 */
static bool database_ready(Store *store) {
    GError *error = NULL;
    if (!postgres_is_connected(store->postgres))
        store->schema_checked = false;
    if (!postgres_connect(store->postgres, CONNECT_TIMEOUT_MS, &error)) {
        if (fault_is(error, FAULT_USAGE) && !store->was_connected)
            store->fatal = error;
        else
            database_away(store, error);
        return false;
    }
    store->was_connected = true;
    if (!store->schema_checked && !migrate_check(store->postgres, &error)) {
        if (fault_is(error, FAULT_USAGE))
            store->fatal = error;
        else
            database_away(store, error);
        return false;
    }
    store->schema_checked = true;
    bool was_right = store->partitions_day != 0;
    if (!partitions_ensure(store, &error)) {
        if (fault_is(error, FAULT_USAGE) && !was_right)
            store->fatal = error;
        else
            database_away(store, error);
        return false;
    }
    vitals_set_database(store->vitals, true);
    report_database(&store->report, "connected");
    return true;
}

/* --- NATS --- */

static bool queue_away(Store *store, GError *error) {
    outside_away(&store->queue, error->message);
    g_error_free(error);
    return false;
}

/* What is wrong from the start stays wrong; what was right once may become right again. */
static bool queue_refused(Store *store, GError *error) {
    if (!fault_is(error, FAULT_USAGE) || store->pull != NULL)
        return queue_away(store, error);
    store->fatal = error;
    return false;
}

/* Connected, with the stream in place? A server that lost its disk has the stream made anew. */
static bool queue_ready(Store *store) {
    GError *error = NULL;
    if (!bus_wait(store->bus, IDLE_MS, &error))
        return queue_refused(store, error);
    guint generation = bus_generation(store->bus);
    if (store->streams_generation == generation)
        return true;
    BusStream results = bus_stream_results(store->settings);
    if (!bus_ensure_stream(store->bus, &results, &error))
        return queue_refused(store, error);
    if (store->pull == NULL)
        store->pull = bus_pull_open(store->bus, results.name, results.consumer, &error);
    if (store->pull == NULL)
        return queue_away(store, error);
    store->streams_generation = generation;
    outside_back(&store->queue, "NATS: connected again");
    return true;
}

/* --- one batch --- */

/* Waits for a first message, then at most batch-wait for others to share its transaction. */
static Batch *batch_gather(Store *store) {
    guint limit = (guint)store->settings->store_batch;
    Batch *batch = batch_new();
    gint64 deadline_us = 0;
    gint64 wait_ms = IDLE_MS;
    while (!batch_is_full(batch, limit) && wait_ms > 0) {
        GError *error = NULL;
        g_autoptr(BusMessage) message =
            bus_pull_next(store->pull, limit - batch->documents->len, (int)wait_ms, &error);
        if (error != NULL) {
            queue_away(store, error);
            store->streams_generation = 0; /* perhaps the stream is gone: look again */
            program_sleep(RETRY_FIRST_MS);
        }
        if (message == NULL)
            break;
        gsize length;
        const guint8 *body = bus_message_data(message, &length);
        batch_add(batch, document_new(bus_message_subject(message), bus_message_reply(message),
                                      body, length));
        if (deadline_us == 0)
            deadline_us = g_get_monotonic_time() + store->settings->store_batch_wait_ms * 1000;
        wait_ms = (deadline_us - g_get_monotonic_time()) / 1000;
    }
    vitals_count_taken(batch);
    return batch;
}

static void batch_still_working(Store *store, const Batch *batch, gint64 *told_us) {
    gint64 now_us = g_get_monotonic_time();
    if (now_us - *told_us < STILL_WORKING_MS * 1000)
        return;
    *told_us = now_us;
    for (guint i = 0; i < batch->documents->len; i++) {
        const Document *document = g_ptr_array_index(batch->documents, i);
        bus_still_working(store->bus, document->reply, NULL);
    }
}

/* Tries until it is committed; false if the program is to stop or must end before that. */
static bool batch_commit(Store *store, Batch *batch) {
    gint64 told_us = g_get_monotonic_time();
    gint64 pause_ms = RETRY_FIRST_MS;
    do {
        GError *error = NULL;
        if (database_ready(store) && batch_store(batch, store->postgres, &error)) {
            outside_back(&store->database, "PostgreSQL: storing again");
            return true;
        }
        if (store->fatal != NULL)
            return false;
        metrics_add(scopestream_store_commit_failures_total, NULL, 1);
        if (error != NULL) {
            store->schema_checked = false; /* a missing function may be another schema */
            database_away(store, error);
        }
        batch_still_working(store, batch, &told_us);
        program_sleep(pause_ms);
        pause_ms = MIN(pause_ms * 2, RETRY_LAST_MS);
    } while (!program_stopping());
    return false;
}

/* What is stored or rejected is done with; the rest comes again. Delays are asked for last:
 * nats-server 2.9 sometimes forgets one that an acknowledgement follows, until the ack wait is
 * over. */
static void batch_settle(Store *store, const Batch *batch) {
    g_autoptr(GPtrArray) postponed = g_ptr_array_new();
    for (guint i = 0; i < batch->documents->len; i++) {
        Document *document = g_ptr_array_index(batch->documents, i);
        if (document->outcome == DOCUMENT_OPEN)
            bus_nak(store->bus, document->reply, 0, NULL);
        else if (document->outcome == DOCUMENT_POSTPONED)
            g_ptr_array_add(postponed, document);
        else
            bus_ack(store->bus, document->reply, NULL);
    }
    for (guint i = 0; i < postponed->len; i++) {
        const Document *document = g_ptr_array_index(postponed, i);
        bus_nak(store->bus, document->reply, POSTPONE_MS, NULL);
    }
}

static void batch_report(Store *store, const Batch *batch) {
    guint stored = 0, rejected = 0;
    for (guint i = 0; i < batch->documents->len; i++) {
        const Document *document = g_ptr_array_index(batch->documents, i);
        stored += document->outcome == DOCUMENT_STORED && document->kind == DOCUMENT_RESULT;
        if (document->outcome == DOCUMENT_POSTPONED)
            log_info(
                "new measures wait for a long query to end; their numbers are stored meanwhile");
        if (document->outcome != DOCUMENT_REJECTED)
            continue;
        rejected++;
        log_warning("a message of %s was rejected: %s; it is kept in scopestream.rejected",
                    document->subject, document->refusal);
    }
    g_mutex_lock(&store->report.mutex);
    store->report.stored += stored;
    store->report.rejected += rejected;
    store->report.batches++;
    g_mutex_unlock(&store->report.mutex);
}

static void store_one_batch(Store *store) {
    g_autoptr(Batch) batch = batch_gather(store);
    if (batch->documents->len == 0)
        return;
    gint64 begun_us = g_get_real_time();
    bool committed = batch_commit(store, batch);
    batch_settle(store, batch);
    notify_stored(store->bus, batch);
    if (!committed)
        return;
    batch_report(store, batch);
    vitals_count_committed(store->vitals, batch, begun_us);
}

/* --- steering --- */

static bool clock_is_due(Store *store) {
    gint64 now_us = g_get_monotonic_time();
    if (now_us - store->watched_us < WATCH_MS * 1000)
        return false;
    store->watched_us = now_us;
    return true;
}

/* What the batch led to first: it does not wait for the look at the clock, each second. What fails
 * here is tried again in the next round. */
static void store_steer(Store *store) {
    GError *error = NULL;
    bool told = tell_messages(store->bus, store->postgres, &error);
    if (clock_is_due(store) && tell_time(store->postgres, told ? &error : NULL) && told)
        tell_messages(store->bus, store->postgres, &error);
    if (error == NULL) {
        outside_back(&store->steering, "steering: telling again");
        return;
    }
    metrics_add(scopestream_store_steering_failures_total, NULL, 1);
    g_prefix_error(&error, "steering: ");
    outside_away(&store->steering, error->message);
    g_error_free(error);
}

/* --- letting go --- */

/* A trouble here is told and holds up nothing: there is a next time. */
static void store_forget(Store *store) {
    gint64 now_us = g_get_monotonic_time();
    if (store->forgotten_us != 0 &&
        now_us - store->forgotten_us < FORGET_MS * G_GINT64_CONSTANT(1000))
        return;
    store->forgotten_us = now_us;
    g_autoptr(GError) error = NULL;
    if (!thumbnails_drop_old(store->postgres, store->settings->keep_thumbnails_ms, &error))
        log_warning("keep-thumbnails: %s", error->message);
}

/* --- the program --- */

static bool store_open(Store *store, const Settings *settings, GError **error) {
    store->settings = settings;
    g_mutex_init(&store->report.mutex);
    store->report.started_us = g_get_real_time();
    store->report.database = g_strdup("not connected yet");
    store->postgres = postgres_new(settings->postgres, error);
    store->webhooks = store->postgres != NULL ? webhooks_new(settings, error) : NULL;
    store->bus = store->webhooks != NULL ? bus_open(settings, "store", error) : NULL;
    if (store->bus == NULL)
        return false;
    store->report.bus = store->bus;
    store->have = have_open(settings, store->bus, error);
    store->decisions = store->have != NULL ? decisions_open(settings, store->bus, error) : NULL;
    store->vitals = store->decisions != NULL ? vitals_open(settings, store->bus, error) : NULL;
    return store->vitals != NULL && bus_subscribe(store->bus, "scopestream.status", NULL,
                                                  status_answer, &store->report, error);
}

static void store_close(Store *store) {
    vitals_close(store->vitals);
    webhooks_free(store->webhooks);
    bus_pull_close(store->pull);
    bus_close(store->bus);
    decisions_close(store->decisions);
    have_close(store->have);
    postgres_free(store->postgres);
    g_mutex_clear(&store->report.mutex);
    g_free(store->report.database);
    g_free(store->database.trouble);
    g_free(store->queue.trouble);
    g_free(store->steering.trouble);
}

int store_command(const Settings *settings, char **arguments) {
    Store store = {0};
    bool told = false;
    metrics_open(STORE);
    if (store_open(&store, settings, &store.fatal))
        while (store.fatal == NULL && !program_stopping()) {
            if (!database_ready(&store) || !queue_ready(&store)) {
                program_sleep(store.fatal == NULL ? IDLE_MS : 0);
                continue;
            }
            if (!told) {
                log_info("storing into %s", postgres_place(store.postgres));
                program_notify("READY=1");
                webhooks_start(store.webhooks);
                told = true;
            }
            outside_back(&store.database, "PostgreSQL: connected again");
            store_one_batch(&store);
            store_steer(&store);
            store_forget(&store);
        }
    store_close(&store);
    return store.fatal != NULL ? program_fail(store.fatal) : EXIT_SUCCESS;
}
