/* The connection: supervised, with the handlers subscribed on it. nats.c 3.4.1 asks for care in
 * three places: it buffers publishes while it reconnects, so that is switched off; a connection it
 * has closed is closed for good, so a thread of ours builds the next one; a subscription must not
 * be destroyed while messages for it arrive, so subscriptions live as long as their connection. */
#include "stream/bus_private.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 5000,
    RECONNECT_WAIT_MS = 250,
    RECONNECT_JITTER_MS = 250,
    PING_INTERVAL_MS = 10000,
    PINGS_OUT = 3,
    WRITE_DEADLINE_MS = 15000,
    FLUSH_TIMEOUT_MS = 2000,
    /* Version 3.4.1 signs one nonce in 256 wrongly: a refusal counts when it is repeated. */
    REFUSALS_BELIEVED = 3,
};

/* What bus_subscribe was asked for: subscribed on every link. */
typedef struct {
    char *subject, *queue_group;
    BusHandler handler;
    void *context;
} Handler;

/* --- links --- */

static Link *link_new(natsConnection *connection) {
    Link *link = g_atomic_rc_box_new0(Link);
    link->connection = connection;
    g_mutex_init(&link->lock);
    link->subscriptions = g_ptr_array_new_with_free_func((GDestroyNotify)natsSubscription_Destroy);
    return link;
}

static void link_destroy(gpointer data) {
    Link *link = data;
    natsConnection_Close(link->connection);
    g_ptr_array_unref(link->subscriptions);
    natsConnection_Destroy(link->connection);
    g_mutex_clear(&link->lock);
}

void link_unref(Link *link) {
    g_atomic_rc_box_release_full(link, link_destroy);
}

natsStatus link_keep(Link *link, natsStatus status, natsSubscription *subscription) {
    if (status != NATS_OK)
        return status;
    g_mutex_lock(&link->lock);
    g_ptr_array_add(link->subscriptions, subscription);
    g_mutex_unlock(&link->lock);
    /* The library's limit, 64 MiB a subscription, drops silently above it. */
    return natsSubscription_SetPendingLimits(subscription, -1, -1);
}

bool bus_not_connected(Bus *bus, GError **error) {
    return fault_set(error, FAULT_AGAIN, "NATS at %s: %s", bus->address,
                     bus->reason != NULL ? bus->reason : "not connected yet");
}

Link *bus_link(Bus *bus, GError **error) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    if (bus->link == NULL || !bus->connected) {
        bus_not_connected(bus, error);
        return NULL;
    }
    return g_atomic_rc_box_acquire(bus->link);
}

bool bus_fail(GError **error, const char *doing, natsStatus status) {
    return fault_set(error, FAULT_AGAIN, "%s: %s", doing, natsStatus_GetText(status));
}

/* --- what the library tells, from its own threads --- */

static void set_reason(Bus *bus, const char *reason) {
    g_free(bus->reason);
    bus->reason = g_strdup(reason);
}

static void change_connected(Bus *bus, bool connected) {
    bus->connected = connected;
    bus->generation += connected;
    metrics_add(scopestream_nats_connections_total, NULL, connected);
    g_cond_broadcast(&bus->changed);
}

static const char *last_words(natsConnection *connection, const char *otherwise) {
    const char *words = NULL;
    natsConnection_GetLastError(connection, &words);
    return words != NULL && *words != '\0' ? words : otherwise;
}

static void when_disconnected(natsConnection *connection, void *closure) {
    Bus *bus = closure;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    set_reason(bus, last_words(connection, "connection lost"));
    change_connected(bus, false);
}

static void when_reconnected(natsConnection *connection, void *closure) {
    Bus *bus = closure;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    change_connected(bus, true);
}

static void when_closed(natsConnection *connection, void *closure) {
    Bus *bus = closure;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    bus->closed = true;
    bus->owes_closing = false;
    change_connected(bus, false);
}

/* A denied publish or subscription is told here and nowhere else. */
static void when_error(natsConnection *connection, natsSubscription *subscription,
                       natsStatus status, void *closure) {
    Bus *bus = closure;
    const char *words = last_words(connection, natsStatus_GetText(status));
    g_mutex_lock(&bus->lock);
    bool news = g_strcmp0(bus->reason, words) != 0;
    set_reason(bus, words);
    g_mutex_unlock(&bus->lock);
    if (news)
        log_warning("NATS (%s): %s", bus->role, words);
}

