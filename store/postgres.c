#include "store/postgres.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <math.h>
#include <poll.h>
#include <string.h>

struct Postgres {
    char *connection;
    PGconn *link; /* NULL: not connected */
    char *place;
    char sqlstate[6];
    gint64 patience_ms; /* 0: without end */
};

/* --- one connection --- */

Postgres *postgres_new(const char *connection, GError **error) {
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(connection, &words);
    if (options == NULL) {
        fault_set(error, FAULT_USAGE,
                  "[store] postgres = %s: expected a libpq connection string: %s", connection,
                  g_strchomp(words));
        PQfreemem(words);
        return NULL;
    }
    PQconninfoFree(options);

    Postgres *postgres = g_new0(Postgres, 1);
    postgres->connection = g_strdup(connection);
    postgres->place = g_strdup("");
    return postgres;
}

void postgres_disconnect(Postgres *postgres) {
    PQfinish(postgres->link);
    postgres->link = NULL;
}

void postgres_free(Postgres *postgres) {
    if (postgres == NULL)
        return;
    postgres_disconnect(postgres);
    g_free(postgres->connection);
    g_free(postgres->place);
    g_free(postgres);
}

void postgres_set_patience(Postgres *postgres, gint64 patience_ms) {
    postgres->patience_ms = patience_ms;
}

bool postgres_is_connected(const Postgres *postgres) {
    return postgres->link != NULL;
}

const char *postgres_place(const Postgres *postgres) {
    return postgres->place;
}

const char *postgres_sqlstate(const Postgres *postgres) {
    return postgres->sqlstate;
}

/* --- what an error means: by the first characters of its SQLSTATE, the longest that fits --- */

static const struct {
    const char *sqlstate;
    Fault fault;
} meanings[] = {
    {"08", FAULT_AGAIN},    /* connection */
    {"21", FAULT_BROKEN},   /* a row met twice */
    {"22", FAULT_BROKEN},   /* data */
    {"23", FAULT_BROKEN},   /* constraints */
    {"25006", FAULT_AGAIN}, /* a standby, until it is promoted */
    {"28", FAULT_USAGE},    /* password, role, pg_hba.conf */
    {"3D000", FAULT_USAGE}, /* no such database */
    {"40", FAULT_AGAIN},    /* deadlock, serialization */
    {"53", FAULT_AGAIN},    /* disk full, out of memory, too many connections */
    {"54", FAULT_BROKEN},   /* too deep, too many columns, too large */
    {"55", FAULT_AGAIN},    /* lock not available */
    {"57", FAULT_AGAIN},    /* cancelled, shutting down, starting up */
    {"58", FAULT_AGAIN},    /* the server's disk */
    {"P0", FAULT_BROKEN},   /* raised by a function */
    {"XX", FAULT_AGAIN},    /* the server's own fault is no verdict on the data */
};

static Fault sqlstate_fault(const char *sqlstate) {
    for (guint i = 0; i < G_N_ELEMENTS(meanings); i++)
        if (g_str_has_prefix(sqlstate, meanings[i].sqlstate))
            return meanings[i].fault;
    return FAULT_STOP;
}

/* --- connecting --- */

