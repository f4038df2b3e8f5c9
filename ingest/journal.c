#include "ingest/journal.h"
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

/* The tables. To change them, raise JOURNAL_VERSION: a journal of another version is not read, and
 * may be deleted, because all of it can be found again.
 *
 * meta   secret, and the pipeline files were last looked at for
 * file   one version of one file. version is the id of its page 0, so that "do we know it" is one
 *        look into one index. state: 0 to be looked at again, 1 complete, 2 given up on
 * frame  from an id to its file and page
 * lane   a source's frames on their way to a pipeline, and how many of them are where; the triggers
 *        keep count, so that nobody ever has to
 * offer  a frame in a lane. state: 0 waiting, 1 in the queue, 2 stored. document is the frame as
 *        JSON; a stored frame needs none
 * event  to be published */
#define APPLICATION_ID  0x7363736a /* "scsj" */
#define JOURNAL_VERSION 1

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
    "    stored = stored + (new.state = 2) - (old.state = 2) where id = new.lane; end;"
    "create table event (id integer primary key, source text not null, body text not null);"
    "commit;";

/* Every statement is prepared once. Parameters: t text, b 16 bytes of an id, i integer. */
#define STATEMENTS(ROW)                                                                            \
    ROW(BEGIN, "begin immediate")                                                                  \
    ROW(COMMIT, "commit")                                                                          \
    ROW(ROLLBACK, "rollback")                                                                      \
    ROW(META_SET, "insert or replace into meta (name, value) values (?1, ?2)")                     \
    ROW(META_GET, "select value from meta where name = ?1")                                        \
    ROW(LOOK_AGAIN, "update file set state = 0 where state = 1")                                   \
    ROW(FILE_KNOWN, "select state, ctime_ns from file where version = ?1")                         \
    ROW(FILE_ADD, "insert into file (version, source, path, size, mtime_ns, ctime_ns, state, "     \
                  "reason) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (version) "         \
                  "do update set state = excluded.state, reason = excluded.reason, "               \
                  "ctime_ns = excluded.ctime_ns returning id")                                     \
    ROW(FILE_OUTDATED, "delete from file where source = ?1 and path = ?2 and state = 2 "           \
                       "and version <> ?3")                                                        \
    ROW(FRAME_ADD, "insert or ignore into frame (id, file, page) values (?1, ?2, ?3)")             \
    ROW(FRAME_FIND, "select source, path, size, mtime_ns, page from frame join file "              \
                    "on file.id = frame.file where frame.id = ?1")                                 \
    ROW(LANE_ADD, "insert or ignore into lane (source, pipeline) values (?1, ?2)")                 \
    ROW(LANE_FIND, "select id, waiting, queued, stored from lane "                                 \
                   "where source = ?1 and pipeline = ?2")                                          \
    ROW(OFFER_ADD, "insert or ignore into offer (frame, lane, document) values (?1, ?2, ?3)")      \
    ROW(OFFERS_WAITING, "select id, attempt, document, sequence from offer "                       \
                        "where lane = ?1 and state = 0 order by id limit ?2")                      \
    ROW(OFFER_QUEUED, "update offer set state = 1, sequence = ?2, stream_created_ns = ?3, "        \
                      "offered_us = ?4 where id = ?1 and state < 2")                               \
    ROW(OFFER_STORED, "update offer set state = 2, document = null "                               \
                      "where frame = ?1 and state < 2 and lane in "                                \
                      "(select id from lane where pipeline = ?2)")                                 \
    ROW(OFFER_LOST, "update offer set state = 0, attempt = attempt + 1 "                           \
                    "where id = ?1 and state = 1")                                                 \
    ROW(STREAM_LOST, "update offer set state = 0, attempt = attempt + 1 where id in "              \
                     "(select offer.id from offer join lane on lane.id = offer.lane "              \
                     "where state = 1 and (stream_created_ns <> ?1 or sequence > ?2) "             \
                     "and pipeline = ?3)")                                                         \
    ROW(OFFERS_QUEUED, "select offer.id, attempt, document, sequence from offer "                  \
                       "join lane on lane.id = offer.lane where state = 1 and sequence > ?1 "      \
                       "and sequence < ?2 and offered_us < ?3 and pipeline = ?4 "                  \
                       "order by sequence limit ?5")                                               \
    ROW(OFFER_OLDEST, "select document from offer where lane = ?1 and state < 2 "                  \
                      "order by id limit 1")                                                       \
    ROW(GIVEN_UP_COUNT, "select count(*) from file where source = ?1 and state = 2")               \
    ROW(GIVEN_UP, "select path, reason from file where source = ?1 and state = 2 "                 \
                  "order by path limit ?2")                                                        \
    ROW(EVENT_ADD, "insert into event (source, body) values (?1, ?2)")                             \
    ROW(EVENTS, "select id, source, body from event order by id limit ?1")                         \
    ROW(EVENT_TOLD, "delete from event where id = ?1")

