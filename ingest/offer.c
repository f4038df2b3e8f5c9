#include "ingest/offer.h"
#include "ingest/enqueue.h"
#include "ingest/have.h"
#include "ingest/reconcile.h"
#include "ingest/share.h"
#include "ingest/withdraw.h"
#include "stream/json_read.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <string.h>

enum {
    BATCH = 256, /* offers of one source to one pipeline, before others have their turn */
    EVENTS_A_ROUND = 64,
    EVENT_TIMEOUT_MS = 2000, /* a second try has the same Nats-Msg-Id, and does no harm */
    PAUSE_FIRST_MS = 200,    /* between two tries; doubles */
    PAUSE_LAST_MS = 5000,
    CONNECT_MS = 2000,                     /* at start: not being connected yet is nothing to log */
    STORED_MAX = 100000,                   /* ids in one message of the store */
    STORE_SILENT_US = 30 * G_USEC_PER_SEC, /* a store that did not answer is not asked before */
    ROOM_PAUSE_US = G_USEC_PER_SEC / 2,    /* between two looks whether a full share has room */
};

/* Why something is held back, and since when (monotonic); why is NULL while it is not. */
typedef struct {
    char *what, *why;
    gint64 since_us;
} Hold;

/* One of the pipelines frames are offered to. */
typedef struct {
    const char *name; /* the journal's */
    BusStream frames; /* with its consumer */
    Reconcile *reconcile;
    gint64 reconcile_due_us, room_due_us; /* monotonic */
    guint room; /* messages it may put in the queue before that is looked at again */
    Hold hold;  /* by its share; under the offer's lock */
} Pipeline;

struct Offer {
    const Settings *settings;
    Journal *journal;
    Bus *bus;
    DeliveryOffice *office;
    Pipeline *pipelines;
    guint pipeline_count;
    GThread *thread;
    gint64 started_us; /* since 1970 */

    GMutex lock; /* of the rest up to the line */
    GCond wake;
    bool woken, stopping;
    Hold hold;       /* of all, by the server */
    GError *failure; /* of the journal */
    /* --- */

    gint vanished; /* atomic: files are to be looked for again */

    guint generation; /* of the connection the streams were ensured on */
    bool streams_made;
    bool were_right; /* once: from then on a refusal may pass */
    gint64 frames_created_ns;
    gint64 store_silent_until_us; /* monotonic */
    guint pause_ms;
};

/* --- state others see --- */

static bool is_stopping(Offer *offer) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    return offer->stopping || offer->failure != NULL;
}

void offer_wake(Offer *offer) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    offer->woken = true;
    g_cond_signal(&offer->wake);
}

char *offer_holding(Offer *offer) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (offer->hold.why != NULL)
        return g_strdup(offer->hold.why);
    g_autoptr(GString) held = g_string_new(NULL);
    for (guint index = 0; index < offer->pipeline_count; index++) {
        const Pipeline *pipeline = &offer->pipelines[index];
        if (pipeline->hold.why != NULL)
            g_string_append_printf(held, "%s%s: %s", held->len > 0 ? "; " : "", pipeline->name,
                                   pipeline->hold.why);
    }
    return held->len > 0 ? g_strdup(held->str) : NULL;
}

bool offer_is_well(Offer *offer, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (offer->failure != NULL && error != NULL)
        *error = g_error_copy(offer->failure);
    return offer->failure == NULL;
}

bool offer_heard_of_vanished(Offer *offer) {
    return g_atomic_int_compare_and_exchange(&offer->vanished, 1, 0);
}

/* Takes over error. */
static void fail(Offer *offer, GError *error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (offer->failure == NULL)
        offer->failure = error;
    else
        g_error_free(error);
    g_cond_signal(&offer->wake);
}

static void hold_back(Offer *offer, Hold *hold, const char *why) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (hold->why == NULL) {
        log_warning("%s are held back: %s", hold->what, why);
        hold->since_us = g_get_monotonic_time();
    }
    g_free(hold->why);
    hold->why = g_strdup(why);
}

static void hold_end(Offer *offer, Hold *hold) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (hold->why == NULL)
        return;
    log_info("%s go on, after %.1f s", hold->what,
             (double)(g_get_monotonic_time() - hold->since_us) / G_USEC_PER_SEC);
    g_clear_pointer(&hold->why, g_free);
}

