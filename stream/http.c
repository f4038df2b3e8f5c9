/* libmicrohttpd does the talking, our one thread turns it: so that time limits, marks of life and
 * streams that are cut off have a place to happen, without a second thread.
 *
 * A request lives until its connection is done with it and it is answered, whichever is later; what
 * both sides touch is under the server's lock. Only the server's thread lets go of a connection. */
#include "stream/http.h"
#include "stream/address.h"
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_LIMIT = 512,
    CONNECTION_BYTES = 16 * 1024, /* head of the request and of the answer */
    PENDING_LIMIT = 64,
    SILENCE_LIMIT_S = 30,
    REQUEST_LIMIT_S = 10, /* from connecting, or from the last answer, to a complete head */
    ANSWER_LIMIT_S = 60,  /* to read an answer to its end */
    LISTENER_BYTES = 512 * 1024,
    LOOK_MS = 500,
    ALIVE_S = 15,
    RETRY_MS = 2000, /* after which a browser that was cut off comes again */
};

struct Http {
    struct MHD_Daemon *daemon;
    HttpAnswer answer;
    void *context;
    char *address;
    bool on_loopback;
    int wake; /* an eventfd: the thread has something to do */
    GThread *thread;
    GHashTable *visits; /* of Visit *; of the thread */
    gint64 alive_due_us;

    GMutex lock; /* for what follows, and for what is marked so below */
    bool stopping;
    GHashTable *held;  /* of HttpRequest *, connections suspended until they are answered */
    GPtrArray *events; /* of HttpRequest *, open streams */
    gatomicrefcount references; /* ours, and one of each request */
};

/* A connection, from its beginning to its end. */
typedef struct {
    int socket;
    gint64 due_us; /* monotonic: cut off then */
} Visit;

struct HttpRequest {
    Http *http;
    char *path;             /* NULL: the request's line could not be read */
    GHashTable *parameters; /* NULL: the same */
    struct MHD_Connection *connection;
    Visit *visit;
    bool is_asked; /* answer was called */

    gatomicrefcount references; /* of the connection, and of whoever has to answer */
    /* under the lock */
    bool is_gone; /* the connection is done with */
    bool is_held; /* the connection is suspended */
    bool is_cut;  /* reads too slowly */
    bool is_stream;
    struct MHD_Response *response; /* NULL: not answered yet */
    unsigned status;
    GQueue waiting;                  /* of GBytes: events to send */
    gsize waiting_bytes, sent_bytes; /* the latter of the first of them */
};

/* --- lifetimes --- */

