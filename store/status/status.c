#include "store/status/status.h"
#include "store/status/figures.h"
#include "store/status/status_page.h"
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

/* What is there is one line of JSON, or a screen of text. */
static bool show_figures(const Settings *settings, Bus *bus, Postgres *postgres, bool as_json) {
    g_autoptr(Figures) figures = figures_gather(settings, bus, postgres);
    g_autofree char *text = as_json ? figures_json(figures) : figures_text(figures);
    printf("%s\n", text);
    fflush(stdout);
    return figures->database_reached || figures->nats_reached;
}

/* On a terminal, until somebody ends it; what it showed last stays. */
static bool watch_page(const Settings *settings, Bus *bus, Postgres *postgres) {
    g_autoptr(StatusPage) page = status_page_new();
    g_autofree char *text = NULL;
    Screen screen = screen_look();
    bool reached;
    screen_open(&screen);
    do {
        g_autoptr(Figures) figures = figures_gather(settings, bus, postgres);
        status_page_ask(page, postgres);
        screen = screen_look();
        g_free(text);
        text = status_page_text(page, figures, &screen);
        screen_show(&screen, text);
        reached = figures->database_reached || figures->nats_reached;
    } while (program_sleep(1000));
    screen_close(&screen, text);
    return reached;
}

/* For a program, or a file: one after the other. */
static bool show_each(const Settings *settings, Bus *bus, Postgres *postgres, bool as_json) {
    bool reached;
    do
        reached = show_figures(settings, bus, postgres, as_json);
    while (watch && program_sleep(1000));
    return reached;
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

    bool reached = watch && !as_json && isatty(STDOUT_FILENO)
                       ? watch_page(settings, bus, postgres)
                       : show_each(settings, bus, postgres, as_json);
    bus_close(bus);
    return reached ? EXIT_SUCCESS : EXIT_FAILURE;
}
