#include "ingest/offer.h"
#include "ingest/have.h"
#include "ingest/reconcile.h"
#include "stream/json_read.h"
#include "stream/program.h"
#include <string.h>

enum {
    BATCH = 256,           /* offers published before the first answer is waited for */
    BATCH_BYTES = 4 << 20, /* of their bodies, together */
    EVENTS_A_ROUND = 64,
    PUBLISH_TIMEOUT_MS = 2000, /* a second try has the same Nats-Msg-Id, and does no harm */
    PAUSE_FIRST_MS = 200,      /* between two tries; doubles */
    PAUSE_LAST_MS = 5000,
    CONNECT_MS = 2000,                     /* at start: not being connected yet is nothing to log */
    STORED_MAX = 100000,                   /* ids in one message of the store */
    STORE_SILENT_US = 30 * G_USEC_PER_SEC, /* a store that did not answer is not asked before */
};

struct Offer {
    const Settings *settings;
    Journal *journal;
    Bus *bus;
    DeliveryOffice *office;
    Reconcile *reconcile;
    GThread *thread;
    gint64 started_us; /* since 1970 */

    GMutex lock; /* of the rest up to the line */
    GCond wake;
    bool woken, stopping;
    char *holding;
    GError *failure; /* of the journal */
    /* --- */

    gint vanished; /* atomic: files are to be looked for again */

    guint generation; /* of the connection the streams were ensured on */
    bool streams_made;
    bool were_right; /* once: from then on a refusal may pass */
    gint64 frames_created_ns;
    gint64 store_silent_until_us, reconcile_due_us; /* monotonic */
    gint64 held_since_us;
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
    return g_strdup(offer->holding);
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

static void hold(Offer *offer, const char *why) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (offer->holding == NULL) {
        log_warning("offers are held back: %s", why);
        offer->held_since_us = g_get_monotonic_time();
    }
    g_free(offer->holding);
    offer->holding = g_strdup(why);
}

static void go_on(Offer *offer) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&offer->lock);
    if (offer->holding == NULL)
        return;
    log_info("offers go on, after %.1f s",
             (double)(g_get_monotonic_time() - offer->held_since_us) / G_USEC_PER_SEC);
    g_clear_pointer(&offer->holding, g_free);
}

/* --- streams --- */

/* Makes sure of both streams after every new connection and every failure. */
static bool ensure_streams(Offer *offer, GError **error) {
    guint generation = bus_generation(offer->bus);
    if (offer->streams_made && generation == offer->generation)
        return true;
    if (!bus_wait(offer->bus, 0, error)) /* which knows a refusal from a server that is away */
        return false;
    BusStream frames = bus_stream_frames(offer->settings, offer->settings->pipeline);
    BusStream results = bus_stream_results(offer->settings);
    BusStreamState state;
    if (!bus_ensure_stream(offer->bus, &frames, error) ||
        !bus_ensure_stream(offer->bus, &results, error) ||
        !bus_stream_state(offer->bus, "FRAMES", NULL, &state, error))
        return false;
    offer->frames_created_ns = state.created_ns;
    if (generation != offer->generation) /* word of rows may have been missed */
        offer->reconcile_due_us = MIN(offer->reconcile_due_us, g_get_monotonic_time());
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
    bus_publish_durably(offer->bus, &publication, 1, PUBLISH_TIMEOUT_MS);
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
static bool leave_out_stored(Offer *offer, GPtrArray *offers, GError **error) {
    if (g_get_monotonic_time() < offer->store_silent_until_us || !any_may_be_stored(offer, offers))
        return true;
    g_autoptr(GError) wrong = NULL;
    guint stored;
    if (have_sort_out(offer->bus, offer->journal, offer->settings->pipeline, offers, &stored,
                      &wrong))
        return true;
    if (fault_is(wrong, FAULT_STOP)) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return false;
    }
    offer->store_silent_until_us = g_get_monotonic_time() + STORE_SILENT_US;
    return true;
}

/* A descriptor on its way: what a BusPublication borrows. */
typedef struct {
    GBytes *body;
    char *message_id, *json_length;
    BusHeader headers[4];
} Parcel;

static void parcel_clear(Parcel *parcel) {
    g_bytes_unref(parcel->body);
    g_free(parcel->message_id);
    g_free(parcel->json_length);
}

