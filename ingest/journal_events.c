/* Events, kept until they are in the stream. */
#include "ingest/journal_private.h"

bool journal_event_add(Journal *journal, const char *source, const char *body, GError **error) {
    return rows_run(journal, rows_open(&journal->work, SQL_EVENT_ADD, "tt", source, body), error);
}

void journal_event_free(JournalEvent *event) {
    if (event == NULL)
        return;
    g_free(event->source);
    g_free(event->body);
    g_free(event);
}

bool journal_tell(Journal *journal, const char *source, const char *body, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return journal_event_add(journal, source, body, error);
}

GPtrArray *journal_events(Journal *journal, guint most, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(GPtrArray) events =
        g_ptr_array_new_with_free_func((GDestroyNotify)journal_event_free);
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_EVENTS, "i", (gint64)most);
    GError *wrong = NULL;
    while (rows_next(journal, &journal->work, rows, &wrong)) {
        JournalEvent event = {.id = sqlite3_column_int64(rows, 0),
                              .source = rows_text(rows, 1),
                              .body = rows_text(rows, 2)};
        g_ptr_array_add(events, g_memdup2(&event, sizeof event));
    }
    if (wrong == NULL)
        return g_steal_pointer(&events);
    g_propagate_error(error, wrong);
    return NULL;
}

bool journal_set_told(Journal *journal, gint64 event, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return rows_run(journal, rows_open(&journal->work, SQL_EVENT_TOLD, "i", event), error);
}
