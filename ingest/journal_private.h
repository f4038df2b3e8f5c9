/* journal_private: what the files of the journal share: its database as rows, and its insides.
 * journal_database.c is the only one that opens or changes tables; the others are its nouns. */
#ifndef INGEST_JOURNAL_PRIVATE_H
#define INGEST_JOURNAL_PRIVATE_H

#include "ingest/journal.h"
#include <sqlite3.h>

typedef enum {
#define STATEMENT(name, text) SQL_##name,
#include "ingest/journal_statements.list"
#undef STATEMENT
    STATEMENT_COUNT
} Statement;

/* One connection to the database; whoever uses it holds its lock. */
typedef struct {
    GMutex lock;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
} JournalConnection;

struct Journal {
    char *file;
    char **pipelines; /* ends with NULL */
    int lock_fd;      /* of the file that keeps a second ingest out; -1: not taken */
    bool is_new;
    guint8 secret[32];
    GHashTable *lanes; /* "source pipeline" -> id, GINT_TO_POINTER; neither name has a space */
    /* Two connections: one for the work, and one for journal_find, so that a worker that waits for
     * bytes does not wait for a transaction of the loop. */
    JournalConnection work, find;
};

/* --- the database --- */

/* Opens both connections and makes the tables in a file that has none. FAULT_STOP if it is the
 * database of another program or version. */
bool journal_database_open(Journal *journal, GError **error);
void journal_database_close(Journal *journal); /* also where opening failed */

/* Sets *error to FAULT_STOP with SQLite's words, and returns false. */
bool journal_fault(Journal *journal, sqlite3 *db, GError **error);

/* Transactions, on journal->work. journal_end commits if all went well, else takes back. */
bool journal_begin(Journal *journal, GError **error);
bool journal_end(Journal *journal, bool well, GError **error);

/* A statement in use. It holds the database, so it is done with as soon as its rows are read. */
typedef sqlite3_stmt Rows;
void rows_done(Rows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_done)

/* The statement, ready to be stepped; types tells its parameters: t text, b a FrameId, i a gint64.
 * They are borrowed until it is done with. NULL if it cannot be prepared: rows_next and rows_run
 * take that, and say why. */
Rows *rows_open(JournalConnection *connection, Statement which, const char *types, ...);
/* Whether there is a row; sets *error, which must be empty, if that cannot be told. */
bool rows_next(Journal *journal, JournalConnection *connection, Rows *rows, GError **error);
/* Runs a statement of journal->work of which no rows are wanted, and is done with it. */
bool rows_run(Journal *journal, Rows *rows, GError **error);
/* NULL where it is NULL. The caller g_frees. */
char *rows_text(Rows *rows, int column);

/* --- what one noun does for another; journal->work is locked --- */

/* The frame waits for each pipeline from now on, unless it does or did already. */
bool journal_offer_add(Journal *journal, const Frame *frame, GError **error);
bool journal_event_add(Journal *journal, const char *source, const char *body, GError **error);

#endif