static void when_message(natsConnection *connection, natsSubscription *subscription,
                         natsMsg *message, void *closure) {
    Handler *handler = closure;
    handler->handler(bus_message_take(message), handler->context);
}

/* --- the supervisor --- */

/* The last message of a closed subscription has been handled. */
static void when_delivered(void *closure) {
    Bus *bus = closure;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    bus->delivering--;
    g_cond_broadcast(&bus->changed);
}

/* Called with the lock held. */
static natsStatus handler_subscribe(Bus *bus, Handler *handler, Link *link) {
    natsSubscription *made = NULL;
    natsStatus status =
        handler->queue_group != NULL
            ? natsConnection_QueueSubscribe(&made, link->connection, handler->subject,
                                            handler->queue_group, when_message, handler)
            : natsConnection_Subscribe(&made, link->connection, handler->subject, when_message,
                                       handler);
    if (status == NATS_OK)
        natsSubscription_NoDeliveryDelay(made);
    if (status == NATS_OK && natsSubscription_SetOnCompleteCB(made, when_delivered, bus) == NATS_OK)
        bus->delivering++;
    return link_keep(link, status, made);
}

static void take_link(Bus *bus, Link *link) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    for (guint index = 0; index < bus->handlers->len; index++)
        handler_subscribe(bus, bus->handlers->pdata[index], link);
    bus->link = link;
    bus->owes_closing = !bus->closed;
    bus->refusals = 0;
    change_connected(bus, !bus->closed);
}

static void take_failure(Bus *bus, natsStatus status) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    bool refused = status == NATS_CONNECTION_AUTH_FAILED || status == NATS_NOT_PERMITTED;
    bus->refusals = refused ? bus->refusals + 1 : 0;
    set_reason(bus, refused                    ? "the server refused the credentials"
                    : status == NATS_NO_SERVER ? "no server answers there"
                    : status == NATS_ERR       ? nats_GetLastError(NULL)
                                               : natsStatus_GetText(status));
    g_cond_broadcast(&bus->changed);
}

static bool connect_once(Bus *bus) {
    g_mutex_lock(&bus->lock);
    bus->closed = false;
    g_mutex_unlock(&bus->lock);
    natsConnection *connection = NULL;
    natsStatus status = natsConnection_Connect(&connection, bus->options);
    if (status == NATS_OK)
        take_link(bus, link_new(connection));
    else
        take_failure(bus, status);
    return status == NATS_OK;
}

/* Waits until the link is closed by the library or the bus by its owner, then lets it go. */
static void wait_until_closed(Bus *bus) {
    g_mutex_lock(&bus->lock);
    while (!bus->closing && !bus->closed)
        g_cond_wait(&bus->changed, &bus->lock);
    Link *link = g_steal_pointer(&bus->link);
    bus->connected = false;
    g_mutex_unlock(&bus->lock);
    link_unref(link);
}

/* Between two attempts: a pause, ended early by bus_close. */
static void pause_before_retry(Bus *bus) {
    gint64 until = g_get_monotonic_time() +
                   (RECONNECT_WAIT_MS + g_random_int_range(0, RECONNECT_JITTER_MS)) * 1000;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    while (!bus->closing && g_cond_wait_until(&bus->changed, &bus->lock, until))
        ;
}

static bool is_closing(Bus *bus) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    return bus->closing;
}

static gpointer supervise(gpointer data) {
    Bus *bus = data;
    while (!is_closing(bus)) {
        if (connect_once(bus))
            wait_until_closed(bus);
        else
            pause_before_retry(bus);
    }
    return NULL;
}

/* --- opening and closing --- */

/* `host`, `host:port` or `scheme://host:port`: what the library would only find out on connecting.
 */
static bool address_is_one(const char *address) {
    g_autofree char *full =
        strstr(address, "://") != NULL ? g_strdup(address) : g_strconcat("nats://", address, NULL);
    g_autoptr(GUri) uri = g_uri_parse(full, G_URI_FLAGS_HAS_PASSWORD, NULL);
    static const char *const schemes[] = {"nats", "tls", NULL};
    return uri != NULL && g_strv_contains(schemes, g_uri_get_scheme(uri)) &&
           g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0';
}

