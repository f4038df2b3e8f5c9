/* Offers: a source's frames on their way to the pipeline. */
#include "ingest/journal_private.h"

/* --- waiting --- */

gint64 journal_lane(Journal *journal, const char *source, GError **error) {
    gpointer known = g_hash_table_lookup(journal->lanes, source);
    if (known != NULL)
        return GPOINTER_TO_INT(known);
    if (!rows_run(journal, rows_open(&journal->work, SQL_LANE_ADD, "tt", source, journal->pipeline),
                  error))
        return 0;
    g_autoptr(Rows) rows =
        rows_open(&journal->work, SQL_LANE_FIND, "tt", source, journal->pipeline);
    if (!rows_next(journal, &journal->work, rows, error))
        return 0;
    int lane = sqlite3_column_int(rows, 0);
    g_hash_table_insert(journal->lanes, g_strdup(source), GINT_TO_POINTER(lane));
    return lane;
}

static char *document_of(const Frame *frame) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    frame_to_json(frame, builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

bool journal_offer_add(Journal *journal, gint64 lane, const Frame *frame, GError **error) {
    g_autofree char *document = document_of(frame);
    return rows_run(journal,
                    rows_open(&journal->work, SQL_OFFER_ADD, "bit", &frame->id, lane, document),
                    error);
}

/* --- reading --- */

void journal_offer_free(JournalOffer *offer) {
    if (offer == NULL)
        return;
    frame_free(offer->frame);
    g_free(offer);
}

static Frame *frame_of(const char *document, GError **error) {
    g_autoptr(JsonNode) node = document == NULL ? NULL : json_from_string(document, error);
    if (node == NULL || !JSON_NODE_HOLDS_OBJECT(node)) {
        if (error != NULL && *error == NULL)
            fault_set(error, FAULT_BROKEN, "no document");
        return NULL;
    }
    return frame_from_json(json_node_get_object(node), error);
}

/* Rows of id, attempt, document, sequence. */
static GPtrArray *offers_read(Journal *journal, Rows *to_read, GError **error) {
    g_autoptr(Rows) rows = to_read;
    g_autoptr(GPtrArray) offers =
        g_ptr_array_new_with_free_func((GDestroyNotify)journal_offer_free);
    GError *wrong = NULL;
    while (wrong == NULL && rows_next(journal, &journal->work, rows, &wrong)) {
        Frame *frame = frame_of((const char *)sqlite3_column_text(rows, 2), &wrong);
        if (frame == NULL)
            break;
        JournalOffer offer = {.id = sqlite3_column_int64(rows, 0),
                              .attempt = (guint32)sqlite3_column_int64(rows, 1),
                              .frame = frame,
                              .sequence = (guint64)sqlite3_column_int64(rows, 3)};
        g_ptr_array_add(offers, g_memdup2(&offer, sizeof offer));
    }
    if (wrong == NULL)
        return g_steal_pointer(&offers);
    fault_set(error, FAULT_STOP, "journal %s: %s", journal->file, wrong->message);
    g_error_free(wrong);
    return NULL;
}

GPtrArray *journal_waiting(Journal *journal, const char *source, guint most, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    gint64 lane = journal_lane(journal, source, error);
    return lane == 0 ? NULL
                     : offers_read(
                           journal,
                           rows_open(&journal->work, SQL_OFFERS_WAITING, "ii", lane, (gint64)most),
                           error);
}

GPtrArray *journal_queued(Journal *journal, guint64 after_sequence, guint64 before_sequence,
                          gint64 offered_before_us, guint most, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return offers_read(journal,
                       rows_open(&journal->work, SQL_OFFERS_QUEUED, "iiiti", (gint64)after_sequence,
                                 (gint64)MIN(before_sequence, G_MAXINT64), offered_before_us,
                                 journal->pipeline, (gint64)most),
                       error);
}

/* --- moving on --- */

static bool queued_set(Journal *journal, gconstpointer receipts, guint index, GError **error) {
    const JournalReceipt *receipt = (const JournalReceipt *)receipts + index;
    return rows_run(journal,
                    rows_open(&journal->work, SQL_OFFER_QUEUED, "iiii", receipt->id,
                              (gint64)receipt->sequence, receipt->stream_created_ns,
                              receipt->offered_us),
                    error);
}

static bool stored_set(Journal *journal, gconstpointer ids, guint index, GError **error) {
    return rows_run(journal,
                    rows_open(&journal->work, SQL_OFFER_STORED, "bt", (const FrameId *)ids + index,
                              journal->pipeline),
                    error);
}

static bool vanished_set(Journal *journal, gconstpointer ids, guint index, GError **error) {
    const FrameId *id = (const FrameId *)ids + index;
    if (!rows_run(journal,
                  rows_open(&journal->work, SQL_OFFER_VANISHED, "bt", id, journal->pipeline),
                  error))
        return false;
    return sqlite3_changes(journal->work.db) == 0 ||
           rows_run(journal, rows_open(&journal->work, SQL_FILE_VANISHED, "b", id), error);
}

static bool lost_set(Journal *journal, gconstpointer offers, guint index, GError **error) {
    const JournalOffer *offer = ((gpointer const *)offers)[index];
    return rows_run(journal, rows_open(&journal->work, SQL_OFFER_LOST, "i", offer->id), error);
}

/* Calls set for each of count items, in one transaction. */
static bool for_each(Journal *journal, gconstpointer items, guint count,
                     bool (*set)(Journal *, gconstpointer, guint, GError **), guint *ret_changed,
                     GError **error) {
    if (ret_changed != NULL)
        *ret_changed = 0;
    if (count == 0)
        return true;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    guint changed = 0;
    bool well = journal_begin(journal, &wrong);
    for (guint index = 0; well && index < count; index++) {
        well = set(journal, items, index, &wrong);
        changed += (guint)sqlite3_changes(journal->work.db);
    }
    journal_end(journal, well, wrong == NULL ? &wrong : NULL);
    if (ret_changed != NULL)
        *ret_changed = changed;
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}

bool journal_set_queued(Journal *journal, const JournalReceipt receipts[], guint count,
                        GError **error) {
    return for_each(journal, receipts, count, queued_set, NULL, error);
}

bool journal_set_stored(Journal *journal, const FrameId ids[], guint count, guint *ret_count,
                        GError **error) {
    return for_each(journal, ids, count, stored_set, ret_count, error);
}

bool journal_set_vanished(Journal *journal, const FrameId ids[], guint count, GError **error) {
    return for_each(journal, ids, count, vanished_set, NULL, error);
}

bool journal_set_lost(Journal *journal, GPtrArray *offers, GError **error) {
    return for_each(journal, offers->pdata, offers->len, lost_set, NULL, error);
}

bool journal_set_stream_lost(Journal *journal, gint64 stream_created_ns, guint64 last_sequence,
                             guint *ret_count, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    if (!rows_run(journal,
                  rows_open(&journal->work, SQL_STREAM_LOST, "iit", stream_created_ns,
                            (gint64)last_sequence, journal->pipeline),
                  error))
        return false;
    *ret_count = (guint)sqlite3_changes(journal->work.db);
    return true;
}

/* --- counts --- */

static gint64 oldest_us(Journal *journal, gint64 lane) {
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_OFFER_OLDEST, "i", lane);
    g_autoptr(GError) wrong = NULL;
    if (!rows_next(journal, &journal->work, rows, &wrong))
        return 0;
    g_autoptr(Frame) frame = frame_of((const char *)sqlite3_column_text(rows, 0), &wrong);
    return frame == NULL ? 0 : frame->closed_us;
}

bool journal_count(Journal *journal, const char *source, JournalCounts *ret_counts,
                   GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    gint64 lane = journal_lane(journal, source, error);
    gint64 given_up = lane == 0 ? -1 : journal_unfinished_count(journal, source, error);
    if (given_up < 0)
        return false;
    g_autoptr(Rows) rows =
        rows_open(&journal->work, SQL_LANE_FIND, "tt", source, journal->pipeline);
    if (!rows_next(journal, &journal->work, rows, error))
        return false;
    *ret_counts = (JournalCounts){.waiting = sqlite3_column_int64(rows, 1),
                                  .queued = sqlite3_column_int64(rows, 2),
                                  .stored = sqlite3_column_int64(rows, 3),
                                  .unfinished = given_up,
                                  .oldest_us = oldest_us(journal, lane)};
    return true;
}
