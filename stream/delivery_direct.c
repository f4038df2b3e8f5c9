/* direct: one TCP connection from worker to ingest, the file sent by sendfile. Off until a
 * listening address is set. The descriptor, which only an authenticated NATS client sees, carries
 * the address and a key made for this one frame; without it ingest serves nothing.
 *
 *   worker   get <key> <frame id> <offset> <length>\n      length 0: to the end
 *   ingest   ok <total> <length>\n and that many bytes
 *            vanished <why>\n
 *            refused <why>\n                                and closes
 */
#include "stream/address.h"
#include "stream/delivery_private.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEY_DIGITS = 32,
    LINE_LIMIT = 512,
    IO_TIMEOUT_S = 10,
    CONNECT_TIMEOUT_MS = 2000,
    CONNECTIONS_LIMIT = 64,
    IDLE_LIMIT_MS = 60000,
};

/* --- both ends --- */

/* Half of HMAC-SHA256(secret, frame id): a leaked descriptor opens one frame. */
static void key_make(const guint8 secret[32], const FrameId *id, char key[KEY_DIGITS + 1]) {
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, secret, 32);
    g_hmac_update(hmac, id->bytes, sizeof id->bytes);
    g_strlcpy(key, g_hmac_get_string(hmac), KEY_DIGITS + 1);
}

static bool key_equal(const char *a, const char *b) {
    if (strlen(a) != KEY_DIGITS)
        return false;
    int difference = 0; /* all digits are looked at: the time taken tells nothing */
    for (int digit = 0; digit < KEY_DIGITS; digit++)
        difference |= a[digit] ^ b[digit];
    return difference == 0;
}