static natsStatus set_servers(natsOptions *options, const char *addresses, GError **error) {
    g_auto(GStrv) servers = g_strsplit(*addresses != '\0' ? addresses : " ", ",", -1);
    for (char **server = servers; *server != NULL; server++) {
        if (address_is_one(g_strstrip(*server)))
            continue;
        fault_set(error, FAULT_USAGE, "[nats] nats = %s: expected nats://HOST:PORT", addresses);
        return NATS_INVALID_ARG;
    }
    return natsOptions_SetServers(options, (const char **)servers, (int)g_strv_length(servers));
}

static natsStatus set_credentials(natsOptions *options, const Settings *settings, GError **error) {
    g_autoptr(GError) unreadable = NULL;
    g_autofree char *password = NULL;
    if (*settings->nats_credentials != '\0') {
        if (g_access(settings->nats_credentials, R_OK) == 0)
            return natsOptions_SetUserCredentialsFromFiles(options, settings->nats_credentials,
                                                           NULL);
        fault_set(error, FAULT_USAGE, "[nats] nats-credentials = %s: cannot be read",
                  settings->nats_credentials);
        return NATS_INVALID_ARG;
    }
    if (*settings->nats_user == '\0')
        return NATS_OK;
    if (*settings->nats_password_file != '\0' &&
        !g_file_get_contents(settings->nats_password_file, &password, NULL, &unreadable)) {
        fault_set(error, FAULT_USAGE, "[nats] nats-password-file: %s", unreadable->message);
        return NATS_INVALID_ARG;
    }
    if (password != NULL)
        g_strchomp(password);
    return natsOptions_SetUserInfo(options, settings->nats_user, password != NULL ? password : "");
}

/* One step of several, taken only while all before it went well. */
#define THEN(status, step) ((status) == NATS_OK ? (step) : (status))

static natsStatus set_habits(natsOptions *options, Bus *bus) {
    natsStatus s = natsOptions_SetName(options, bus->role);
    s = THEN(s, natsOptions_SetTimeout(options, CONNECT_TIMEOUT_MS));
    s = THEN(s, natsOptions_SetMaxReconnect(options, -1));
    s = THEN(s, natsOptions_SetReconnectWait(options, RECONNECT_WAIT_MS));
    s = THEN(s, natsOptions_SetReconnectJitter(options, RECONNECT_JITTER_MS, RECONNECT_JITTER_MS));
    s = THEN(s, natsOptions_SetReconnectBufSize(options, 0)); /* fail at once instead */
    s = THEN(s, natsOptions_SetFailRequestsOnDisconnect(options, true));
    s = THEN(s, natsOptions_SetPingInterval(options, PING_INTERVAL_MS));
    s = THEN(s, natsOptions_SetMaxPingsOut(options, PINGS_OUT));
    s = THEN(s, natsOptions_SetWriteDeadline(options, WRITE_DEADLINE_MS));
    /* Without it a small publish waits for a flusher: a request takes 2 ms in place of 0.14. */
    s = THEN(s, natsOptions_SetSendAsap(options, true));
    s = THEN(s, natsOptions_SetErrorHandler(options, when_error, bus));
    s = THEN(s, natsOptions_SetDisconnectedCB(options, when_disconnected, bus));
    s = THEN(s, natsOptions_SetReconnectedCB(options, when_reconnected, bus));
    return THEN(s, natsOptions_SetClosedCB(options, when_closed, bus));
}

static natsOptions *options_make(const Settings *settings, Bus *bus, GError **error) {
    natsOptions *options = NULL;
    natsStatus status = natsOptions_Create(&options);
    if (status == NATS_OK)
        status = set_servers(options, settings->nats_url, error);
    if (status == NATS_OK)
        status = set_credentials(options, settings, error);
    if (status == NATS_OK)
        status = set_habits(options, bus);
    if (status == NATS_OK)
        return options;
    natsOptions_Destroy(options);
    if (error != NULL && *error == NULL)
        fault_set(error, FAULT_USAGE, "[nats]: %s", natsStatus_GetText(status));
    return NULL;
}

static void handler_free(gpointer data) {
    Handler *handler = data;
    g_free(handler->subject);
    g_free(handler->queue_group);
    g_free(handler);
}

