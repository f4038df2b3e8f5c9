#include "ingest/enqueue.h"

enum {
    BATCH_BYTES = 4 << 20,     /* of bodies published before the first answer is waited for */
    PUBLISH_TIMEOUT_MS = 2000, /* a second try has the same Nats-Msg-Id, and does no harm */
};

/* A descriptor on its way: what a BusPublication borrows. */
typedef struct {
    GBytes *body;
    char *message_id, *json_length;
    BusHeader headers[4];
} Parcel;

static void parcel_clear(Parcel *parcel) {
    g_bytes_unref(parcel->body);
    g_free(parcel->message_id);
    g_free(parcel->json_length);
}

static void parcel_fill(const Enqueue *enqueue, const JournalOffer *waiting, gint64 offered_us,
                        Parcel *parcel) {
    g_autoptr(Descriptor) descriptor = descriptor_new();
    descriptor->frame = frame_copy(waiting->frame);
    descriptor->pipeline = g_strdup(enqueue->pipeline);
    descriptor->attempt = waiting->attempt;
    descriptor->offered_us = offered_us;
    descriptor->origin = g_strdup(g_get_host_name());
    /* A file that is gone is offered all the same: its row will say so. */
    delivery_offer(enqueue->office, descriptor, NULL);

    gsize json_length;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    parcel->body = descriptor_to_body(descriptor, &json_length);
    parcel->message_id = g_strdup_printf("%s/%s/%u", frame_id_text(&waiting->frame->id, id),
                                         enqueue->pipeline, waiting->attempt);
    parcel->headers[0] = (BusHeader){"Nats-Msg-Id", parcel->message_id};
    parcel->headers[1] = (BusHeader){"Scopestream-Wire", G_STRINGIFY(DESCRIPTOR_WIRE_VERSION)};
    if (json_length < g_bytes_get_size(parcel->body)) {
        parcel->json_length = g_strdup_printf("%zu", json_length);
        parcel->headers[2] = (BusHeader){"Scopestream-Json", parcel->json_length};
    }
}

/* Fills parcels and publications up to a batch. Returns how many. */
static guint batch_fill(const Enqueue *enqueue, JournalOffer *const offers[], guint count,
                        const char *subject, gint64 offered_us, Parcel parcels[],
                        BusPublication publications[]) {
    gsize total_bytes = 0;
    guint filled = 0;
    for (; filled < count && total_bytes < BATCH_BYTES; filled++) {
        Parcel *parcel = &parcels[filled];
        parcel_fill(enqueue, offers[filled], offered_us, parcel);
        BusPublication publication = {.subject = subject, .headers = parcel->headers};
        publication.data = g_bytes_get_data(parcel->body, &publication.length);
        publications[filled] = publication;
        total_bytes += publication.length;
    }
    return filled;
}

bool enqueue_batch(const Enqueue *enqueue, JournalOffer *const offers[], guint count,
                   guint *ret_tried, guint *ret_taken, GError **error) {
    g_autofree char *subject =
        g_strdup_printf("scopestream.frame.%s.%s", enqueue->pipeline, enqueue->source);
    g_autofree Parcel *parcels = g_new0(Parcel, count);
    g_autofree BusPublication *publications = g_new0(BusPublication, count);
    g_autofree JournalReceipt *receipts = g_new0(JournalReceipt, count);
    gint64 offered_us = g_get_real_time();
    guint tried = batch_fill(enqueue, offers, count, subject, offered_us, parcels, publications);
    bus_publish_durably(enqueue->bus, publications, tried, PUBLISH_TIMEOUT_MS);

    GError *refused = NULL;
    guint taken = 0;
    for (guint index = 0; index < tried; index++) {
        const BusPublication *publication = &publications[index];
        if (publication->stored)
            receipts[taken++] = (JournalReceipt){.id = offers[index]->id,
                                                 .sequence = publication->sequence,
                                                 .stream_created_ns = enqueue->frames_created_ns,
                                                 .offered_us = offered_us};
        else if (publication->error != NULL && refused == NULL)
            refused = g_error_copy(publication->error);
        g_clear_error(&publications[index].error);
        parcel_clear(&parcels[index]);
    }
    *ret_tried = tried;
    *ret_taken = taken;
    bool written =
        journal_set_queued(enqueue->journal, receipts, taken, refused == NULL ? error : NULL);
    if (refused != NULL)
        g_propagate_error(error, refused);
    return written && refused == NULL;
}