static void set_timeouts(int socket) {
    struct timeval limit = {.tv_sec = IO_TIMEOUT_S};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

static bool send_text(int socket, const char *text, int flags) {
    gsize length = strlen(text);
    return send(socket, text, length, MSG_NOSIGNAL | flags) == (ssize_t)length;
}

/* A line without its newline. Looks before it takes, so that bytes behind it stay in the socket. */
static bool receive_line(int socket, char line[LINE_LIMIT]) {
    for (;;) {
        ssize_t seen = recv(socket, line, LINE_LIMIT - 1, MSG_PEEK);
        if (seen < 0 && errno == EINTR)
            continue;
        if (seen <= 0)
            return false;
        char *end = memchr(line, '\n', (gsize)seen);
        ssize_t taken = recv(socket, line, end != NULL ? (gsize)(end - line) + 1 : (gsize)seen, 0);
        if (end == NULL || taken <= 0) /* lines are sent whole: half a one is a stranger's */
            return false;
        *end = '\0';
        return true;
    }
}

/* --- ingest's end --- */

typedef struct {
    DeliveryOffice *office;
    int listener, stop; /* stop: an eventfd that ends every thread */
    char *address;      /* what workers are told */
    GThread *thread;
    GThreadPool *connections;
} Counter;

static bool refuse(int socket, const char *verdict, const char *why) {
    g_autofree char *line = g_strdup_printf("%s %.400s\n", verdict, why);
    return send_text(socket, line, 0);
}

typedef struct {
    char key[KEY_DIGITS + 2], id[FRAME_ID_TEXT_LENGTH + 2];
    guint64 offset, length;
} Request;

static bool read_request(const char *line, Request *request) {
    long long unsigned offset, length;
    int fields =
        sscanf(line, "get %33s %37s %llu %llu", request->key, request->id, &offset, &length);
    request->offset = fields == 4 ? offset : 0;
    request->length = fields == 4 ? length : 0;
    return fields == 4;
}

/* Returns whether the connection can go on. */
static bool serve(Counter *counter, int socket, const char *line) {
    Request request;
    FrameId id;
    char key[KEY_DIGITS + 1];
    g_autoptr(GError) wrong = NULL;
    if (!read_request(line, &request) || !frame_id_parse(request.id, &id, NULL))
        return refuse(socket, "refused", "expected: get KEY FRAME OFFSET LENGTH") && false;
    key_make(counter->office->secret, &id, key);
    if (!key_equal(request.key, key))
        return refuse(socket, "refused", "wrong key") && false;

    g_autoptr(FrameBytes) bytes = delivery_office_find(counter->office, &id, &wrong);
    guint64 total = bytes != NULL ? frame_bytes_total(bytes) : 0;
    if (fault_is(wrong, FAULT_AGAIN)) /* "vanished" would be the last word on the frame */
        return refuse(socket, "refused", wrong->message) && false;
    if (bytes == NULL || request.offset > total)
        return refuse(socket, "vanished", wrong != NULL ? wrong->message : "offset beyond the end");
    guint64 rest = total - request.offset;
    guint64 length = request.length == 0 ? rest : MIN(request.length, rest);
    g_autofree char *head =
        g_strdup_printf("ok %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", total, length);
    /* A file that changes under the sending spoils the stream: the closed connection says so. */
    return send_text(socket, head, MSG_MORE) &&
           frame_bytes_send(bytes, request.offset, length, socket, NULL);
}

/* Waits for the next request. False: none came, or the office closes. */
static bool wait_for_request(Counter *counter, int socket) {
    struct pollfd waits[] = {{.fd = socket, .events = POLLIN},
                             {.fd = counter->stop, .events = POLLIN}};
    return poll(waits, 2, IDLE_LIMIT_MS) > 0 && waits[1].revents == 0;
}

static void serve_connection(gpointer data, gpointer user_data) {
    int socket = GPOINTER_TO_INT(data) - 1;
    Counter *counter = user_data;
    char line[LINE_LIMIT];
    set_timeouts(socket);
    while (wait_for_request(counter, socket) && receive_line(socket, line) &&
           serve(counter, socket, line))
        ;
    close(socket);
}

static gpointer accept_connections(gpointer data) {
    Counter *counter = data;
    struct pollfd waits[] = {{.fd = counter->listener, .events = POLLIN},
                             {.fd = counter->stop, .events = POLLIN}};
    for (;;) {
        poll(waits, 2, -1);
        if (waits[1].revents != 0)
            return NULL;
        int socket = accept4(counter->listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0)
            g_usleep(errno == EMFILE || errno == ENFILE ? 100000 : 0);
        else if (g_thread_pool_unprocessed(counter->connections) > 0)
            close(socket); /* as many as we serve: the worker takes another way */
        else
            g_thread_pool_push(counter->connections, GINT_TO_POINTER(socket + 1), NULL);
    }
}

/* direct-advertise where it is set, completed by the port; else the host listened on; else ours. */
static char *advertised_address(const Settings *settings, int listener) {
    g_autofree char *told_host = NULL, *told_port = NULL, *host = NULL, *port = NULL;
    if (address_split(settings->direct_advertise, &told_host, &told_port))
        return g_strdup(settings->direct_advertise);
    address_split(settings->direct_listen, &host, &port);
    bool anywhere = *host == '\0' || g_str_equal(host, "0.0.0.0") || g_str_equal(host, "::");
    const char *name = *settings->direct_advertise != '\0' ? settings->direct_advertise
                       : anywhere                          ? g_get_host_name()
                                                           : host;
    g_autoptr(GInetSocketAddress) bound = address_of(listener);
    return g_strdup_printf(strchr(name, ':') != NULL ? "[%s]:%u" : "%s:%u", name,
                           bound != NULL ? (guint)g_inet_socket_address_get_port(bound) : 0);
}

static bool open_office(DeliveryOffice *office, void **ret_state, GError **error) {
    const Settings *settings = office->settings;
    if (*settings->direct_listen == '\0')
        return true;
    int listener = address_listen(settings->direct_listen, CONNECTIONS_LIMIT, error);
    if (listener < 0) {
        g_prefix_error(error, "[ingest] direct-listen = ");
        return false;
    }
    Counter *counter = g_new0(Counter, 1);
    counter->office = office;
    counter->listener = listener;
    counter->stop = eventfd(0, EFD_CLOEXEC);
    counter->address = advertised_address(settings, listener);
    counter->connections =
        g_thread_pool_new(serve_connection, counter, CONNECTIONS_LIMIT, FALSE, NULL);
    counter->thread = g_thread_new("direct", accept_connections, counter);
    *ret_state = counter;
    return true;
}

static void close_office(void *state) {
    Counter *counter = state;
    if (write(counter->stop, &(guint64){1}, sizeof(guint64)) < 0)
        g_warn_if_reached();
    g_thread_join(counter->thread);
    g_thread_pool_free(counter->connections, FALSE, TRUE);
    close(counter->listener);
    close(counter->stop);
    g_free(counter->address);
    g_free(counter);
}

static bool offer(DeliveryOffice *office, void *state, Descriptor *descriptor, GError **error) {
    Counter *counter = state;
    if (counter == NULL)
        return true;
    char key[KEY_DIGITS + 1];
    key_make(office->secret, &descriptor->frame->id, key);
    descriptor->direct_address = g_strdup(counter->address);
    descriptor->direct_key = g_strdup(key);
    return true;
}

/* --- the worker's end --- */

/* One connection is kept: frames come from few places, mostly one. */
typedef struct {
    int socket; /* -1: none */
    char *address;
} Line;

static bool open_desk(DeliveryDesk *desk, void **ret_state, GError **error) {
    Line *line = g_new0(Line, 1);
    line->socket = -1;
    *ret_state = line;
    return true;
}

static void hang_up(Line *line) {
    if (line->socket >= 0)
        close(line->socket);
    line->socket = -1;
    g_clear_pointer(&line->address, g_free);
}

static void close_desk(void *state) {
    hang_up(state);
    g_free(state);
}

static bool possible(DeliveryDesk *desk, void *state, const Descriptor *descriptor) {
    return descriptor->direct_address != NULL && descriptor->direct_key != NULL;
}

static bool away(const Line *line, const char *why, GError **error) {
    return fault_set(error, FAULT_AGAIN, "direct %s: %s",
                     line->address != NULL ? line->address : "", why);
}

/* connect() with a limit of its own: a firewall that swallows packets must not cost a minute. */
static bool connect_within(int socket, const struct addrinfo *to) {
    struct timeval limit = {.tv_sec = CONNECT_TIMEOUT_MS / 1000};
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return connect(socket, to->ai_addr, to->ai_addrlen) == 0;
}

static bool dial(Line *line, const char *address, GError **error) {
    g_autofree char *host = NULL, *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    hang_up(line);
    line->address = g_strdup(address);
    if (!address_split(address, &host, &port))
        return away(line, "is no host:port", error);
    int problem = getaddrinfo(host, port, &hints, &found);
    if (problem != 0)
        return away(line, gai_strerror(problem), error);
    for (struct addrinfo *at = found; at != NULL && line->socket < 0; at = at->ai_next) {
        int attempt = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (attempt >= 0 && connect_within(attempt, at))
            line->socket = attempt;
        else if (attempt >= 0)
            close(attempt);
    }
    freeaddrinfo(found);
    if (line->socket < 0)
        return away(line, g_strerror(errno), error);
    set_timeouts(line->socket);
    return true;
}

static bool receive_all(int socket, guint8 *buffer, gsize length) {
    while (length > 0) {
        ssize_t got = recv(socket, buffer, length, MSG_WAITALL);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        buffer += got;
        length -= (gsize)got;
    }
    return true;
}

static bool take_answer(Line *line, const DeliveryDesk *desk, const char *head, GBytes **ret_bytes,
                        GError **error) {
    long long unsigned total, length;
    if (g_str_has_prefix(head, "vanished "))
        return fault_set(error, FAULT_VANISHED, "%s", head + strlen("vanished "));
    if (sscanf(head, "ok %llu %llu", &total, &length) != 2 || total != length)
        return away(line, head, error);
    if (length > (guint64)desk->settings->frame_limit_bytes)
        return fault_set(error, FAULT_BROKEN,
                         "the frame has %llu bytes, [features] frame-limit allows %llu", length,
                         (long long unsigned)desk->settings->frame_limit_bytes);
    g_autofree guint8 *buffer = g_try_malloc(length + 1);
    if (buffer == NULL)
        return fault_set(error, FAULT_BROKEN, "memory does not suffice to receive %llu bytes",
                         length);
    if (!receive_all(line->socket, buffer, length))
        return away(line, "the connection ended within the frame", error);
    *ret_bytes = g_bytes_new_take(g_steal_pointer(&buffer), length);
    return true;
}

static bool ask(Line *line, const Descriptor *descriptor, char head[LINE_LIMIT]) {
    char id[FRAME_ID_TEXT_LENGTH + 1];
    g_autofree char *request = g_strdup_printf("get %s %s 0 0\n", descriptor->direct_key,
                                               frame_id_text(&descriptor->frame->id, id));
    return send_text(line->socket, request, 0) && receive_line(line->socket, head);
}

static bool receive(DeliveryDesk *desk, void *state, const Descriptor *descriptor,
                    DeliveryParcel *parcel, GError **error) {
    Line *line = state;
    char head[LINE_LIMIT];
    const char *address = descriptor->direct_address;
    bool kept = line->socket >= 0 && g_strcmp0(line->address, address) == 0;
    /* A kept connection may have been closed while idle: then once more on a new one. */
    if (!(kept && ask(line, descriptor, head)) &&
        !(dial(line, address, error) &&
          (ask(line, descriptor, head) || away(line, "no answer to the request", error)))) {
        hang_up(line);
        return false;
    }
    g_autoptr(GError) wrong = NULL;
    if (take_answer(line, desk, head, &parcel->bytes, &wrong))
        return true;
    if (!fault_is(wrong, FAULT_VANISHED))
        hang_up(line); /* its stream stands in the middle of something */
    g_propagate_error(error, g_steal_pointer(&wrong));
    return false;
}

const Delivery delivery_direct = {
    .name = "direct",
    .open_office = open_office,
    .close_office = close_office,
    .offer = offer,
    .open_desk = open_desk,
    .close_desk = close_desk,
    .possible = possible,
    .receive = receive,
};
