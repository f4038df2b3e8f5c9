#include "store/commands/commands.h"
#include "store/commands/table.h"
#include "store/commands/verbs.h"
#include "store/person.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

static char *score, **parts, *reference, *policy, *unknown_score, *description, *format;
static gboolean off, is_default, all;

const GOptionEntry models_options[] = {
    {"score", 0, 0, G_OPTION_ARG_STRING, &score,
     "add: the score, 0 to 1, an expression of measures and parts", "EXPRESSION"},
    {"part", 0, 0, G_OPTION_ARG_STRING_ARRAY, &parts,
     "add: an expression with a name, which the score may use and each frame's score shows; "
     "repeatable",
     "NAME=EXPRESSION"},
    {"reference", 0, 0, G_OPTION_ARG_STRING, &reference,
     "add: what is usual: plate, controls, 'last week', saved:NAME (default: plate)", "TEXT"},
    {"policy", 0, 0, G_OPTION_ARG_STRING, &policy,
     "add: what names the tiers (default: four_tiers)", "NAME"},
    {"unknown-score", 0, 0, G_OPTION_ARG_STRING, &unknown_score,
     "add: score where the expression has no answer (default: 1)", "X"},
    {"description", 0, 0, G_OPTION_ARG_STRING, &description, "add: what it is for", "TEXT"},
    {"off", 0, 0, G_OPTION_ARG_NONE, &off, "add: without switching it on", NULL},
    {"default", 0, 0, G_OPTION_ARG_NONE, &is_default, "add: as the one that counts", NULL},
    {"all", 0, 0, G_OPTION_ARG_NONE, &all, "list: every version", NULL},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table (default) or json", "FORMAT"},
    {0},
};

/* $1: 'haste' is the version that is on, or else the newest; 'haste 2' is that version. */
#define MEANT                                                                                      \
    "(select model_id from scopestream.models "                                                    \
    " where $1 in (name, name || ' ' || version) order by enabled desc, version desc limit 1)"

/* --- looking --- */

static bool no_such_model(const char *words, GError **error) {
    return fault_set(error, FAULT_USAGE, "no model is called '%s'; models list tells them", words);
}

static bool models_list(Postgres *postgres, char **arguments, GError **error) {
    bool as_json;
    const char *parameters[] = {all ? "true" : "false"};
    if (!person_wants_json(format, &as_json, error))
        return false;
    static const char json_sql[] =
        "select * from scopestream.models m where $1::boolean or model_id = "
        "(select o.model_id from scopestream.models o where o.name = m.name "
        " order by enabled desc, version desc limit 1) order by name, version desc";
    if (as_json)
        return person_print_json(postgres, json_sql, parameters, 1, false, error);
    g_autofree char *sql =
        g_strdup_printf("select name as model, version, "
                        "concat_ws(', ', case when is_default then 'default' when enabled then "
                        "'on' else 'off' end, "
                        "case when enabled and waits_for is not null then 'waits' end) as state, "
                        "reference, policy, coalesce(description, score) as what_for "
                        "from (%s) m order by not is_default, not enabled, name, version desc",
                        json_sql);
    g_autoptr(PostgresRows) models = person_ask(postgres, sql, parameters, 1, error);
    if (models == NULL)
        return false;
    if (PQntuples(models) == 0)
        puts("no model yet; models add writes one");
    else
        table_print(models);
    return true;
}

static bool print_parts(Postgres *postgres, const char *words, GError **error) {
    g_autoptr(PostgresRows) rows = person_ask(
        postgres,
        "select key as part, value as expression from scopestream.models, jsonb_each_text(parts) "
        "where model_id = " MEANT " order by key",
        &words, 1, error);
    if (rows != NULL && PQntuples(rows) > 0) {
        putchar('\n');
        table_print(rows);
    }
    return rows != NULL;
}

static bool models_show(Postgres *postgres, char **arguments, GError **error) {
    g_autofree char *words = g_strjoinv(" ", arguments);
    const char *parameters[] = {words};
    bool as_json;
    if (!person_wants_json(format, &as_json, error))
        return false;
    g_autoptr(PostgresRows) model = person_ask(
        postgres,
        "select name as model, version, score, reference, policy, unknown_score, enabled, "
        "is_default, waits_for, description, created_at, created_by "
        "from scopestream.models where model_id = " MEANT,
        parameters, 1, error);
    if (model == NULL)
        return false;
    if (PQntuples(model) == 0)
        return no_such_model(words, error);
    if (as_json)
        return person_print_json(postgres,
                                 "select * from scopestream.models where model_id = " MEANT,
                                 parameters, 1, true, error);
    table_print_row(model, 0);
    return print_parts(postgres, words, error);
}

/* --- adding --- */