static void parcel_fill(Offer *offer, const JournalOffer *waiting, gint64 offered_us,
                        Parcel *parcel) {
    g_autoptr(Descriptor) descriptor = descriptor_new();
    descriptor->frame = frame_copy(waiting->frame);
    descriptor->pipeline = g_strdup(offer->settings->pipeline);
    descriptor->attempt = waiting->attempt;
    descriptor->offered_us = offered_us;
    descriptor->origin = g_strdup(g_get_host_name());
    /* A file that is gone is offered all the same: its row will say so. */
    delivery_offer(offer->office, descriptor, NULL);

    gsize json_length;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    parcel->body = descriptor_to_body(descriptor, &json_length);
    parcel->message_id = g_strdup_printf("%s/%s/%u", frame_id_text(&waiting->frame->id, id),
                                         offer->settings->pipeline, waiting->attempt);
    parcel->headers[0] = (BusHeader){"Nats-Msg-Id", parcel->message_id};
    parcel->headers[1] = (BusHeader){"Scopestream-Wire", G_STRINGIFY(DESCRIPTOR_WIRE_VERSION)};
    if (json_length < g_bytes_get_size(parcel->body)) {
        parcel->json_length = g_strdup_printf("%zu", json_length);
        parcel->headers[2] = (BusHeader){"Scopestream-Json", parcel->json_length};
    }
}

/* Publishes the first of offers, as many as a batch holds; *ret_tried tells how many that are. */
static bool publish_batch(Offer *offer, const char *subject, JournalOffer *const *offers,
                          guint count, guint *ret_tried, GError **error) {
    g_autofree Parcel *parcels = g_new0(Parcel, count);
    g_autofree BusPublication *publications = g_new0(BusPublication, count);
    g_autofree JournalReceipt *receipts = g_new0(JournalReceipt, count);
    gint64 offered_us = g_get_real_time();
    gsize total_bytes = 0;
    guint tried = 0, taken = 0;
    for (; tried < count && total_bytes < BATCH_BYTES; tried++) {
        Parcel *parcel = &parcels[tried];
        parcel_fill(offer, offers[tried], offered_us, parcel);
        BusPublication publication = {.subject = subject, .headers = parcel->headers};
        publication.data = g_bytes_get_data(parcel->body, &publication.length);
        publications[tried] = publication;
        total_bytes += publication.length;
    }
    bus_publish_durably(offer->bus, publications, tried, PUBLISH_TIMEOUT_MS);

    GError *refused = NULL;
    for (guint index = 0; index < tried; index++) {
        const BusPublication *publication = &publications[index];
        if (publication->stored)
            receipts[taken++] = (JournalReceipt){.id = offers[index]->id,
                                                 .sequence = publication->sequence,
                                                 .stream_created_ns = offer->frames_created_ns,
                                                 .offered_us = offered_us};
        else if (publication->error != NULL && refused == NULL)
            refused = g_error_copy(publication->error);
        g_clear_error(&publications[index].error);
        parcel_clear(&parcels[index]);
    }
    *ret_tried = tried;
    if (taken > 0) /* a full queue that drains has room again soon */
        offer->pause_ms = PAUSE_FIRST_MS;
    bool written =
        journal_set_queued(offer->journal, receipts, taken, refused == NULL ? error : NULL);
    if (refused != NULL)
        g_propagate_error(error, refused);
    return written && refused == NULL;
}

/* Offers what waits of one source, up to a batch or two. *more: there may be more. */
static bool offer_source(Offer *offer, const SourceSettings *source, bool *more, GError **error) {
    g_autoptr(GPtrArray) offers = journal_waiting(offer->journal, source->name, BATCH, error);
    if (offers == NULL)
        return false;
    *more = *more || offers->len == BATCH;
    if (!leave_out_stored(offer, offers, error))
        return false;
    g_autofree char *subject =
        g_strdup_printf("scopestream.frame.%s.%s", offer->settings->pipeline, source->name);
    for (guint from = 0, tried; from < offers->len && !is_stopping(offer); from += tried)
        if (!publish_batch(offer, subject, (JournalOffer *const *)offers->pdata + from,
                           offers->len - from, &tried, error))
            return false;
    return true;
}