typedef enum {
#define ROW(name, text) name,
    STATEMENTS(ROW)
#undef ROW
        STATEMENT_COUNT
} Statement;

static const char *const statement_texts[] = {
#define ROW(name, text) text,
    STATEMENTS(ROW)
#undef ROW
};

/* Two connections: one for the work, and one for journal_find, so that a worker that waits for
 * bytes does not wait for a transaction of the loop. */
typedef struct {
    GMutex lock;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
} Connection;

struct Journal {
    char *file;
    char *pipeline;
    int lock_fd;
    bool is_new;
    guint8 secret[32];
    GHashTable *lanes; /* source -> id, GINT_TO_POINTER */
    Connection work, find;
};

/* --- statements --- */

static bool journal_fault(Journal *journal, sqlite3 *db, GError **error) {
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_errcode(db);
    bool useless = code == SQLITE_NOTADB || code == SQLITE_CORRUPT;
    return fault_set(error, FAULT_STOP, "journal %s: %s%s", journal->file,
                     db == NULL ? "out of memory" : sqlite3_errmsg(db),
                     useless ? "; it may be deleted, a scan finds everything again" : "");
}

/* The statement, ready to be stepped. NULL if it cannot be. */
static sqlite3_stmt *statement(Connection *connection, Statement which, const char *types, ...) {
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

/* A statement must be reset as soon as it is done with: it holds the database. */
typedef sqlite3_stmt Rows;
static void rows_done(Rows *rows) {
    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_done)

/* Whether there is a row; sets *error, which must be empty, if that cannot be told. */
static bool rows_next(Journal *journal, Connection *connection, Rows *rows, GError **error) {
    int result = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        journal_fault(journal, connection->db, error);
    return result == SQLITE_ROW;
}

/* A statement of which no rows are wanted. */
static bool rows_run(Journal *journal, Rows *to_run, GError **error) {
    g_autoptr(Rows) rows = to_run;
    int result = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    return result == SQLITE_DONE || result == SQLITE_ROW ||
           journal_fault(journal, journal->work.db, error);
}

static char *column_text(Rows *rows, int column) {
    return g_strdup((const char *)sqlite3_column_text(rows, column));
}

/* Ends the transaction that was begun: commits if everything went well. */
static bool transaction_end(Journal *journal, bool well, GError **error) {
    if (well && rows_run(journal, statement(&journal->work, COMMIT, ""), error))
        return true;
    rows_run(journal, statement(&journal->work, ROLLBACK, ""), NULL);
    return false;
}

static bool transaction_begin(Journal *journal, GError **error) {
    return rows_run(journal, statement(&journal->work, BEGIN, ""), error);
}

/* --- opening --- */

static void connection_close(Connection *connection) {
    for (guint which = 0; which < STATEMENT_COUNT; which++)
        sqlite3_finalize(connection->statements[which]);
    sqlite3_close(connection->db);
    g_mutex_clear(&connection->lock);
}

void journal_close(Journal *journal) {
    if (journal == NULL)
        return;
    connection_close(&journal->find);
    connection_close(&journal->work);
    if (journal->lock_fd >= 0)
        close(journal->lock_fd);
    g_hash_table_unref(journal->lanes);
    g_free(journal->pipeline);
    g_free(journal->file);
    g_free(journal);
}

/* On a file beside the journal: closing a descriptor of the journal itself would drop SQLite's own
 * locks on it. */
static bool lock_take(Journal *journal, GError **error) {
    g_autofree char *lock = g_strconcat(journal->file, ".lock", NULL);
    journal->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0)
        return fault_set(error, FAULT_USAGE,
                         "[ingest] journal = %s: %s; make its folder writable or choose another "
                         "file with --journal",
                         journal->file, g_strerror(errno));
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return fault_set(error, FAULT_STOP, "journal %s: another scopestream-ingest uses it",
                         journal->file);
    return true;
}

