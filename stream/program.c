#include "stream/program.h"
#include "stream/json_write.h"
#include "stream/metrics.h"
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the log --- */

typedef enum { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR } Level;

static const struct {
    const char *name;
    int syslog_priority; /* what the service manager's journal sorts by */
} levels[] = {
    [LEVEL_DEBUG] = {"debug", 7},
    [LEVEL_INFO] = {"info", 6},
    [LEVEL_WARNING] = {"warning", 4},
    [LEVEL_ERROR] = {"error", 3},
};

static Level least_level = LEVEL_INFO;

static bool log_set_level(const char *name, GError **error) {
    for (guint level = 0; level < G_N_ELEMENTS(levels); level++)
        if (g_str_equal(levels[level].name, name)) {
            least_level = (Level)level;
            return true;
        }
    return fault_set(error, FAULT_USAGE,
                     "[log] log-level = %s: expected debug, info, warning or error", name);
}

char *program_one_line(char *text) {
    for (guchar *at = (guchar *)text; *at != '\0'; at++) {
        bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f; /* U+0080 to U+009F */
        if (is_c1)
            *at++ = ' ';
        if (is_c1 || g_ascii_iscntrl(*at))
            *at = ' ';
    }
    return text;
}

/* Words may quote what came from a stranger. */
static void keep_readable(char *words) {
    enum { LINE_LIMIT = 2000 };
    if (strlen(words) > LINE_LIMIT + 3) {
        gsize end = LINE_LIMIT;
        while (end > LINE_LIMIT - 4 && (words[end] & 0xc0) == 0x80)
            end--; /* to where a letter begins */
        strcpy(words + end, "...");
    }
    program_one_line(words);
}

static void log_line(Level level, const char *format, va_list arguments) {
    if (level < least_level)
        return;
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    keep_readable(words);
    if (g_getenv("JOURNAL_STREAM") != NULL) { /* it adds the time itself */
        fprintf(stderr, "<%d>%s\n", levels[level].syslog_priority, words);
        return;
    }
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    fprintf(stderr, "%s.%03d %-7s %s\n", time, g_date_time_get_microsecond(now) / 1000,
            levels[level].name, words);
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *format, ...) {                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        log_line(level, format, arguments);                                                        \
        va_end(arguments);                                                                         \
    }
LOG_FUNCTION(log_error, LEVEL_ERROR)
LOG_FUNCTION(log_warning, LEVEL_WARNING)
LOG_FUNCTION(log_info, LEVEL_INFO)
LOG_FUNCTION(log_debug, LEVEL_DEBUG)

/* --- stopping --- */

static volatile sig_atomic_t stop_asked, stop_signalled;
static int stop_fd = -1;

void program_stop(void) {
    stop_asked = 1;
    int saved = errno;
    if (write(stop_fd, &(guint64){1}, sizeof(guint64)) < 0) {
        /* The flag is set all the same; loops look at it at least once a second. */
    }
    errno = saved;
}

static void stop_on_signal(int signal_number) {
    if (stop_signalled)
        _exit(128 + signal_number);
    stop_signalled = 1;
    program_stop();
}

static void signals_prepare(void) {
    stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct sigaction stop = {.sa_handler = stop_on_signal};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that went away is an error of write() */
}

bool program_stopping(void) {
    return stop_asked != 0;
}

int program_stop_fd(void) {
    return stop_fd;
}

bool program_sleep(gint64 ms) {
    struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
    if (!program_stopping())
        poll(&stop, 1, (int)MIN(ms, G_MAXINT));
    return !program_stopping();
}

void program_forked(void) {
    close(stop_fd); /* shared with the parent: its stop would be read as ours */
    stop_asked = stop_signalled = 0;
    signals_prepare();
}

void program_keep_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

void program_notify(const char *state) {
    const char *path = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || strlen(path) >= sizeof address.sun_path)
        return;
    strcpy(address.sun_path, path);
    if (*path == '@') /* the abstract namespace begins with a NUL */
        address.sun_path[0] = '\0';
    int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify < 0)
        return;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    sendto(notify, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length);
    close(notify);
}

void program_introduce(JsonBuilder *builder, const char *program, gint64 started_us) {
    json_write_text(builder, "program", program);
    json_write_text(builder, "host", g_get_host_name());
    json_write_count(builder, "pid", getpid());
    json_write_text(builder, "version", SCOPESTREAM_VERSION);
    json_write_time(builder, "started_at", started_us);
}

