#include "ingest/journal_private.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 1000 };

void journal_close(Journal *journal) {
    if (journal == NULL)
        return;
    journal_database_close(journal);
    g_mutex_clear(&journal->find.lock);
    g_mutex_clear(&journal->work.lock);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    g_hash_table_unref(journal->lanes);
    g_strfreev(journal->pipelines);
    g_free(journal->file);
    g_free(journal);
}

/* On a file beside the journal: closing a descriptor of the journal itself would drop SQLite's own
 * locks on it. */
/* A process that is killed ends thread by thread, and its files are closed with the last one: the
 * lock may outlive it for a moment. */
static bool lock_wait(int fd) {
    gint64 until_us = g_get_monotonic_time() + LOCK_WAIT_MS * 1000;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK || g_get_monotonic_time() > until_us)
            return false;
        g_usleep(20000);
    }
    return true;
}

static bool lock_take(Journal *journal, GError **error) {
    g_autofree char *lock = g_strconcat(journal->file, ".lock", NULL);
    journal->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0)
        return fault_set(error, FAULT_USAGE,
                         "[ingest] journal = %s: %s; make its folder writable or choose another "
                         "file with --journal",
                         journal->file, g_strerror(errno));
    if (!lock_wait(journal->lock_fd))
        return fault_set(error, FAULT_STOP, "journal %s: another scopestream-ingest uses it",
                         journal->file);
    return true;
}

static bool secret_make(Journal *journal, GError **error) {
    if (getrandom(journal->secret, sizeof journal->secret, 0) != sizeof journal->secret)
        return fault_set(error, FAULT_STOP, "no random numbers: %s", g_strerror(errno));
    g_autoptr(Rows) set = rows_open(&journal->work, SQL_META_SET, "t", "secret");
    sqlite3_bind_blob(set, 2, journal->secret, sizeof journal->secret, SQLITE_STATIC);
    return rows_run(journal, g_steal_pointer(&set), error);
}

static bool secret_read(Journal *journal, GError **error) {
    g_autoptr(Rows) secret = rows_open(&journal->work, SQL_META_GET, "t", "secret");
    if (!rows_next(journal, &journal->work, secret, error))
        return *error == NULL && secret_make(journal, error);
    if (sqlite3_column_bytes(secret, 0) != sizeof journal->secret)
        return fault_set(error, FAULT_STOP,
                         "journal %s: is damaged; it may be deleted, a scan finds everything again",
                         journal->file);
    memcpy(journal->secret, sqlite3_column_blob(secret, 0), sizeof journal->secret);
    return true;
}

/* The pipelines files were last looked at for; none in a new journal. NULL with *error set. */
static char **pipelines_read(Journal *journal, GError **error) {
    g_autoptr(Rows) rows = rows_open(&journal->work, SQL_META_GET, "t", "pipelines");
    if (!rows_next(journal, &journal->work, rows, error))
        return *error == NULL ? g_new0(char *, 1) : NULL;
    g_autofree char *names = rows_text(rows, 0);
    return g_strsplit(names != NULL ? names : "", ",", -1);
}

/* Files known from before a pipeline was there have to be offered to it too. */
static bool pipelines_check(Journal *journal, GError **error) {
    g_auto(GStrv) last = pipelines_read(journal, error);
    if (last == NULL)
        return false;
    bool any_is_new = false;
    for (char **pipeline = journal->pipelines; *pipeline != NULL; pipeline++)
        any_is_new = any_is_new || !g_strv_contains((const char *const *)last, *pipeline);
    g_autofree char *now = g_strjoinv(",", journal->pipelines);
    return (!any_is_new ||
            rows_run(journal, rows_open(&journal->work, SQL_LOOK_AGAIN, ""), error)) &&
           rows_run(journal, rows_open(&journal->work, SQL_META_SET, "tt", "pipelines", now),
                    error);
}

Journal *journal_open(const char *file, char *const *pipelines, GError **error) {
    g_autoptr(Journal) journal = g_new0(Journal, 1);
    journal->file = g_strdup(file);
    journal->pipelines = g_strdupv((char **)pipelines);
    journal->lock_fd = -1;
    journal->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&journal->work.lock);
    g_mutex_init(&journal->find.lock);
    GError *wrong = NULL;
    if (lock_take(journal, &wrong) && journal_database_open(journal, &wrong) &&
        secret_read(journal, &wrong) && pipelines_check(journal, &wrong))
        return g_steal_pointer(&journal);
    g_propagate_error(error, wrong);
    return NULL;
}

const char *const *journal_pipelines(const Journal *journal) {
    return (const char *const *)journal->pipelines;
}

const guint8 *journal_secret(const Journal *journal) {
    return journal->secret;
}

bool journal_is_new(const Journal *journal) {
    return journal->is_new;
}
