#include "stream/delivery_private.h"
#include <string.h>

static const Delivery *const deliveries[] = {
#define DELIVERY(name) &delivery_##name,
#include "stream/deliveries.list"
#undef DELIVERY
};

enum {
    RECENT_FILES = 16,
    RECENT_FOR_US = 5 * G_USEC_PER_SEC,
};

/* --- ingest's end --- */

typedef struct {
    FrameId id;
    FrameBytes *bytes;
    gint64 opened_us; /* monotonic */
} Announced;

static void announced_free(gpointer data) {
    Announced *announced = data;
    frame_bytes_unref(announced->bytes);
    g_free(announced);
}

/* Called with the lock held. */
static void drop_old_files(DeliveryOffice *office) {
    gint64 oldest_us = g_get_monotonic_time() - RECENT_FOR_US;
    for (Announced *last; (last = g_queue_peek_tail(&office->recent)) != NULL;) {
        if (last->opened_us >= oldest_us && office->recent.length <= RECENT_FILES)
            break;
        announced_free(g_queue_pop_tail(&office->recent));
    }
}

static FrameBytes *find_recent(DeliveryOffice *office, const FrameId *id) {
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&office->lock);
    drop_old_files(office);
    for (GList *at = office->recent.head; at != NULL; at = at->next) {
        Announced *announced = at->data;
        if (frame_id_equal(&announced->id, id))
            return frame_bytes_ref(announced->bytes);
    }
    return NULL;
}

static void keep_recent(DeliveryOffice *office, const FrameId *id, FrameBytes *bytes) {
    Announced *announced = g_new0(Announced, 1);
    announced->id = *id;
    announced->bytes = frame_bytes_ref(bytes);
    announced->opened_us = g_get_monotonic_time();
    g_autoptr(GMutexLocker) locked = g_mutex_locker_new(&office->lock);
    g_queue_push_head(&office->recent, announced);
    drop_old_files(office);
}

FrameBytes *delivery_office_find(DeliveryOffice *office, const FrameId *id, GError **error) {
    g_autoptr(FrameBytes) bytes = find_recent(office, id);
    if (bytes == NULL) {
        bytes = office->lookup(id, office->context, error);
        if (bytes == NULL)
            return NULL;
        keep_recent(office, id, bytes);
    }
    return frame_bytes_check(bytes, error) ? g_steal_pointer(&bytes) : NULL;
}

DeliveryOffice *delivery_office_open(const Settings *settings, Bus *bus, const guint8 secret[32],
                                     DeliveryLookup lookup, void *context, GError **error) {
    DeliveryOffice *office = g_new0(DeliveryOffice, 1);
    office->settings = settings;
    office->bus = bus;
    memcpy(office->secret, secret, sizeof office->secret);
    office->lookup = lookup;
    office->context = context;
    g_mutex_init(&office->lock);
    g_queue_init(&office->recent);
    office->states = g_new0(void *, G_N_ELEMENTS(deliveries));
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++) {
        if (deliveries[way]->open_office == NULL ||
            deliveries[way]->open_office(office, &office->states[way], error))
            continue;
        delivery_office_close(office);
        return NULL;
    }
    return office;
}

void delivery_office_close(DeliveryOffice *office) {
    if (office == NULL)
        return;
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++)
        if (office->states[way] != NULL && deliveries[way]->close_office != NULL)
            deliveries[way]->close_office(office->states[way]);
    g_queue_clear_full(&office->recent, announced_free);
    g_free(office->states);
    g_mutex_clear(&office->lock);
    g_free(office);
}

bool delivery_offer(DeliveryOffice *office, Descriptor *descriptor, GError **error) {
    /* Also after one that failed: a frame that cannot ride along can still be asked for, and who
     * asks is told what became of it. */
    bool well = true;
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++)
        if (deliveries[way]->offer != NULL &&
            !deliveries[way]->offer(office, office->states[way], descriptor, well ? error : NULL))
            well = false;
    return well;
}

/* --- the worker's end --- */

static bool allow_deliveries(DeliveryDesk *desk, GError **error) {
    g_auto(GStrv) names = g_strsplit(desk->settings->deliveries, ",", -1);
    for (char **name = names; *name != NULL; name++) {
        guint way = 0;
        while (way < G_N_ELEMENTS(deliveries) &&
               !g_str_equal(deliveries[way]->name, g_strstrip(*name)))
            way++;
        if (way == G_N_ELEMENTS(deliveries))
            return fault_set(error, FAULT_USAGE,
                             "[features] deliveries = %s: '%s' is none; known are inline, path, "
                             "direct, fetch",
                             desk->settings->deliveries, *name);
        desk->allowed[way] = true;
    }
    return true;
}

static bool open_ways(DeliveryDesk *desk, GError **error) {
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++)
        if (desk->allowed[way] && deliveries[way]->open_desk != NULL &&
            !deliveries[way]->open_desk(desk, &desk->states[way], error))
            return false;
    return true;
}

DeliveryDesk *delivery_desk_open(const Settings *settings, Bus *bus, GError **error) {
    DeliveryDesk *desk = g_new0(DeliveryDesk, 1);
    desk->settings = settings;
    desk->bus = bus;
    desk->allowed = g_new0(bool, G_N_ELEMENTS(deliveries));
    desk->states = g_new0(void *, G_N_ELEMENTS(deliveries));
    if (allow_deliveries(desk, error) && open_ways(desk, error))
        return desk;
    delivery_desk_close(desk);
    return NULL;
}

void delivery_desk_close(DeliveryDesk *desk) {
    if (desk == NULL)
        return;
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++)
        if (desk->states[way] != NULL && deliveries[way]->close_desk != NULL)
            deliveries[way]->close_desk(desk->states[way]);
    g_free(desk->states);
    g_free(desk->allowed);
    g_free(desk);
}

bool delivery_receive(DeliveryDesk *desk, const Descriptor *descriptor, DeliveryParcel *ret_parcel,
                      GError **error) {
    g_autoptr(GError) last = NULL;
    for (guint way = 0; way < G_N_ELEMENTS(deliveries); way++) {
        const Delivery *delivery = deliveries[way];
        if (!desk->allowed[way] || !delivery->possible(desk, desk->states[way], descriptor))
            continue;
        g_clear_error(&last);
        *ret_parcel = (DeliveryParcel){.way = delivery->name};
        if (delivery->receive(desk, desk->states[way], descriptor, ret_parcel, &last))
            return true;
        delivery_parcel_clear(ret_parcel);
        if (fault_is(last, FAULT_VANISHED) || fault_is(last, FAULT_BROKEN))
            break;
    }
    if (last != NULL)
        g_propagate_error(error, g_steal_pointer(&last));
    else
        fault_set(error, FAULT_AGAIN, "none of the deliveries %s is open for this frame",
                  desk->settings->deliveries);
    return false;
}

bool delivery_parcel_check(DeliveryParcel *parcel, GError **error) {
    return parcel->file == NULL || frame_bytes_check(parcel->file, error);
}

void delivery_parcel_clear(DeliveryParcel *parcel) {
    g_clear_pointer(&parcel->bytes, g_bytes_unref);
    g_clear_pointer(&parcel->file, frame_bytes_unref);
}
