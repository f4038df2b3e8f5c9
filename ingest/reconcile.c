#include "ingest/reconcile.h"
#include "ingest/have.h"
#include "ingest/leftover.h"

enum { QUESTIONS_A_ROUND = 20 };

/* What was seen of both streams at one time: every frame that had left the queue by then stands in
 * RESULTS up to results_last, or is committed, or is lost. */
typedef struct {
    bool set;
    gint64 frames_created_ns, results_created_ns;
    guint64 queue_first, results_last;
} Mark;

struct Reconcile {
    const Settings *settings;
    Journal *journal;
    Bus *bus;
    const char *pipeline;
    Mark mark;
    guint64 swept; /* sequence up to which the store was asked about what is queued */
    Leftover frames, results;
};

Reconcile *reconcile_new(const Settings *settings, Journal *journal, Bus *bus,
                         const char *pipeline) {
    Reconcile *reconcile = g_new0(Reconcile, 1);
    reconcile->settings = settings;
    reconcile->journal = journal;
    reconcile->bus = bus;
    reconcile->pipeline = pipeline;
    return reconcile;
}

void reconcile_free(Reconcile *reconcile) {
    g_free(reconcile);
}

static bool offers_ask(Reconcile *reconcile, GPtrArray *offers, guint *ret_stored, GError **error) {
    return have_sort_out(reconcile->bus, reconcile->journal, reconcile->pipeline, offers,
                         ret_stored, error);
}

/* --- what came back --- */

/* Leftovers stand in the way of telling what left the queue. */
static bool stream_clear(Reconcile *reconcile, const BusStream *stream, Leftover *leftover,
                         BusStreamState *ret_state, ReconcileTale *tale, GError **error) {
    if (!bus_stream_state(reconcile->bus, stream->name, stream->consumer, ret_state, error))
        return false;
    guint64 sequence = leftover_look(leftover, stream, ret_state, g_get_monotonic_time());
    if (sequence == 0)
        return true;
    guint64 before = ret_state->consumer_messages;
    bool cleared =
        bus_drop_until(reconcile->bus, stream, sequence, error) &&
        bus_stream_state(reconcile->bus, stream->name, stream->consumer, ret_state, error);
    tale->leftovers |= cleared && ret_state->consumer_messages < before;
    return cleared;
}

/* First the queue, then RESULTS. */
static bool streams_look(Reconcile *reconcile, BusStreamState *ret_frames,
                         BusStreamState *ret_results, ReconcileTale *tale, GError **error) {
    BusStream frames = bus_stream_frames(reconcile->settings, reconcile->pipeline);
    BusStream results = bus_stream_results(reconcile->settings);
    return stream_clear(reconcile, &frames, &reconcile->frames, ret_frames, tale, error) &&
           stream_clear(reconcile, &results, &reconcile->results, ret_results, tale, error);
}

/* --- what left the queue --- */

/* The sequence before which no message of the pipeline stands in the queue. Those of a pipeline
 * whose workers are away may stand before it for long. */
static guint64 queue_first(const BusStreamState *frames) {
    return frames->consumer_messages > 0 ? MAX(frames->first_sequence, frames->consumer_floor + 1)
                                         : frames->last_sequence + 1;
}

/* Whether everything that had left the queue when the mark was made has been committed, or is lost.
 * Makes a new mark where the old one says nothing any longer. */
static bool mark_is_reached(Reconcile *reconcile, const BusStreamState *frames,
                            const BusStreamState *results) {
    Mark *mark = &reconcile->mark;
    Mark now = {.set = true,
                .frames_created_ns = frames->created_ns,
                .results_created_ns = results->created_ns,
                .queue_first = queue_first(frames),
                .results_last = results->last_sequence};
    bool is_void = !mark->set || mark->frames_created_ns != now.frames_created_ns ||
                   mark->results_created_ns != now.results_created_ns;
    if (is_void || results->messages == 0)
        *mark = now;
    return results->messages == 0 || results->first_sequence > mark->results_last;
}

/* Frames that left the queue before the mark: those without a row are lost. */
static bool judge(Reconcile *reconcile, guint *questions, ReconcileTale *tale, GError **error) {
    for (; *questions > 0; (*questions)--) {
        g_autoptr(GPtrArray) offers =
            journal_queued(reconcile->journal, reconcile->pipeline, 0, reconcile->mark.queue_first,
                           G_MAXINT64, HAVE_FRAMES_MAX, error);
        if (offers == NULL)
            return false;
        if (offers->len == 0) {
            reconcile->mark.set = false;
            return true;
        }
        guint stored;
        if (!offers_ask(reconcile, offers, &stored, error) ||
            !journal_set_lost(reconcile->journal, offers, error))
            return false;
        tale->stored += stored;
        tale->lost += offers->len;
    }
    tale->more = true;
    return true;
}

/* --- what may have rows already --- */

/* Word of rows gets lost, on purpose: asks about the frames that stand in the queue for long, some
 * each round, and goes on as long as there is news. */
static bool sweep(Reconcile *reconcile, guint *questions, ReconcileTale *tale, GError **error) {
    gint64 before_us = g_get_real_time() - reconcile->settings->reconcile_interval_ms * 1000;
    for (; *questions > 0; (*questions)--) {
        g_autoptr(GPtrArray) offers =
            journal_queued(reconcile->journal, reconcile->pipeline, reconcile->swept, G_MAXINT64,
                           before_us, HAVE_FRAMES_MAX, error);
        if (offers == NULL)
            return false;
        if (offers->len == 0) {
            reconcile->swept = 0;
            return true;
        }
        const JournalOffer *last = g_ptr_array_index(offers, offers->len - 1);
        guint64 last_sequence = last->sequence;
        guint stored;
        if (!offers_ask(reconcile, offers, &stored, error))
            return false;
        tale->stored += stored;
        reconcile->swept = last_sequence;
        if (stored == 0)
            return true;
    }
    tale->more = true;
    return true;
}

/* --- a round --- */

bool reconcile_round(Reconcile *reconcile, ReconcileTale *ret_tale, GError **error) {
    guint questions = QUESTIONS_A_ROUND;
    BusStreamState frames, results;
    *ret_tale = (ReconcileTale){0};
    return streams_look(reconcile, &frames, &results, ret_tale, error) &&
           journal_set_stream_lost(reconcile->journal, reconcile->pipeline, frames.created_ns,
                                   frames.last_sequence, &ret_tale->stream_lost, error) &&
           (!mark_is_reached(reconcile, &frames, &results) ||
            judge(reconcile, &questions, ret_tale, error)) &&
           sweep(reconcile, &questions, ret_tale, error);
}
