#include "store/vitals.h"
#include "stream/metrics_server.h"
#include <unistd.h>

enum {
    QUEUES_LOOK_MS = 5000,
    PIPELINES_MOST = 16,
};

struct Vitals {
    const Settings *settings;
    Bus *bus;
    MetricsServer *server;
    gint database;   /* atomic */
    GThread *thread; /* looks at the queues: NATS may be slow to answer */

    GMutex lock; /* of what follows */
    GCond wake;
    bool stopping;
    GPtrArray *pipelines; /* names: of the settings, and of what was stored */
};

/* --- what the loop tells --- */

void vitals_set_database(Vitals *vitals, bool reached) {
    if (vitals == NULL)
        return;
    g_atomic_int_set(&vitals->database, reached);
    metrics_set(scopestream_store_postgres_connected, NULL, reached);
}

static const char *kind_text(const Document *document) {
    static const char *const texts[] = {[DOCUMENT_RESULT] = "result",
                                        [DOCUMENT_EVENT] = "event",
                                        [DOCUMENT_CATALOGUE] = "catalogue"};
    return texts[document->kind];
}

void vitals_count_taken(const Batch *batch) {
    for (guint i = 0; i < batch->documents->len; i++)
        metrics_add(scopestream_store_documents_taken_total,
                    kind_text(g_ptr_array_index(batch->documents, i)), 1);
}

static void hear_of_pipeline(Vitals *vitals, const char *name) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&vitals->lock);
    if (vitals->pipelines->len < PIPELINES_MOST &&
        !g_ptr_array_find_with_equal_func(vitals->pipelines, name, g_str_equal, NULL))
        g_ptr_array_add(vitals->pipelines, g_strdup(name));
}

/* A rejected result's frame has a row too: a stand-in's, which says it is broken. */
static void count_row(Vitals *vitals, const Document *document, gint64 now_us) {
    bool stored = document->outcome == DOCUMENT_STORED;
    metrics_add(scopestream_store_frames_stored_total, stored ? document->status : "broken", 1);
    metrics_observe_between(scopestream_store_lag_seconds, NULL, document->closed_us, now_us);
    metrics_set(scopestream_store_last_stored_timestamp_seconds, NULL,
                (double)now_us / G_USEC_PER_SEC);
    hear_of_pipeline(vitals, document->pipeline);
}

void vitals_count_committed(Vitals *vitals, const Batch *batch, gint64 begun_us) {
    gint64 now_us = g_get_real_time();
    for (guint i = 0; i < batch->documents->len; i++) {
        const Document *document = g_ptr_array_index(batch->documents, i);
        if (document->has_row)
            count_row(vitals, document, now_us);
        metrics_add(scopestream_store_documents_rejected_total, NULL,
                    document->outcome == DOCUMENT_REJECTED);
    }
    metrics_observe(scopestream_store_batch_documents, NULL, batch->documents->len);
    metrics_observe_between(scopestream_store_commit_seconds, NULL, begun_us, now_us);
}

/* --- the queues --- */

static void look_at_frames(const Vitals *vitals, const char *pipeline) {
    BusStreamState queue;
    g_autofree char *consumer = g_strconcat("workers_", pipeline, NULL);
    if (!bus_stream_state(vitals->bus, "FRAMES", consumer, &queue, NULL))
        return; /* nobody has offered it anything yet */
    metrics_set(scopestream_store_frames_num_pending, pipeline, (double)queue.consumer_pending);
    metrics_set(scopestream_store_frames_num_ack_pending, pipeline, (double)queue.consumer_in_work);
    metrics_set(scopestream_store_frames_num_redelivered, pipeline,
                (double)queue.consumer_redelivered);
    metrics_set(scopestream_store_frames_num_waiting, pipeline, (double)queue.consumer_waiting);
    metrics_set(scopestream_store_frames_stream_bytes, NULL, (double)queue.bytes);
}