static bool offer_waiting(Offer *offer, bool *more, GError **error) {
    for (SourceSettings **source = offer->settings->sources; *source != NULL; source++)
        if (!offer_source(offer, *source, more, error))
            return false;
    return true;
}

/* --- reconciling --- */

static void log_tale(const ReconcileTale *tale) {
    if (tale->stream_lost > 0)
        log_warning("%u offers were lost with their queue and are offered again",
                    tale->stream_lost);
    if (tale->lost > 0)
        log_warning("%u frames left the queue without a row and are offered again", tale->lost);
    if (tale->leftovers)
        log_info("NATS had brought back messages that were done with; they are taken out");
    if (tale->stored > 0)
        log_debug("%u frames were stored without word of it", tale->stored);
}

/* Only a journal that fails is an error here: without a store or NATS it waits for the next time.
 */
static bool reconcile_if_due(Offer *offer, bool *more, GError **error) {
    if (g_get_monotonic_time() < offer->reconcile_due_us)
        return true;
    g_autoptr(GError) wrong = NULL;
    ReconcileTale tale;
    reconcile_round(offer->reconcile, &tale, &wrong);
    log_tale(&tale);
    gint64 pause_us = offer->settings->reconcile_interval_ms * 1000;
    offer->reconcile_due_us = g_get_monotonic_time() + (tale.more ? 0 : pause_us);
    *more = *more || tale.more || tale.stream_lost > 0 || tale.lost > 0;
    if (!fault_is(wrong, FAULT_STOP))
        return true;
    g_propagate_error(error, g_steal_pointer(&wrong));
    return false;
}

/* Those of the ids in a member of the store's word; an empty array if it is not there. */
static GArray *ids_of(JsonObject *word, const char *name) {
    g_autoptr(JsonArray) none = json_array_new();
    JsonArray *ids = json_read_member_array(word, name);
    return have_read_ids(ids != NULL ? ids : none, STORED_MAX);
}

/* Frames whose rows say vanished are among the stored ones, and set first: so they stay apart. */
static bool stored_set(Offer *offer, JsonObject *word, GError **error) {
    g_autoptr(GArray) vanished = ids_of(word, "vanished_ids");
    g_autoptr(GArray) stored = ids_of(word, "frame_ids");
    if (vanished->len > 0)
        g_atomic_int_set(&offer->vanished, 1);
    return journal_set_vanished(offer->journal, (const FrameId *)(void *)vanished->data,
                                vanished->len, error) &&
           journal_set_stored(offer->journal, (const FrameId *)(void *)stored->data, stored->len,
                              NULL, error);
}

/* Word from the store: {"pipeline": ..., "frame_ids": [...]}. */
static void stored_handle(BusMessage *message, void *context) {
    Offer *offer = context;
    g_autoptr(BusMessage) received = message;
    gsize length;
    const guint8 *data = bus_message_data(message, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *word = json_read_object(parser, data, length, NULL);
    const char *pipeline = word == NULL ? NULL : json_read_member_text(word, "pipeline");
    GError *wrong = NULL;
    if (g_strcmp0(pipeline, offer->settings->pipeline) == 0 && !stored_set(offer, word, &wrong))
        fail(offer, wrong);
}

/* --- the thread --- */

/* One round. *more: do not wait before the next one. A full queue must not silence the events, nor
 * a full RESULTS keep frames from the queue. */
static bool offer_round(Offer *offer, bool *more, GError **error) {
    if (!ensure_streams(offer, error) || !reconcile_if_due(offer, more, error))
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
            go_on(offer);
            offer->pause_ms = PAUSE_FIRST_MS;
            if (!more)
                rest(offer, offer->reconcile_due_us);
        } else if (fault_is(wrong, FAULT_STOP) ||
                   (fault_is(wrong, FAULT_USAGE) && !offer->were_right)) {
            fail(offer, g_steal_pointer(&wrong));
        } else {
            hold(offer, wrong->message);
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
    offer->reconcile_due_us = g_get_monotonic_time() + settings->reconcile_interval_ms * 1000;
    offer->reconcile = reconcile_new(settings, journal, control);
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
    reconcile_free(offer->reconcile);
    g_clear_error(&offer->failure);
    g_free(offer->holding);
    g_cond_clear(&offer->wake);
    g_mutex_clear(&offer->lock);
    g_free(offer);
}
