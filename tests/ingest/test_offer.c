#include "ingest/offer.h"
#include "ingest/report.h"
#include "ingest/serve.h"
#include "stream/json_read.h"
#include "tests/ingest/folder.h"
#include "tests/nats_server.h"
#include "tests/suite.h"
#include <string.h>

/* A server, an ingest without its loop, and a store that is asked what it has. */
static NatsServer server;
static char *folder;
static Settings *settings;
static Journal *journal;
static Bus *control, *bulk, *others; /* others: worker and store */
static Serve *serve;
static DeliveryOffice *office;
static Offer *offer;

/* What the store has: everything, or nothing; and what it was asked. */
static gint has_everything, questions; /* atomic */

static void store_answers(BusMessage *message, void *unused) {
    g_autoptr(BusMessage) question = message;
    gsize length;
    const guint8 *data = bus_message_data(question, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = json_read_object(parser, data, length, NULL);
    JsonArray *frames = json_read_member_array(object, "frames");
    g_autoptr(GString) answer = g_string_new("{\"stored\": [");
    for (guint index = 0;
         g_atomic_int_get(&has_everything) && index < json_array_get_length(frames); index++) {
        JsonObject *frame = json_array_get_object_element(frames, index);
        g_string_append_printf(answer, "%s\"%s\"", index > 0 ? "," : "",
                               json_read_member_text(frame, "frame_id"));
    }
    g_string_append(answer, "]}");
    g_atomic_int_inc(&questions);
    bus_publish(others, bus_message_reply(question), NULL, answer->str, answer->len, NULL);
}

/* pipelines: as in the settings. */
static void ingest_begin(const char *pipelines) {
    settings_set(settings, "pipelines", pipelines, NULL);
    g_auto(GStrv) names = settings_pipeline_names(settings);
    g_autofree char *file = g_build_filename(folder, "journal.sqlite", NULL);
    journal = journal_open(file, names, NULL);
    control = bus_open(settings, "test-control", NULL);
    bulk = bus_open(settings, "test-bulk", NULL);
    serve = serve_new(settings, journal);
    office =
        delivery_office_open(settings, bulk, journal_secret(journal), serve_lookup, serve, NULL);
    offer = offer_start(settings, journal, control, office, NULL);
    ck_assert_ptr_nonnull(offer);
}

static void ingest_end(void) {
    offer_stop(offer);
    bus_close(control);
    bus_close(bulk);
    delivery_office_close(office);
    offer_free(offer);
    serve_free(serve);
    journal_close(journal);
}

static void begin_for(const char *pipelines, gint64 frames_limit_messages,
                      gint64 reconcile_interval_ms) {
    server = nats_server_start();
    settings = nats_server_settings(&server);
    folder = folder_new();
    folder_make(folder, "out");
    g_autofree char *source = g_strdup_printf("m=%s/out", folder);
    settings_set(settings, "source", source, NULL);
    settings->frames_limit_messages = frames_limit_messages;
    settings->reconcile_interval_ms = reconcile_interval_ms;
    others = bus_open(settings, "test-others", NULL);
    ck_assert(bus_wait(others, 10000, NULL));
    ingest_begin(pipelines);
}

static void begin_with(gint64 frames_limit_messages, gint64 reconcile_interval_ms) {
    begin_for("quality", frames_limit_messages, reconcile_interval_ms);
}

static void begin(void) {
    begin_with(100000, 300);
}

static void end(void) {
    ingest_end();
    bus_close(others);
    settings_free(settings);
    folder_free(folder);
    nats_server_stop(&server);
}

static void begin_with_store(bool with_everything) {
    begin();
    has_everything = with_everything;
    ck_assert(bus_subscribe(others, "scopestream.have", "store", store_answers, NULL, NULL));
}

/* Writes number files and their frames into the journal. age_s: of the files. */
static void add_files(guint number, gint64 age_s) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    for (guint index = 0; index < number; index++) {
        g_autofree char *name = g_strdup_printf("%u.tif", index);
        g_autofree char *path = g_strconcat("out/", name, NULL);
        folder_write_tiff(folder, path, (guint8)index);
        FileSight sight;
        ck_assert(file_look(settings->sources[0]->folder, name, &sight, NULL));
        Frame *frame = frame_new();
        frame_set_text(&frame->source, "m");
        frame_set_text(&frame->path, name);
        frame->size_bytes = sight.size_bytes;
        frame->mtime_ns = sight.mtime_ns - age_s * 1000000000;
        frame->closed_us = g_get_real_time();
        frame_identify(frame);
        GPtrArray *frames = g_ptr_array_new_with_free_func((GDestroyNotify)frame_free);
        g_ptr_array_add(frames, frame);
        g_ptr_array_add(files, frames);
    }
    ck_assert(journal_add(journal, files, NULL));
    offer_wake(offer);
}

