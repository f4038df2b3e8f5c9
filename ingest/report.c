#include "ingest/report.h"
#include "stream/json_write.h"
#include "stream/program.h"
#include <string.h>

#define FILES_MAX 20 /* of a source, told with their reasons */

typedef struct {
    char *path, *reason;
} Waiting;

/* A source as the loop told it last. */
typedef struct {
    const char *state; /* static */
    guint unsettled;
    GArray *files; /* of Waiting */
} Seen;

struct Report {
    const Settings *settings;
    Journal *journal;
    Offer *offer;
    Bus *bus;
    gint64 started_us; /* since 1970 */
    GMutex lock;       /* of seen */
    Seen *seen;
    guint sources;
};

static void waiting_clear(gpointer data) {
    Waiting *waiting = data;
    g_free(waiting->path);
    g_free(waiting->reason);
}

/* --- what the loop tells --- */

static void waiting_add(const SettleFile *file, void *context) {
    Waiting waiting = {frame_path_encode(file->path), g_strdup(file->reason)};
    g_array_append_val((GArray *)context, waiting);
}

void report_source(Report *report, guint index, const Source *source) {
    const Settle *settle = source_settle(source);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&report->lock);
    Seen *seen = &report->seen[index];
    seen->state = source_state_text(source);
    seen->unsettled = settle_count(settle);
    g_array_set_size(seen->files, 0);
    settle_visit_incomplete(settle, FILES_MAX, waiting_add, seen->files);
}

/* --- what is answered --- */

typedef struct {
    JsonBuilder *builder;
    guint left;
} FileList;

static void add_file(const char *path, const char *reason, void *context) {
    FileList *list = context;
    if (list->left == 0)
        return;
    list->left--;
    json_builder_begin_object(list->builder);
    json_write_text(list->builder, "path", path);
    json_write_text(list->builder, "reason", reason != NULL ? reason : "");
    json_builder_end_object(list->builder);
}

static void add_files(Report *report, JsonBuilder *builder, const Seen *seen, const char *source) {
    FileList list = {builder, FILES_MAX};
    json_write_array(builder, "files");
    for (guint index = 0; index < seen->files->len; index++) {
        const Waiting *waiting = &g_array_index(seen->files, Waiting, index);
        add_file(waiting->path, waiting->reason, &list);
    }
    journal_visit_unfinished(report->journal, source, list.left, add_file, &list, NULL);
    json_builder_end_array(builder);
}

static void add_counts(JsonBuilder *builder, const JournalCounts *counts) {
    json_write_count(builder, "waiting", counts->waiting);
    json_write_count(builder, "offered", counts->queued);
    json_write_count(builder, "stored", counts->stored);
    if (counts->oldest_us != 0)
        json_write_time(builder, "oldest_unstored_at", counts->oldest_us);
}

static void sum_up(JournalCounts *sum, const JournalCounts *counts) {
    sum->waiting += counts->waiting;
    sum->queued += counts->queued;
    sum->stored += counts->stored;
    if (sum->oldest_us == 0 || (counts->oldest_us != 0 && counts->oldest_us < sum->oldest_us))
        sum->oldest_us = counts->oldest_us;
}

/* Where the frames of source are, for each pipeline and all together. */
static void add_pipelines(Report *report, JsonBuilder *builder, const char *source) {
    const char *const *pipelines = journal_pipelines(report->journal);
    JournalCounts sum = {0};
    json_write_array(builder, "pipelines");
    for (guint index = 0; pipelines[index] != NULL; index++) {
        JournalCounts counts = {0};
        journal_count(report->journal, pipelines[index], source, &counts, NULL);
        sum_up(&sum, &counts);
        json_builder_begin_object(builder);
        json_write_text(builder, "name", pipelines[index]);
        add_counts(builder, &counts);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    add_counts(builder, &sum);
}

static void add_source(Report *report, JsonBuilder *builder, guint index) {
    const SourceSettings *source = report->settings->sources[index];
    const Seen *seen = &report->seen[index];
    gint64 unfinished = 0;
    journal_count_unfinished(report->journal, source->name, &unfinished, NULL);
    json_builder_begin_object(builder);
    json_write_text(builder, "name", source->name);
    json_write_text(builder, "folder", source->folder);
    json_write_text(builder, "state", seen->state);
    json_write_count(builder, "unsettled", seen->unsettled);
    json_write_count(builder, "unfinished", unfinished);
    add_pipelines(report, builder, source->name);
    add_files(report, builder, seen, source->name);
    json_builder_end_object(builder);
}

char *report_text(Report *report) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    program_introduce(builder, "ingest", report->started_us);
    g_autofree char *holding = report->offer == NULL ? NULL : offer_holding(report->offer);
    json_write_text(builder, "holding", holding);
    json_write_array(builder, "sources");
    g_mutex_lock(&report->lock);
    for (guint index = 0; index < report->sources; index++)
        add_source(report, builder, index);
    g_mutex_unlock(&report->lock);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    return json_write_finish(builder, NULL);
}

static void status_handle(BusMessage *message, void *context) {
    Report *report = context;
    g_autoptr(BusMessage) question = message;
    const char *reply = bus_message_reply(question);
    if (reply == NULL)
        return;
    g_autofree char *answer = report_text(report);
    bus_publish(report->bus, reply, NULL, answer, strlen(answer), NULL);
}

/* --- open and free --- */

Report *report_open(const Settings *settings, Journal *journal, Offer *offer, Bus *bus,
                    GError **error) {
    Report *report = g_new0(Report, 1);
    report->settings = settings;
    report->journal = journal;
    report->offer = offer;
    report->bus = bus;
    report->started_us = g_get_real_time();
    g_mutex_init(&report->lock);
    while (settings->sources[report->sources] != NULL)
        report->sources++;
    report->seen = g_new0(Seen, report->sources);
    for (guint index = 0; index < report->sources; index++) {
        report->seen[index].state = "away";
        report->seen[index].files = g_array_new(FALSE, FALSE, sizeof(Waiting));
        g_array_set_clear_func(report->seen[index].files, waiting_clear);
    }
    if (bus == NULL || bus_subscribe(bus, "scopestream.status", NULL, status_handle, report, error))
        return report;
    report_free(report);
    return NULL;
}

void report_free(Report *report) {
    if (report == NULL)
        return;
    for (guint index = 0; index < report->sources; index++)
        g_array_unref(report->seen[index].files);
    g_free(report->seen);
    g_mutex_clear(&report->lock);
    g_free(report);
}