static void hold_clear(Hold *hold) {
    g_free(hold->what);
    g_free(hold->why);
}

/* --- pipelines --- */

static void pipelines_open(Offer *offer) {
    const char *const *names = journal_pipelines(offer->journal);
    offer->pipeline_count = g_strv_length((char **)names);
    offer->pipelines = g_new0(Pipeline, offer->pipeline_count);
    gint64 pause_us = offer->settings->reconcile_interval_ms * 1000;
    for (guint index = 0; index < offer->pipeline_count; index++)
        offer->pipelines[index] = (Pipeline){
            .name = names[index],
            .frames = bus_stream_frames(offer->settings, names[index]),
            .reconcile = reconcile_new(offer->settings, offer->journal, offer->bus, names[index]),
            .reconcile_due_us = g_get_monotonic_time() + pause_us,
            .hold.what = g_strconcat("offers to pipeline ", names[index], NULL),
        };
}

static void pipelines_close(Offer *offer) {
    for (guint index = 0; index < offer->pipeline_count; index++) {
        reconcile_free(offer->pipelines[index].reconcile);
        hold_clear(&offer->pipelines[index].hold);
    }
    g_free(offer->pipelines);
}

static const Pipeline *pipeline_find(const Offer *offer, const char *name) {
    for (guint index = 0; index < offer->pipeline_count; index++)
        if (g_str_equal(offer->pipelines[index].name, name))
            return &offer->pipelines[index];
    return NULL;
}

/* When a pipeline has something to do without being woken, on the monotonic clock. */
static gint64 pipelines_due_us(const Offer *offer) {
    gint64 due_us = G_MAXINT64;
    for (guint index = 0; index < offer->pipeline_count; index++) {
        const Pipeline *pipeline = &offer->pipelines[index];
        due_us = MIN(due_us, pipeline->reconcile_due_us);
        if (pipeline->hold.why != NULL)
            due_us = MIN(due_us, pipeline->room_due_us);
    }
    return due_us;
}

/* --- streams --- */

static bool streams_make(Offer *offer, GError **error) {
    BusStream results = bus_stream_results(offer->settings);
    for (guint index = 0; index < offer->pipeline_count; index++)
        if (!bus_ensure_stream(offer->bus, &offer->pipelines[index].frames, error))
            return false;
    return bus_ensure_stream(offer->bus, &results, error);
}

/* Makes sure of both streams after every new connection and every failure. */
static bool ensure_streams(Offer *offer, GError **error) {
    guint generation = bus_generation(offer->bus);
    if (offer->streams_made && generation == offer->generation)
        return true;
    BusStreamState state;
    /* The first knows a refusal from a server that is away. */
    if (!bus_wait(offer->bus, 0, error) || !streams_make(offer, error) ||
        !bus_stream_state(offer->bus, "FRAMES", NULL, &state, error) ||
        !withdraw_abandoned(offer->settings, offer->journal, offer->bus, state.last_sequence,
                            error))
        return false;
    offer->frames_created_ns = state.created_ns;
    for (guint index = 0; index < offer->pipeline_count; index++) {
        Pipeline *pipeline = &offer->pipelines[index];
        pipeline->room = 0;
        if (generation != offer->generation) /* word of rows may have been missed */
            pipeline->reconcile_due_us = MIN(pipeline->reconcile_due_us, g_get_monotonic_time());
    }
    offer->generation = generation;
    offer->streams_made = offer->were_right = true;
    return true;
}

/* --- events --- */

static bool event_tell(Offer *offer, const JournalEvent *event, GError **error) {
    g_autofree char *subject = g_strdup_printf("scopestream.event.%s", event->source);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, event->body, -1);
    BusHeader headers[] = {{"Nats-Msg-Id", hash}, {NULL}};
    BusPublication publication = {
        .subject = subject, .headers = headers, .data = event->body, .length = strlen(event->body)};
    bus_publish_durably(offer->bus, &publication, 1, EVENT_TIMEOUT_MS);
    if (publication.error != NULL) {
        g_propagate_error(error, publication.error);
        return false;
    }
    return journal_set_told(offer->journal, event->id, error);
}

