#include "features/worker.h"
#include "features/pixels.h"
#include "features/result.h"
#include "features/vips_start.h"
#include "stream/bus.h"
#include "stream/delivery.h"
#include "stream/json_write.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PULL_TIMEOUT_MS = 1000,
    CONNECT_TIMEOUT_MS = 5000,
    PUBLISH_TIMEOUT_MS = 5000,
    RETRY_PAUSE_MS = 500,
    /* A third of the consumer's ack wait: the queue hears twice before it gives the frame away. */
    STILL_WORKING_MS = 10000,
    AGAIN_DELAY_MS = 1000,
    AGAIN_DELAY_LIMIT_MS = 30000,
    UNKNOWN_WIRE_DELAY_MS = 30000,
    /* Columns in one catalogue document: with the longest texts of plug-ins two thirds of the
     * megabyte that a NATS server takes. */
    CATALOGUE_COLUMNS = 150,
    /* What a message needs beside the document: subject and headers. */
    ROOM_FOR_HEADERS_BYTES = 4096,
};

typedef struct {
    const Settings *settings;
    Board *board;
    Slot *slot;
    guint job;
    char *name; /* "<host>/<pid>" */
    gint64 started_us;
    Bus *control, *bulk;
    BusPull *pull;
    DeliveryDesk *desk;
    Pipeline *pipeline;
    guint generation;           /* of the connection the streams were ensured on */
    gsize payload_limit_bytes;  /* of its server */
    gint64 catalogue_stream_ns; /* the stream the catalogue was told to */
    bool thumbnails_left_out;
    bool away;
    bool needs_person; /* what we wait for, as told in the log */
    bool wrong_settings;
} Worker;

/* One frame in hand. */
typedef struct {
    Descriptor *descriptor;
    char *reply;
    DeliveryParcel parcel;
    Measurement *measurement;
    Thumbnail *thumbnail;
    gint64 taken_us, received_us, decoded_us, measured_us;
} Job;

