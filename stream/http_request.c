/* A request and its answer. It lives until its connection is done with it and it is answered,
 * whichever is later; each holds the server. */
#include "stream/http_private.h"
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- lifetimes --- */

void http_unref(Http *http) {
    if (!g_atomic_ref_count_dec(&http->references))
        return;
    g_mutex_clear(&http->lock);
    g_hash_table_unref(http->visits);
    g_hash_table_unref(http->held);
    g_ptr_array_unref(http->events);
    g_free(http->address);
    if (http->wake >= 0)
        close(http->wake);
    g_free(http);
}

Http *http_new(HttpAnswer answer, void *context) {
    Http *http = g_new0(Http, 1);
    http->answer = answer;
    http->context = context;
    http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->visits = g_hash_table_new_full(NULL, NULL, g_free, NULL);
    http->held = g_hash_table_new(NULL, NULL);
    http->events = g_ptr_array_new();
    g_mutex_init(&http->lock);
    g_atomic_ref_count_init(&http->references);
    return http;
}

void http_request_unref(HttpRequest *request) {
    if (!g_atomic_ref_count_dec(&request->references))
        return;
    g_clear_pointer(&request->response, MHD_destroy_response);
    g_clear_pointer(&request->parameters, g_hash_table_unref);
    g_queue_clear_full(&request->waiting, (GDestroyNotify)g_bytes_unref);
    g_free(request->path);
    http_unref(request->http);
    g_free(request);
}

/* --- what is asked for --- */

/* "/a%20b?c=d" into its parts. GLib's decoding refuses a NUL and what is no UTF-8. */
static bool uri_read(HttpRequest *request, const char *uri) {
    const char *query = strchr(uri, '?');
    g_autofree char *path = query != NULL ? g_strndup(uri, (gsize)(query - uri)) : g_strdup(uri);
    request->path = g_uri_unescape_string(path, NULL);
    request->parameters =
        g_uri_parse_params(query != NULL ? query + 1 : "", -1, "&", G_URI_PARAMS_WWW_FORM, NULL);
    return request->path != NULL && *request->path == '/' &&
           g_utf8_validate(request->path, -1, NULL) && request->parameters != NULL;
}

HttpRequest *http_request_new(Http *http, const char *uri, struct MHD_Connection *connection) {
    HttpRequest *request = g_new0(HttpRequest, 1);
    request->http = http;
    request->connection = connection;
    g_queue_init(&request->waiting);
    g_atomic_ref_count_init(&request->references);
    g_atomic_ref_count_inc(&http->references);
    if (!uri_read(request, uri))
        g_clear_pointer(&request->path, g_free);
    return request;
}

const char *http_path(const HttpRequest *request) {
    return request->path;
}

const char *http_parameter(const HttpRequest *request, const char *name) {
    return g_hash_table_lookup(request->parameters, name);
}

/* --- answers --- */

/* What comes from here is shown as what it says it is, and loads nothing from elsewhere. */
struct MHD_Response *http_response_dress(struct MHD_Response *response, const char *type,
                                         const char *cache_control) {
    const char *const headers[][2] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, type},
        {MHD_HTTP_HEADER_CACHE_CONTROL, cache_control},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Content-Security-Policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; "
                                    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(headers); i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    return response;
}

static void bytes_unref(void *bytes) {
    g_bytes_unref(bytes);
}

struct MHD_Response *http_response_of(GBytes *body) {
    gsize length;
    const void *data = g_bytes_get_data(body, &length);
    return MHD_create_response_from_buffer_with_free_callback_cls(length, (void *)data, bytes_unref,
                                                                  body);
}

void http_wake(Http *http) {
    if (write(http->wake, &(guint64){1}, sizeof(guint64)) < 0) {
        /* Its counter is full: the thread is awake. */
    }
}

void http_request_hold(HttpRequest *request) {
    request->is_held = true;
    g_hash_table_add(request->http->held, request);
    MHD_suspend_connection(request->connection);
}

void http_request_release(HttpRequest *request) {
    if (!request->is_held)
        return;
    request->is_held = false;
    g_hash_table_remove(request->http->held, request);
    MHD_resume_connection(request->connection);
    http_wake(request->http);
}

void http_request_settle(HttpRequest *request, unsigned status, struct MHD_Response *response) {
    g_mutex_lock(&request->http->lock);
    request->status = status;
    request->response = response;
    http_request_release(request);
    g_mutex_unlock(&request->http->lock);
    http_request_unref(request);
}

void http_answer(HttpRequest *request, unsigned status, const char *type, GBytes *body,
                 const char *cache_control) {
    http_request_settle(request, status,
                        http_response_dress(http_response_of(body), type, cache_control));
}

void http_answer_text(HttpRequest *request, unsigned status, const char *text) {
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    gsize length = strlen(line);
    http_answer(request, status, "text/plain; charset=utf-8",
                g_bytes_new_take(g_steal_pointer(&line), length), "no-store");
}
