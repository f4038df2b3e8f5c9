#include "ingest/ingest.h"
#include "ingest/event.h"
#include "ingest/offer.h"
#include "ingest/report.h"
#include "ingest/serve.h"
#include "ingest/source.h"
#include "ingest/vitals.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <poll.h>
#include <stdlib.h>

typedef struct {
    const Settings *settings;
    Journal *journal;
    Bus *control, *bulk; /* small messages, and pixels: one never waits behind the other */
    Serve *serve;
    DeliveryOffice *office;
    Offer *offer;
    Report *report;
    Vitals *vitals;
    Source **sources;
    guint source_count;
    SourceCatch caught;
} Ingest;

/* --- opening --- */

static bool settings_fit(const Settings *settings, GError **error) {
    if (settings->sources[0] == NULL)
        return fault_set(error, FAULT_USAGE,
                         "no source is configured: give --source NAME=FOLDER, or a section "
                         "[source NAME] with folder = FOLDER");
    for (SourceSettings **source = settings->sources; *source != NULL; source++)
        if (!source_check(*source, error))
            return false;
    return true;
}

static void open_sources(Ingest *ingest) {
    const Settings *settings = ingest->settings;
    while (settings->sources[ingest->source_count] != NULL)
        ingest->source_count++;
    ingest->sources = g_new0(Source *, ingest->source_count);
    for (guint index = 0; index < ingest->source_count; index++)
        ingest->sources[index] = source_new(settings->sources[index], settings, ingest->journal);
}

static bool ingest_open(Ingest *ingest, const Settings *settings, GError **error) {
    ingest->settings = settings;
    ingest->caught = source_catch_new();
    if (!settings_fit(settings, error))
        return false;
    g_auto(GStrv) pipelines = settings_pipeline_names(settings);
    return (ingest->journal = journal_open(settings->journal, pipelines, error)) &&
           (ingest->control = bus_open(settings, "ingest-control", error)) &&
           (ingest->bulk = bus_open(settings, "ingest-bulk", error)) &&
           (ingest->serve = serve_new(settings, ingest->journal)) &&
           (ingest->office =
                delivery_office_open(settings, ingest->bulk, journal_secret(ingest->journal),
                                     serve_lookup, ingest->serve, error)) &&
           (ingest->offer =
                offer_start(settings, ingest->journal, ingest->control, ingest->office, error)) &&
           (ingest->report =
                report_open(settings, ingest->journal, ingest->offer, ingest->control, error)) &&
           (open_sources(ingest), true) &&
           (ingest->vitals =
                vitals_open(settings, ingest->journal, ingest->offer, ingest->control, error));
}

/* First whoever asks, then whoever answers: handlers are called until their bus is closed. */
static void ingest_close(Ingest *ingest) {
    vitals_close(ingest->vitals);
    for (guint index = 0; index < ingest->source_count; index++)
        source_free(ingest->sources[index]);
    g_free(ingest->sources);
    offer_stop(ingest->offer);
    bus_close(ingest->control);
    bus_close(ingest->bulk);
    delivery_office_close(ingest->office);
    report_free(ingest->report);
    offer_free(ingest->offer);
    serve_free(ingest->serve);
    journal_close(ingest->journal);
    source_catch_free(&ingest->caught);
}

/* --- a turn --- */

static void news_log(const Source *source, const SourceNews *news) {
    const char *name = source_settings(source)->name;
    void (*log)(const char *format, ...) = news->is_warning ? log_warning : log_info;
    if (news->path == NULL)
        log("source %s: %s", name, news->detail);
    else
        log("source %s: %s: %s%s", name, news->path,
            news->is_given_up ? "is not complete and not waited for any longer: " : "",
            news->detail);
}

/* Logs what a source has to tell, and keeps it for the stream. */
static bool news_keep(Ingest *ingest, const Source *source, const SourceNews *news,
                      GError **error) {
    const char *name = source_settings(source)->name;
    news_log(source, news);
    if (news->event == NULL)
        return true;
    metrics_add(scopestream_ingest_files_unfinished_total, name, news->is_given_up);
    g_autofree char *body = event_body(name, news->path, news->is_warning ? "warning" : "info",
                                       news->event, news->detail);
    return news->is_given_up ? journal_add_unfinished(ingest->journal, name, news->path,
                                                      &news->sight, news->detail, body, error)
                             : journal_tell(ingest->journal, name, body, error);
}

/* Writes down what a source caught; from then on it is on its way. */
static bool catch_keep(Ingest *ingest, const Source *source, GError **error) {
    SourceCatch *caught = &ingest->caught;
    if (caught->files->len == 0 && caught->news->len == 0)
        return true;
    bool kept = journal_add(ingest->journal, caught->files, error);
    if (kept)
        vitals_count_files(source, caught);
    for (guint index = 0; kept && index < caught->news->len; index++)
        kept = news_keep(ingest, source, g_ptr_array_index(caught->news, index), error);
    source_catch_clear(caught);
    offer_wake(ingest->offer);
    return kept;
}

static bool ingest_turn(Ingest *ingest, GError **error) {
    bool complete = true, look_again = offer_heard_of_vanished(ingest->offer);
    for (guint index = 0; index < ingest->source_count; index++) {
        Source *source = ingest->sources[index];
        if (look_again)
            source_scan_fully(source);
        source_turn(source, &ingest->caught);
        serve_set_root(ingest->serve, index, source_root(source));
        if (!catch_keep(ingest, source, error))
            return false;
        report_source(ingest->report, index, source);
        vitals_see(ingest->vitals, index, source);
        complete = complete && source_caught_up(source);
    }
    serve_set_complete(ingest->serve, complete);
    return offer_is_well(ingest->offer, error);
}

/* Until a source has something to do, or the program is to stop. */
static void ingest_wait(const Ingest *ingest) {
    g_autofree struct pollfd *waits = g_new0(struct pollfd, ingest->source_count + 1);
    gint64 now_us = g_get_monotonic_time();
    gint64 due_us = now_us + G_USEC_PER_SEC; /* at least, to see whether the offers are well */
    for (guint index = 0; index < ingest->source_count; index++) {
        waits[index] = (struct pollfd){source_fd(ingest->sources[index]), POLLIN, 0};
        due_us = MIN(due_us, source_due_us(ingest->sources[index]));
    }
    waits[ingest->source_count] = (struct pollfd){program_stop_fd(), POLLIN, 0};
    gint64 wait_us = MAX(due_us - now_us, 0);
    struct timespec wait = {wait_us / G_USEC_PER_SEC, wait_us % G_USEC_PER_SEC * 1000};
    ppoll(waits, ingest->source_count + 1, &wait, NULL);
}

/* --- the loop --- */

static bool ingest_loop(Ingest *ingest, GError **error) {
    if (!ingest_turn(ingest, error))
        return false;
    program_notify("READY=1");
    while (!program_stopping()) {
        ingest_wait(ingest);
        if (!ingest_turn(ingest, error))
            return false;
    }
    return true;
}

int ingest_run(const Settings *settings, char **arguments) {
    Ingest ingest = {0};
    GError *error = NULL;
    program_keep_memory(); /* chunks that are fetched */
    metrics_open(INGEST);
    bool well = ingest_open(&ingest, settings, &error) && ingest_loop(&ingest, &error);
    program_notify("STOPPING=1");
    if (ingest.caught.files != NULL)
        ingest_close(&ingest);
    return well ? EXIT_SUCCESS : program_fail(error);
}