static bool look_at_results(const Vitals *vitals) {
    BusStream results = bus_stream_results(vitals->settings);
    BusStreamState queue;
    if (!bus_stream_state(vitals->bus, results.name, results.consumer, &queue, NULL))
        return false;
    metrics_set(scopestream_store_results_num_pending, NULL, (double)queue.consumer_pending);
    metrics_set(scopestream_store_results_num_ack_pending, NULL, (double)queue.consumer_in_work);
    metrics_set(scopestream_store_results_num_redelivered, NULL,
                (double)queue.consumer_redelivered);
    metrics_set(scopestream_store_results_stream_bytes, NULL, (double)queue.bytes);
    return true;
}

/* Of index on; NULL: there are no more. g_free it. */
static char *pipeline_at(Vitals *vitals, guint index) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&vitals->lock);
    return !vitals->stopping && index < vitals->pipelines->len
               ? g_strdup(g_ptr_array_index(vitals->pipelines, index))
               : NULL;
}

static void look_at_queues(Vitals *vitals) {
    bool reached = bus_is_connected(vitals->bus) && look_at_results(vitals);
    metrics_set(scopestream_store_queue_reached, NULL, reached);
    for (guint index = 0; reached; index++) {
        g_autofree char *pipeline = pipeline_at(vitals, index);
        if (pipeline == NULL)
            return;
        look_at_frames(vitals, pipeline);
    }
}

static bool rest(Vitals *vitals) {
    gint64 until_us = g_get_monotonic_time() + QUEUES_LOOK_MS * 1000;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&vitals->lock);
    while (!vitals->stopping && g_cond_wait_until(&vitals->wake, &vitals->lock, until_us))
        ;
    return !vitals->stopping;
}

static gpointer queues_run(gpointer data) {
    Vitals *vitals = data;
    do
        look_at_queues(vitals);
    while (rest(vitals));
    return NULL;
}

/* --- what is looked up when somebody asks --- */

static void look(void *context) {
    const Vitals *vitals = context;
    metrics_set(scopestream_nats_connected, NULL, bus_is_connected(vitals->bus));
    metrics_look_at_processes((pid_t[]){getpid(), 0});
}

/* The log says why; here it might tell strangers what is none of their business. */
static void ready(GString *missing, void *context) {
    Vitals *vitals = context;
    if (!bus_is_connected(vitals->bus))
        g_string_append(missing, "NATS is not reached\n");
    if (!g_atomic_int_get(&vitals->database))
        g_string_append(missing, "PostgreSQL is not reached, or has another schema\n");
}

/* --- opening --- */

static Vitals *vitals_new(const Settings *settings, Bus *bus) {
    Vitals *vitals = g_new0(Vitals, 1);
    vitals->settings = settings;
    vitals->bus = bus;
    g_mutex_init(&vitals->lock);
    g_cond_init(&vitals->wake);
    vitals->pipelines = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) names = settings_pipeline_names(settings);
    for (char **name = names; *name != NULL; name++)
        hear_of_pipeline(vitals, *name);
    for (WebhookSettings **webhook = settings->webhooks; *webhook != NULL; webhook++) {
        metrics_mention(scopestream_store_webhook_posts_total, (*webhook)->name);
        metrics_mention(scopestream_store_webhook_failures_total, (*webhook)->name);
    }
    return vitals;
}

Vitals *vitals_open(const Settings *settings, Bus *bus, GError **error) {
    Vitals *vitals = vitals_new(settings, bus);
    MetricsSource source = {look, ready, vitals};
    if (!metrics_server_start(STORE, settings, source, &vitals->server, error)) {
        vitals_close(vitals);
        return NULL;
    }
    if (vitals->server != NULL) /* else nobody would see it */
        vitals->thread = g_thread_new("queues", queues_run, vitals);
    return vitals;
}

void vitals_close(Vitals *vitals) {
    if (vitals == NULL)
        return;
    metrics_server_stop(vitals->server);
    g_mutex_lock(&vitals->lock);
    vitals->stopping = true;
    g_cond_signal(&vitals->wake);
    g_mutex_unlock(&vitals->lock);
    if (vitals->thread != NULL)
        g_thread_join(vitals->thread);
    g_ptr_array_unref(vitals->pipelines);
    g_cond_clear(&vitals->wake);
    g_mutex_clear(&vitals->lock);
    g_free(vitals);
}
