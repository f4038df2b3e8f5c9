/* The database: its tables, its statements, and how it is opened. */
#include "ingest/journal_private.h"

/* The tables. To change them, raise JOURNAL_VERSION: a journal of another version is not read, and
 * may be deleted, because all of it can be found again.
 *
 * meta   secret, and the pipelines files were last looked at for
 * file   one version of one file. version is the id of its page 0, so that "do we know it" is one
 *        look into one index. state: 0 to be looked at again, 1 complete, 2 given up on
 * frame  from an id to its file and page
 * lane   a source's frames on their way to a pipeline, and how many of them are where; the triggers
 *        keep count, so that nobody ever has to
 * offer  a frame in a lane: one for each pipeline. state: 0 waiting, 1 in the queue, 2 stored,
 *        3 stored as vanished, so that it waits again should its file be seen again (not for
 *        ever: a disk may show a file and refuse its bytes). document is the frame as JSON; a
 *        stored frame needs none
 * event  to be published */
#define APPLICATION_ID  0x7363736a /* "scsj" */
#define JOURNAL_VERSION 2

static const char schema[] =
    "begin immediate;"
    "create table meta (name text primary key, value) without rowid;"
    "create table file (id integer primary key, version blob not null unique, source text not null,"
    "  path text not null, size integer not null, mtime_ns integer not null,"
    "  ctime_ns integer not null, state integer not null, reason text);"
    "create index file_given_up on file (source, path) where state = 2;"
    "create table frame (id blob primary key, file integer not null, page integer not null)"
    "  without rowid;"
    "create table lane (id integer primary key, source text not null, pipeline text not null,"
    "  waiting integer not null default 0, queued integer not null default 0,"
    "  stored integer not null default 0, unique (source, pipeline));"
    "create table offer (id integer primary key, frame blob not null, lane integer not null,"
    "  state integer not null default 0, attempt integer not null default 1,"
    "  sequence integer not null default 0, stream_created_ns integer not null default 0,"
    "  offered_us integer not null default 0, document text, unique (frame, lane));"
    "create index offer_waiting on offer (lane, id) where state = 0;"
    "create index offer_queued on offer (sequence, stream_created_ns, lane) where state = 1;"
    "create index offer_unstored on offer (lane, id) where state < 2;"
    "create trigger offer_made after insert on offer begin"
    "  update lane set waiting = waiting + 1 where id = new.lane; end;"
    "create trigger offer_moved after update of state on offer when new.state <> old.state begin"
    "  update lane set waiting = waiting + (new.state = 0) - (old.state = 0),"
    "    queued = queued + (new.state = 1) - (old.state = 1),"
    "    stored = stored + (new.state > 1) - (old.state > 1) where id = new.lane; end;"
    "create table event (id integer primary key, source text not null, body text not null);"
    "commit;";

static const char *const statement_texts[] = {
#define STATEMENT(name, text) text,
#include "ingest/journal_statements.list"
#undef STATEMENT
};

/* --- rows --- */

bool journal_fault(Journal *journal, sqlite3 *db, GError **error) {
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db);
    bool useless = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return fault_set(error, FAULT_STOP, "journal %s: %s%s", journal->file,
                     db == NULL ? "out of memory" : sqlite3_errmsg(db),
                     useless ? "; it may be deleted, a scan finds everything again" : "");
}

Rows *rows_open(JournalConnection *connection, Statement which, const char *types, ...) {
    sqlite3_stmt **place = &connection->statements[which];
    if (*place == NULL && sqlite3_prepare_v3(connection->db, statement_texts[which], -1,
                                             SQLITE_PREPARE_PERSISTENT, place, NULL) != SQLITE_OK)
        return NULL;
    va_list values;
    va_start(values, types);
    for (int index = 1; *types != '\0'; types++, index++) {
        if (*types == 't')
            sqlite3_bind_text(*place, index, va_arg(values, const char *), -1, SQLITE_STATIC);
        else if (*types == 'b')
            sqlite3_bind_blob(*place, index, va_arg(values, const FrameId *), sizeof(FrameId),
                              SQLITE_STATIC);
        else
            sqlite3_bind_int64(*place, index, va_arg(values, gint64));
    }
    va_end(values);
    return *place;
}

void rows_done(Rows *rows) {
    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows);
}