static bool tell_events(Offer *offer, GError **error) {
    g_autoptr(GPtrArray) events = journal_events(offer->journal, EVENTS_A_ROUND, error);
    if (events == NULL)
        return false;
    for (guint index = 0; index < events->len; index++)
        if (!event_tell(offer, g_ptr_array_index(events, index), error))
            return false;
    return true;
}

/* --- offers --- */

/* Frames of an earlier life may have rows that this journal does not know of: files older than this
 * process, and what got lost. */
static bool may_be_stored(const Offer *offer, const JournalOffer *waiting) {
    return waiting->attempt > 1 || waiting->frame->mtime_ns / 1000 < offer->started_us;
}

static bool any_may_be_stored(const Offer *offer, GPtrArray *offers) {
    for (guint index = 0; index < offers->len; index++)
        if (may_be_stored(offer, g_ptr_array_index(offers, index)))
            return true;
    return false;
}

/* Takes out of offers what has a row already, so that it is not measured again. A store that does
 * not answer holds nothing up: a second measurement is a waste and no harm. */
static bool leave_out_stored(Offer *offer, const Pipeline *pipeline, GPtrArray *offers,
                             GError **error) {
    if (g_get_monotonic_time() < offer->store_silent_until_us || !any_may_be_stored(offer, offers))
        return true;
    g_autoptr(GError) wrong = NULL;
    guint stored;
    if (have_sort_out(offer->bus, offer->journal, pipeline->name, offers, &stored, &wrong))
        return true;
    if (fault_is(wrong, FAULT_STOP)) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return false;
    }
    offer->store_silent_until_us = g_get_monotonic_time() + STORE_SILENT_US;
    return true;
}

/* Looks how much pipeline may put in the queue, unless it has room from the last look. */
static bool room_look(Offer *offer, Pipeline *pipeline, GError **error) {
    gint64 now_us = g_get_monotonic_time();
    if (pipeline->room > 0 || (pipeline->hold.why != NULL && now_us < pipeline->room_due_us))
        return true;
    if (offer->pipeline_count == 1) { /* the server tells when it is full */
        pipeline->room = BATCH;
        return true;
    }
    BusStreamState state;
    if (!bus_stream_state(offer->bus, "FRAMES", pipeline->frames.consumer, &state, error))
        return false;
    pipeline->room = share_room(&pipeline->frames, &state, offer->pipeline_count, BATCH);
    pipeline->room_due_us = now_us + ROOM_PAUSE_US;
    return true;
}

static bool put_in_queue(Offer *offer, Pipeline *pipeline, const char *source, GPtrArray *offers,
                         GError **error) {
    Enqueue enqueue = {offer->journal, offer->bus, offer->office,
                       pipeline->name, source,     offer->frames_created_ns};
    for (guint from = 0, tried, taken; from < offers->len && !is_stopping(offer); from += tried) {
        bool well = enqueue_batch(&enqueue, (JournalOffer *const *)offers->pdata + from,
                                  offers->len - from, &tried, &taken, error);
        pipeline->room -= taken;
        metrics_add(scopestream_ingest_frames_offered_total, pipeline->name, taken);
        if (taken > 0) /* a full queue that drains has room again soon */
            offer->pause_ms = PAUSE_FIRST_MS;
        if (!well)
            return false;
    }
    return true;
}

/* Offers what waits of one source, as far as pipeline has room. *more: there may be more.
 * *short_of_room: there is more, and no room for it. */
static bool offer_source(Offer *offer, Pipeline *pipeline, const char *source, bool *more,
                         bool *short_of_room, GError **error) {
    g_autoptr(GPtrArray) offers =
        journal_waiting(offer->journal, pipeline->name, source, BATCH, error);
    if (offers == NULL)
        return false;
    if (offers->len == 0)
        return true;
    if (!room_look(offer, pipeline, error))
        return false;
    *short_of_room = *short_of_room || pipeline->room == 0;
    *more = *more || (pipeline->room > 0 && offers->len >= MIN(pipeline->room, BATCH));
    g_ptr_array_set_size(offers, (int)MIN(offers->len, pipeline->room));
    return leave_out_stored(offer, pipeline, offers, error) &&
           put_in_queue(offer, pipeline, source, offers, error);
}

