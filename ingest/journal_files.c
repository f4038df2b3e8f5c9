/* Files that were looked at, and where the bytes of their frames lie. */
#include "ingest/journal_private.h"

enum { FILE_LOOK_AGAIN, FILE_COMPLETE, FILE_GIVEN_UP };

bool journal_knows(Journal *journal, const char *source, const char *path, const FileSight *sight) {
    FrameId version = frame_id_make(source, path, sight->size_bytes, sight->mtime_ns, 0);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_FILE_KNOWN, "b", &version);
    g_autoptr(GError) wrong = NULL; /* then it is looked at, and writing it down will tell */
    if (!rows_next(journal, &journal->work, rows, &wrong))
        return false;
    int state = sqlite3_column_int(rows, 0);
    /* Its permissions, or bytes behind a kept mtime, change ctime alone. */
    bool unchanged = sqlite3_column_int64(rows, 1) == sight->ctime_ns;
    return state == FILE_COMPLETE || (state == FILE_GIVEN_UP && unchanged);
}

/* The file's row id; 0 with error set otherwise. Versions of it that were given up on are history.
 */
static gint64 file_add(Journal *journal, const FrameId *version, const char *source,
                       const char *path, const FileSight *sight, int state, const char *reason,
                       GError **error) {
    if (!rows_run(journal,
                  rows_open(&journal->work, SQL_FILE_OUTDATED, "ttb", source, path, version),
                  error))
        return 0;
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_FILE_ADD, "bttiiiit", version, source,
                                     path, (gint64)sight->size_bytes, sight->mtime_ns,
                                     sight->ctime_ns, (gint64)state, reason);
    return rows_next(journal, &journal->work, rows, error) ? sqlite3_column_int64(rows, 0) : 0;
}

static bool frame_add(Journal *journal, gint64 file, const Frame *frame, GError **error) {
    return rows_run(journal,
                    rows_open(&journal->work, SQL_FRAME_ADD, "bii", &frame->id, file,
                              (gint64)frame->page),
                    error) &&
           journal_offer_add(journal, frame, error);
}

static bool frames_add(Journal *journal, GPtrArray *frames, GError **error) {
    const Frame *first = g_ptr_array_index(frames, 0);
    FrameId version =
        frame_id_make(first->source, first->path, first->size_bytes, first->mtime_ns, 0);
    FileSight sight = {.size_bytes = first->size_bytes, .mtime_ns = first->mtime_ns};
    gint64 file =
        file_add(journal, &version, first->source, first->path, &sight, FILE_COMPLETE, NULL, error);
    for (guint index = 0; file != 0 && index < frames->len; index++)
        if (!frame_add(journal, file, g_ptr_array_index(frames, index), error))
            return false;
    return file != 0;
}

bool journal_add(Journal *journal, GPtrArray *files, GError **error) {
    if (files->len == 0)
        return true;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    bool well = journal_begin(journal, &wrong);
    for (guint index = 0; well && index < files->len; index++)
        well = frames_add(journal, g_ptr_array_index(files, index), &wrong);
    if (!journal_end(journal, well, wrong == NULL ? &wrong : NULL))
        g_hash_table_remove_all(journal->lanes); /* one of them may have been taken back */
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}

static bool given_up_before(Journal *journal, const FrameId *version) {
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_FILE_KNOWN, "b", version);
    g_autoptr(GError) wrong = NULL;
    return rows_next(journal, &journal->work, rows, &wrong) &&
           sqlite3_column_int(rows, 0) == FILE_GIVEN_UP;
}

bool journal_add_unfinished(Journal *journal, const char *source, const char *path,
                            const FileSight *sight, const char *reason, const char *event,
                            GError **error) {
    FrameId version = frame_id_make(source, path, sight->size_bytes, sight->mtime_ns, 0);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    bool told = given_up_before(journal, &version);
    bool well = journal_begin(journal, &wrong) &&
                file_add(journal, &version, source, path, sight, FILE_GIVEN_UP, reason, &wrong) &&
                (told || journal_event_add(journal, source, event, &wrong));
    journal_end(journal, well, wrong == NULL ? &wrong : NULL);
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}

void journal_place_clear(JournalPlace *place) {
    g_clear_pointer(&place->source, g_free);
    g_clear_pointer(&place->path, g_free);
}

bool journal_find(Journal *journal, const FrameId *id, JournalPlace *ret_place, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->find.lock);
    g_autoptr(Rows) rows = rows_open(&journal->find, SQL_FRAME_FIND, "b", id);
    GError *wrong = NULL;
    if (!rows_next(journal, &journal->find, rows, &wrong)) {
        char text[FRAME_ID_TEXT_LENGTH + 1];
        if (wrong == NULL)
            return fault_set(error, FAULT_VANISHED, "frame %s is unknown to this ingest",
                             frame_id_text(id, text));
        g_propagate_error(error, wrong);
        return false;
    }
    *ret_place = (JournalPlace){.source = rows_text(rows, 0),
                                .path = rows_text(rows, 1),
                                .size_bytes = (guint64)sqlite3_column_int64(rows, 2),
                                .mtime_ns = sqlite3_column_int64(rows, 3),
                                .page = (guint32)sqlite3_column_int64(rows, 4)};
    return true;
}

bool journal_count_unfinished(Journal *journal, const char *source, gint64 *ret_files,
                              GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_GIVEN_UP_COUNT, "t", source);
    if (!rows_next(journal, &journal->work, rows, error))
        return false;
    *ret_files = sqlite3_column_int64(rows, 0);
    return true;
}

bool journal_visit_unfinished(Journal *journal, const char *source, guint most,
                              void (*visit)(const char *path, const char *reason, void *context),
                              void *context, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_GIVEN_UP, "ti", source, (gint64)most);
    GError *wrong = NULL;
    while (rows_next(journal, &journal->work, rows, &wrong))
        visit((const char *)sqlite3_column_text(rows, 0),
              (const char *)sqlite3_column_text(rows, 1), context);
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}
