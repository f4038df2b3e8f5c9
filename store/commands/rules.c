#include "store/commands/commands.h"
#include "store/commands/table.h"
#include "store/commands/verbs.h"
#include "store/person.h"
#include <stdio.h>

/* --- options --- */

/* How an option is read: text, names with commas, a number, a whole number above 0, a duration. An
 * option that may be `none` is NULL then. */
typedef enum { WORD, NUMBER, COUNT, MAYBE_WORD, MAYBE_NAMES, MAYBE_NUMBER, MAYBE_COUNT, TIME } Kind;

/* What makes a rule: column of scopestream.rules, option, how it is read, what stands for the value
 * in --help, sentence. */
#define RULE_COLUMNS(ROW)                                                                          \
    ROW(kind, "kind", WORD, "KIND",                                                                \
        "bound, ewma, cusum, silence, missing or event (default: bound)")                          \
    ROW(expression, "expression", MAYBE_WORD, "TEXT",                                              \
        "what is compared: z(log(vollath_f4)), score, ...; of an event its name")                  \
    ROW(comparison, "comparison", WORD, "SIGN", "<, <=, > or >= (default: >)")                     \
    ROW(bound, "bound", MAYBE_NUMBER, "X", "bad is what lies beyond it")                           \
    ROW(clear_bound, "clear-bound", MAYBE_NUMBER, "X",                                             \
        "good is only what lies on the good side of this (default: the bound)")                    \
    ROW(slack, "slack", NUMBER, "X", "of a cusum: deviation that adds nothing (default: 0.5)")     \
    ROW(reference, "reference", WORD, "TEXT",                                                      \
        "what is usual: plate, controls, 'last week', saved:NAME (default: plate)")                \
    ROW(sources, "sources", MAYBE_NAMES, "NAMES", "only these, with commas")                       \
    ROW(channels, "channels", MAYBE_NAMES, "NAMES", "only these, with commas")                     \
    ROW(k, "k", COUNT, "N", "bad ones among the last n frames that make an alert (default: 1)")    \
    ROW(n, "n", COUNT, "N", "how many frames it looks back, at most 64 (default: 1)")              \
    ROW(clear_after, "clear-after", MAYBE_COUNT, "N",                                              \
        "good frames in a row that close the alert (default: none, a person does)")                \
    ROW(group_by, "group-by", WORD, "WHAT",                                                        \
        "one alert each: source, plate, channel, well or site (default: plate)")                   \
    ROW(rearm_s, "rearm", TIME, "TIME", "no other alert for so long after one (default: 0)")       \
    ROW(most_per_hour, "most-per-hour", COUNT, "N", "alerts an hour that are sent (default: 20)")  \
    ROW(severity, "severity", WORD, "WHICH", "info, warning or critical (default: warning)")       \
    ROW(action, "action", MAYBE_WORD, "WHAT",                                                      \
        "what the microscope is to do at sites found bad: image_again, skip, continue")            \
    ROW(action_expires_s, "action-expires", TIME, "TIME", "how long that stands (default: 1h)")    \
    ROW(most_attempts, "most-attempts", COUNT, "N",                                                \
        "how often a site is imaged again before it is skipped (default: 2)")                      \
    ROW(description, "description", MAYBE_WORD, "TEXT", "what it is for")

static struct {
#define ROW(column, ...) char *column;
    RULE_COLUMNS(ROW)
#undef ROW
} given;

static const struct {
    const char *name, *option;
    Kind kind;
    char **value;
} columns[] = {
#define ROW(column, option, kind, ...) {#column, option, kind, &given.column},
    RULE_COLUMNS(ROW)
#undef ROW
};

static char *plate, *since, *most, *format;
static gboolean off;

const GOptionEntry rules_options[] = {
#define ROW(column, option, kind, argument, sentence)                                              \
    {option, 0, 0, G_OPTION_ARG_STRING, &given.column, sentence, argument},
    RULE_COLUMNS(ROW)
#undef ROW
        {"off", 0, 0, G_OPTION_ARG_NONE, &off, "add: without switching it on", NULL},
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate, "test: the frames of this plate", "PLATE"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &since,
     "test: those since a date or time, or of so long: 2026-03-01, 7d", "WHEN"},
    {"most", 0, 0, G_OPTION_ARG_STRING, &most, "test: findings that are shown (default: 20)", "N"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table (default) or json", "FORMAT"},
    {0},
};