static bool offer_pipeline(Offer *offer, Pipeline *pipeline, bool *more, GError **error) {
    bool short_of_room = false;
    for (SourceSettings **source = offer->settings->sources; *source != NULL; source++)
        if (!offer_source(offer, pipeline, (*source)->name, more, &short_of_room, error))
            return false;
    if (short_of_room)
        hold_back(offer, &pipeline->hold,
                  "its share of the queue is full until its workers take some");
    else
        hold_end(offer, &pipeline->hold);
    return true;
}

static bool offer_waiting(Offer *offer, bool *more, GError **error) {
    for (guint index = 0; index < offer->pipeline_count; index++)
        if (!offer_pipeline(offer, &offer->pipelines[index], more, error))
            return false;
    return true;
}

/* --- reconciling --- */

static void tell_tale(const Pipeline *pipeline, const ReconcileTale *tale) {
    metrics_add(scopestream_ingest_frames_lost_total, pipeline->name,
                tale->stream_lost + tale->lost);
    if (tale->stream_lost > 0)
        log_warning("%u offers to pipeline %s were lost with their queue and are offered again",
                    tale->stream_lost, pipeline->name);
    if (tale->lost > 0)
        log_warning("%u frames left the queue without a row of pipeline %s and are offered again",
                    tale->lost, pipeline->name);
    if (tale->leftovers)
        log_info("NATS had brought back messages that were done with; they are taken out");
    if (tale->stored > 0)
        log_debug("%u frames were stored by pipeline %s without word of it", tale->stored,
                  pipeline->name);
}

/* Only a journal that fails is an error here: without a store or NATS it waits for the next time.
 */
static bool reconcile_if_due(Offer *offer, Pipeline *pipeline, bool *more, GError **error) {
    if (g_get_monotonic_time() < pipeline->reconcile_due_us)
        return true;
    g_autoptr(GError) wrong = NULL;
    ReconcileTale tale;
    reconcile_round(pipeline->reconcile, &tale, &wrong);
    tell_tale(pipeline, &tale);
    gint64 pause_us = offer->settings->reconcile_interval_ms * 1000;
    pipeline->reconcile_due_us = g_get_monotonic_time() + (tale.more ? 0 : pause_us);
    *more = *more || tale.more || tale.stream_lost > 0 || tale.lost > 0;
    if (!fault_is(wrong, FAULT_STOP))
        return true;
    g_propagate_error(error, g_steal_pointer(&wrong));
    return false;
}

static bool reconcile_all(Offer *offer, bool *more, GError **error) {
    for (guint index = 0; index < offer->pipeline_count; index++)
        if (!reconcile_if_due(offer, &offer->pipelines[index], more, error))
            return false;
    return true;
}

/* Those of the ids in a member of the store's word; an empty array if it is not there. */
static GArray *ids_of(JsonObject *word, const char *name) {
    g_autoptr(JsonArray) none = json_array_new();
    JsonArray *ids = json_read_member_array(word, name);
    return have_read_ids(ids != NULL ? ids : none, STORED_MAX);
}

/* Frames whose rows say vanished are among the stored ones, and set first: so they stay apart. */
static bool stored_set(Offer *offer, const char *pipeline, JsonObject *word, GError **error) {
    g_autoptr(GArray) vanished = ids_of(word, "vanished_ids");
    g_autoptr(GArray) stored = ids_of(word, "frame_ids");
    if (vanished->len > 0)
        g_atomic_int_set(&offer->vanished, 1);
    guint changed = 0;
    bool set =
        journal_set_vanished(offer->journal, pipeline, (const FrameId *)(void *)vanished->data,
                             vanished->len, error) &&
        journal_set_stored(offer->journal, pipeline, (const FrameId *)(void *)stored->data,
                           stored->len, &changed, error);
    metrics_add(scopestream_ingest_frames_told_stored_total, pipeline, changed);
    return set;
}