static void job_clear(Job *job) {
    descriptor_free(job->descriptor);
    g_free(job->reply);
    delivery_parcel_clear(&job->parcel);
    measurement_free(job->measurement);
    thumbnail_free(job->thumbnail);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

/* --- telling --- */

/* Into a stream, for as long as it takes: what was measured is not measured again because a server
 * was away. False only when the program is asked to stop. */
static bool tell(Worker *worker, const char *subject, const char *id, const char *document,
                 gsize length) {
    BusHeader headers[] = {{"Nats-Msg-Id", id}, {NULL}};
    do {
        BusPublication one = {
            .subject = subject, .headers = headers, .data = document, .length = length};
        bool told = bus_publish_durably(worker->control, &one, 1, PUBLISH_TIMEOUT_MS) == 1;
        if (!told && !worker->away)
            log_warning("results wait: %s", one.error->message);
        if (told && worker->away)
            log_info("results go out again");
        worker->away = !told;
        g_clear_error(&one.error);
        if (told)
            return true;
    } while (program_sleep(RETRY_PAUSE_MS));
    return false;
}

static bool tell_result(Worker *worker, Job *job, ResultStatus status, const char *reason);

/* The server would refuse it however often it comes. Numbers matter more than the thumbnail. */
static bool tell_smaller(Worker *worker, Job *job, gsize length) {
    if (job->thumbnail != NULL) {
        if (!worker->thumbnails_left_out)
            log_warning("%s is told without its thumbnail, as are others: %zu bytes are too many "
                        "for the NATS server's max_payload of %zu; a smaller thumbnail-side helps",
                        job->descriptor->frame->path, length, worker->payload_limit_bytes);
        worker->thumbnails_left_out = true;
        g_clear_pointer(&job->thumbnail, thumbnail_free);
        return tell_result(worker, job, RESULT_OK, NULL);
    }
    g_autofree char *reason =
        g_strdup_printf("its result takes %zu bytes, too many for the NATS server's max_payload of "
                        "%zu: raise that, or take measures out of pipeline %s",
                        length, worker->payload_limit_bytes, job->descriptor->pipeline);
    return tell_result(worker, job, RESULT_BROKEN, reason);
}

static bool tell_result(Worker *worker, Job *job, ResultStatus status, const char *reason) {
    const Result result = {
        .descriptor = job->descriptor,
        .pipeline = worker->pipeline,
        .status = status,
        .reason = reason,
        .measurement = status == RESULT_OK ? job->measurement : NULL,
        .thumbnail = status == RESULT_OK ? job->thumbnail : NULL,
        .delivery = job->parcel.way,
        .worker = worker->name,
        .taken_us = job->taken_us,
        .received_us = job->received_us,
        .decoded_us = job->decoded_us,
        .measured_us = job->measured_us,
    };
    gsize length;
    g_autofree char *document = result_to_json(&result, &length);
    if (status == RESULT_OK && length + ROOM_FOR_HEADERS_BYTES > worker->payload_limit_bytes)
        return tell_smaller(worker, job, length);
    g_autofree char *id = result_message_id(&result);
    g_autofree char *subject = g_strdup_printf(
        "scopestream.result.%s.%s", job->descriptor->pipeline, job->descriptor->frame->source);
    slot_tell(worker->slot);
    gint64 told_from_us = g_get_real_time();
    if (!tell(worker, subject, id, document, length))
        return false;
    metrics_add(scopestream_features_frames_measured_total, result_status_text(status), 1);
    metrics_observe_between(scopestream_features_tell_seconds, NULL, told_from_us,
                            g_get_real_time());
    atomic_fetch_add(status == RESULT_OK ? &worker->slot->measured : &worker->slot->broken, 1);
    return true;
}

static bool tell_catalogue_part(Worker *worker, guint first, gint64 stream_ns) {
    gsize length;
    g_autofree char *document =
        result_catalogue(worker->pipeline, first, CATALOGUE_COLUMNS, &length);
    g_autofree char *subject =
        g_strconcat("scopestream.catalogue.", worker->settings->pipeline, NULL);
    g_autofree char *id =
        g_strdup_printf("catalogue/%s/%" G_GINT64_FORMAT "/%u", worker->name, stream_ns, first);
    return tell(worker, subject, id, document, length);
}

/* Once for each life of the RESULTS stream, by the first worker: what this pipeline can measure. */
static void tell_catalogue(Worker *worker) {
    BusStreamState state;
    if (worker->job != 0 || !bus_stream_state(worker->control, "RESULTS", NULL, &state, NULL) ||
        state.created_ns == worker->catalogue_stream_ns)
        return;
    for (guint first = 0; first < MAX(pipeline_columns_count(worker->pipeline), 1);
         first += CATALOGUE_COLUMNS)
        if (!tell_catalogue_part(worker, first, state.created_ns))
            return;
    worker->catalogue_stream_ns = state.created_ns;
}

/* --- one frame --- */

static void tell_news(Worker *worker) {
    g_auto(GStrv) news = pipeline_take_news(worker->pipeline);
    for (char **line = news; line != NULL && *line != NULL; line++)
        log_warning("%s", *line);
}

static bool receive(Worker *worker, Job *job, GError **error) {
    bool received = delivery_receive(worker->desk, job->descriptor, &job->parcel, error);
    gint64 now_us = g_get_real_time();
    const char *way = received ? job->parcel.way : "none";
    metrics_observe_between(scopestream_features_receive_seconds, way, job->taken_us, now_us);
    metrics_add(scopestream_features_frames_received_total, way, 1);
    if (!received)
        return false;
    job->received_us = now_us;
    metrics_add(scopestream_features_received_bytes_total, way,
                g_bytes_get_size(job->parcel.bytes));
    return true;
}

/* Receives, decodes and measures. FAULT_AGAIN: not now; FAULT_BROKEN and FAULT_VANISHED are what
 * the row will say. */
static bool measure(Worker *worker, Job *job, GError **error) {
    if (!receive(worker, job, error))
        return false;

    g_autoptr(Plane) plane =
        pixels_decode(job->parcel.bytes, job->parcel.page, worker->settings, error);
    job->decoded_us = g_get_real_time();
    metrics_observe_between(scopestream_features_decode_seconds, NULL, job->received_us,
                            job->decoded_us);
    if (plane == NULL)
        return false;
    if (job->descriptor->frame->pixel_size_um > 0)
        plane->pixel_size_um = job->descriptor->frame->pixel_size_um;
    job->measurement = pipeline_measure(worker->pipeline, plane, error);
    tell_news(worker);
    if (job->measurement == NULL)
        return false;
    if (worker->settings->thumbnail_side > 0 &&
        thumbnail_is_wanted(&job->descriptor->frame->id, worker->settings->thumbnail_every))
        job->thumbnail = thumbnail_make(pipeline_scan(worker->pipeline),
                                        (guint32)worker->settings->thumbnail_side, NULL);
    job->measured_us = g_get_real_time();
    metrics_observe_between(scopestream_features_measure_seconds, NULL, job->decoded_us,
                            job->measured_us);
    return true;
}

/* A file that changed under a decoder's eyes is not broken: it is another file by now. */
static void prefer_vanished(Job *job, GError **error) {
    g_autoptr(GError) changed = NULL;
    if (delivery_parcel_check(&job->parcel, &changed))
        return;
    g_clear_error(error);
    g_propagate_error(error, g_steal_pointer(&changed));
}

/* Nothing is wrong with the frame: it waits longer each time. */
static void give_back(Worker *worker, const Job *job, const GError *why) {
    guint times = MIN(bus_delivery_count(job->reply), 6);
    gint64 delay_ms = MIN((gint64)AGAIN_DELAY_MS << (times - 1), AGAIN_DELAY_LIMIT_MS);
    log_debug("%s waits: %s", job->descriptor->frame->path, why->message);
    metrics_add(scopestream_features_frames_given_back_total, NULL, 1);
    bus_nak(worker->control, job->reply, delay_ms, NULL);
}

static ResultStatus status_of(const GError *wrong) {
    return fault_is(wrong, FAULT_VANISHED) ? RESULT_VANISHED : RESULT_BROKEN;
}

/* Every way out of here is a row, or the frame goes back into the queue. */
static void work_on(Worker *worker, Job *job) {
    g_autoptr(GError) wrong = NULL;
    bool told;
    const Deaths *deaths = board_deaths(worker->board, &job->descriptor->frame->id);
    if (deaths != NULL && atomic_load(&deaths->count) >= DEATHS_TO_POISON) {
        g_autofree char *reason = g_strdup_printf("%d worker processes ended over it; the last %s",
                                                  DEATHS_TO_POISON, deaths->reason);
        told = tell_result(worker, job, RESULT_POISON, reason);
    } else {
        bool measured = measure(worker, job, &wrong);
        prefer_vanished(job, &wrong);
        if (fault_is(wrong, FAULT_AGAIN)) {
            give_back(worker, job, wrong);
            return;
        }
        told = measured && wrong == NULL
                   ? tell_result(worker, job, RESULT_OK, NULL)
                   : tell_result(worker, job, status_of(wrong), wrong->message);
    }
    if (told)
        bus_ack(worker->control, job->reply, NULL);
    else
        bus_nak(worker->control, job->reply, 0, NULL); /* stopping: somebody else measures it */
}

/* --- taking --- */

static gsize json_length_of(const BusMessage *message, gsize body_length) {
    const char *text = bus_message_header(message, "Scopestream-Json");
    guint64 length;
    return text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &length, NULL)
               ? (gsize)length
               : body_length;
}