/* --- telling --- */

/* When a frame is bad, in few words. */
#define BAD_WHEN                                                                                   \
    "case kind when 'bound' then concat_ws(' ', expression, comparison, bound) "                   \
    "when 'ewma' then format('moving average of %s beyond +-%s', expression, bound) "              \
    "when 'cusum' then format('sum of %s beyond +-%s', expression, bound) "                        \
    "when 'silence' then format('no frame for %s usual intervals', bound) "                        \
    "when 'missing' then 'sites or wells that others have' "                                       \
    "else format('%s %s', kind, expression) end "                                                  \
    "|| case when n > 1 then format(', %s of %s', k, n) else '' end"

#define ON_OR_OFF                                                                                  \
    "case when not enabled then 'off' when waits_for is null then 'on' else 'waits' end"

/* "rule dark is on: warning when mean < 0.01, 2 of 3" */
static void print_rule(const PostgresRows *rule) {
    printf("rule %s is %s: %s, %s\n", postgres_text(rule, 0, 0), postgres_text(rule, 0, 1),
           postgres_text(rule, 0, 2), postgres_text(rule, 0, 3));
    if (postgres_text(rule, 0, 4) != NULL)
        printf("it waits: %s\n", postgres_text(rule, 0, 4));
}

#define RETURNING                                                                                  \
    " returning name, case when enabled then 'on' else 'off' end, severity, " BAD_WHEN ", "        \
    "case when enabled then waits_for end"

static bool no_such_rule(const char *name, GError **error) {
    return fault_set(error, FAULT_USAGE, "no rule is called '%s'; rules list tells them", name);
}

/* Runs sql, whose $1 is the rule's name, and prints the rule it returns. */
static bool write_rule(Postgres *postgres, const char *sql, const GPtrArray *parameters,
                       GError **error) {
    g_autoptr(PostgresRows) rule = person_ask(postgres, sql, (const char *const *)parameters->pdata,
                                              (int)parameters->len, error);
    if (rule == NULL)
        return false;
    if (PQntuples(rule) == 0)
        return no_such_rule(g_ptr_array_index(parameters, 0), error);
    print_rule(rule);
    return true;
}

/* --- looking --- */

static bool rules_list(Postgres *postgres, char **arguments, GError **error) {
    bool as_json;
    if (!person_wants_json(format, &as_json, error))
        return false;
    if (as_json)
        return person_print_json(postgres, "select * from scopestream.rules order by name", NULL, 0,
                                 false, error);
    g_autoptr(PostgresRows) rules =
        person_ask(postgres,
                   "select name as rule, " ON_OR_OFF " as state, severity, action, open_alerts, "
                   "group_by as one_alert_a, coalesce(description, " BAD_WHEN ") as looks_for "
                   "from scopestream.rules order by not enabled, name",
                   NULL, 0, error);
    if (rules == NULL)
        return false;
    if (PQntuples(rules) == 0)
        puts("no rule yet; rules add writes one");
    else
        table_print(rules);
    return true;
}

static bool rules_show(Postgres *postgres, char **arguments, GError **error) {
    static const char sql[] = "select * from scopestream.rules where name = $1";
    const char *parameters[] = {arguments[0]};
    bool as_json;
    if (!person_wants_json(format, &as_json, error))
        return false;
    g_autoptr(PostgresRows) rule = person_ask(postgres, sql, parameters, 1, error);
    if (rule == NULL)
        return false;
    if (PQntuples(rule) == 0)
        return no_such_rule(arguments[0], error);
    if (as_json)
        return person_print_json(postgres, sql, parameters, 1, true, error);
    table_print_row(rule, 0);
    return true;
}

/* --- writing --- */