/* libpq's words may have several lines; ours are logged in one. Takes over words. */
static char *one_line(char *words) {
    g_autofree char *stripped = g_strstrip(words);
    g_auto(GStrv) lines = g_strsplit(stripped, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        g_strstrip(*line);
    return g_strjoinv("; ", lines);
}

/* libpq does not tell the SQLSTATE of a failed connection, but its verbose words do: "FATAL:
 * 28P01: password ...". Takes the code into sqlstate and returns the words on one line without it
 * and without the server's source location; g_free them. */
static char *connection_words(const PGconn *link, char sqlstate[6]) {
    g_autoptr(GRegex) code = g_regex_new(":\\s+((?=[A-Z]*[0-9])[0-9A-Z]{5}):", 0, 0, NULL);
    g_autoptr(GRegex) location = g_regex_new("\\n(LOCATION|[A-Z]+): +\\w+, \\S+:\\d+", 0, 0, NULL);
    const char *words = PQerrorMessage(link);

    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *found = NULL;
    if (g_regex_match(code, words, 0, &match))
        found = g_match_info_fetch(match, 1);
    g_strlcpy(sqlstate, found != NULL ? found : "", 6);

    g_autofree char *plain = g_regex_replace_literal(code, words, -1, 0, ":", 0, NULL);
    return one_line(g_regex_replace_literal(location, plain, -1, 0, "", 0, NULL));
}

/* Waits until libpq has decided. Returns false if timeout_ms passed or the program is to stop. */
static bool connection_settle(PGconn *link, gint64 timeout_ms) {
    gint64 deadline_us = g_get_monotonic_time() + timeout_ms * 1000;
    PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
    while (wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED) {
        gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
        if (left_ms <= 0 || program_stopping())
            return false;
        struct pollfd fds[] = {
            {.fd = PQsocket(link), .events = wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT},
            {.fd = program_stop_fd(), .events = POLLIN},
        };
        if (poll(fds, G_N_ELEMENTS(fds), (int)MIN(left_ms, 1000)) > 0 && fds[0].revents != 0)
            wanted = PQconnectPoll(link);
    }
    return true;
}

static void ignore_notice(void *context, const PGresult *notice) {
}

static PGconn *connection_start(const char *connection) {
    /* What stands first is overruled by the connection string. A peer that went away without a
     * word is noticed within half a minute. */
    const char *keywords[] = {
        "fallback_application_name", "client_encoding",  "keepalives_idle", "keepalives_interval",
        "keepalives_count",          "tcp_user_timeout", "dbname",          NULL};
    const char *values[] = {"scopestream", "UTF8", "10", "5", "4", "30000", connection, NULL};
    PGconn *link = PQconnectStartParams(keywords, values, 1);
    PQsetErrorVerbosity(link, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(link, ignore_notice, NULL);
    return link;
}

static bool connection_refused(Postgres *postgres, bool settled, GError **error) {
    g_autofree char *words = connection_words(postgres->link, postgres->sqlstate);
    Fault fault = *postgres->sqlstate != '\0' ? sqlstate_fault(postgres->sqlstate) : FAULT_AGAIN;
    if (PQconnectionNeedsPassword(postgres->link) || fault == FAULT_STOP)
        fault = FAULT_USAGE;
    if (!settled)
        fault_set(error, FAULT_AGAIN, "PostgreSQL %s: no answer in time", postgres->place);
    else
        fault_set(error, fault, "PostgreSQL: %s", words);
    postgres_disconnect(postgres);
    return false;
}

bool postgres_connect(Postgres *postgres, gint64 timeout_ms, GError **error) {
    if (postgres->link != NULL)
        return true;
    postgres->link = connection_start(postgres->connection);
    bool settled =
        PQstatus(postgres->link) == CONNECTION_BAD || connection_settle(postgres->link, timeout_ms);
    g_free(postgres->place);
    postgres->place = g_strdup_printf("%s at %s:%s", PQdb(postgres->link), PQhost(postgres->link),
                                      PQport(postgres->link));
    if (!settled || PQstatus(postgres->link) != CONNECTION_OK)
        return connection_refused(postgres, settled, error);

    metrics_add(scopestream_store_postgres_connections_total, NULL, 1);
    PQsetErrorVerbosity(postgres->link, PQERRORS_DEFAULT);
    /* A commit that is only promised would be acknowledged and lost with the server. */
    return postgres_run(postgres,
                        "set timezone = 'UTC'; set client_min_messages = warning; "
                        "select set_config('synchronous_commit', 'on', false) "
                        "where current_setting('synchronous_commit') = 'off'",
                        error);
}

/* --- asking --- */

static bool answer_check(Postgres *postgres, const PGresult *rows, GError **error) {
    ExecStatusType status = PQresultStatus(rows);
    postgres->sqlstate[0] = '\0';
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return true;

    const char *sqlstate = PQresultErrorField(rows, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(rows, PG_DIAG_MESSAGE_PRIMARY);
    bool lost = PQstatus(postgres->link) == CONNECTION_BAD;
    g_autofree char *line =
        one_line(g_strdup(words != NULL ? words : PQerrorMessage(postgres->link)));
    g_strlcpy(postgres->sqlstate, sqlstate != NULL ? sqlstate : "", sizeof postgres->sqlstate);
    Fault fault = lost || sqlstate == NULL ? FAULT_AGAIN : sqlstate_fault(sqlstate);
    fault_set(error, fault, "PostgreSQL: %s", line);
    if (lost)
        postgres_disconnect(postgres);
    return false;
}

/* Waits for the next answer, which is NULL after the last. FAULT_AGAIN: the program is to stop
 * before it comes, or patience is at its end. */
static bool next_answer(Postgres *postgres, PostgresRows **ret_rows, GError **error) {
    gint64 began_us = g_get_monotonic_time();
    while (PQisBusy(postgres->link)) {
        struct pollfd fds[] = {{.fd = PQsocket(postgres->link), .events = POLLIN},
                               {.fd = program_stop_fd(), .events = POLLIN}};
        poll(fds, G_N_ELEMENTS(fds), 1000);
        if (program_stopping())
            return fault_set(error, FAULT_AGAIN, "asked to stop");
        if (fds[0].revents != 0 && !PQconsumeInput(postgres->link))
            break; /* PQgetResult tells why */
        gint64 waited_ms = (g_get_monotonic_time() - began_us) / 1000;
        if (postgres->patience_ms > 0 && waited_ms > postgres->patience_ms)
            return fault_set(error, FAULT_AGAIN, "PostgreSQL %s: no answer in %.0f s",
                             postgres->place, (double)waited_ms / 1000);
    }
    *ret_rows = PQgetResult(postgres->link);
    return true;
}

static bool rows_each(Postgres *postgres, PostgresEach each, void *context, GError **error) {
    for (;;) {
        g_autoptr(PostgresRows) rows = NULL;
        if (!next_answer(postgres, &rows, error))
            return false;
        if (rows == NULL)
            return true;
        if (PQresultStatus(rows) == PGRES_SINGLE_TUPLE) {
            if (!each(g_steal_pointer(&rows), context, error))
                return false;
        } else if (!answer_check(postgres, rows, error)) {
            return false;
        }
    }
}

/* What is on its way is thrown away; a lost connection has nothing. */
static void drop_rows(PGconn *link) {
    for (PostgresRows *rows; (rows = PQgetResult(link)) != NULL;)
        PQclear(rows);
}

/* The server stops sending. One that hangs would not take even that: where patience is limited, the
 * connection is given up instead. */
static void give_up_rows(Postgres *postgres) {
    char words[256];
    if (postgres->patience_ms > 0) {
        postgres_disconnect(postgres);
        return;
    }
    PGcancel *cancel = PQgetCancel(postgres->link);
    PQcancel(cancel, words, sizeof words);
    PQfreeCancel(cancel);
    drop_rows(postgres->link);
}

bool postgres_each(Postgres *postgres, const char *sql, const char *const parameters[], int count,
                   PostgresEach each, void *context, GError **error) {
    if (postgres->link == NULL)
        return fault_set(error, FAULT_AGAIN, "PostgreSQL: not connected");
    if (!PQsendQueryParams(postgres->link, sql, count, NULL, parameters, NULL, NULL, 0))
        return answer_check(postgres, NULL, error);
    PQsetSingleRowMode(postgres->link);
    if (rows_each(postgres, each, context, error))
        return true;
    if (postgres->link != NULL)
        give_up_rows(postgres);
    return false;
}

PostgresRows *postgres_ask_long(Postgres *postgres, const char *sql, const char *const parameters[],
                                int count, GError **error) {
    g_autoptr(PostgresRows) rows = NULL;
    if (postgres->link == NULL) {
        fault_set(error, FAULT_AGAIN, "PostgreSQL: not connected");
        return NULL;
    }
    bool sent = PQsendQueryParams(postgres->link, sql, count, NULL, parameters, NULL, NULL, 0) != 0;
    if (sent && !next_answer(postgres, &rows, error)) {
        give_up_rows(postgres);
        return NULL;
    }
    drop_rows(postgres->link); /* what follows is nothing, and says that the statement is over */
    return answer_check(postgres, rows, error) ? g_steal_pointer(&rows) : NULL;
}

PostgresRows *postgres_ask(Postgres *postgres, const char *sql, const char *const parameters[],
                           int count, GError **error) {
    if (postgres->patience_ms > 0)
        return postgres_ask_long(postgres, sql, parameters, count, error);
    if (postgres->link == NULL) {
        fault_set(error, FAULT_AGAIN, "PostgreSQL: not connected");
        return NULL;
    }
    g_autoptr(PostgresRows) rows =
        PQexecParams(postgres->link, sql, count, NULL, parameters, NULL, NULL, 0);
    return answer_check(postgres, rows, error) ? g_steal_pointer(&rows) : NULL;
}

bool postgres_run(Postgres *postgres, const char *sql, GError **error) {
    if (postgres->link == NULL)
        return fault_set(error, FAULT_AGAIN, "PostgreSQL: not connected");
    g_autoptr(PostgresRows) rows = PQexec(postgres->link, sql);
    return answer_check(postgres, rows, error);
}

const char *postgres_text(const PostgresRows *rows, int row, int column) {
    return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}

double postgres_number(const PostgresRows *rows, int row, int column) {
    const char *text = postgres_text(rows, row, column);
    return text != NULL ? g_ascii_strtod(text, NULL) : NAN;
}

gint64 postgres_count(const PostgresRows *rows, int row, int column) {
    const char *text = postgres_text(rows, row, column);
    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}
