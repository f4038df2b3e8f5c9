#include "store/commands/commands.h"
#include "store/commands/table.h"
#include "store/commands/verbs.h"
#include "store/person.h"
#include "stream/program.h"
#include <stdio.h>

static char *plate, *note, *format;
static gboolean all;

const GOptionEntry alerts_options[] = {
    {"all", 0, 0, G_OPTION_ARG_NONE, &all, "list: closed ones too", NULL},
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate, "list: of this plate alone", "PLATE"},
    {"note", 0, 0, G_OPTION_ARG_STRING, &note,
     "acknowledge, close: what there is to say, kept with the alert", "TEXT"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table (default) or json", "FORMAT"},
    {0},
};

/* --- looking --- */

#define CHOSEN "where ($1::boolean or state <> 'closed') and ($2::text is null or plate = $2) "

static bool alerts_list(Postgres *postgres, char **arguments, GError **error) {
    bool as_json;
    const char *parameters[] = {all ? "true" : "false", plate};
    if (!person_wants_json(format, &as_json, error))
        return false;
    if (as_json)
        return person_print_json(postgres,
                                 "select * from scopestream.alerts " CHOSEN
                                 "order by opened_at desc, alert_id",
                                 parameters, G_N_ELEMENTS(parameters), false, error);
    g_autoptr(PostgresRows) alerts = person_ask(
        postgres,
        "select alert_id as alert, state, severity, "
        "opened_at, title "
        "from scopestream.alerts " CHOSEN
        "order by state = 'closed', array_position('{critical,warning,info}'::text[], severity), "
        "opened_at desc, alert_id",
        parameters, G_N_ELEMENTS(parameters), error);
    if (alerts == NULL)
        return false;
    if (PQntuples(alerts) == 0)
        puts(all ? "no alert" : "no open alert");
    else
        table_print(alerts);
    return true;
}

/* Whether text is the number of an alert. */
static bool id_check(const char *text, GError **error) {
    return g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, NULL, NULL) ||
           fault_set(error, FAULT_USAGE, "alert '%s': expected its number, as alerts list tells it",
                     text);
}

static bool print_findings(Postgres *postgres, const char *id, GError **error) {
    g_autoptr(PostgresRows) findings =
        person_ask(postgres,
                   "select found_at, well, site, "
                   "channel, value, bound, frame_id, detail from scopestream.findings "
                   "where alert_id = $1::bigint order by found_at desc limit 20",
                   &id, 1, error);
    if (findings != NULL && PQntuples(findings) > 0) {
        puts("\nthe newest of what was found:");
        table_print(findings);
    }
    return findings != NULL;
}

static bool alerts_show(Postgres *postgres, char **arguments, GError **error) {
    static const char sql[] = "select * from scopestream.alerts where alert_id = $1::bigint";
    const char *parameters[] = {arguments[0]};
    bool as_json;
    if (!person_wants_json(format, &as_json, error) || !id_check(arguments[0], error))
        return false;
    g_autoptr(PostgresRows) alert = person_ask(postgres, sql, parameters, 1, error);
    if (alert == NULL)
        return false;
    if (PQntuples(alert) == 0)
        return fault_set(error, FAULT_USAGE, "there is no alert %s; alerts list --all tells them",
                         arguments[0]);
    if (as_json)
        return person_print_json(postgres, sql, parameters, 1, true, error);
    table_print_row(alert, 0);
    return print_findings(postgres, arguments[0], error);
}

/* --- answering --- */

/* Calls function with the alert's number and the note, and tells what became of it. */
static bool answer_one(Postgres *postgres, const char *function, const char *id, GError **error) {
    const char *parameters[] = {id, note};
    g_autofree char *sql = g_strdup_printf("select scopestream.%s($1::bigint, $2)", function);
    g_autoptr(PostgresRows) done = person_ask(postgres, sql, parameters, 2, error);
    g_autoptr(PostgresRows) alert = done != NULL
                                        ? person_ask(postgres,
                                                     "select state, title from scopestream.alerts "
                                                     "where alert_id = $1::bigint",
                                                     parameters, 1, error)
                                        : NULL;
    if (alert == NULL)
        return false;
    if (PQntuples(alert) > 0) {
        g_autofree char *title = program_one_line(g_strdup(postgres_text(alert, 0, 1)));
        printf("alert %s is %s: %s\n", id, postgres_text(alert, 0, 0), title);
    }
    return true;
}

static bool answer_all(Postgres *postgres, const char *function, char **ids, GError **error) {
    for (char **id = ids; *id != NULL; id++)
        if (!id_check(*id, error))
            return false;
    for (char **id = ids; *id != NULL; id++)
        if (!answer_one(postgres, function, *id, error))
            return false;
    return true;
}

static bool alerts_acknowledge(Postgres *postgres, char **arguments, GError **error) {
    return answer_all(postgres, "acknowledge_alert", arguments, error);
}

static bool alerts_close(Postgres *postgres, char **arguments, GError **error) {
    return answer_all(postgres, "close_alert", arguments, error);
}

/* --- the subcommand --- */

int alerts_command(const Settings *settings, char **arguments) {
    static const Verb verbs[] = {
        {"list", "", 0, 0, "all plate format", alerts_list},
        {"show", "ID", 1, 1, "format", alerts_show},
        {"acknowledge", "ID...", 1, G_MAXUINT, "note", alerts_acknowledge},
        {"close", "ID...", 1, G_MAXUINT, "note", alerts_close},
        {0},
    };
    return verbs_run("alerts", verbs, alerts_options, settings, arguments);
}
