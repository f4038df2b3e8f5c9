/* libmicrohttpd does the talking, our one thread turns it: so that time limits, marks of life and
 * streams that are cut off have a place to happen, without a second thread.
 *
 * What the thread and those who answer both touch is under the server's lock. Only the thread lets
 * go of a connection. */
#include "stream/address.h"
#include "stream/http_private.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_LIMIT = 512,
    CONNECTION_BYTES = 16 * 1024, /* head of the request and of the answer */
    PENDING_LIMIT = 64,
    SILENCE_LIMIT_S = 30,
    REQUEST_LIMIT_S = 10, /* from connecting, or from the last answer, to a complete head */
    ANSWER_LIMIT_S = 60,  /* to read an answer to its end */
    LOOK_MS = 500,
};

/* --- what libmicrohttpd calls, on the server's thread --- */

static Visit *visit_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* First of all, with what stands in the request's line. */
static void *request_begin(void *data, const char *uri, struct MHD_Connection *connection) {
    return visit_of(connection)->request = http_request_new(data, uri, connection);
}

static void due_in(HttpRequest *request, gint64 seconds) {
    request->visit->due_us =
        seconds > 0 ? g_get_monotonic_time() + seconds * G_USEC_PER_SEC : G_MAXINT64;
}

/* The connection is done with it. */
static void request_leave(HttpRequest *request) {
    Http *http = request->http;
    g_mutex_lock(&http->lock);
    request->is_gone = true;
    g_hash_table_remove(http->held, request);
    g_ptr_array_remove(http->events, request);
    g_mutex_unlock(&http->lock);
    http_request_unref(request);
}

/* Of a request with more parameters than its memory holds, libmicrohttpd never tells the end. */
static void visit_end(Http *http, Visit *visit) {
    if (visit->request != NULL)
        request_leave(visit->request);
    g_hash_table_remove(http->visits, visit);
}

static void visit_note(void *data, struct MHD_Connection *connection, void **context,
                       enum MHD_ConnectionNotificationCode what) {
    Http *http = data;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        visit_end(http, *context);
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
    http_request_hold(request);
    return MHD_YES;
}

/* Called when the head is there, then when all of the request is, then whenever it was resumed. */
static enum MHD_Result request_handle(void *data, struct MHD_Connection *connection,
                                      const char *url, const char *method, const char *version,
                                      const char *upload, size_t *upload_size, void **state) {
    Http *http = data;
    HttpRequest *request = *state;
    enum MHD_Result refused;
    if (request->visit == NULL) {
        request->visit = visit_of(connection);
        request->is_head = g_str_equal(method, MHD_HTTP_METHOD_HEAD);
        due_in(request, ANSWER_LIMIT_S);
        return http_refuse(request, method, &refused) ? refused : MHD_YES;
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
    HttpRequest *request = *state;
    if (request == NULL)
        return;
    *state = NULL;
    visit_of(connection)->request = NULL;
    if (request->visit != NULL)
        due_in(request, REQUEST_LIMIT_S);
    request_leave(request);
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
        http_events_look_after(http);
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
