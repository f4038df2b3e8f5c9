/* verbs: a command that does several things: the word behind it says which. */
#ifndef STORE_COMMANDS_VERBS_H
#define STORE_COMMANDS_VERBS_H

#include "store/postgres.h"
#include "stream/settings.h"

typedef struct {
    const char *name;
    const char *arguments; /* for people: "NAME"; "" where it takes none */
    guint least, most;     /* how many */
    const char *options;   /* those of the command's that it takes, with spaces */
    /* arguments: behind the verb, ends with NULL. */
    bool (*run)(Postgres *postgres, char **arguments, GError **error);
} Verb;

/* Does what arguments, verb first, say, and returns the exit status. verbs end with an empty row;
 * options are the command's: one given to a verb that does not take it is wrong use. */
int verbs_run(const char *command, const Verb verbs[], const GOptionEntry options[],
              const Settings *settings, char **arguments);

#endif