static void http_unref(Http *http) {
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

static Http *http_new(HttpAnswer answer, void *context) {
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

static void forget_events(HttpRequest *request) {
    g_queue_clear_full(&request->waiting, (GDestroyNotify)g_bytes_unref);
    request->waiting_bytes = request->sent_bytes = 0;
}

static void request_unref(HttpRequest *request) {
    if (!g_atomic_ref_count_dec(&request->references))
        return;
    g_clear_pointer(&request->response, MHD_destroy_response);
    g_clear_pointer(&request->parameters, g_hash_table_unref);
    forget_events(request);
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

/* libmicrohttpd calls it first of all, with what stands in the request's line. */
static void *request_begin(void *data, const char *uri, struct MHD_Connection *connection) {
    Http *http = data;
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

/* --- who may ask --- */

/* The port may differ: a tunnel has its own. */
static enum MHD_Result host_look(void *data, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    bool *is_known = data;
    if (g_ascii_strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0 &&
        (value == NULL || !address_is_loopback(value)))
        *is_known = false;
    return MHD_YES;
}

/* A browser on a page of evil.example, a name that leads to 127.0.0.1, says that name here. */
static bool host_is_known(const Http *http, struct MHD_Connection *connection) {
    bool is_known = true;
    if (http->on_loopback)
        MHD_get_connection_values(connection, MHD_HEADER_KIND, host_look, &is_known);
    return is_known;
}

static bool has_body(struct MHD_Connection *connection) {
    const char *length =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return (length != NULL && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
}

/* --- answers --- */

/* What comes from here is shown as what it says it is, and loads nothing from elsewhere. */
static struct MHD_Response *response_dress(struct MHD_Response *response, const char *type,
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

static struct MHD_Response *response_of_bytes(GBytes *body) {
    gsize length;
    const void *data = g_bytes_get_data(body, &length);
    return MHD_create_response_from_buffer_with_free_callback_cls(length, (void *)data, bytes_unref,
                                                                  body);
}

/* The thread has something to do: libmicrohttpd itself does not wake a loop that is not its own. */
static void http_wake(Http *http) {
    if (write(http->wake, &(guint64){1}, sizeof(guint64)) < 0) {
        /* Its counter is full: the thread is awake. */
    }
}

/* Lets a connection that sleeps go on. Under the lock. */
static void request_release(HttpRequest *request) {
    if (!request->is_held)
        return;
    request->is_held = false;
    g_hash_table_remove(request->http->held, request);
    MHD_resume_connection(request->connection);
    http_wake(request->http);
}

/* Takes over response, and the answerer's reference. */
static void request_settle(HttpRequest *request, unsigned status, struct MHD_Response *response) {
    g_mutex_lock(&request->http->lock);
    request->status = status;
    request->response = response;
    request_release(request);
    g_mutex_unlock(&request->http->lock);
    request_unref(request);
}

void http_answer(HttpRequest *request, unsigned status, const char *type, GBytes *body,
                 const char *cache_control) {
    request_settle(request, status, response_dress(response_of_bytes(body), type, cache_control));
}

void http_answer_text(HttpRequest *request, unsigned status, const char *text) {
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    gsize length = strlen(line);
    http_answer(request, status, "text/plain; charset=utf-8",
                g_bytes_new_take(g_steal_pointer(&line), length), "no-store");
}

/* --- events --- */

/* As many bytes as there are, and room for; under the lock. */
static gsize events_take(HttpRequest *request, char *buffer, gsize room) {
    gsize taken = 0;
    while (taken < room && !g_queue_is_empty(&request->waiting)) {
        GBytes *first = g_queue_peek_head(&request->waiting);
        gsize length, part;
        const char *data = g_bytes_get_data(first, &length);
        part = MIN(room - taken, length - request->sent_bytes);
        memcpy(buffer + taken, data + request->sent_bytes, part);
        taken += part;
        request->sent_bytes += part;
        if (request->sent_bytes < length)
            continue;
        request->sent_bytes = 0;
        request->waiting_bytes -= length;
        g_bytes_unref(g_queue_pop_head(&request->waiting));
    }
    return taken;
}

/* libmicrohttpd asks for more. With nothing to send the connection sleeps until there is. */
static ssize_t events_read(void *data, uint64_t position, char *buffer, size_t room) {
    HttpRequest *request = data;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&request->http->lock);
    if (request->is_cut || request->http->stopping)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    gsize taken = events_take(request, buffer, room);
    if (taken > 0)
        return (ssize_t)taken;
    request->is_held = true;
    g_hash_table_add(request->http->held, request);
    MHD_suspend_connection(request->connection);
    return 0;
}

/* One more for a stream; under the lock. */
static void event_add(HttpRequest *request, GBytes *event) {
    gsize length = g_bytes_get_size(event);
    if (request->is_cut)
        return;
    if (request->waiting_bytes + length > LISTENER_BYTES) {
        request->is_cut = true;
        forget_events(request);
    } else {
        g_queue_push_tail(&request->waiting, g_bytes_ref(event));
        request->waiting_bytes += length;
    }
    request_release(request);
}

static void events_send(Http *http, GBytes *event) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    for (guint i = 0; i < http->events->len; i++)
        event_add(g_ptr_array_index(http->events, i), event);
}

static GBytes *bytes_of(char *text) {
    return g_bytes_new_take(text, strlen(text));
}

void http_answer_events(HttpRequest *request) {
    Http *http = request->http;
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, events_read, request, NULL);
    g_mutex_lock(&http->lock);
    if (!request->is_gone) {
        request->is_stream = true;
        g_ptr_array_add(http->events, request);
        g_autoptr(GBytes) first = bytes_of(g_strdup_printf("retry: %d\n\n", RETRY_MS));
        event_add(request, first);
    }
    g_mutex_unlock(&http->lock);
    request_settle(request, MHD_HTTP_OK,
                   response_dress(response, "text/event-stream; charset=utf-8", "no-store"));
}

void http_tell(Http *http, const char *event, const char *data) {
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "event: %s\n", event);
    g_auto(GStrv) lines = g_strsplit_set(data, "\r\n", -1);
    for (char **line = lines; *line != NULL; line++)
        g_string_append_printf(text, "data: %s\n", *line);
    g_string_append_c(text, '\n');
    g_autoptr(GBytes) bytes = bytes_of(g_string_free(text, FALSE));
    events_send(http, bytes);
}

guint http_listeners(Http *http) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    return http->events->len;
}

/* --- what libmicrohttpd calls, on the server's thread --- */

static void due_in(HttpRequest *request, gint64 seconds) {
    request->visit->due_us =
        seconds > 0 ? g_get_monotonic_time() + seconds * G_USEC_PER_SEC : G_MAXINT64;
}

static void visit_note(void *data, struct MHD_Connection *connection, void **context,
                       enum MHD_ConnectionNotificationCode what) {
    Http *http = data;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        g_hash_table_remove(http->visits, *context);
        return;
    }
    Visit *visit = *context = g_new0(Visit, 1);
    visit->socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    visit->due_us = g_get_monotonic_time() + REQUEST_LIMIT_S * G_USEC_PER_SEC;
    setsockopt(visit->socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &(int){SILENCE_LIMIT_S * 1000},
               sizeof(int));
    g_hash_table_add(http->visits, visit);
}

