/* program: what every program of the stream does first and last: subcommands, settings, the log,
 * stopping on signals, exit statuses. */
#ifndef STREAM_PROGRAM_H
#define STREAM_PROGRAM_H

#include "stream/settings.h"
#include <json-glib/json-glib.h>

#define EXIT_WRONG_USE 2 /* a setting or an argument is wrong; 0 is success, 1 is failure */

/* A subcommand: one row of a program's table. */
typedef struct {
    const char *name;
    const char *arguments; /* "FILE...", or "" where it takes none: then any are wrong use */
    const char *sentence;
    const GOptionEntry *options; /* its own, beside the settings; NULL: none */
    bool uses_settings;          /* whether the settings are its options too */
    /* arguments: what is left of the command line, ends with NULL. Returns the exit status. */
    int (*run)(const Settings *settings, char **arguments);
    /* What only this program can say of the settings; NULL: nothing. Asked before run, and by
     * --check-config. FAULT_USAGE, naming section and key. */
    bool (*check)(const Settings *settings, GError **error);
} Command;

/* Parses the command line, prints --help and --version, reads the settings
 * (--config FILE, environment SCOPESTREAM_CONFIG), runs the command. Every program also has
 * `--check-config` (0, or 2 and the line that says why), `--sample-config` and `--list-metrics`.
 * Returns the exit status. sentence: what the program is for. commands end with an empty row. */
int program_main(Program program, const char *sentence, const Command commands[], int argc,
                 char **argv);

/* True from the first SIGINT or SIGTERM on. A second one ends the process at once. */
bool program_stopping(void);
/* Asks the program to stop, as a signal would. */
void program_stop(void);
/* Readable when stopping: for poll(2) in a program's own loop. */
int program_stop_fd(void);
/* Sleeps ms, or less if the program is asked to stop. Returns whether to go on. */
bool program_sleep(gint64 ms);
/* In a child just forked: forgets what the parent's loop was told. */
void program_forked(void);

/* Writes error's words to stderr as "scopestream-ingest: words" and returns the exit status that
 * belongs to it: 2 for FAULT_USAGE, else 1. Takes over error. */
int program_fail(GError *error);

/* For a process that takes and frees buffers of megabytes all the time: what is freed stays with
 * it, instead of going back to the system and being cleared, page by page, for the next one. */
void program_keep_memory(void);

/* Tells the service manager ($NOTIFY_SOCKET), where there is one: "READY=1", "STATUS=...". */
void program_notify(const char *state);

/* Adds who answers scopestream.status, and since when, to the object builder stands in
 * (docs/wire.md). program: "ingest". started_us: since 1970. */
void program_introduce(JsonBuilder *builder, const char *program, gint64 started_us);

/* Puts spaces where text, valid UTF-8, has control characters, so that what a stranger wrote stays
 * on its line and does nothing to a terminal. Returns text. */
char *program_one_line(char *text);

/* --- the log: one line a change of state, to stderr --- */

void log_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_warning(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_info(const char *format, ...) G_GNUC_PRINTF(1, 2);
void log_debug(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
