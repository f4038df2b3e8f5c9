/* Server-sent events: what is told waits for each listener by itself, so that a slow one holds up
 * nobody; one for whom too much waits is cut off. */
#include "stream/http_private.h"
#include <string.h>
#include <sys/socket.h>

enum {
    LISTENER_BYTES = 512 * 1024, /* that may wait for one */
    ALIVE_S = 15,
    RETRY_MS = 2000, /* after which a browser that was cut off comes again */
};

static void events_forget(HttpRequest *request) {
    g_queue_clear_full(&request->waiting, (GDestroyNotify)g_bytes_unref);
    request->waiting_bytes = request->sent_bytes = 0;
}

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
    http_request_hold(request);
    return 0;
}

/* One more for a stream; under the lock. */
static void event_add(HttpRequest *request, GBytes *event) {
    gsize length = g_bytes_get_size(event);
    if (request->is_cut)
        return;
    if (request->waiting_bytes + length > LISTENER_BYTES) {
        request->is_cut = true;
        events_forget(request);
    } else {
        g_queue_push_tail(&request->waiting, g_bytes_ref(event));
        request->waiting_bytes += length;
    }
    http_request_release(request);
}

static void events_send(Http *http, GBytes *event) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&http->lock);
    for (guint i = 0; i < http->events->len; i++)
        event_add(g_ptr_array_index(http->events, i), event);
}

static GBytes *bytes_of(char *text) {
    return g_bytes_new_take(text, strlen(text));
}

#define EVENTS_TYPE "text/event-stream; charset=utf-8"

void http_answer_events(HttpRequest *request) {
    Http *http = request->http;
    if (request->is_head) { /* of a stream, libmicrohttpd would send the end of a body */
        http_answer(request, MHD_HTTP_OK, EVENTS_TYPE, g_bytes_new(NULL, 0), "no-store");
        return;
    }
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
    http_request_settle(request, MHD_HTTP_OK,
                        http_response_dress(response, EVENTS_TYPE, "no-store"));
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

/* --- on the server's thread --- */

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

void http_events_look_after(Http *http) {
    cut_off_slow_listeners(http);
    give_sign_of_life(http);
}