static Visit *visit_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The words of a refusal; NULL: it may be asked. */
static const char *refusal(const HttpRequest *request, const char *method, unsigned *ret_status) {
    const struct {
        bool refused;
        unsigned status;
        const char *words;
    } rows[] = {
        {!g_str_equal(method, MHD_HTTP_METHOD_GET) && !g_str_equal(method, MHD_HTTP_METHOD_HEAD),
         MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served\n"},
        {has_body(request->connection), MHD_HTTP_CONTENT_TOO_LARGE, "a request has no body here\n"},
        {request->path == NULL, MHD_HTTP_BAD_REQUEST,
         "expected a path, percent-encoded as UTF-8\n"},
        {!host_is_known(request->http, request->connection), MHD_HTTP_FORBIDDEN,
         "call me localhost: I listen on this machine only\n"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].refused) {
            *ret_status = rows[i].status;
            return rows[i].words;
        }
    return NULL;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status,
                              const char *words) {
    struct MHD_Response *response = response_dress(
        response_of_bytes(g_bytes_new_static(words, strlen(words))), "text/plain", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Sends the answer if there is one, else sleeps until there is. */
static enum MHD_Result answer_or_wait(HttpRequest *request) {
    Http *http = request->http;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    if (http->stopping)
        return MHD_NO;
    if (request->response != NULL) {
        due_in(request, request->is_stream ? 0 : ANSWER_LIMIT_S);
        return MHD_queue_response(request->connection, request->status, request->response);
    }
    request->is_held = true;
    g_hash_table_add(http->held, request);
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

/* Called when the head is there, then when all of the request is, then whenever it was resumed. */
static enum MHD_Result request_handle(void *data, struct MHD_Connection *connection,
                                      const char *url, const char *method, const char *version,
                                      const char *upload, size_t *upload_size, void **state) {
    Http *http = data;
    HttpRequest *request = *state;
    unsigned status;
    if (request->visit == NULL) {
        request->visit = visit_of(connection);
        const char *words = refusal(request, method, &status);
        due_in(request, ANSWER_LIMIT_S);
        return words != NULL ? refuse(connection, status, words) : MHD_YES;
    }
    if (!request->is_asked) {
        request->is_asked = true;
        due_in(request, 0); /* it is the answerer's time now */
        g_atomic_ref_count_inc(&request->references);
        http->answer(request, http->context);
    }
    return answer_or_wait(request);
}

static void request_end(void *data, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode why) {
    Http *http = data;
    HttpRequest *request = *state;
    if (request == NULL)
        return;
    *state = NULL;
    if (request->visit != NULL)
        due_in(request, REQUEST_LIMIT_S);
    g_mutex_lock(&http->lock);
    request->is_gone = true;
    g_hash_table_remove(http->held, request);
    g_ptr_array_remove(http->events, request);
    g_mutex_unlock(&http->lock);
    request_unref(request);
}

/* --- the thread --- */

/* What shutdown breaks off, libmicrohttpd notices and lets go of. */
static void cut_off_late_ones(Http *http) {
    GHashTableIter each;
    gpointer visit;
    gint64 now_us = g_get_monotonic_time();
    g_hash_table_iter_init(&each, http->visits);
    while (g_hash_table_iter_next(&each, &visit, NULL))
        if (((Visit *)visit)->due_us < now_us)
            shutdown(((Visit *)visit)->socket, SHUT_RDWR);
}

static void cut_off_slow_listeners(Http *http) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    for (guint i = 0; i < http->events->len; i++) {
        const HttpRequest *request = g_ptr_array_index(http->events, i);
        if (request->is_cut && request->visit != NULL)
            shutdown(request->visit->socket, SHUT_RDWR);
    }
}

static void give_sign_of_life(Http *http) {
    if (g_get_monotonic_time() < http->alive_due_us)
        return;
    http->alive_due_us = g_get_monotonic_time() + ALIVE_S * G_USEC_PER_SEC;
    g_autoptr(GBytes) nothing = g_bytes_new_static(":\n\n", 3);
    events_send(http, nothing);
}

/* Until a connection has something to do, or it is time to look after them. */
static void http_wait(Http *http) {
    MHD_UNSIGNED_LONG_LONG due_ms;
    struct pollfd waits[] = {
        {.fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
         .events = POLLIN},
        {.fd = http->wake, .events = POLLIN},
    };
    bool is_due = MHD_get_timeout(http->daemon, &due_ms) == MHD_YES;
    poll(waits, G_N_ELEMENTS(waits), is_due ? (int)MIN(due_ms, LOOK_MS) : LOOK_MS);
    guint64 times;
    if (waits[1].revents != 0 && read(http->wake, &times, sizeof times) < 0) {
        /* Nothing to forget. */
    }
}

static gpointer http_run(gpointer data) {
    Http *http = data;
    bool stopping = false;
    while (!stopping) {
        http_wait(http);
        MHD_run(http->daemon);
        cut_off_late_ones(http);
        cut_off_slow_listeners(http);
        give_sign_of_life(http);
        g_mutex_lock(&http->lock);
        stopping = http->stopping;
        g_mutex_unlock(&http->lock);
    }
    return NULL;
}

/* --- starting and stopping --- */

static struct MHD_Daemon *daemon_start(Http *http, int listener) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, request_handle, http,
        MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_LIMIT_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, request_begin, http, MHD_OPTION_NOTIFY_COMPLETED, request_end,
        http, MHD_OPTION_NOTIFY_CONNECTION, visit_note, http, MHD_OPTION_END);
}

/* By the socket itself: a name leads somewhere, port 0 became one. */
static bool told_where(Http *http, int listener) {
    g_autoptr(GInetSocketAddress) address = address_of(listener);
    if (address == NULL)
        return false;
    http->address = address_text(address);
    http->on_loopback = address_is_loopback(http->address);
    return true;
}

Http *http_start(const char *listen, HttpAnswer answer, void *context, GError **error) {
    int listener = address_check(listen, error) ? address_listen(listen, PENDING_LIMIT, error) : -1;
    if (listener < 0)
        return NULL;
    Http *http = http_new(answer, context);
    http->daemon = told_where(http, listener) ? daemon_start(http, listener) : NULL;
    if (http->daemon == NULL) {
        fault_set(error, FAULT_STOP, "%s: no HTTP server can be started: %s", listen,
                  g_strerror(errno));
        close(listener);
        http_unref(http);
        return NULL;
    }
    http->alive_due_us = g_get_monotonic_time() + ALIVE_S * G_USEC_PER_SEC;
    http->thread = g_thread_new("http", http_run, http);
    return http;
}

/* Whoever sleeps is woken, and nobody falls asleep any more: libmicrohttpd does not stop before. */
static void wake_all(Http *http) {
    GHashTableIter each;
    gpointer request;
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    http->stopping = true;
    g_hash_table_iter_init(&each, http->held);
    while (g_hash_table_iter_next(&each, &request, NULL)) {
        ((HttpRequest *)request)->is_held = false;
        MHD_resume_connection(((HttpRequest *)request)->connection);
        g_hash_table_iter_remove(&each);
    }
}

void http_stop(Http *http) {
    if (http == NULL)
        return;
    wake_all(http);
    http_wake(http);
    g_thread_join(http->thread);
    MHD_stop_daemon(http->daemon);
    http_unref(http);
}

const char *http_address(const Http *http) {
    return http->address;
}
