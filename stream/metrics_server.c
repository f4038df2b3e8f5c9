#include "stream/metrics_server.h"
#include "stream/http.h"
#include "stream/program.h"
#include <string.h>

#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct MetricsServer {
    Http *http;
    MetricsSource source;
};

static void answer_metrics(const MetricsServer *server, HttpRequest *request) {
    server->source.look(server->source.context);
    char *text = metrics_text();
    http_answer(request, 200, TEXT_TYPE, g_bytes_new_take(text, strlen(text)), "no-store");
}

static void answer_health(const MetricsServer *server, HttpRequest *request) {
    http_answer_text(request, 200, "alive");
}

static void answer_ready(const MetricsServer *server, HttpRequest *request) {
    g_autoptr(GString) missing = g_string_new(NULL);
    server->source.ready(missing, server->source.context);
    if (missing->len > 0)
        g_string_truncate(missing, missing->len - 1);
    http_answer_text(request, missing->len > 0 ? 503 : 200,
                     missing->len > 0 ? missing->str : "ready");
}

static void answer_index(const MetricsServer *server, HttpRequest *request) {
    http_answer_text(request, 200, "/metrics\n/healthz\n/readyz");
}

static const struct {
    const char *path;
    void (*answer)(const MetricsServer *server, HttpRequest *request);
} pages[] = {
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {"/readyz", answer_ready},
    {"/", answer_index},
};

static void answer(HttpRequest *request, void *context) {
    for (guint i = 0; i < G_N_ELEMENTS(pages); i++)
        if (g_str_equal(pages[i].path, http_path(request))) {
            pages[i].answer(context, request);
            return;
        }
    http_answer_text(request, 404, "nothing here; / lists what there is");
}

static const char *address_of(Program program, const Settings *settings, const char **ret_section) {
    const struct {
        Program program;
        const char *section, *listen;
    } rows[] = {
        {INGEST, "ingest", settings->ingest_metrics_listen},
        {FEATURES, "features", settings->features_metrics_listen},
        {STORE, "store", settings->store_metrics_listen},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].program == program) {
            *ret_section = rows[i].section;
            return rows[i].listen;
        }
    g_assert_not_reached();
}

/* Several of a program on one machine, each with its defaults, are nothing unusual. */
static bool is_default(Program program, const char *listen) {
    g_autoptr(Settings) defaults = settings_new();
    const char *section;
    return g_str_equal(address_of(program, defaults, &section), listen);
}

bool metrics_server_start(Program program, const Settings *settings, MetricsSource source,
                          MetricsServer **ret_server, GError **error) {
    const char *section, *listen = address_of(program, settings, &section);
    g_autoptr(GError) wrong = NULL;
    *ret_server = NULL;
    if (*listen == '\0')
        return true;
    MetricsServer *server = g_new0(MetricsServer, 1);
    server->source = source;
    server->http = http_start(listen, answer, server, &wrong);
    if (server->http != NULL) {
        log_info("metrics at http://%s/metrics", http_address(server->http));
        *ret_server = server;
        return true;
    }
    g_free(server);
    if (!is_default(program, listen))
        return fault_set(error, FAULT_USAGE, "[%s] metrics-listen = %s", section, wrong->message);
    log_info("no metrics are told: %s; [%s] metrics-listen may name another address",
             wrong->message, section);
    return true;
}

void metrics_server_stop(MetricsServer *server) {
    if (server == NULL)
        return;
    http_stop(server->http);
    g_free(server);
}
