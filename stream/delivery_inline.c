/* inline: a small frame's bytes ride along with its descriptor. Below some tens of kilobytes any
 * other way costs more than the bytes; above, every byte would pass the server's disk. */
#include "stream/delivery_private.h"

enum { ROOM_FOR_DESCRIPTOR_BYTES = 16 * 1024 };

static bool may_be_small_enough(const DeliveryOffice *office, const Frame *frame) {
    return frame->size_bytes / frame->pages <= (guint64)office->settings->inline_limit_bytes;
}

static bool offer(DeliveryOffice *office, void *state, Descriptor *descriptor, GError **error) {
    const Frame *frame = descriptor->frame;
    if (office->settings->inline_limit_bytes == 0 || !may_be_small_enough(office, frame))
        return true;
    g_autoptr(FrameBytes) bytes = delivery_office_find(office, &frame->id, error);
    if (bytes == NULL)
        return false;
    guint64 total = frame_bytes_total(bytes);
    if (total == 0 || total > (guint64)office->settings->inline_limit_bytes ||
        total + ROOM_FOR_DESCRIPTOR_BYTES > bus_max_payload(office->bus))
        return true;
    g_autofree guint8 *buffer = g_malloc(total);
    if (!frame_bytes_read(bytes, 0, buffer, total, error))
        return false;
    descriptor->inline_bytes = g_bytes_new_take(g_steal_pointer(&buffer), total);
    return true;
}

static bool possible(DeliveryDesk *desk, void *state, const Descriptor *descriptor) {
    return descriptor->inline_bytes != NULL;
}

static bool receive(DeliveryDesk *desk, void *state, const Descriptor *descriptor,
                    DeliveryParcel *parcel, GError **error) {
    parcel->bytes = g_bytes_ref(descriptor->inline_bytes);
    return true;
}

const Delivery delivery_inline = {
    .name = "inline",
    .offer = offer,
    .possible = possible,
    .receive = receive,
};
