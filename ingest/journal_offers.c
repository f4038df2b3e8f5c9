/* Offers: a source's frames on their way to each pipeline. */
#include "ingest/journal_private.h"

/* --- waiting --- */

/* The id of source's lane to pipeline, made when missing. 0 with error set else. */
static gint64 lane_id(Journal *journal, const char *pipeline, const char *source, GError **error) {
    g_autofree char *name = g_strconcat(source, " ", pipeline, NULL);
    gpointer known = g_hash_table_lookup(journal->lanes, name);
    if (known != NULL)
        return GPOINTER_TO_INT(known);
    if (!rows_run(journal, rows_open(&journal->work, SQL_LANE_ADD, "tt", source, pipeline), error))
        return 0;
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_LANE_FIND, "tt", source, pipeline);
    if (!rows_next(journal, &journal->work, rows, error))
        return 0;
    int lane = sqlite3_column_int(rows, 0);
    g_hash_table_insert(journal->lanes, g_steal_pointer(&name), GINT_TO_POINTER(lane));
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

bool journal_offer_add(Journal *journal, const Frame *frame, GError **error) {
    g_autofree char *document = document_of(frame);
    for (char **pipeline = journal->pipelines; *pipeline != NULL; pipeline++) {
        gint64 lane = lane_id(journal, *pipeline, frame->source, error);
        if (lane == 0 ||
            !rows_run(journal,
                      rows_open(&journal->work, SQL_OFFER_ADD, "bit", &frame->id, lane, document),
                      error))
            return false;
    }
    return true;
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

GPtrArray *journal_waiting(Journal *journal, const char *pipeline, const char *source, guint most,
                           GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    gint64 lane = lane_id(journal, pipeline, source, error);
    return lane == 0 ? NULL
                     : offers_read(
                           journal,
                           rows_open(&journal->work, SQL_OFFERS_WAITING, "ii", lane, (gint64)most),
                           error);
}

GPtrArray *journal_queued(Journal *journal, const char *pipeline, guint64 after_sequence,
                          guint64 before_sequence, gint64 offered_before_us, guint most,
                          GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return offers_read(journal,
                       rows_open(&journal->work, SQL_OFFERS_QUEUED, "iiiti", (gint64)after_sequence,
                                 (gint64)MIN(before_sequence, G_MAXINT64), offered_before_us,
                                 pipeline, (gint64)most),
                       error);
}

/* --- moving on --- */

/* Ids of offers say which pipeline they are for; ids of frames do not. */
static bool queued_set(Journal *journal, const char *unused, gconstpointer receipts, guint index,
                       GError **error) {
    const JournalReceipt *receipt = (const JournalReceipt *)receipts + index;
    return rows_run(journal,
                    rows_open(&journal->work, SQL_OFFER_QUEUED, "iiii", receipt->id,
                              (gint64)receipt->sequence, receipt->stream_created_ns,
                              receipt->offered_us),
                    error);
}

static bool stored_set(Journal *journal, const char *pipeline, gconstpointer ids, guint index,
                       GError **error) {
    const FrameId *id = (const FrameId *)ids + index;
    return rows_run(journal, rows_open(&journal->work, SQL_OFFER_STORED, "bt", id, pipeline),
                    error);
}

static bool vanished_set(Journal *journal, const char *pipeline, gconstpointer ids, guint index,
                         GError **error) {
    const FrameId *id = (const FrameId *)ids + index;
    if (!rows_run(journal, rows_open(&journal->work, SQL_OFFER_VANISHED, "bt", id, pipeline),
                  error))
        return false;
    return sqlite3_changes(journal->work.db) == 0 ||
           rows_run(journal, rows_open(&journal->work, SQL_FILE_VANISHED, "b", id), error);
}

static bool lost_set(Journal *journal, const char *unused, gconstpointer offers, guint index,
                     GError **error) {
    const JournalOffer *offer = ((gpointer const *)offers)[index];
    return rows_run(journal, rows_open(&journal->work, SQL_OFFER_LOST, "i", offer->id), error);
}

/* Calls set for each of count items, in one transaction. */
static bool for_each(Journal *journal, const char *pipeline, gconstpointer items, guint count,
                     bool (*set)(Journal *, const char *, gconstpointer, guint, GError **),
                     guint *ret_changed, GError **error) {
    if (ret_changed != NULL)
        *ret_changed = 0;
    if (count == 0)
        return true;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    guint changed = 0;
    bool well = journal_begin(journal, &wrong);
    for (guint index = 0; well && index < count; index++) {
        well = set(journal, pipeline, items, index, &wrong);
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
    return for_each(journal, NULL, receipts, count, queued_set, NULL, error);
}

bool journal_set_stored(Journal *journal, const char *pipeline, const FrameId ids[], guint count,
                        guint *ret_count, GError **error) {
    return for_each(journal, pipeline, ids, count, stored_set, ret_count, error);
}

bool journal_set_vanished(Journal *journal, const char *pipeline, const FrameId ids[], guint count,
                          GError **error) {
    return for_each(journal, pipeline, ids, count, vanished_set, NULL, error);
}

bool journal_set_lost(Journal *journal, GPtrArray *offers, GError **error) {
    return for_each(journal, NULL, offers->pdata, offers->len, lost_set, NULL, error);
}

bool journal_set_stream_lost(Journal *journal, const char *pipeline, gint64 stream_created_ns,
                             guint64 last_sequence, guint *ret_count, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    if (!rows_run(journal,
                  rows_open(&journal->work, SQL_STREAM_LOST, "iit", stream_created_ns,
                            (gint64)last_sequence, pipeline),
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

bool journal_count(Journal *journal, const char *pipeline, const char *source,
                   JournalCounts *ret_counts, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    gint64 lane = lane_id(journal, pipeline, source, error);
    if (lane == 0)
        return false;
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_LANE_FIND, "tt", source, pipeline);
    if (!rows_next(journal, &journal->work, rows, error))
        return false;
    *ret_counts = (JournalCounts){.waiting = sqlite3_column_int64(rows, 1),
                                  .queued = sqlite3_column_int64(rows, 2),
                                  .stored = sqlite3_column_int64(rows, 3),
                                  .oldest_us = oldest_us(journal, lane)};
    return true;
}

/* --- pipelines of earlier times --- */

void journal_lane_free(JournalLane *lane) {
    if (lane == NULL)
        return;
    g_free(lane->pipeline);
    g_free(lane->source);
    g_free(lane);
}

GPtrArray *journal_abandoned(Journal *journal, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(GPtrArray) lanes = g_ptr_array_new_with_free_func((GDestroyNotify)journal_lane_free);
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_LANES_QUEUED, "");
    GError *wrong = NULL;
    while (rows_next(journal, &journal->work, rows, &wrong)) {
        const char *pipeline = (const char *)sqlite3_column_text(rows, 1);
        if (g_strv_contains((const char *const *)journal->pipelines, pipeline))
            continue;
        JournalLane lane = {.pipeline = g_strdup(pipeline), .source = rows_text(rows, 0)};
        g_ptr_array_add(lanes, g_memdup2(&lane, sizeof lane));
    }
    if (wrong == NULL)
        return g_steal_pointer(&lanes);
    g_propagate_error(error, wrong);
    return NULL;
}

bool journal_set_withdrawn(Journal *journal, const JournalLane *lane, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return rows_run(
        journal, rows_open(&journal->work, SQL_LANE_WITHDRAWN, "tt", lane->source, lane->pipeline),
        error);
}