static JournalCounts counts_of(const char *pipeline) {
    JournalCounts now;
    ck_assert(journal_count(journal, pipeline, "m", &now, NULL));
    return now;
}

static bool until_counts_of(const char *pipeline, gint64 waiting, gint64 queued, gint64 stored) {
    for (int turn = 0; turn < 1000; turn++) {
        JournalCounts now = counts_of(pipeline);
        if (now.waiting == waiting && now.queued == queued && now.stored == stored)
            return true;
        g_usleep(10000);
    }
    JournalCounts now = counts_of(pipeline);
    ck_abort_msg("%s: waiting %d, queued %d, stored %d", pipeline, (int)now.waiting,
                 (int)now.queued, (int)now.stored);
    return false;
}

static bool until_counts(gint64 waiting, gint64 queued, gint64 stored) {
    return until_counts_of("quality", waiting, queued, stored);
}

static Descriptor *take(BusPull *pull) {
    g_autoptr(BusMessage) message = bus_pull_next(pull, 1, 5000, NULL);
    ck_assert_ptr_nonnull(message);
    ck_assert_str_eq(bus_message_header(message, "Scopestream-Wire"), "1");
    ck_assert(bus_ack(others, bus_message_reply(message), NULL));
    g_autofree char *told = g_strdup(bus_message_subject(message));
    const char *json_length = bus_message_header(message, "Scopestream-Json");
    g_autoptr(GBytes) body = bus_message_into_bytes(g_steal_pointer(&message));
    gsize length = json_length == NULL ? g_bytes_get_size(body) : (gsize)atol(json_length);
    Descriptor *descriptor = descriptor_from_body(body, length, NULL);
    ck_assert_ptr_nonnull(descriptor);
    g_autofree char *subject = g_strdup_printf("scopestream.frame.%s.m", descriptor->pipeline);
    ck_assert_str_eq(told, subject);
    return descriptor;
}

static BusPull *pull_open_for(const char *pipeline) {
    g_autofree char *consumer = g_strconcat("workers_", pipeline, NULL);
    BusPull *pull = bus_pull_open(others, "FRAMES", consumer, NULL);
    ck_assert_ptr_nonnull(pull);
    return pull;
}

static BusPull *pull_open(void) {
    return pull_open_for("quality");
}

static guint64 messages_in_queue(void) {
    BusStreamState state;
    ck_assert(bus_stream_state(others, "FRAMES", NULL, &state, NULL));
    return state.messages;
}

