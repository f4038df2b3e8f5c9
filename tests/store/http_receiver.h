/* http_receiver: a receiver of webhooks on this machine, a thread with a socket, as good or bad as
 * a test wants it. */
#ifndef TESTS_STORE_HTTP_RECEIVER_H
#define TESTS_STORE_HTTP_RECEIVER_H

#include <arpa/inet.h>
#include <check.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int listening;
    guint16 port;
    gint failures;         /* atomic: so many requests are answered by `status` first */
    const char *status;    /* "503 Busy" */
    const char *header;    /* one more of the answer, with \r\n; "" */
    gint hangs;            /* atomic: nobody is answered while it is true */
    gint ending;           /* atomic */
    GAsyncQueue *requests; /* of char *, headers and body */
    GThread *thread;
} HttpReceiver;

/* Reads one request, as long as Content-Length says; g_free it. NULL: it broke off. */
static inline char *http_read_request(int connection) {
    g_autoptr(GString) request = g_string_new(NULL);
    for (;;) {
        char bytes[4096];
        const char *body = strstr(request->str, "\r\n\r\n");
        const char *length = strstr(request->str, "Content-Length: ");
        if (body != NULL && length != NULL && strlen(body + 4) >= (gsize)atoi(length + 16))
            return g_strdup(request->str);
        struct pollfd readable = {.fd = connection, .events = POLLIN};
        ssize_t count = poll(&readable, 1, 5000) == 1 ? read(connection, bytes, sizeof bytes) : 0;
        if (count <= 0)
            return NULL;
        g_string_append_len(request, bytes, count);
    }
}

static inline void http_answer(HttpReceiver *receiver, int connection) {
    bool fails = g_atomic_int_get(&receiver->failures) > 0;
    if (fails)
        g_atomic_int_add(&receiver->failures, -1);
    g_autofree char *answer =
        g_strdup_printf("HTTP/1.1 %s\r\nConnection: close\r\n%sContent-Length: 2\r\n\r\nok",
                        fails ? receiver->status : "200 OK", receiver->header);
    ck_assert_int_eq(write(connection, answer, strlen(answer)), (int)strlen(answer));
}

static inline gpointer http_serve(gpointer data) {
    HttpReceiver *receiver = data;
    while (!g_atomic_int_get(&receiver->ending)) {
        struct pollfd waiting = {.fd = receiver->listening, .events = POLLIN};
        if (poll(&waiting, 1, 100) != 1)
            continue;
        int connection = accept(receiver->listening, NULL, NULL);
        char *request = http_read_request(connection);
        while (g_atomic_int_get(&receiver->hangs) && !g_atomic_int_get(&receiver->ending))
            g_usleep(20000);
        if (request != NULL) {
            http_answer(receiver, connection);
            g_async_queue_push(receiver->requests, request);
        }
        close(connection);
    }
    return NULL;
}

/* Listens at port, 0: a free one; http_receiver_serve answers, from then on. */
static inline HttpReceiver *http_receiver_listen(guint16 port) {
    HttpReceiver *receiver = g_new0(HttpReceiver, 1);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    receiver->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(receiver->listening, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    ck_assert_int_eq(bind(receiver->listening, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(receiver->listening, 16), 0);
    ck_assert_int_eq(getsockname(receiver->listening, (struct sockaddr *)&address, &length), 0);
    receiver->port = ntohs(address.sin_port);
    receiver->status = "503 Busy";
    receiver->header = "";
    receiver->requests = g_async_queue_new_full(g_free);
    return receiver;
}

static inline void http_receiver_serve(HttpReceiver *receiver) {
    receiver->thread = g_thread_new("receiver", http_serve, receiver);
}

static inline HttpReceiver *http_receiver_start(void) {
    HttpReceiver *receiver = http_receiver_listen(0);
    http_receiver_serve(receiver);
    return receiver;
}

static inline void http_receiver_stop(HttpReceiver *receiver) {
    g_atomic_int_set(&receiver->ending, 1);
    if (receiver->thread != NULL)
        g_thread_join(receiver->thread);
    close(receiver->listening);
    g_async_queue_unref(receiver->requests);
    g_free(receiver);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpReceiver, http_receiver_stop)

/* The next request within seconds, g_free it; NULL if none came. */
static inline char *http_receiver_next(HttpReceiver *receiver, int seconds) {
    return g_async_queue_timeout_pop(receiver->requests, seconds * G_USEC_PER_SEC);
}

#endif
