#include "ingest/report.h"
#include "stream/frame.h"
#include <string.h>
#include <unistd.h>

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
    char *started_at;
    GMutex lock; /* of seen */
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

static void add_text(JsonBuilder *builder, const char *name, const char *text) {
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

static void add_number(JsonBuilder *builder, const char *name, gint64 number) {
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, number);
}

typedef struct {
    JsonBuilder *builder;
    guint left;
} FileList;

static void add_file(const char *path, const char *reason, void *context) {
    FileList *list = context;
    if (list->left == 0)
        return;
    list->left--;
    g_autofree char *words = g_utf8_make_valid(reason != NULL ? reason : "", -1);
    json_builder_begin_object(list->builder);
    add_text(list->builder, "path", path);
    add_text(list->builder, "reason", words);
    json_builder_end_object(list->builder);
}

static void add_files(Report *report, JsonBuilder *builder, const Seen *seen, const char *source) {
    FileList list = {builder, FILES_MAX};
    json_builder_set_member_name(builder, "files");
    json_builder_begin_array(builder);
    for (guint index = 0; index < seen->files->len; index++) {
        const Waiting *waiting = &g_array_index(seen->files, Waiting, index);
        add_file(waiting->path, waiting->reason, &list);
    }
    journal_visit_unfinished(report->journal, source, list.left, add_file, &list, NULL);
    json_builder_end_array(builder);
}

static void add_source(Report *report, JsonBuilder *builder, guint index) {
    const SourceSettings *source = report->settings->sources[index];
    const Seen *seen = &report->seen[index];
    JournalCounts counts = {0};
    journal_count(report->journal, source->name, &counts, NULL);
    json_builder_begin_object(builder);
    add_text(builder, "name", source->name);
    add_text(builder, "folder", source->folder);
    add_text(builder, "state", seen->state);
    add_number(builder, "unsettled", seen->unsettled);
    add_number(builder, "waiting", counts.waiting);
    add_number(builder, "offered", counts.queued);
    add_number(builder, "stored", counts.stored);
    add_number(builder, "unfinished", counts.unfinished);
    if (counts.oldest_us != 0) {
        g_autofree char *oldest_at = frame_time_text(counts.oldest_us);
        add_text(builder, "oldest_unstored_at", oldest_at);
    }
    add_files(report, builder, seen, source->name);
    json_builder_end_object(builder);
}

char *report_text(Report *report) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    add_text(builder, "program", "ingest");
    add_text(builder, "host", g_get_host_name());
    add_number(builder, "pid", getpid());
    add_text(builder, "version", SCOPESTREAM_VERSION);
    add_text(builder, "started_at", report->started_at);
    g_autofree char *holding = report->offer == NULL ? NULL : offer_holding(report->offer);
    if (holding != NULL) {
        g_autofree char *words = g_utf8_make_valid(holding, -1);
        add_text(builder, "holding", words);
    }
    json_builder_set_member_name(builder, "sources");
    json_builder_begin_array(builder);
    g_mutex_lock(&report->lock);
    for (guint index = 0; index < report->sources; index++)
        add_source(report, builder, index);
    g_mutex_unlock(&report->lock);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
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
    report->started_at = frame_time_text(g_get_real_time());
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
    g_free(report->started_at);
    g_mutex_clear(&report->lock);
    g_free(report);
}