START_TEST(what_waits_is_offered_in_order_with_its_bytes) {
    begin();
    add_files(600, 0);
    ck_assert(until_counts(0, 600, 0));
    BusPull *pull = pull_open();
    for (guint index = 0; index < 3; index++) {
        g_autoptr(Descriptor) descriptor = take(pull);
        g_autofree char *name = g_strdup_printf("%u.tif", index);
        ck_assert_str_eq(descriptor->frame->path, name);
        ck_assert_uint_eq(descriptor->attempt, 1);
        ck_assert_str_eq(descriptor->fetch_subject, "scopestream.fetch.m");
        ck_assert_ptr_nonnull(descriptor->inline_bytes);
        ck_assert_uint_eq(((const guint8 *)g_bytes_get_data(descriptor->inline_bytes, NULL))[8],
                          (guint8)index);
    }
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_file_that_is_gone_is_offered_without_bytes) {
    begin();
    folder_remove(folder, "out");
    folder_make(folder, "out");
    add_files(1, 100); /* of another time than announced: changed */
    ck_assert(until_counts(0, 1, 0));
    BusPull *pull = pull_open();
    g_autoptr(Descriptor) descriptor = take(pull);
    ck_assert_ptr_null(descriptor->inline_bytes);
    ck_assert_str_eq(descriptor->fetch_subject, "scopestream.fetch.m");
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(word_of_the_store_marks_frames_as_stored) {
    begin();
    add_files(2, 0);
    ck_assert(until_counts(0, 2, 0));
    BusPull *pull = pull_open();
    g_autoptr(Descriptor) first = take(pull);
    char id[FRAME_ID_TEXT_LENGTH + 1];
    g_autofree char *word =
        g_strdup_printf("{\"pipeline\": \"quality\", \"frame_ids\": [\"%s\", 7, \"nonsense\"]}",
                        frame_id_text(&first->frame->id, id));
    g_autofree char *other = g_strdup_printf("{\"pipeline\": \"x\", \"frame_ids\": [\"%s\"]}", id);
    const char *words[] = {"no JSON", "[]", "{}", other, word};
    for (guint index = 0; index < G_N_ELEMENTS(words); index++)
        bus_publish(others, "scopestream.stored.m", NULL, words[index], strlen(words[index]), NULL);
    ck_assert(until_counts(0, 1, 1));
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(old_files_with_rows_are_not_offered) {
    begin_with_store(true);
    add_files(700, 3600);
    ck_assert(until_counts(0, 0, 700));
    BusStreamState state;
    ck_assert(bus_stream_state(others, "FRAMES", NULL, &state, NULL));
    ck_assert_uint_eq(state.last_sequence, 0);
    end();
}
END_TEST

START_TEST(new_files_are_offered_without_asking) {
    begin_with(100000, 60000);
    g_atomic_int_set(&has_everything, true);
    ck_assert(bus_subscribe(others, "scopestream.have", "store", store_answers, NULL, NULL));
    add_files(1, -10);
    ck_assert(until_counts(0, 1, 0));
    ck_assert_int_eq(g_atomic_int_get(&questions), 0);
    end();
}
END_TEST

START_TEST(a_frame_that_left_the_queue_without_a_row_is_offered_again) {
    begin_with_store(false);
    add_files(2, 0);
    ck_assert(until_counts(0, 2, 0));
    BusPull *pull = pull_open();
    descriptor_free(take(pull)); /* acknowledged, and never told of again */
    g_autoptr(Descriptor) second = take(pull);
    g_autoptr(Descriptor) again = take(pull);
    ck_assert_uint_eq(again->attempt, 2);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_frame_that_left_the_queue_with_a_row_is_stored) {
    begin_with_store(true);
    add_files(2, -10);
    ck_assert(until_counts(0, 0, 2)); /* asked about after the reconcile interval */
    end();
}
END_TEST

START_TEST(offers_are_held_back_until_the_server_returns) {
    begin();
    add_files(1, 0);
    ck_assert(until_counts(0, 1, 0));
    nats_server_kill(&server);
    add_files(3, 1);
    char *why = NULL;
    for (int turn = 0; turn < 500 && why == NULL; turn++) {
        g_usleep(10000);
        why = offer_holding(offer);
    }
    ck_assert_ptr_nonnull(why);
    g_free(why);
    nats_server_run(&server);
    ck_assert(until_counts(0, 4, 0));
    end();
}
END_TEST

START_TEST(offers_of_a_deleted_queue_are_made_again) {
    begin_with_store(false);
    add_files(5, 0);
    ck_assert(until_counts(0, 5, 0));
    nats_server_kill(&server);
    folder_delete(server.folder);
    g_mkdir(server.folder, 0700);
    nats_server_run(&server);
    BusStreamState state = {0};
    for (int turn = 0; turn < 1500 && state.messages < 5; turn++) {
        g_usleep(10000);
        bus_stream_state(others, "FRAMES", NULL, &state, NULL);
    }
    ck_assert_uint_eq(state.messages, 5);
    BusPull *pull = pull_open();
    g_autoptr(Descriptor) again = take(pull);
    ck_assert_uint_eq(again->attempt, 2);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_queue_deleted_on_a_running_server_is_made_again) {
    begin_with_store(false);
    add_files(2, 0);
    ck_assert(until_counts(0, 2, 0));
    g_autoptr(BusMessage) deleted =
        bus_request(others, "$JS.API.STREAM.DELETE.FRAMES", NULL, "", 0, 2000, NULL);
    ck_assert_ptr_nonnull(deleted);
    add_files(3, 1);
    BusStreamState state = {0};
    for (int turn = 0; turn < 1500 && state.messages < 5; turn++) {
        g_usleep(10000);
        bus_stream_state(others, "FRAMES", NULL, &state, NULL);
    }
    ck_assert_uint_eq(state.messages, 5);
    end();
}
END_TEST

START_TEST(a_full_queue_holds_back_and_nothing_is_lost) {
    begin_with(3, 300);
    add_files(5, 0);
    ck_assert(until_counts(2, 3, 0));
    BusPull *pull = pull_open();
    for (guint taken = 0; taken < 5; taken++)
        descriptor_free(take(pull));
    ck_assert(until_counts(0, 5, 0));
    bus_pull_close(pull);
    end();
}
END_TEST

/* --- several pipelines --- */

START_TEST(every_frame_is_offered_to_each_pipeline) {
    begin_for("quality,second", 100000, 300);
    add_files(600, 0);
    ck_assert(until_counts_of("quality", 0, 600, 0));
    ck_assert(until_counts_of("second", 0, 600, 0));
    const char *names[] = {"quality", "second"};
    for (guint index = 0; index < 2; index++) {
        BusPull *pull = pull_open_for(names[index]);
        g_autoptr(Descriptor) descriptor = take(pull);
        ck_assert_str_eq(descriptor->pipeline, names[index]);
        ck_assert_str_eq(descriptor->frame->path, "0.tif");
        ck_assert_uint_eq(descriptor->attempt, 1);
        ck_assert_ptr_nonnull(descriptor->inline_bytes);
        bus_pull_close(pull);
    }
    end();
}
END_TEST

START_TEST(word_of_the_store_is_about_one_pipeline) {
    begin_for("quality,second", 100000, 300);
    add_files(2, 0);
    ck_assert(until_counts_of("second", 0, 2, 0));
    BusPull *pull = pull_open_for("second");
    g_autoptr(Descriptor) first = take(pull);
    char id[FRAME_ID_TEXT_LENGTH + 1];
    g_autofree char *word = g_strdup_printf("{\"pipeline\": \"second\", \"frame_ids\": [\"%s\"]}",
                                            frame_id_text(&first->frame->id, id));
    bus_publish(others, "scopestream.stored.m", NULL, word, strlen(word), NULL);
    ck_assert(until_counts_of("second", 0, 1, 1));
    ck_assert(until_counts_of("quality", 0, 2, 0));
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_pipeline_without_workers_leaves_room_for_the_others) {
    begin_for("quality,second", 10, 300);
    add_files(9, 0);
    ck_assert(until_counts_of("quality", 4, 5, 0));
    ck_assert(until_counts_of("second", 4, 5, 0));
    BusPull *pull = pull_open();
    for (guint taken = 0; taken < 9; taken++)
        descriptor_free(take(pull));
    ck_assert(until_counts_of("quality", 0, 9, 0));
    ck_assert(until_counts_of("second", 4, 5, 0));
    g_autofree char *why = offer_holding(offer);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, "second") != NULL && strstr(why, "quality") == NULL, "%s", why);
    bus_pull_close(pull);
    pull = pull_open_for("second");
    for (guint taken = 0; taken < 9; taken++)
        descriptor_free(take(pull));
    ck_assert(until_counts_of("second", 0, 9, 0));
    bus_pull_close(pull);
    end();
}
END_TEST