static bool connection_open(Journal *journal, Connection *connection, int flags, GError **error) {
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

static bool secret_make(Journal *journal, GError **error) {
    if (getrandom(journal->secret, sizeof journal->secret, 0) != sizeof journal->secret)
        return fault_set(error, FAULT_STOP, "no random numbers: %s", g_strerror(errno));
    g_autoptr(Rows) set = statement(&journal->work, META_SET, "t", "secret");
    sqlite3_bind_blob(set, 2, journal->secret, sizeof journal->secret, SQLITE_STATIC);
    return rows_run(journal, g_steal_pointer(&set), error);
}

static bool secret_read(Journal *journal, GError **error) {
    g_autoptr(Rows) secret = statement(&journal->work, META_GET, "t", "secret");
    if (!rows_next(journal, &journal->work, secret, error))
        return *error == NULL && secret_make(journal, error);
    if (sqlite3_column_bytes(secret, 0) != sizeof journal->secret)
        return fault_set(error, FAULT_STOP,
                         "journal %s: is damaged; it may be deleted, a scan finds everything again",
                         journal->file);
    memcpy(journal->secret, sqlite3_column_blob(secret, 0), sizeof journal->secret);
    return true;
}

/* Files known from offers to another pipeline have to be offered to this one too. */
static bool pipeline_check(Journal *journal, GError **error) {
    g_autofree char *last = NULL;
    {
        g_autoptr(Rows) rows = statement(&journal->work, META_GET, "t", "pipeline");
        if (rows_next(journal, &journal->work, rows, error))
            last = column_text(rows, 0);
        else if (*error != NULL)
            return false;
    }
    if (g_strcmp0(last, journal->pipeline) == 0)
        return true;
    return rows_run(journal, statement(&journal->work, LOOK_AGAIN, ""), error) &&
           rows_run(journal,
                    statement(&journal->work, META_SET, "tt", "pipeline", journal->pipeline),
                    error);
}

/* WAL without a sync at each commit: a loss of power may forget the last moments, never mix them
 * up; a scan finds them again. */
static bool database_open(Journal *journal, GError **error) {
    return connection_open(journal, &journal->work, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                           error) &&
           schema_check(journal, error) &&
           execute(journal,
                   "pragma journal_mode = wal; pragma synchronous = normal;"
                   "pragma cache_size = -16000; pragma journal_size_limit = 67108864",
                   error) &&
           secret_read(journal, error) && pipeline_check(journal, error) &&
           connection_open(journal, &journal->find, SQLITE_OPEN_READWRITE, error);
}

Journal *journal_open(const char *file, const char *pipeline, GError **error) {
    g_autoptr(Journal) journal = g_new0(Journal, 1);
    journal->file = g_strdup(file);
    journal->pipeline = g_strdup(pipeline);
    journal->lock_fd = -1;
    journal->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_mutex_init(&journal->work.lock);
    g_mutex_init(&journal->find.lock);
    GError *wrong = NULL;
    if (lock_take(journal, &wrong) && database_open(journal, &wrong))
        return g_steal_pointer(&journal);
    g_propagate_error(error, wrong);
    return NULL;
}

const guint8 *journal_secret(const Journal *journal) {
    return journal->secret;
}

bool journal_is_new(const Journal *journal) {
    return journal->is_new;
}

/* --- files --- */

enum { FILE_LOOK_AGAIN, FILE_COMPLETE, FILE_GIVEN_UP };

bool journal_knows(Journal *journal, const char *source, const char *path, const FileSight *sight) {
    FrameId version = frame_id_make(source, path, sight->size_bytes, sight->mtime_ns, 0);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(Rows) rows = statement(&journal->work, FILE_KNOWN, "b", &version);
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
    if (!rows_run(journal, statement(&journal->work, FILE_OUTDATED, "ttb", source, path, version),
                  error))
        return 0;
    g_autoptr(Rows) rows = statement(&journal->work, FILE_ADD, "bttiiiit", version, source, path,
                                     (gint64)sight->size_bytes, sight->mtime_ns, sight->ctime_ns,
                                     (gint64)state, reason);
    return rows_next(journal, &journal->work, rows, error) ? sqlite3_column_int64(rows, 0) : 0;
}

/* The id of source's lane to our pipeline, made when missing. 0 with error set otherwise. */
static gint64 lane_of(Journal *journal, const char *source, GError **error) {
    gpointer known = g_hash_table_lookup(journal->lanes, source);
    if (known != NULL)
        return GPOINTER_TO_INT(known);
    if (!rows_run(journal, statement(&journal->work, LANE_ADD, "tt", source, journal->pipeline),
                  error))
        return 0;
    g_autoptr(Rows) rows = statement(&journal->work, LANE_FIND, "tt", source, journal->pipeline);
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

static bool frame_add(Journal *journal, gint64 lane, gint64 file, const Frame *frame,
                      GError **error) {
    g_autofree char *document = document_of(frame);
    return rows_run(
               journal,
               statement(&journal->work, FRAME_ADD, "bii", &frame->id, file, (gint64)frame->page),
               error) &&
           rows_run(journal,
                    statement(&journal->work, OFFER_ADD, "bit", &frame->id, lane, document), error);
}

static bool frames_add(Journal *journal, GPtrArray *frames, GError **error) {
    const Frame *first = g_ptr_array_index(frames, 0);
    gint64 lane = lane_of(journal, first->source, error);
    if (lane == 0)
        return false;
    FrameId version =
        frame_id_make(first->source, first->path, first->size_bytes, first->mtime_ns, 0);
    FileSight sight = {.size_bytes = first->size_bytes, .mtime_ns = first->mtime_ns};
    gint64 file =
        file_add(journal, &version, first->source, first->path, &sight, FILE_COMPLETE, NULL, error);
    for (guint index = 0; file != 0 && index < frames->len; index++)
        if (!frame_add(journal, lane, file, g_ptr_array_index(frames, index), error))
            return false;
    return file != 0;
}

bool journal_add(Journal *journal, GPtrArray *files, GError **error) {
    if (files->len == 0)
        return true;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    bool well = transaction_begin(journal, &wrong);
    for (guint index = 0; well && index < files->len; index++)
        well = frames_add(journal, g_ptr_array_index(files, index), &wrong);
    if (!transaction_end(journal, well, wrong == NULL ? &wrong : NULL))
        g_hash_table_remove_all(journal->lanes); /* one of them may have been taken back */
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}

static bool given_up_before(Journal *journal, const FrameId *version) {
    g_autoptr(Rows) rows = statement(&journal->work, FILE_KNOWN, "b", version);
    g_autoptr(GError) wrong = NULL;
    return rows_next(journal, &journal->work, rows, &wrong) &&
           sqlite3_column_int(rows, 0) == FILE_GIVEN_UP;
}

static bool event_add(Journal *journal, const char *source, const char *body, GError **error) {
    return rows_run(journal, statement(&journal->work, EVENT_ADD, "tt", source, body), error);
}

bool journal_add_unfinished(Journal *journal, const char *source, const char *path,
                            const FileSight *sight, const char *reason, const char *event,
                            GError **error) {
    FrameId version = frame_id_make(source, path, sight->size_bytes, sight->mtime_ns, 0);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    GError *wrong = NULL;
    bool told = given_up_before(journal, &version);
    bool well = transaction_begin(journal, &wrong) &&
                file_add(journal, &version, source, path, sight, FILE_GIVEN_UP, reason, &wrong) &&
                (told || event_add(journal, source, event, &wrong));
    transaction_end(journal, well, wrong == NULL ? &wrong : NULL);
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
    g_autoptr(Rows) rows = statement(&journal->find, FRAME_FIND, "b", id);
    GError *wrong = NULL;
    if (!rows_next(journal, &journal->find, rows, &wrong)) {
        char text[FRAME_ID_TEXT_LENGTH + 1];
        if (wrong == NULL)
            return fault_set(error, FAULT_VANISHED, "frame %s is unknown to this ingest",
                             frame_id_text(id, text));
        g_propagate_error(error, wrong);
        return false;
    }
    *ret_place = (JournalPlace){.source = column_text(rows, 0),
                                .path = column_text(rows, 1),
                                .size_bytes = (guint64)sqlite3_column_int64(rows, 2),
                                .mtime_ns = sqlite3_column_int64(rows, 3),
                                .page = (guint32)sqlite3_column_int64(rows, 4)};
    return true;
}

/* --- offers --- */

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
    gint64 lane = lane_of(journal, source, error);
    return lane == 0
               ? NULL
               : offers_read(journal,
                             statement(&journal->work, OFFERS_WAITING, "ii", lane, (gint64)most),
                             error);
}

GPtrArray *journal_queued(Journal *journal, guint64 after_sequence, guint64 before_sequence,
                          gint64 offered_before_us, guint most, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return offers_read(journal,
                       statement(&journal->work, OFFERS_QUEUED, "iiiti", (gint64)after_sequence,
                                 (gint64)MIN(before_sequence, G_MAXINT64), offered_before_us,
                                 journal->pipeline, (gint64)most),
                       error);
}

static bool queued_set(Journal *journal, gconstpointer receipts, guint index, GError **error) {
    const JournalReceipt *receipt = (const JournalReceipt *)receipts + index;
    return rows_run(journal,
                    statement(&journal->work, OFFER_QUEUED, "iiii", receipt->id,
                              (gint64)receipt->sequence, receipt->stream_created_ns,
                              receipt->offered_us),
                    error);
}

static bool stored_set(Journal *journal, gconstpointer ids, guint index, GError **error) {
    return rows_run(journal,
                    statement(&journal->work, OFFER_STORED, "bt", (const FrameId *)ids + index,
                              journal->pipeline),
                    error);
}

static bool lost_set(Journal *journal, gconstpointer offers, guint index, GError **error) {
    const JournalOffer *offer = ((gpointer const *)offers)[index];
    return rows_run(journal, statement(&journal->work, OFFER_LOST, "i", offer->id), error);
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
    bool well = transaction_begin(journal, &wrong);
    for (guint index = 0; well && index < count; index++) {
        well = set(journal, items, index, &wrong);
        changed += (guint)sqlite3_changes(journal->work.db);
    }
    transaction_end(journal, well, wrong == NULL ? &wrong : NULL);
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

bool journal_set_lost(Journal *journal, GPtrArray *offers, GError **error) {
    return for_each(journal, offers->pdata, offers->len, lost_set, NULL, error);
}

bool journal_set_stream_lost(Journal *journal, gint64 stream_created_ns, guint64 last_sequence,
                             guint *ret_count, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    if (!rows_run(journal,
                  statement(&journal->work, STREAM_LOST, "iit", stream_created_ns,
                            (gint64)last_sequence, journal->pipeline),
                  error))
        return false;
    *ret_count = (guint)sqlite3_changes(journal->work.db);
    return true;
}

/* --- counts --- */

static gint64 oldest_us(Journal *journal, gint64 lane) {
    g_autoptr(Rows) rows = statement(&journal->work, OFFER_OLDEST, "i", lane);
    g_autoptr(GError) wrong = NULL;
    if (!rows_next(journal, &journal->work, rows, &wrong))
        return 0;
    g_autoptr(Frame) frame = frame_of((const char *)sqlite3_column_text(rows, 0), &wrong);
    return frame == NULL ? 0 : frame->closed_us;
}

static gint64 given_up_count(Journal *journal, const char *source, GError **error) {
    g_autoptr(Rows) rows = statement(&journal->work, GIVEN_UP_COUNT, "t", source);
    return rows_next(journal, &journal->work, rows, error) ? sqlite3_column_int64(rows, 0) : -1;
}

bool journal_count(Journal *journal, const char *source, JournalCounts *ret_counts,
                   GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    gint64 lane = lane_of(journal, source, error);
    gint64 given_up = lane == 0 ? -1 : given_up_count(journal, source, error);
    if (given_up < 0)
        return false;
    g_autoptr(Rows) rows = statement(&journal->work, LANE_FIND, "tt", source, journal->pipeline);
    if (!rows_next(journal, &journal->work, rows, error))
        return false;
    *ret_counts = (JournalCounts){.waiting = sqlite3_column_int64(rows, 1),
                                  .queued = sqlite3_column_int64(rows, 2),
                                  .stored = sqlite3_column_int64(rows, 3),
                                  .unfinished = given_up,
                                  .oldest_us = oldest_us(journal, lane)};
    return true;
}

bool journal_visit_unfinished(Journal *journal, const char *source, guint most,
                              void (*visit)(const char *path, const char *reason, void *context),
                              void *context, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(Rows) rows = statement(&journal->work, GIVEN_UP, "ti", source, (gint64)most);
    GError *wrong = NULL;
    while (rows_next(journal, &journal->work, rows, &wrong))
        visit((const char *)sqlite3_column_text(rows, 0),
              (const char *)sqlite3_column_text(rows, 1), context);
    if (wrong != NULL)
        g_propagate_error(error, wrong);
    return wrong == NULL;
}

/* --- events --- */

void journal_event_free(JournalEvent *event) {
    if (event == NULL)
        return;
    g_free(event->source);
    g_free(event->body);
    g_free(event);
}

bool journal_tell(Journal *journal, const char *source, const char *body, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return event_add(journal, source, body, error);
}

GPtrArray *journal_events(Journal *journal, guint most, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    g_autoptr(GPtrArray) events =
        g_ptr_array_new_with_free_func((GDestroyNotify)journal_event_free);
    g_autoptr(Rows) rows = statement(&journal->work, EVENTS, "i", (gint64)most);
    GError *wrong = NULL;
    while (rows_next(journal, &journal->work, rows, &wrong)) {
        JournalEvent event = {.id = sqlite3_column_int64(rows, 0),
                              .source = column_text(rows, 1),
                              .body = column_text(rows, 2)};
        g_ptr_array_add(events, g_memdup2(&event, sizeof event));
    }
    if (wrong == NULL)
        return g_steal_pointer(&events);
    g_propagate_error(error, wrong);
    return NULL;
}

bool journal_set_told(Journal *journal, gint64 event, GError **error) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&journal->work.lock);
    return rows_run(journal, statement(&journal->work, EVENT_TOLD, "i", event), error);
}