static void bus_free(Bus *bus) {
    bus_inbox_close(bus->acks);
    natsOptions_Destroy(bus->options);
    g_ptr_array_unref(bus->handlers);
    g_free(bus->role);
    g_free(bus->address);
    g_free(bus->reason);
    g_mutex_clear(&bus->lock);
    g_mutex_clear(&bus->publishing);
    g_cond_clear(&bus->changed);
    g_free(bus);
}

Bus *bus_open(const Settings *settings, const char *role, GError **error) {
    Bus *bus = g_new0(Bus, 1);
    g_mutex_init(&bus->lock);
    g_mutex_init(&bus->publishing);
    g_cond_init(&bus->changed);
    bus->role = g_strdup(role);
    bus->address = g_strdup(settings->nats_url);
    bus->handlers = g_ptr_array_new_with_free_func(handler_free);
    GError *wrong = NULL; /* never NULL-checked away: options_make looks at it */
    bus->options = options_make(settings, bus, &wrong);
    bus->acks = bus_inbox_open(bus, NULL);
    if (bus->options == NULL) {
        g_propagate_error(error, wrong);
        bus_free(bus);
        return NULL;
    }
    bus->supervisor = g_thread_new("bus", supervise, bus);
    return bus;
}

void bus_close(Bus *bus) {
    if (bus == NULL)
        return;
    g_autoptr(Link) link = bus_link(bus, NULL);
    if (link != NULL)
        natsConnection_FlushTimeout(link->connection, FLUSH_TIMEOUT_MS);
    g_clear_pointer(&link, link_unref);
    g_clear_pointer(&bus->acks, bus_inbox_close); /* it keeps the link open */

    g_mutex_lock(&bus->lock);
    bus->closing = true;
    g_cond_broadcast(&bus->changed);
    g_mutex_unlock(&bus->lock);
    g_thread_join(bus->supervisor);

    /* The library tells of the closing later, from its own thread, and a handler may be at work in
     * another: the bus, and what handlers look at, must stay until then. */
    gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
    g_mutex_lock(&bus->lock);
    bool told = true;
    while ((bus->owes_closing || bus->delivering > 0) && told)
        told = g_cond_wait_until(&bus->changed, &bus->lock, until);
    g_mutex_unlock(&bus->lock);
    if (told)
        bus_free(bus);
}

/* --- its state --- */

bool bus_is_connected(Bus *bus) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    return bus->connected;
}

bool bus_wait(Bus *bus, int timeout_ms, GError **error) {
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    while (!bus->connected && bus->refusals < REFUSALS_BELIEVED)
        if (!g_cond_wait_until(&bus->changed, &bus->lock, until))
            return bus_not_connected(bus, error);
    return bus->connected ||
           fault_set(error, FAULT_USAGE,
                     "NATS at %s refused the credentials: see the keys of [nats]", bus->address);
}

char *bus_state(Bus *bus) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    if (bus->connected)
        return g_strdup_printf("connected to %s", bus->address);
    return g_strdup_printf("%s: %s", bus->address,
                           bus->reason != NULL ? bus->reason : "not connected yet");
}

guint bus_generation(Bus *bus) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    return bus->generation;
}

gsize bus_max_payload(Bus *bus) {
    g_autoptr(Link) link = bus_link(bus, NULL);
    return link != NULL ? (gsize)natsConnection_GetMaxPayload(link->connection) : 0;
}

/* --- handlers --- */

bool bus_subscribe(Bus *bus, const char *subject, const char *queue_group, BusHandler handler,
                   void *context, GError **error) {
    Handler *added = g_new0(Handler, 1);
    added->subject = g_strdup(subject);
    added->queue_group = g_strdup(queue_group);
    added->handler = handler;
    added->context = context;

    g_mutex_lock(&bus->lock);
    g_ptr_array_add(bus->handlers, added);
    natsStatus status = bus->link != NULL ? handler_subscribe(bus, added, bus->link) : NATS_OK;
    g_mutex_unlock(&bus->lock);

    g_autoptr(Link) link = bus_link(bus, NULL);
    if (link != NULL && status == NATS_OK)
        status = natsConnection_FlushTimeout(link->connection, FLUSH_TIMEOUT_MS);
    /* A link that fails now is replaced, and the next one subscribes every handler. */
    return status == NATS_OK || !bus_is_connected(bus) || bus_fail(error, subject, status);
}