int program_fail(GError *error) {
    keep_readable(error->message);
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
    int status = fault_is(error, FAULT_USAGE) ? EXIT_WRONG_USE : EXIT_FAILURE;
    g_error_free(error);
    return status;
}

/* --- the command line --- */

typedef struct {
    gboolean help, check_config, sample_config, list_metrics, version;
    char *shown_config; /* never set: --config is taken out before, and stands here for --help */
} GeneralOptions;

static const Command *command_find(const Command commands[], const char *name) {
    for (const Command *command = commands; command->name != NULL; command++)
        if (g_str_equal(command->name, name))
            return command;
    return NULL;
}

/* What the command, or all from it on, say of the settings. */
static bool commands_check(const Command *command, bool all, const Settings *settings,
                           GError **error) {
    for (; command != NULL && command->name != NULL; command++) {
        if (command->check != NULL && !command->check(settings, error))
            return false;
        if (!all)
            break;
    }
    return true;
}

static char *commands_text(const Command commands[]) {
    GString *text = g_string_new("Commands:\n");
    for (const Command *command = commands; command->name != NULL; command++) {
        g_autofree char *call = g_strdup_printf("%s %s", command->name, command->arguments);
        g_string_append_printf(text, "  %-24s %s\n", call, command->sentence);
    }
    g_string_append(text, "\nCOMMAND --help tells its options. Settings are read from the file "
                          "--config names (or the\nenvironment SCOPESTREAM_CONFIG), then from "
                          "options.\n\nExit status: 0 success, 1 failure, 2 wrong use or wrong "
                          "settings.");
    return g_string_free(text, FALSE);
}

/* The command named first, taken out of the arguments; *ret_command is NULL where an option stands
 * there, or nothing. */
static bool command_take(const Command commands[], int *argc, char ***argv,
                         const Command **ret_command, GError **error) {
    *ret_command = NULL;
    if (*argc < 2 || (*argv)[1][0] == '-')
        return true;
    *ret_command = command_find(commands, (*argv)[1]);
    if (*ret_command == NULL)
        return fault_set(error, FAULT_USAGE, "unknown command '%s'; --help lists them", (*argv)[1]);
    (*argv)[1] = (*argv)[0];
    (*argv)++;
    (*argc)--;
    return true;
}

static void add_general_options(GOptionContext *context, GeneralOptions *given) {
    const GOptionEntry entries[] = {
        {"help", 'h', 0, G_OPTION_ARG_NONE, &given->help, "print this help", NULL},
        {"config", 0, 0, G_OPTION_ARG_FILENAME, &given->shown_config, "settings file", "FILE"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &given->check_config,
         "say whether the settings are right, and end", NULL},
        {"sample-config", 0, 0, G_OPTION_ARG_NONE, &given->sample_config,
         "print a settings file with every default explained, and end", NULL},
        {"list-metrics", 0, 0, G_OPTION_ARG_NONE, &given->list_metrics,
         "print what is counted for Prometheus, by all programs, and end", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &given->version, "print the version, and end", NULL},
        {NULL},
    };
    g_option_context_add_main_entries(context, entries, NULL);
}

/* A command's own options stand before the settings, which are many. */
static void add_command_options(GOptionContext *context, const Command *command) {
    if (!command->uses_settings) {
        g_option_context_add_main_entries(context, command->options, NULL);
        return;
    }
    GOptionGroup *group = g_option_group_new("options", "Options:", "Show the options", NULL, NULL);
    g_option_group_add_entries(group, command->options);
    g_option_context_add_group(context, group);
}