bool rows_next(Journal *journal, JournalConnection *connection, Rows *rows, GError **error) {
    int result = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        journal_fault(journal, connection->db, error);
    return result == SQLITE_ROW;
}

bool rows_run(Journal *journal, Rows *to_run, GError **error) {
    g_autoptr(Rows) rows = to_run;
    int result = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    return result == SQLITE_DONE || result == SQLITE_ROW ||
           journal_fault(journal, journal->work.db, error);
}

char *rows_text(Rows *rows, int column) {
    return g_strdup((const char *)sqlite3_column_text(rows, column));
}

/* --- transactions --- */

bool journal_begin(Journal *journal, GError **error) {
    return rows_run(journal, rows_open(&journal->work, SQL_BEGIN, ""), error);
}

bool journal_end(Journal *journal, bool well, GError **error) {
    if (well && rows_run(journal, rows_open(&journal->work, SQL_COMMIT, ""), error))
        return true;
    rows_run(journal, rows_open(&journal->work, SQL_ROLLBACK, ""), NULL);
    return false;
}

/* --- opening --- */

static bool connection_open(Journal *journal, JournalConnection *connection, int flags,
                            GError **error) {
    if (sqlite3_open_v2(journal->file, &connection->db, flags | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return journal_fault(journal, connection->db, error);
    sqlite3_busy_timeout(connection->db, 5000);
    return true;
}

static bool execute(Journal *journal, const char *text, GError **error) {
    return sqlite3_exec(journal->work.db, text, NULL, NULL, NULL) == SQLITE_OK ||
           journal_fault(journal, journal->work.db, error);
}

static bool pragma_number(Journal *journal, const char *text, gint64 *ret_number, GError **error) {
    sqlite3_stmt *pragma = NULL;
    bool read = sqlite3_prepare_v2(journal->work.db, text, -1, &pragma, NULL) == SQLITE_OK &&
                sqlite3_step(pragma) == SQLITE_ROW;
    if (read)
        *ret_number = sqlite3_column_int64(pragma, 0);
    else
        journal_fault(journal, journal->work.db, error);
    sqlite3_finalize(pragma);
    return read;
}

static bool schema_make(Journal *journal, GError **error) {
    g_autofree char *identity = g_strdup_printf(
        "pragma application_id = %d; pragma user_version = %d;", APPLICATION_ID, JOURNAL_VERSION);
    journal->is_new = true;
    return execute(journal, schema, error) && execute(journal, identity, error);
}

/* A file without tables becomes a journal; one that is something else is left alone. */
static bool schema_check(Journal *journal, GError **error) {
    gint64 tables, application, version;
    if (!pragma_number(journal, "select count(*) from sqlite_schema", &tables, error) ||
        !pragma_number(journal, "pragma application_id", &application, error) ||
        !pragma_number(journal, "pragma user_version", &version, error))
        return false;
    if (tables == 0)
        return schema_make(journal, error);
    if (application != APPLICATION_ID)
        return fault_set(error, FAULT_STOP,
                         "journal %s: is a database of another program; choose another file with "
                         "--journal",
                         journal->file);
    return version == JOURNAL_VERSION ||
           fault_set(error, FAULT_STOP,
                     "journal %s: is of version %d, this program reads %d; it may be deleted, a "
                     "scan finds everything again",
                     journal->file, (int)version, JOURNAL_VERSION);
}

/* WAL without a sync at each commit: a loss of power may forget the last moments, never mix them
 * up; a scan finds them again. */
bool journal_database_open(Journal *journal, GError **error) {
    return connection_open(journal, &journal->work, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                           error) &&
           schema_check(journal, error) &&
           execute(journal,
                   "pragma journal_mode = wal; pragma synchronous = normal;"
                   "pragma cache_size = -16000; pragma journal_size_limit = 67108864",
                   error) &&
           connection_open(journal, &journal->find, SQLITE_OPEN_READWRITE, error);
}

static void connection_close(JournalConnection *connection) {
    for (guint which = 0; which < STATEMENT_COUNT; which++)
        sqlite3_finalize(connection->statements[which]);
    sqlite3_close(connection->db);
}

void journal_database_close(Journal *journal) {
    connection_close(&journal->find);
    connection_close(&journal->work);
}
