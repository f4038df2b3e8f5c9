#include "ingest/vitals.h"
#include "stream/metrics_server.h"
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_LOOK_US = 10 * G_USEC_PER_SEC };

struct Vitals {
    const Settings *settings;
    Journal *journal;
    Offer *offer;
    Bus *bus;
    MetricsServer *server;
    gint64 *disk_due_us; /* of each source, monotonic; of the loop */
    gint *away;          /* of each source; atomic */
};

/* --- what the loop tells --- */

static void disk_look(Metric metric, const char *value, const char *folder) {
    struct statvfs room;
    if (statvfs(folder, &room) == 0)
        metrics_set(metric, value, (double)room.f_bavail * (double)room.f_frsize);
}

static void disk_look_if_due(Vitals *vitals, guint index) {
    const SourceSettings *source = vitals->settings->sources[index];
    gint64 now_us = g_get_monotonic_time();
    if (now_us < vitals->disk_due_us[index])
        return;
    vitals->disk_due_us[index] = now_us + DISK_LOOK_US;
    disk_look(scopestream_ingest_source_disk_free_bytes, source->name, source->folder);
}

void vitals_see(Vitals *vitals, guint index, const Source *source) {
    const char *name = source_settings(source)->name;
    SourceState is = source_state(source);
    g_atomic_int_set(&vitals->away[index], is == SOURCE_AWAY);
    metrics_set(scopestream_ingest_source_there, name, is != SOURCE_AWAY);
    metrics_set(scopestream_ingest_source_watched, name, is == SOURCE_WATCHING);
    metrics_set(scopestream_ingest_files_unsettled, name, settle_count(source_settle(source)));
    if (is != SOURCE_AWAY)
        disk_look_if_due(vitals, index);
}

void vitals_count_files(const Source *source, const SourceCatch *caught) {
    const char *name = source_settings(source)->name;
    metrics_add(scopestream_ingest_files_settled_total, name, caught->files->len);
    metrics_add(scopestream_ingest_frames_found_total, name, caught->frames);
}

/* --- what is looked up when somebody asks --- */

static void look_at_pipeline(const Vitals *vitals, const char *pipeline) {
    JournalCounts sum = {0};
    for (SourceSettings **source = vitals->settings->sources; *source != NULL; source++) {
        JournalCounts counts = {0};
        journal_count(vitals->journal, pipeline, (*source)->name, &counts, NULL);
        sum.waiting += counts.waiting;
        sum.queued += counts.queued;
        sum.stored += counts.stored;
        if (counts.oldest_us != 0 && (sum.oldest_us == 0 || counts.oldest_us < sum.oldest_us))
            sum.oldest_us = counts.oldest_us;
    }
    gint64 age_us = sum.oldest_us != 0 ? MAX(g_get_real_time() - sum.oldest_us, 0) : 0;
    metrics_set(scopestream_ingest_frames_waiting, pipeline, (double)sum.waiting);
    metrics_set(scopestream_ingest_frames_on_their_way, pipeline, (double)sum.queued);
    metrics_set(scopestream_ingest_frames_stored, pipeline, (double)sum.stored);
    metrics_set(scopestream_ingest_oldest_unstored_seconds, pipeline,
                (double)age_us / G_USEC_PER_SEC);
}

static void look(void *context) {
    const Vitals *vitals = context;
    g_autofree char *holding = offer_holding(vitals->offer);
    g_autofree char *journal_folder = g_path_get_dirname(vitals->settings->journal);
    const char *const *pipelines = journal_pipelines(vitals->journal);
    for (guint index = 0; pipelines[index] != NULL; index++)
        look_at_pipeline(vitals, pipelines[index]);
    metrics_set(scopestream_ingest_holding_back, NULL, holding != NULL);
    metrics_set(scopestream_nats_connected, NULL, bus_is_connected(vitals->bus));
    disk_look(scopestream_ingest_journal_disk_free_bytes, NULL, journal_folder);
    metrics_look_at_processes((pid_t[]){getpid(), 0});
}

static void ready(GString *missing, void *context) {
    Vitals *vitals = context;
    if (!bus_is_connected(vitals->bus))
        g_string_append(missing, "NATS is not reached\n");
    for (guint index = 0; vitals->settings->sources[index] != NULL; index++)
        if (g_atomic_int_get(&vitals->away[index]))
            g_string_append_printf(missing, "source %s: its folder is away\n",
                                   vitals->settings->sources[index]->name);
}

/* --- opening --- */

/* So that a rate has where to begin. */
static void mention_all(const Vitals *vitals) {
    static const Metric of_source[] = {
        scopestream_ingest_files_seen_total,       scopestream_ingest_files_settled_total,
        scopestream_ingest_files_unfinished_total, scopestream_ingest_frames_found_total,
        scopestream_ingest_watch_overflows_total,  scopestream_ingest_scan_seconds};
    static const Metric of_pipeline[] = {scopestream_ingest_frames_offered_total,
                                         scopestream_ingest_frames_lost_total,
                                         scopestream_ingest_frames_told_stored_total};
    const char *const *pipelines = journal_pipelines(vitals->journal);
    for (SourceSettings **source = vitals->settings->sources; *source != NULL; source++)
        for (guint i = 0; i < G_N_ELEMENTS(of_source); i++)
            metrics_mention(of_source[i], (*source)->name);
    for (guint index = 0; pipelines[index] != NULL; index++)
        for (guint i = 0; i < G_N_ELEMENTS(of_pipeline); i++)
            metrics_mention(of_pipeline[i], pipelines[index]);
}

Vitals *vitals_open(const Settings *settings, Journal *journal, Offer *offer, Bus *bus,
                    GError **error) {
    Vitals *vitals = g_new0(Vitals, 1);
    guint sources = g_strv_length((char **)(void *)settings->sources);
    *vitals = (Vitals){settings, journal, offer, bus};
    vitals->disk_due_us = g_new0(gint64, sources);
    vitals->away = g_new0(gint, sources);
    for (guint index = 0; index < sources; index++)
        vitals->away[index] = 1; /* until the loop has looked */
    mention_all(vitals);
    MetricsSource source = {look, ready, vitals};
    if (metrics_server_start(INGEST, settings, source, &vitals->server, error))
        return vitals;
    vitals_close(vitals);
    return NULL;
}

void vitals_close(Vitals *vitals) {
    if (vitals == NULL)
        return;
    metrics_server_stop(vitals->server);
    g_free(vitals->disk_due_us);
    g_free(vitals->away);
    g_free(vitals);
}
