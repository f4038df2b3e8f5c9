#include "store/page/reader.h"
#include "store/migrate.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    PATIENCE_MS = 12000, /* longer than the server's own limit for a question, in restrictions */
    PAUSE_MS = 1000, /* after a failure */
};

struct Reader {
    Postgres *postgres;
    gint64 not_before_us; /* monotonic */
    GError *refused;      /* why it is away until then */
};

Reader *reader_new(const Settings *settings, GError **error) {
    Postgres *postgres = postgres_new(settings->postgres, error);
    if (postgres == NULL)
        return NULL;
    Reader *reader = g_new0(Reader, 1);
    reader->postgres = postgres;
    postgres_set_patience(postgres, PATIENCE_MS);
    return reader;
}

void reader_free(Reader *reader) {
    if (reader == NULL)
        return;
    postgres_free(reader->postgres);
    g_clear_error(&reader->refused);
    g_free(reader);
}

/* Compiling a question (jit) takes longer than any of ours. */
static const char restrictions[] =
    "set role scopestream_reader; set default_transaction_read_only = on; "
    "set statement_timeout = '10s'; set jit = off; set application_name = 'scopestream-page'";

bool reader_ready(Reader *reader, GError **error) {
    if (postgres_is_connected(reader->postgres))
        return true;
    if (g_get_monotonic_time() < reader->not_before_us)
        return fault_set(error, FAULT_AGAIN, "%s", reader->refused->message);
    g_clear_error(&reader->refused);
    if (postgres_connect(reader->postgres, CONNECT_TIMEOUT_MS, &reader->refused) &&
        migrate_check(reader->postgres, &reader->refused) &&
        postgres_run(reader->postgres, restrictions, &reader->refused))
        return true;
    postgres_disconnect(reader->postgres);
    reader->not_before_us = g_get_monotonic_time() + PAUSE_MS * 1000;
    g_propagate_error(error, g_error_copy(reader->refused));
    return false;
}

PostgresRows *reader_ask(Reader *reader, const char *sql, const char *const parameters[], int count,
                         GError **error) {
    if (!reader_ready(reader, error))
        return NULL;
    return postgres_ask_long(reader->postgres, sql, parameters, count, error);
}

const char *reader_sqlstate(const Reader *reader) {
    return postgres_sqlstate(reader->postgres);
}

Postgres *reader_postgres(Reader *reader) {
    return reader->postgres;
}
