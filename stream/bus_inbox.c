/* Inboxes: answers to one question that are several messages. */
#include "stream/bus_private.h"
#include <string.h>

struct BusInbox {
    Bus *bus;
    Link *link; /* the one the subscription lives on */
    natsSubscription *subscription;
    char *subject;
    guint round, number;
    guint asked_generation;
};

BusInbox *bus_inbox_open(Bus *bus, GError **error) {
    BusInbox *inbox = g_new0(BusInbox, 1);
    inbox->bus = bus;
    return inbox;
}

void bus_inbox_close(BusInbox *inbox) {
    if (inbox == NULL)
        return;
    if (inbox->link != NULL)
        link_unref(inbox->link);
    g_free(inbox->subject);
    g_free(inbox);
}

/* Not the library's: its names come from rand(), and others must not guess where we listen. */
static char *random_inbox(void) {
    g_autofree char *name = g_uuid_string_random();
    return g_strconcat("_INBOX.", name, NULL);
}

bool bus_inbox_ready(BusInbox *inbox, Link *link, GError **error) {
    if (inbox->link == link)
        return true;
    g_autofree char *subject = random_inbox();
    g_autofree char *pattern = g_strconcat(subject, ".>", NULL);
    natsSubscription *made = NULL;
    natsStatus status = natsConnection_SubscribeSync(&made, link->connection, pattern);
    status = link_keep(link, status, made);
    if (status != NATS_OK)
        return bus_fail(error, "subscribe to an inbox", status);
    if (inbox->link != NULL)
        link_unref(inbox->link);
    inbox->link = g_atomic_rc_box_acquire(link);
    inbox->subscription = made;
    g_free(inbox->subject);
    inbox->subject = g_steal_pointer(&subject);
    return true;
}

char *bus_inbox_address(const BusInbox *inbox, guint number) {
    return g_strdup_printf("%s.%u.%u", inbox->subject, inbox->round, number);
}

bool bus_inbox_is_current(const BusInbox *inbox, const BusMessage *answer, guint *ret_number) {
    const char *subject = bus_message_subject(answer);
    gsize length = strlen(inbox->subject);
    if (strncmp(subject, inbox->subject, length) != 0 || subject[length] != '.')
        return false;
    char *end;
    guint64 round = g_ascii_strtoull(subject + length + 1, &end, 10);
    *ret_number = *end == '.' ? (guint)g_ascii_strtoull(end + 1, NULL, 10) : 0;
    return round == inbox->round;
}

BusMessage *bus_inbox_take(BusInbox *inbox, int timeout_ms, natsStatus *ret_status) {
    natsMsg *message = NULL;
    *ret_status = natsSubscription_NextMsg(&message, inbox->subscription, timeout_ms);
    return *ret_status == NATS_OK ? bus_message_take(message) : NULL;
}

void bus_inbox_forget(BusInbox *inbox) {
    inbox->round++;
    inbox->number = 0;
}

bool bus_inbox_ask(BusInbox *inbox, const char *subject, const BusHeader *headers, const void *data,
                   gsize length, GError **error) {
    g_autoptr(Link) link = bus_link(inbox->bus, error);
    if (link == NULL || !bus_inbox_ready(inbox, link, error))
        return false;
    inbox->asked_generation = bus_generation(inbox->bus);
    g_autofree char *reply = bus_inbox_address(inbox, inbox->number++);
    return bus_send(link, subject, reply, headers, data, length, error);
}

static bool inbox_is_cut_off(BusInbox *inbox, GError **error) {
    Bus *bus = inbox->bus;
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&bus->lock);
    if (bus->connected && bus->generation == inbox->asked_generation && inbox->link != NULL)
        return false;
    bus_not_connected(bus, error);
    return true;
}

/* Waits in short turns, because the library does not wake a waiter whose connection is lost. */
BusMessage *bus_inbox_next(BusInbox *inbox, int timeout_ms, GError **error) {
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    for (;;) {
        if (inbox_is_cut_off(inbox, error))
            return NULL;
        gint64 left_ms = MAX(0, (until - g_get_monotonic_time()) / 1000);
        natsStatus status;
        guint number;
        g_autoptr(BusMessage) answer = bus_inbox_take(inbox, (int)MIN(left_ms, 100), &status);
        if (answer == NULL && status != NATS_TIMEOUT) {
            bus_fail(error, "wait for an answer", status);
            return NULL;
        }
        if (answer == NULL && left_ms == 0)
            return NULL;
        if (answer == NULL || !bus_inbox_is_current(inbox, answer, &number))
            continue;
        if (natsMsg_IsNoResponders(answer->message)) {
            bus_fail(error, "ask", NATS_NO_RESPONDERS);
            return NULL;
        }
        return g_steal_pointer(&answer);
    }
}
