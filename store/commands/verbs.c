#include "store/commands/verbs.h"
#include "store/person.h"
#include "stream/program.h"

/* "list, show NAME, add NAME"; g_free it. */
static char *verbs_text(const Verb verbs[]) {
    GString *text = g_string_new(NULL);
    for (const Verb *verb = verbs; verb->name != NULL; verb++)
        g_string_append_printf(text, "%s%s%s%s", verb > verbs ? ", " : "", verb->name,
                               *verb->arguments != '\0' ? " " : "", verb->arguments);
    return g_string_free(text, FALSE);
}

static const Verb *verb_find(const char *command, const Verb verbs[], const char *name,
                             GError **error) {
    for (const Verb *verb = verbs; name != NULL && verb->name != NULL; verb++)
        if (g_str_equal(verb->name, name))
            return verb;
    g_autofree char *expected = verbs_text(verbs);
    if (name == NULL)
        fault_set(error, FAULT_USAGE, "%s: say what to do: %s", command, expected);
    else
        fault_set(error, FAULT_USAGE, "%s %s: expected one of %s", command, name, expected);
    return NULL;
}

static bool arguments_fit(const char *command, const Verb *verb, char **arguments, GError **error) {
    guint count = g_strv_length(arguments);
    if (count >= verb->least && count <= verb->most)
        return true;
    if (*verb->arguments == '\0')
        return fault_set(error, FAULT_USAGE, "%s %s takes no argument '%s'", command, verb->name,
                         arguments[0]);
    return fault_set(error, FAULT_USAGE, "%s %s: expected %s behind it, not %u words", command,
                     verb->name, verb->arguments, count);
}

static bool option_was_given(const GOptionEntry *option) {
    switch (option->arg) {
    case G_OPTION_ARG_NONE: return *(const gboolean *)option->arg_data;
    default: return *(char *const *)option->arg_data != NULL; /* texts and lists of them */
    }
}

static bool options_fit(const char *command, const Verb *verb, const GOptionEntry options[],
                        GError **error) {
    g_auto(GStrv) taken = g_strsplit(verb->options, " ", -1);
    for (const GOptionEntry *option = options; option->long_name != NULL; option++)
        if (option_was_given(option) &&
            !g_strv_contains((const char *const *)taken, option->long_name))
            return fault_set(error, FAULT_USAGE, "%s %s does not take --%s", command, verb->name,
                             option->long_name);
    return true;
}

int verbs_run(const char *command, const Verb verbs[], const GOptionEntry options[],
              const Settings *settings, char **arguments) {
    GError *error = NULL;
    const Verb *verb = verb_find(command, verbs, arguments[0], &error);
    if (verb == NULL || !arguments_fit(command, verb, arguments + 1, &error) ||
        !options_fit(command, verb, options, &error))
        return program_fail(error);
    g_autoptr(Postgres) postgres = person_connect(settings, &error);
    if (postgres == NULL || !verb->run(postgres, arguments + 1, &error))
        return program_fail(error);
    return EXIT_SUCCESS;
}