/* A given option as the text of a parameter, g_free it; NULL is SQL's NULL. */
static bool read_value(guint column, char **ret_value, GError **error) {
    const char *option = columns[column].option, *text = *columns[column].value;
    Kind kind = columns[column].kind;
    gint64 ms;
    *ret_value = NULL;
    if (kind >= MAYBE_WORD && kind <= MAYBE_COUNT && g_str_equal(text, "none"))
        return true;
    if (kind == TIME && !settings_parse_duration(text, &ms))
        return fault_set(error, FAULT_USAGE, "--%s %s: expected a time such as 5s, 10min or 2h",
                         option, text);
    if ((kind == NUMBER || kind == MAYBE_NUMBER) && !person_check_number(option, text, error))
        return false;
    if ((kind == COUNT || kind == MAYBE_COUNT) && !person_check_count(option, text, error))
        return false;
    *ret_value = kind == TIME ? g_strdup_printf("%.3f", (double)ms / 1000) : g_strdup(text);
    return true;
}

/* The columns that are given an option; their values behind what parameters hold, their names to
 * ret_names. */
static bool read_values(GPtrArray *parameters, GArray *ret_columns, GError **error) {
    for (guint column = 0; column < G_N_ELEMENTS(columns); column++) {
        char *value;
        if (*columns[column].value == NULL)
            continue;
        if (!read_value(column, &value, error))
            return false;
        g_ptr_array_add(parameters, value);
        g_array_append_val(ret_columns, column);
    }
    return true;
}

/* The parameter of a column, $2 for the first, as the column's type. */
static void append_parameter(GString *sql, const GArray *chosen, guint i) {
    static const struct {
        const char *before, *behind;
    } forms[] = {
        [WORD] = {"", ""},
        [NUMBER] = {"", "::double precision"},
        [COUNT] = {"", "::integer"},
        [MAYBE_WORD] = {"", ""},
        [MAYBE_NAMES] = {"regexp_split_to_array(", ", '\\s*,\\s*')"},
        [MAYBE_NUMBER] = {"", "::double precision"},
        [MAYBE_COUNT] = {"", "::integer"},
        [TIME] = {"", "::double precision"},
    };
    Kind kind = columns[g_array_index(chosen, guint, i)].kind;
    g_string_append_printf(sql, "%s$%u%s", forms[kind].before, i + 2, forms[kind].behind);
}

static bool rules_add(Postgres *postgres, char **arguments, GError **error) {
    g_autoptr(GPtrArray) parameters = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    g_ptr_array_add(parameters, g_strdup(arguments[0]));
    if (!read_values(parameters, chosen, error))
        return false;
    g_autoptr(GString) sql = g_string_new("insert into scopestream.rules (name, enabled");
    for (guint i = 0; i < chosen->len; i++)
        g_string_append_printf(sql, ", %s", columns[g_array_index(chosen, guint, i)].name);
    g_string_append_printf(sql, ") values ($1, %s", off ? "false" : "true");
    for (guint i = 0; i < chosen->len; i++) {
        g_string_append(sql, ", ");
        append_parameter(sql, chosen, i);
    }
    g_string_append(sql, ")" RETURNING);
    g_autoptr(GError) refused = NULL;
    if (write_rule(postgres, sql->str, parameters, &refused))
        return true;
    if (g_str_equal(postgres_sqlstate(postgres), "23505"))
        return fault_set(error, FAULT_USAGE,
                         "a rule is called '%s' already: rules change alters it, rules drop makes "
                         "room",
                         arguments[0]);
    g_propagate_error(error, g_steal_pointer(&refused));
    return false;
}

static bool rules_change(Postgres *postgres, char **arguments, GError **error) {
    g_autoptr(GPtrArray) parameters = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) chosen = g_array_new(FALSE, FALSE, sizeof(guint));
    g_ptr_array_add(parameters, g_strdup(arguments[0]));
    if (!read_values(parameters, chosen, error))
        return false;
    if (chosen->len == 0)
        return fault_set(error, FAULT_USAGE, "rules change: say what: --bound, --severity, ...");
    g_autoptr(GString) sql = g_string_new("update scopestream.rules set ");
    for (guint i = 0; i < chosen->len; i++) {
        g_string_append_printf(sql, "%s%s = ", i > 0 ? ", " : "",
                               columns[g_array_index(chosen, guint, i)].name);
        append_parameter(sql, chosen, i);
    }
    g_string_append(sql, " where name = $1" RETURNING);
    return write_rule(postgres, sql->str, parameters, error);
}