static GOptionContext *context_make(Program program, const char *sentence, const Command commands[],
                                    const Command *command, GeneralOptions *given,
                                    Settings *settings) {
    GOptionContext *context;
    if (command == NULL) {
        g_autofree char *list = commands_text(commands);
        context = g_option_context_new(NULL);
        g_option_context_set_summary(context, sentence);
        g_option_context_set_description(context, list);
    } else {
        context = g_option_context_new(command->arguments);
        g_option_context_set_summary(context, command->sentence);
    }
    g_option_context_set_translate_func(context, NULL, NULL, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    add_general_options(context, given);
    if (command != NULL && command->options != NULL)
        add_command_options(context, command);

    GOptionGroup *group =
        g_option_group_new("settings", "Settings (default):", "Show the settings", settings, NULL);
    g_option_group_add_entries(group, settings_options(program));
    g_option_context_add_group(context, group);
    return context;
}

/* --config counts before all other options, which overrule the file. */
static bool read_config(Settings *settings, int *argc, char ***argv, char **ret_config,
                        GError **error) {
    GOptionEntry config[] = {{"config", 0, 0, G_OPTION_ARG_FILENAME, ret_config, NULL, NULL},
                             {NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_option_context_add_main_entries(context, config, NULL);
    g_autoptr(GError) wrong = NULL;
    if (!g_option_context_parse(context, argc, argv, &wrong))
        return fault_set(error, FAULT_USAGE, "%s", wrong->message);
    if (*ret_config == NULL)
        *ret_config = g_strdup(g_getenv("SCOPESTREAM_CONFIG"));
    if (*ret_config != NULL && !settings_read_file(settings, *ret_config, error))
        return false;
    return settings_read_environment(settings, error);
}

static bool parse(GOptionContext *context, int *argc, char ***argv, GError **error) {
    g_autoptr(GError) wrong = NULL;
    if (g_option_context_parse(context, argc, argv, &wrong))
        return true;
    if (wrong->domain == FAULT) {
        g_propagate_error(error, g_steal_pointer(&wrong));
        return false;
    }
    return fault_set(error, FAULT_USAGE, "%s; --help tells the options", wrong->message);
}

/* The usage names the program, then the options; the command stands between them. */
static void print_help(GOptionContext *context, const Command *command) {
    g_autofree char *called =
        g_strconcat(g_get_prgname(), " ", command != NULL ? command->name : "COMMAND", NULL);
    g_set_prgname(called);
    bool with_settings = command != NULL && command->uses_settings;
    GOptionGroup *none = NULL;
    g_autofree char *help = g_option_context_get_help(context, !with_settings, none);
    fputs(help, stdout);
}

/* What is only asked for: the help, the version, the sample. Returns whether it was. */
static bool answer(const GeneralOptions *given, const Command *command, GOptionContext *context) {
    if (given->help) {
        print_help(context, command);
    } else if (given->version) {
        printf("%s %s\n", g_get_prgname(), SCOPESTREAM_VERSION);
    } else if (given->sample_config) {
        g_autofree char *sample = settings_sample();
        fputs(sample, stdout);
    } else if (given->list_metrics) {
        g_autofree char *table = metrics_table();
        fputs(table, stdout);
    }
    return given->help || given->version || given->sample_config || given->list_metrics;
}

static int run_command(const Command *command, const Settings *settings, char **arguments) {
    signals_prepare();
    int status = command->run(settings, arguments);
    return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : status;
}

int program_main(Program program, const char *sentence, const Command commands[], int argc,
                 char **argv) {
    /* GLib asks this of the environment before the locale: names are UTF-8 also where that is C. */
    g_setenv("CHARSET", "UTF-8", FALSE);
    g_autofree char *name = g_path_get_basename(argv[0]);
    g_set_prgname(name);
    g_autoptr(Settings) settings = settings_new();
    GeneralOptions given = {0};
    const Command *command;
    GError *error = NULL;
    if (!command_take(commands, &argc, &argv, &command, &error))
        return program_fail(error);

    /* GOption moves and frees what it is given. */
    g_auto(GStrv) arguments = g_strdupv(argv);
    char **borrowed = g_newa(char *, argc + 1);
    memcpy(borrowed, arguments, sizeof *borrowed * (gsize)(argc + 1));

    g_autofree char *config = NULL;
    g_autoptr(GOptionContext) context =
        context_make(program, sentence, commands, command, &given, settings);
    if (!read_config(settings, &argc, &borrowed, &config, &error) ||
        !parse(context, &argc, &borrowed, &error))
        return program_fail(error);
    if (answer(&given, command, context))
        return EXIT_SUCCESS;
    if (!settings_check(settings, &error) || !log_set_level(settings->log_level, &error) ||
        !commands_check(given.check_config ? commands : command, given.check_config, settings,
                        &error))
        return program_fail(error);
    if (given.check_config) {
        printf("%s: the settings are right\n", config != NULL ? config : "defaults and options");
        return EXIT_SUCCESS;
    }
    if (command == NULL) {
        fault_set(&error, FAULT_USAGE, "no command given; it comes first, --help lists them");
        return program_fail(error);
    }
    if (*command->arguments == '\0' && borrowed[1] != NULL) {
        fault_set(&error, FAULT_USAGE, "%s takes no argument '%s'", command->name, borrowed[1]);
        return program_fail(error);
    }
    return run_command(command, settings, borrowed + 1);
}