/* A message that is no descriptor has no frame a row could be about: it becomes an event. */
static void tell_unreadable(Worker *worker, const char *subject, const GError *wrong) {
    const char *dot = strrchr(subject, '.');
    const char *source = dot != NULL && frame_name_is_plain(dot + 1) ? dot + 1 : "unknown";
    gsize length;
    g_autofree char *document = result_unreadable(source, wrong->message, &length);
    g_autofree char *event = g_strconcat("scopestream.event.", source, NULL);
    g_autofree char *id =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, document, (gssize)length);
    tell(worker, event, id, document, length);
}

static void take(Worker *worker, BusMessage *message) {
    g_auto(Job)
        job = {.taken_us = g_get_real_time(), .reply = g_strdup(bus_message_reply(message))};
    const char *wire = bus_message_header(message, "Scopestream-Wire");
    if (wire != NULL && !g_str_equal(wire, G_STRINGIFY(DESCRIPTOR_WIRE_VERSION))) {
        log_warning("a frame of wire version %.20s is left to newer workers", wire);
        bus_nak(worker->control, job.reply, UNKNOWN_WIRE_DELAY_MS, NULL);
        bus_message_free(message);
        return;
    }
    g_autoptr(GError) wrong = NULL;
    g_autofree char *subject = g_strdup(bus_message_subject(message));
    gsize length;
    bus_message_data(message, &length);
    length = json_length_of(message, length);
    g_autoptr(GBytes) body = bus_message_into_bytes(message);
    job.descriptor = descriptor_from_body(body, length, &wrong);
    if (job.descriptor == NULL) {
        log_error("%.120s: %s", subject, wrong->message);
        tell_unreadable(worker, subject, wrong);
        bus_ack(worker->control, job.reply, NULL);
        return;
    }
    metrics_add(scopestream_features_frames_taken_total, NULL, 1);
    metrics_add(scopestream_features_frames_redelivered_total, NULL,
                bus_delivery_count(job.reply) > 1);
    slot_take(worker->slot, &job.descriptor->frame->id, job.reply);
    work_on(worker, &job);
    slot_clear(worker->slot);
}

