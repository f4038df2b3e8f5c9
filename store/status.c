#include "store/status.h"
#include "store/figures.h"
#include "stream/program.h"
#include <stdio.h>
#include <unistd.h>

static gboolean watch;
static char *format;

const GOptionEntry status_options[] = {
    {"watch", 0, 0, G_OPTION_ARG_NONE, &watch, "show it anew each second, until Ctrl-C", NULL},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "text or json (default: text)", "FORMAT"},
    {0},
};

/* A terminal's screen is written over from its corner, each line wiped behind its end: clearing it
 * first would flicker. Anything else gets one screen after the other. */
static void show(const char *text, bool over) {
    if (!over) {
        printf("%s\n", text);
        fflush(stdout);
        return;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *wiped = g_strjoinv("\033[K\n", lines);
    printf("\033[H%s\033[J", wiped);
    fflush(stdout);
}

static bool show_figures(const Settings *settings, Bus *bus, Postgres *postgres, bool as_json) {
    g_autoptr(Figures) figures = figures_gather(settings, bus, postgres);
    g_autofree char *text = as_json ? figures_json(figures) : figures_text(figures);
    show(text, watch && !as_json && isatty(STDOUT_FILENO));
    return figures->database_reached || figures->nats_reached;
}

int status_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    bool as_json = g_strcmp0(format, "json") == 0;
    if (format != NULL && !as_json && !g_str_equal(format, "text"))
        fault_set(&error, FAULT_USAGE, "--format %s: expected text or json", format);
    g_autoptr(Postgres) postgres = error == NULL ? postgres_new(settings->postgres, &error) : NULL;
    Bus *bus = postgres != NULL ? bus_open(settings, "store-status", &error) : NULL;
    if (bus == NULL)
        return program_fail(error);

    bool reached;
    do
        reached = show_figures(settings, bus, postgres, as_json);
    while (watch && program_sleep(1000));
    bus_close(bus);
    return reached ? EXIT_SUCCESS : EXIT_FAILURE;
}