static bool add_part(JsonObject *object, const char *part, GError **error) {
    const char *sign = strchr(part, '=');
    if (sign == NULL)
        return fault_set(error, FAULT_USAGE, "--part %s: expected NAME=EXPRESSION", part);
    g_autofree char *name = g_strstrip(g_strndup(part, (gsize)(sign - part)));
    g_autofree char *expression = g_strstrip(g_strdup(sign + 1));
    if (*name == '\0' || *expression == '\0')
        return fault_set(error, FAULT_USAGE, "--part %s: expected NAME=EXPRESSION", part);
    if (json_object_has_member(object, name))
        return fault_set(error, FAULT_USAGE, "--part %s: stands there twice, expected each once",
                         name);
    json_object_set_string_member(object, name, expression);
    return true;
}

/* The parts as a JSON object; g_free it. NULL where one is none. */
static char *parts_text(GError **error) {
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();
    json_node_take_object(root, object);
    for (char **part = parts; part != NULL && *part != NULL; part++)
        if (!add_part(object, *part, error))
            return NULL;
    return json_to_string(root, FALSE);
}

/* "model sharp, version 2, is on and the default" */
static void print_model(const PostgresRows *model) {
    printf("model %s, version %s, is %s%s\n", postgres_text(model, 0, 0),
           postgres_text(model, 0, 1), postgres_text(model, 0, 2), postgres_text(model, 0, 3));
    if (postgres_text(model, 0, 4) != NULL)
        printf("it waits: %s\n", postgres_text(model, 0, 4));
}

#define RETURNING                                                                                  \
    " returning name, version, case when enabled then 'on' else 'off' end, "                       \
    "case when is_default then ' and the default' else '' end, "                                   \
    "case when enabled then waits_for end"

static bool models_add(Postgres *postgres, char **arguments, GError **error) {
    if (score == NULL)
        return fault_set(error, FAULT_USAGE, "models add: expected --score EXPRESSION");
    if (unknown_score != NULL && !person_check_number("unknown-score", unknown_score, error))
        return false;
    g_autofree char *expressions = parts_text(error);
    if (expressions == NULL)
        return false;
    const char *parameters[] = {arguments[0],
                                score,
                                expressions,
                                reference != NULL ? reference : "plate",
                                policy != NULL ? policy : "four_tiers",
                                unknown_score != NULL ? unknown_score : "1",
                                off ? "false" : "true",
                                is_default ? "true" : "false",
                                description};
    g_autoptr(PostgresRows) model = person_ask(
        postgres,
        "insert into scopestream.models (name, score, parts, reference, policy, unknown_score, "
        "enabled, is_default, description) values ($1, $2, $3::jsonb, $4, $5, "
        "$6::double precision, $7::boolean, $8::boolean, $9)" RETURNING,
        parameters, G_N_ELEMENTS(parameters), error);
    if (model == NULL)
        return false;
    print_model(model);
    printf("frames that are stored already have no score of it: scopestream-store rescore %s\n",
           arguments[0]);
    return true;
}

/* --- switching --- */

static bool change_model(Postgres *postgres, char **arguments, const char *sql, GError **error) {
    g_autofree char *words = g_strjoinv(" ", arguments);
    const char *parameters[] = {words};
    g_autoptr(PostgresRows) model = person_ask(postgres, sql, parameters, 1, error);
    if (model == NULL)
        return false;
    if (PQntuples(model) == 0)
        return no_such_model(words, error);
    print_model(model);
    return true;
}

static bool models_on(Postgres *postgres, char **arguments, GError **error) {
    return change_model(
        postgres, arguments,
        "update scopestream.models set enabled = true where model_id = " MEANT RETURNING, error);
}

static bool models_off(Postgres *postgres, char **arguments, GError **error) {
    return change_model(
        postgres, arguments,
        "update scopestream.models set enabled = false where model_id = " MEANT RETURNING, error);
}

static bool models_default(Postgres *postgres, char **arguments, GError **error) {
    return change_model(
        postgres, arguments,
        "update scopestream.models set is_default = true where model_id = " MEANT RETURNING, error);
}

/* --- the subcommand --- */

int models_command(const Settings *settings, char **arguments) {
    static const Verb verbs[] = {
        {"list", "", 0, 0, "all format", models_list},
        {"show", "NAME [VERSION]", 1, 2, "format", models_show},
        {"add", "NAME", 1, 1, "score part reference policy unknown-score description off default",
         models_add},
        {"on", "NAME [VERSION]", 1, 2, "", models_on},
        {"off", "NAME [VERSION]", 1, 2, "", models_off},
        {"default", "NAME [VERSION]", 1, 2, "", models_default},
        {0},
    };
    return verbs_run("models", verbs, models_options, settings, arguments);
}