/* --- the process --- */

static char *status_text(const Worker *worker) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    program_introduce(builder, "features", worker->started_us);
    json_write_text(builder, "pipeline", worker->settings->pipeline);
    json_write_count(builder, "job", worker->job);
    json_write_count(builder, "jobs", worker->board->jobs);
    json_write_count(builder, "measuring", atomic_load(&worker->slot->stage) != SLOT_EMPTY);
    json_write_count(builder, "measured", (gint64)atomic_load(&worker->slot->measured));
    json_write_count(builder, "broken", (gint64)atomic_load(&worker->slot->broken));
    json_write_count(builder, "deaths", (gint64)atomic_load(&worker->board->deaths_total));
    json_builder_end_object(builder);
    return json_write_finish(builder, NULL);
}

static void answer_status(BusMessage *message, void *context) {
    g_autoptr(BusMessage) request = message;
    Worker *worker = context;
    if (bus_message_reply(request) == NULL)
        return;
    g_autofree char *answer = status_text(worker);
    bus_publish(worker->control, bus_message_reply(request), NULL, answer, strlen(answer), NULL);
}

/* Tells the queue that a frame that takes long is still in hand. Its own thread: the other one is
 * inside a decoder. */
static gpointer keep_in_hand(gpointer data) {
    Worker *worker = data;
    char reply[SLOT_REPLY_LIMIT];
    while (program_sleep(STILL_WORKING_MS)) {
        if (atomic_load(&worker->slot->stage) == SLOT_EMPTY ||
            g_get_monotonic_time() - worker->slot->started_us < STILL_WORKING_MS * 1000)
            continue;
        g_strlcpy(reply, worker->slot->reply, sizeof reply);
        bus_still_working(worker->control, reply, NULL);
    }
    return NULL;
}

/* What a predecessor had in hand when it died goes back into the queue now, not after the queue's
 * own patience. */
static void give_back_orphan(Worker *worker) {
    Slot *slot = worker->slot;
    if (*slot->orphan != '\0' && bus_nak(worker->control, slot->orphan, 0, NULL))
        *slot->orphan = '\0';
}

/* On every new connection: the streams may be gone with the server's disk. */
static bool prepare_streams(Worker *worker, GError **error) {
    guint generation = bus_generation(worker->control);
    if (generation == worker->generation)
        return true;
    BusStream frames = bus_stream_frames(worker->settings, worker->settings->pipeline);
    BusStream results = bus_stream_results(worker->settings);
    if (!bus_ensure_stream(worker->control, &frames, error) ||
        !bus_ensure_stream(worker->control, &results, error))
        return false;
    worker->generation = generation;
    gsize limit_bytes = bus_max_payload(worker->control);
    worker->payload_limit_bytes = limit_bytes > 0 ? limit_bytes : G_MAXSIZE; /* it has just gone */
    atomic_store(&worker->board->were_right, 1);
    tell_catalogue(worker);
    return true;
}