/* Word from the store: {"pipeline": ..., "frame_ids": [...]}. */
static void stored_handle(BusMessage *message, void *context) {
    Offer *offer = context;
    g_autoptr(BusMessage) received = message;
    gsize length;
    const guint8 *data = bus_message_data(message, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *word = json_read_object(parser, data, length, NULL);
    const char *name = word == NULL ? NULL : json_read_member_text(word, "pipeline");
    const Pipeline *pipeline = name == NULL ? NULL : pipeline_find(offer, name);
    GError *wrong = NULL;
    if (pipeline != NULL && !stored_set(offer, pipeline->name, word, &wrong))
        fail(offer, wrong);
}

/* --- the thread --- */

/* One round. *more: do not wait before the next one. A full queue must not silence the events, nor
 * a full RESULTS keep frames from the queue. */
static bool offer_round(Offer *offer, bool *more, GError **error) {
    if (!ensure_streams(offer, error) || !reconcile_all(offer, more, error))
        return false;
    bool offered = offer_waiting(offer, more, error);
    bool told = tell_events(offer, offered ? error : NULL);
    return offered && told;
}

/* Sleeps until woken, until until_us, or until it is to stop. */
static void rest(Offer *offer, gint64 until_us) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    while (!offer->woken && !offer->stopping && offer->failure == NULL)
        if (!g_cond_wait_until(&offer->wake, &offer->lock, until_us))
            break;
    offer->woken = false;
}

/* After a failure new work is no reason to try sooner. */
static void rest_after_failure(Offer *offer) {
    gint64 until_us = g_get_monotonic_time() + offer->pause_ms * 1000LL;
    while (!is_stopping(offer) && g_get_monotonic_time() < until_us)
        rest(offer, until_us);
    offer->pause_ms = MIN(offer->pause_ms * 2, PAUSE_LAST_MS);
}

static void *offer_run(void *data) {
    Offer *offer = data;
    bus_wait(offer->bus, CONNECT_MS, NULL);
    while (!is_stopping(offer)) {
        g_autoptr(GError) wrong = NULL;
        bool more = false;
        if (offer_round(offer, &more, &wrong)) {
            hold_end(offer, &offer->hold);
            offer->pause_ms = PAUSE_FIRST_MS;
            if (!more)
                rest(offer, pipelines_due_us(offer));
        } else if (fault_is(wrong, FAULT_STOP) ||
                   (fault_is(wrong, FAULT_USAGE) && !offer->were_right)) {
            fail(offer, g_steal_pointer(&wrong));
        } else {
            hold_back(offer, &offer->hold, wrong->message);
            offer->streams_made = false;
            rest_after_failure(offer);
        }
    }
    return NULL;
}

Offer *offer_start(const Settings *settings, Journal *journal, Bus *control, DeliveryOffice *office,
                   GError **error) {
    Offer *offer = g_new0(Offer, 1);
    offer->settings = settings;
    offer->journal = journal;
    offer->bus = control;
    offer->office = office;
    offer->started_us = g_get_real_time();
    offer->pause_ms = PAUSE_FIRST_MS;
    offer->hold.what = g_strdup("offers");
    pipelines_open(offer);
    g_mutex_init(&offer->lock);
    g_cond_init(&offer->wake);
    for (SourceSettings **source = settings->sources; *source != NULL; source++) {
        g_autofree char *subject = g_strdup_printf("scopestream.stored.%s", (*source)->name);
        if (!bus_subscribe(control, subject, NULL, stored_handle, offer, error))
            return NULL; /* the handlers subscribed before keep it */
    }
    offer->thread = g_thread_new("offer", offer_run, offer);
    return offer;
}

void offer_stop(Offer *offer) {
    if (offer == NULL || offer->thread == NULL)
        return;
    g_mutex_lock(&offer->lock);
    offer->stopping = true;
    g_cond_signal(&offer->wake);
    g_mutex_unlock(&offer->lock);
    g_thread_join(g_steal_pointer(&offer->thread));
}

void offer_free(Offer *offer) {
    if (offer == NULL)
        return;
    offer_stop(offer);
    pipelines_close(offer);
    g_clear_error(&offer->failure);
    hold_clear(&offer->hold);
    g_cond_clear(&offer->wake);
    g_mutex_clear(&offer->lock);
    g_free(offer);
}