static bool switch_rule(Postgres *postgres, char *name, bool on, GError **error) {
    g_autoptr(GPtrArray) parameters = g_ptr_array_new();
    g_ptr_array_add(parameters, name);
    return write_rule(postgres,
                      on ? "update scopestream.rules set enabled = true where name = $1" RETURNING
                         : "update scopestream.rules set enabled = false where name = $1" RETURNING,
                      parameters, error);
}

static bool rules_on(Postgres *postgres, char **arguments, GError **error) {
    return switch_rule(postgres, arguments[0], true, error);
}

static bool rules_off(Postgres *postgres, char **arguments, GError **error) {
    return switch_rule(postgres, arguments[0], false, error);
}

static bool rules_drop(Postgres *postgres, char **arguments, GError **error) {
    const char *parameters[] = {arguments[0]};
    g_autoptr(PostgresRows) rule =
        person_ask(postgres, "delete from scopestream.rules where name = $1 returning name",
                   parameters, 1, error);
    if (rule == NULL)
        return false;
    if (PQntuples(rule) == 0)
        return no_such_rule(arguments[0], error);
    printf("rule %s is dropped; the alerts it gave stay\n", arguments[0]);
    return true;
}

/* --- testing --- */

enum { FOUND_ALL = 9, FOUND_ALERTS }; /* columns behind those that are shown */

static void print_found(const char *name, PostgresRows *found) {
    if (PQntuples(found) == 0) {
        printf("rule %s would have found nothing\n", name);
        return;
    }
    gint64 all = postgres_count(found, 0, FOUND_ALL),
           alerts = postgres_count(found, 0, FOUND_ALERTS);
    printf("rule %s would have found %" G_GINT64_FORMAT " frames, in %" G_GINT64_FORMAT
           " alerts\n\n",
           name, all, alerts);
    table_print_columns(found, FOUND_ALL);
    if (all > PQntuples(found))
        printf("and %" G_GINT64_FORMAT " more; --most shows more of them\n",
               all - PQntuples(found));
}

static bool rules_test(Postgres *postgres, char **arguments, GError **error) {
    g_autofree char *from = NULL;
    bool as_json;
    if (!person_wants_json(format, &as_json, error) || !person_read_since(since, &from, error) ||
        (most != NULL && !person_check_count("most", most, error)))
        return false;
    if (plate == NULL && since == NULL)
        return fault_set(error, FAULT_USAGE, "rules test: expected --plate, --since or both");
    const char *parameters[] = {arguments[0], plate, from, most != NULL ? most : "20"};
    if (as_json)
        return person_print_json(postgres,
                                 "select * from scopestream.test_rule($1, $2, $3::timestamptz)",
                                 parameters, 3, false, error);
    g_autoptr(PostgresRows) found = person_ask(
        postgres,
        "select alert, acquired_at, source, "
        "plate_found as plate, well, site, channel, value, bound, count(*) over () as all_found, "
        "max(alert) over () as alerts "
        "from scopestream.test_rule($1, $2, $3::timestamptz) limit $4::integer",
        parameters, G_N_ELEMENTS(parameters), error);
    if (found != NULL)
        print_found(arguments[0], found);
    return found != NULL;
}

/* --- the subcommand --- */

int rules_command(const Settings *settings, char **arguments) {
    g_autoptr(GString) written = g_string_new(NULL); /* the options that make a rule */
    for (guint column = 0; column < G_N_ELEMENTS(columns); column++)
        g_string_append_printf(written, "%s ", columns[column].option);
    g_autofree char *added = g_strconcat(written->str, "off", NULL);
    const Verb verbs[] = {
        {"list", "", 0, 0, "format", rules_list},
        {"show", "NAME", 1, 1, "format", rules_show},
        {"add", "NAME", 1, 1, added, rules_add},
        {"change", "NAME", 1, 1, written->str, rules_change},
        {"test", "NAME", 1, 1, "plate since most format", rules_test},
        {"on", "NAME", 1, 1, "", rules_on},
        {"off", "NAME", 1, 1, "", rules_off},
        {"drop", "NAME", 1, 1, "", rules_drop},
        {0},
    };
    return verbs_run("rules", verbs, rules_options, settings, arguments);
}