static guint64 messages_of(const char *consumer) {
    BusStreamState state;
    ck_assert(bus_stream_state(others, "FRAMES", consumer, &state, NULL));
    return state.consumer_messages;
}

/* Its messages stand before all others in the queue. */
START_TEST(lost_frames_are_found_while_another_pipeline_has_no_workers) {
    begin_for("second", 100000, 300);
    has_everything = false;
    ck_assert(bus_subscribe(others, "scopestream.have", "store", store_answers, NULL, NULL));
    add_files(2, 0);
    ck_assert(until_counts_of("second", 0, 2, 0));
    ingest_end();
    ingest_begin("quality,second");
    add_files(3, 1); /* others */
    ck_assert(until_counts_of("quality", 0, 3, 0));
    BusPull *pull = pull_open();
    descriptor_free(take(pull)); /* acknowledged, and never told of again */
    descriptor_free(take(pull));
    for (int turn = 0; turn < 500 && messages_of("workers_quality") < 3; turn++)
        g_usleep(10000);
    ck_assert_uint_eq(messages_of("workers_quality"), 3);
    g_autoptr(Descriptor) third = take(pull);
    g_autoptr(Descriptor) again = take(pull);
    ck_assert_uint_eq(third->attempt, 1);
    ck_assert_uint_eq(again->attempt, 2);
    ck_assert_uint_eq(messages_of("workers_second"), 5);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(messages_of_an_abandoned_pipeline_leave_the_queue) {
    begin_for("quality,second", 100000, 300);
    has_everything = false;
    ck_assert(bus_subscribe(others, "scopestream.have", "store", store_answers, NULL, NULL));
    add_files(3, 0);
    ck_assert(until_counts_of("quality", 0, 3, 0));
    ck_assert(until_counts_of("second", 0, 3, 0));
    ingest_end();
    ingest_begin("second");
    for (int turn = 0; turn < 500 && messages_in_queue() > 3; turn++)
        g_usleep(10000);
    ck_assert_uint_eq(messages_in_queue(), 3);
    BusPull *pull = pull_open_for("second");
    descriptor_free(take(pull));
    bus_pull_close(pull);
    ingest_end();
    ingest_begin("quality,second"); /* it returns */
    ck_assert(until_counts_of("quality", 0, 3, 0));
    pull = pull_open();
    g_autoptr(Descriptor) returned = take(pull);
    ck_assert_uint_eq(returned->attempt, 2);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(events_reach_their_stream_and_are_forgotten) {
    begin();
    ck_assert(journal_tell(journal, "m", "{\"kind\": \"event\"}", NULL));
    offer_wake(offer);
    GPtrArray *events = NULL;
    for (int turn = 0; turn < 500; turn++) {
        g_clear_pointer(&events, g_ptr_array_unref);
        events = journal_events(journal, 10, NULL);
        if (events->len == 0)
            break;
        g_usleep(10000);
    }
    ck_assert_uint_eq(events->len, 0);
    g_ptr_array_unref(events);
    BusPull *pull = bus_pull_open(others, "RESULTS", "store", NULL);
    g_autoptr(BusMessage) message = bus_pull_next(pull, 1, 5000, NULL);
    ck_assert_ptr_nonnull(message);
    ck_assert_str_eq(bus_message_subject(message), "scopestream.event.m");
    bus_pull_close(pull);
    end();
}
END_TEST

static void expect_count(JsonObject *object, const char *name, gint64 count) {
    ck_assert_msg(json_read_member_count(object, name, -1) == count, "%s: %d", name,
                  (int)json_read_member_count(object, name, -1));
}

START_TEST(the_status_tells_where_the_frames_are) {
    begin_for("quality,second", 100000, 300);
    GError *error = NULL;
    Report *report = report_open(settings, journal, offer, control, &error);
    ck_assert_ptr_nonnull(report);
    add_files(3, 0);
    ck_assert(until_counts_of("second", 0, 3, 0));
    g_autoptr(GPtrArray) queued =
        journal_queued(journal, "second", 0, G_MAXUINT64, G_MAXINT64, 1, NULL);
    FrameId id = ((JournalOffer *)g_ptr_array_index(queued, 0))->frame->id;
    ck_assert(journal_set_stored(journal, "second", &id, 1, NULL, NULL));
    FileSight sight = {.size_bytes = 1};
    journal_add_unfinished(journal, "m", "broken.tif", &sight, "no end", "{}", NULL);
    BusMessage *answer = NULL;
    for (int turn = 0; turn < 50 && answer == NULL; turn++)
        answer = bus_request(others, "scopestream.status", NULL, "", 0, 2000, NULL);
    ck_assert_ptr_nonnull(answer);
    gsize length;
    const guint8 *data = bus_message_data(answer, &length);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *status = json_read_object(parser, data, length, NULL);
    ck_assert_str_eq(json_read_member_text(status, "program"), "ingest");
    JsonObject *source =
        json_array_get_object_element(json_read_member_array(status, "sources"), 0);
    ck_assert_str_eq(json_read_member_text(source, "name"), "m");
    expect_count(source, "offered", 5);
    expect_count(source, "stored", 1);
    expect_count(source, "unfinished", 1);
    JsonArray *pipelines = json_read_member_array(source, "pipelines");
    ck_assert_uint_eq(json_array_get_length(pipelines), 2);
    JsonObject *second = json_array_get_object_element(pipelines, 1);
    ck_assert_str_eq(json_read_member_text(second, "name"), "second");
    expect_count(second, "offered", 2);
    expect_count(second, "stored", 1);
    JsonObject *file = json_array_get_object_element(json_read_member_array(source, "files"), 0);
    ck_assert_str_eq(json_read_member_text(file, "path"), "broken.tif");
    ck_assert_str_eq(json_read_member_text(file, "reason"), "no end");
    bus_message_free(answer);
    offer_stop(offer);
    bus_close(g_steal_pointer(&control));
    report_free(report);
    end();
}
END_TEST

static Fault lookup_fault(const FrameId *id) {
    g_autoptr(GError) error = NULL;
    g_autoptr(FrameBytes) bytes = serve_lookup(id, serve, &error);
    ck_assert_ptr_null(bytes);
    ck_assert_int_eq(error->domain, FAULT);
    return (Fault)error->code;
}

START_TEST(bytes_are_given_only_as_they_were_announced) {
    begin();
    add_files(1, 0);
    g_autoptr(GPtrArray) none = NULL;
    FileSight sight;
    ck_assert(file_look(settings->sources[0]->folder, "0.tif", &sight, NULL));
    FrameId id = frame_id_make("m", "0.tif", sight.size_bytes, sight.mtime_ns, 0);
    FrameId unknown = frame_id_make("m", "0.tif", sight.size_bytes, sight.mtime_ns, 1);
    GError *error = NULL;
    g_autoptr(FrameBytes) bytes = serve_lookup(&id, serve, &error);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(frame_bytes_total(bytes), sight.size_bytes);

    ck_assert_int_eq(lookup_fault(&unknown), FAULT_AGAIN); /* not everything is known yet */
    serve_set_complete(serve, true);
    ck_assert_int_eq(lookup_fault(&unknown), FAULT_VANISHED);
    folder_write_tiff(folder, "out/0.tif", 99);
    ck_assert_int_eq(lookup_fault(&id), FAULT_VANISHED);
    folder_remove(folder, "out/0.tif");
    ck_assert_int_eq(lookup_fault(&id), FAULT_AGAIN); /* nobody has seen the folder yet */
    struct stat status;
    ck_assert_int_eq(stat(settings->sources[0]->folder, &status), 0);
    FileSight root = file_sight(&status), other = root;
    serve_set_root(serve, 0, &root);
    ck_assert_int_eq(lookup_fault(&id), FAULT_VANISHED);
    other.device++; /* the bare mount point of a disk that is unmounted */
    serve_set_root(serve, 0, &other);
    ck_assert_int_eq(lookup_fault(&id), FAULT_AGAIN);
    serve_set_root(serve, 0, &root);
    folder_remove(folder, "out");
    ck_assert_int_eq(lookup_fault(&id), FAULT_AGAIN); /* the whole source is away */
    end();
}
END_TEST

SUITE("offer", what_waits_is_offered_in_order_with_its_bytes,
      a_file_that_is_gone_is_offered_without_bytes, word_of_the_store_marks_frames_as_stored,
      old_files_with_rows_are_not_offered, new_files_are_offered_without_asking,
      a_frame_that_left_the_queue_without_a_row_is_offered_again,
      a_frame_that_left_the_queue_with_a_row_is_stored,
      offers_are_held_back_until_the_server_returns, offers_of_a_deleted_queue_are_made_again,
      a_queue_deleted_on_a_running_server_is_made_again,
      a_full_queue_holds_back_and_nothing_is_lost, every_frame_is_offered_to_each_pipeline,
      word_of_the_store_is_about_one_pipeline,
      a_pipeline_without_workers_leaves_room_for_the_others,
      lost_frames_are_found_while_another_pipeline_has_no_workers,
      messages_of_an_abandoned_pipeline_leave_the_queue,
      events_reach_their_stream_and_are_forgotten, the_status_tells_where_the_frames_are,
      bytes_are_given_only_as_they_were_announced)