/* What can come back is waited for, and told once, and again when only a person can bring it back.
 * What was right once may become right again: a server that came up with the wrong configuration
 * must not cost us the workers. */
static void wait_for(Worker *worker, GError *wrong) {
    bool needs_person = fault_is(wrong, FAULT_USAGE);
    if (needs_person && !atomic_load(&worker->board->were_right)) {
        worker->wrong_settings = true;
        g_strlcpy(worker->board->wrong, wrong->message, sizeof worker->board->wrong);
    } else if (worker->job == 0 && (!worker->away || (needs_person && !worker->needs_person))) {
        log_warning("waiting: %s", wrong->message);
    }
    atomic_store(&worker->slot->connected, 0);
    worker->away = true;
    worker->needs_person = needs_person || worker->needs_person;
    worker->generation = 0; /* the consumer may be missing: look again */
    g_error_free(wrong);
    program_sleep(RETRY_PAUSE_MS);
}

static bool open_all(Worker *worker, GError **error) {
    worker->pipeline = pipeline_new(worker->settings, worker->settings->pipeline, error);
    if (worker->pipeline == NULL)
        return false;
    if (worker->job == 0) /* the others see the same files */
        tell_news(worker);
    else
        g_strfreev(pipeline_take_news(worker->pipeline));
    worker->control = bus_open(worker->settings, "features-control", error);
    worker->bulk =
        worker->control != NULL ? bus_open(worker->settings, "features-bulk", error) : NULL;
    worker->desk =
        worker->bulk != NULL ? delivery_desk_open(worker->settings, worker->bulk, error) : NULL;
    g_autofree char *consumer = g_strconcat("workers_", worker->settings->pipeline, NULL);
    worker->pull =
        worker->desk != NULL ? bus_pull_open(worker->control, "FRAMES", consumer, error) : NULL;
    return worker->pull != NULL && vips_start(error) &&
           bus_subscribe(worker->control, "scopestream.status", NULL, answer_status, worker, error);
}

static void close_all(Worker *worker) {
    bus_pull_close(worker->pull);
    delivery_desk_close(worker->desk);
    bus_close(worker->bulk);
    bus_close(worker->control);
    pipeline_free(worker->pipeline);
    g_free(worker->name);
}

/* Wait, take one, do one. */
static void work(Worker *worker) {
    while (!program_stopping() && !worker->wrong_settings) {
        GError *wrong = NULL;
        BusMessage *message = NULL;
        if (bus_wait(worker->control, CONNECT_TIMEOUT_MS, &wrong) &&
            prepare_streams(worker, &wrong)) {
            give_back_orphan(worker);
            message = bus_pull_next(worker->pull, 1, PULL_TIMEOUT_MS, &wrong);
        }
        if (wrong != NULL) {
            wait_for(worker, wrong);
            continue;
        }
        if (worker->away && worker->job == 0)
            log_info("at work: connected to %s", worker->settings->nats_url);
        worker->away = worker->needs_person = false;
        atomic_store(&worker->slot->connected, 1);
        if (message != NULL)
            take(worker, message);
    }
}

int worker_run(const Settings *settings, Board *board, guint job) {
    Worker worker = {
        .settings = settings,
        .board = board,
        .slot = &board->slots[job],
        .job = job,
        .name = g_strdup_printf("%s/%d", g_get_host_name(), getpid()),
        .started_us = g_get_real_time(),
    };
    g_autoptr(GError) error = NULL;
    program_keep_memory();
    if (!open_all(&worker, &error)) {
        g_strlcpy(board->wrong, error->message, sizeof board->wrong);
        close_all(&worker);
        return EXIT_WRONG_USE;
    }
    GThread *keeper = g_thread_new("keep-in-hand", keep_in_hand, &worker);
    work(&worker);
    program_stop(); /* the keeper sleeps */
    g_thread_join(keeper);
    close_all(&worker);
    return worker.wrong_settings ? EXIT_WRONG_USE : EXIT_SUCCESS;
}
