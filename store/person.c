#include "store/person.h"
#include "store/migrate.h"
#include "stream/program.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 10000 };

/* Who asks for the first time has often not said where. */
static bool connect_or_tell(Postgres *postgres, GError **error) {
    g_autoptr(GError) refused = NULL;
    if (postgres_connect(postgres, CONNECT_TIMEOUT_MS, &refused))
        return true;
    g_set_error(error, refused->domain, refused->code, "%s; " PERSON_NAMES_DATABASE,
                refused->message);
    return false;
}

Postgres *person_connect(const Settings *settings, GError **error) {
    g_autoptr(Postgres) postgres = postgres_new(settings->postgres, error);
    bool ready =
        postgres != NULL && connect_or_tell(postgres, error) && migrate_check(postgres, error);
    return ready ? g_steal_pointer(&postgres) : NULL;
}

/* --- asking --- */

static bool right_missing(Postgres *postgres, GError **error) {
    g_autoptr(PostgresRows) told =
        postgres_ask(postgres,
                     "select quote_ident(session_user), pg_has_role(session_user, "
                     "'scopestream_reader', 'usage')",
                     NULL, 0, error);
    if (told == NULL)
        return false;
    bool may_read = g_str_equal(postgres_text(told, 0, 1), "t");
    return fault_set(error, FAULT_USAGE,
                     "PostgreSQL, %s: role %s may not do this; its owner lets it by: grant "
                     "scopestream_%s to %s",
                     postgres_place(postgres), postgres_text(told, 0, 0),
                     may_read ? "scientist" : "reader", postgres_text(told, 0, 0));
}

PostgresRows *person_ask(Postgres *postgres, const char *sql, const char *const parameters[],
                         int count, GError **error) {
    static const char prefix[] = "PostgreSQL: ";
    g_autoptr(GError) refused = NULL;
    PostgresRows *rows = postgres_ask_long(postgres, sql, parameters, count, &refused);
    if (rows != NULL)
        return rows;
    if (g_str_equal(postgres_sqlstate(postgres), "42501"))
        right_missing(postgres, error);
    else if (fault_is(refused, FAULT_BROKEN))
        fault_set(error, FAULT_USAGE, "%s",
                  refused->message +
                      (g_str_has_prefix(refused->message, prefix) ? strlen(prefix) : 0));
    else
        g_propagate_error(error, g_steal_pointer(&refused));
    return NULL;
}

bool person_print_json(Postgres *postgres, const char *sql, const char *const parameters[],
                       int count, bool alone, GError **error) {
    g_autofree char *whole =
        g_strdup_printf("select %s from (%s) answer",
                        alone ? "to_json(answer)" : "coalesce(json_agg(answer), '[]')", sql);
    g_autoptr(PostgresRows) rows = person_ask(postgres, whole, parameters, count, error);
    if (rows == NULL)
        return false;
    puts(PQntuples(rows) > 0 ? postgres_text(rows, 0, 0) : "null");
    return true;
}

/* --- words of people --- */

bool person_wants_json(const char *format, bool *ret_json, GError **error) {
    *ret_json = g_strcmp0(format, "json") == 0;
    return *ret_json || format == NULL || g_str_equal(format, "table") ||
           fault_set(error, FAULT_USAGE, "--format %s: expected table or json", format);
}

/* GLib wants a time of day, with seconds. */
static GDateTime *read_time(const char *text) {
    enum { DATE = sizeof "2026-03-01" - 1, MINUTES = sizeof "2026-03-01T14:30" - 1 };
    g_autoptr(GTimeZone) here = g_time_zone_new_local();
    g_autoptr(GString) whole = g_string_new(text);
    if (whole->len == DATE)
        g_string_append(whole, "T00:00:00");
    else if (whole->len >= MINUTES && whole->str[MINUTES - 3] == ':' && whole->str[MINUTES] != ':')
        g_string_insert(whole, MINUTES, ":00");
    return g_date_time_new_from_iso8601(whole->str, here);
}

bool person_read_since(const char *text, char **ret_since, GError **error) {
    gint64 ago_ms;
    *ret_since = NULL;
    if (text == NULL)
        return true;
    g_autoptr(GDateTime) at = NULL;
    if (settings_parse_duration(text, &ago_ms)) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        at = g_date_time_add(now, -ago_ms * G_TIME_SPAN_MILLISECOND);
    } else {
        at = read_time(text);
    }
    if (at == NULL)
        return fault_set(error, FAULT_USAGE,
                         "--since %s: expected a date (2026-03-01), a time (2026-03-01T14:30) or "
                         "how long ago (90min, 7d)",
                         text);
    *ret_since = g_date_time_format_iso8601(at);
    return true;
}

bool person_check_number(const char *option, const char *text, GError **error) {
    char *end;
    double number = g_ascii_strtod(text, &end);
    return (end != text && *end == '\0' && isfinite(number)) ||
           fault_set(error, FAULT_USAGE, "--%s %s: expected a number", option, text);
}

bool person_check_count(const char *option, const char *text, GError **error) {
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, NULL, NULL) ||
           fault_set(error, FAULT_USAGE, "--%s %s: expected a whole number above 0", option, text);
}
