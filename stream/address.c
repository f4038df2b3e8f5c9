#include "stream/address.h"
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The host alone, without brackets and port. */
static char *host_of(const char *text) {
    const char *end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
    if (*text == '[')
        text++;
    return end != NULL ? g_strndup(text, (gsize)(end - text)) : g_strdup(text);
}

/* Of colons only the last may be outside of brackets: "::1" is a host that lacks them. */
bool address_split(const char *text, char **ret_host, char **ret_port) {
    const char *colon = strrchr(text, ':');
    guint64 port;
    if (colon == NULL || !g_ascii_string_to_unsigned(colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
        return false;
    *ret_host = host_of(text);
    *ret_port = g_strdup(colon + 1);
    return *text == '[' ? colon[-1] == ']' : strchr(text, ':') == colon;
}

static bool is_none(const char *text, GError **error) {
    return fault_set(error, FAULT_USAGE, "%s: expected ADDRESS:PORT, such as 127.0.0.1:7810", text);
}

bool address_check(const char *text, GError **error) {
    g_autofree char *host = NULL, *port = NULL;
    return (address_split(text, &host, &port) && *host != '\0') || is_none(text, error);
}

static int socket_listening(const struct addrinfo *at, int pending) {
    int listener = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener < 0)
        return -1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, at->ai_addr, at->ai_addrlen) == 0 && listen(listener, pending) == 0)
        return listener;
    int saved = errno;
    close(listener);
    errno = saved;
    return -1;
}

int address_listen(const char *text, int pending, GError **error) {
    g_autofree char *host = NULL, *port = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (!address_split(text, &host, &port)) {
        is_none(text, error);
        return -1;
    }
    int problem = getaddrinfo(*host != '\0' ? host : NULL, port, &hints, &found);
    if (problem != 0) {
        fault_set(error, FAULT_USAGE, "%s: %s", text, gai_strerror(problem));
        return -1;
    }
    int listener = socket_listening(found, pending);
    if (listener < 0)
        fault_set(error, FAULT_USAGE, "%s: %s", text, g_strerror(errno));
    freeaddrinfo(found);
    return listener;
}

GInetSocketAddress *address_of(int listener) {
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    if (getsockname(listener, (struct sockaddr *)&bound, &length) != 0)
        return NULL;
    return G_INET_SOCKET_ADDRESS(g_socket_address_new_from_native(&bound, length));
}

char *address_text(GInetSocketAddress *address) {
    g_autofree char *host = g_inet_address_to_string(g_inet_socket_address_get_address(address));
    return g_strdup_printf(strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
                           (guint)g_inet_socket_address_get_port(address));
}

bool address_is_loopback(const char *host) {
    g_autofree char *name = host_of(host);
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(name);
    return address != NULL ? g_inet_address_get_is_loopback(address)
                           : g_ascii_strcasecmp(name, "localhost") == 0;
}
