/* commands: what people steer with, each a subcommand of scopestream-store. They connect as the
 * person who calls them; whoever is a scopestream_scientist may also change things.
 *
 * Each prints what it did and returns an exit status: 2, and one line that says what was expected,
 * for a wrong argument, an expression that is none, or a right that is missing. */
#ifndef STORE_COMMANDS_COMMANDS_H
#define STORE_COMMANDS_COMMANDS_H

#include "stream/settings.h"

/* list, show, add, change, test, on, off, drop: what is looked for in frames as they come. */
extern const GOptionEntry rules_options[];
int rules_command(const Settings *settings, char **arguments);

/* list, show, add, on, off, default: what gives frames their scores. */
extern const GOptionEntry models_options[];
int models_command(const Settings *settings, char **arguments);

/* list, show, acknowledge, close: what went wrong. */
extern const GOptionEntry alerts_options[];
int alerts_command(const Settings *settings, char **arguments);

/* Scores the frames that are stored by one model, a batch at a time; may be stopped and gone on
 * with. */
extern const GOptionEntry rescore_options[];
int rescore_command(const Settings *settings, char **arguments);

/* Compares two models over the frames that are stored, with nothing changed. */
extern const GOptionEntry what_if_options[];
int what_if_command(const Settings *settings, char **arguments);

/* load, show, drop: what the wells of a plate hold. */
extern const GOptionEntry layout_options[];
int layout_command(const Settings *settings, char **arguments);

/* Shows a plate in the terminal. As the reader's role. */
extern const GOptionEntry map_options[];
int map_command(const Settings *settings, char **arguments);

/* Draws a plate, or a well over time, into a PNG. As the reader's role. */
extern const GOptionEntry sheet_options[];
int sheet_command(const Settings *settings, char **arguments);

#endif
