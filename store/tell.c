#include "store/tell.h"
#include "stream/frame.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <string.h>

enum {
    MESSAGES_AT_ONCE = 500,
    FLUSH_TIMEOUT_MS = 2000,
};

enum { MESSAGE_ID, MESSAGE_KIND, MESSAGE_SOURCE, MESSAGE_BODY }; /* columns of take_messages */

/* A message that no server takes would be tried for ever, and all others behind it: it is left out,
 * and said so. Events are stored whatever they call their source. */
static bool publish_row(Bus *bus, const PostgresRows *rows, int row, GError **error) {
    const char *body = postgres_text(rows, row, MESSAGE_BODY);
    const char *kind = postgres_text(rows, row, MESSAGE_KIND);
    const char *source = postgres_text(rows, row, MESSAGE_SOURCE);
    g_autofree char *subject = g_strdup_printf("scopestream.%s.%s", kind, source);
    if (!frame_name_is_plain(source)) {
        log_warning("a message of kind %s is of source '%.64s', expected letters, digits, '_' and "
                    "'-': it is left out",
                    kind, source);
        return true;
    }
    if (strlen(body) > bus_max_payload(bus)) {
        log_warning("a message for %s is larger than NATS takes, it is left out", subject);
        return true;
    }
    metrics_add(scopestream_store_messages_told_total, kind, 1);
    return bus_publish(bus, subject, NULL, body, strlen(body), error);
}

static bool publish_rows(Bus *bus, const PostgresRows *rows, GError **error) {
    guint generation = bus_generation(bus);
    for (int row = 0; row < PQntuples(rows); row++)
        if (!publish_row(bus, rows, row, error))
            return false;
    if (!bus_flush(bus, FLUSH_TIMEOUT_MS, error))
        return false;
    return generation == bus_generation(bus) ||
           fault_set(error, FAULT_AGAIN, "NATS: connected anew in the middle of telling");
}

static bool drop_rows(Postgres *postgres, const PostgresRows *rows, GError **error) {
    g_autoptr(GString) ids = g_string_new("{");
    for (int row = 0; row < PQntuples(rows); row++)
        g_string_append_printf(ids, "%s%s", row > 0 ? "," : "",
                               postgres_text(rows, row, MESSAGE_ID));
    g_string_append_c(ids, '}');
    const char *parameters[] = {ids->str};
    g_autoptr(PostgresRows) dropped =
        postgres_ask(postgres, "select scopestream_data.drop_messages($1::bigint[])", parameters,
                     G_N_ELEMENTS(parameters), error);
    return dropped != NULL;
}

/* Within one transaction, whose locks keep others from telling the same. */
static bool tell_some(Bus *bus, Postgres *postgres, int *ret_count, GError **error) {
    g_autofree char *most = g_strdup_printf("%d", MESSAGES_AT_ONCE);
    const char *parameters[] = {most};
    g_autoptr(PostgresRows) rows = postgres_ask(
        postgres,
        "select message_id, kind, source, body from scopestream_data.take_messages($1::integer)",
        parameters, G_N_ELEMENTS(parameters), error);
    if (rows == NULL)
        return false;
    *ret_count = PQntuples(rows);
    return *ret_count == 0 || (publish_rows(bus, rows, error) && drop_rows(postgres, rows, error));
}

/* Whoever holds a lock on what steering keeps, an alert in an open transaction of psql, keeps it
 * from that and not the store from storing. */
static bool begin_briefly(Postgres *postgres, GError **error) {
    return postgres_run(postgres, "begin; set local lock_timeout = '1s'", error);
}

bool tell_messages(Bus *bus, Postgres *postgres, GError **error) {
    int count = 0;
    do {
        if (!begin_briefly(postgres, error))
            return false;
        if (!tell_some(bus, postgres, &count, error)) {
            postgres_run(postgres, "rollback", NULL);
            return false;
        }
        if (!postgres_run(postgres, "commit", error))
            return false;
    } while (count == MESSAGES_AT_ONCE);
    return true;
}

bool tell_time(Postgres *postgres, GError **error) {
    if (!begin_briefly(postgres, error))
        return false;
    g_autoptr(PostgresRows) told =
        postgres_ask(postgres, "select scopestream_data.watch_time()", NULL, 0, error);
    if (told != NULL)
        return postgres_run(postgres, "commit", error);
    postgres_run(postgres, "rollback", NULL);
    return false;
}
