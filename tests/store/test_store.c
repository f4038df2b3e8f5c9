/* The loop, as a process of its own between a real NATS and a real PostgreSQL. */
#include "store/store.h"
#include "stream/bus.h"
#include "stream/json_read.h"
#include "tests/nats_server.h"
#include "tests/store/cluster.h"
#include "tests/store/documents.h"
#include "tests/store/http_receiver.h"
#include "tests/suite.h"

typedef struct {
    NatsServer nats;
    Settings *settings;
    Bus *bus;
    Postgres *admin;
    pid_t store; /* 0: not running */
} Place;

static void store_start(Place *place) {
    place->store = fork();
    if (place->store != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(store_command(place->settings, (char *[]){NULL}));
}

/* Ends it as a service manager would; returns its exit status. */
static int store_end(Place *place) {
    int status;
    kill(place->store, SIGKILL);
    ck_assert_int_eq(waitpid(place->store, &status, 0), place->store);
    place->store = 0;
    return status;
}

/* sections: more of a settings file. */
static Place place_make_with(const char *sections) {
    Place place = {.nats = nats_server_start()};
    g_autofree char *address = cluster_database();
    place.settings = nats_server_settings(&place.nats);
    g_free(place.settings->postgres);
    place.settings->postgres = g_strdup(address);
    ck_assert(settings_read_text(place.settings, sections, "test.conf", NULL));
    place.admin = cluster_connect(address);
    store_start(&place); /* before this process has threads of NATS */
    place.bus = bus_open(place.settings, "test", NULL);
    ck_assert(bus_wait(place.bus, 10000, NULL));
    return place;
}

static Place place_make(void) {
    return place_make_with("");
}

static void place_clear(Place *place) {
    if (place->store != 0)
        store_end(place);
    bus_close(place->bus);
    nats_server_stop(&place->nats);
    postgres_free(place->admin);
    settings_free(place->settings);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* Into RESULTS, as a worker does; takes over text. */
static void publish(Place *place, char *text) {
    BusStream results = bus_stream_results(place->settings);
    ck_assert(bus_ensure_stream(place->bus, &results, NULL));
    BusPublication publication = {
        .subject = "scopestream.result.quality.scope", .data = text, .length = strlen(text)};
    ck_assert_uint_eq(bus_publish_durably(place->bus, &publication, 1, 5000), 1);
    g_free(text);
}

/* Looks for up to 15 s whether sql answers expected. */
/* Longer than the ack wait of RESULTS, 60 s: nats-server 2.9.10 can forget a delayed nak, and then
 * the message comes again only when that is over. */
static void wait_for(Postgres *postgres, const char *sql, const char *expected) {
    for (int look = 0; look < 1600; look++) {
        g_autofree char *answer = cluster_answer(postgres, sql);
        if (g_str_equal(answer, expected))
            return;
        g_usleep(50000);
    }
    cluster_expect(postgres, sql, expected);
}

static void wait_until_acknowledged(Place *place) {
    BusStreamState state = {.messages = 1};
    for (int look = 0; look < 200 && state.messages > 0; look++) {
        g_usleep(50000);
        ck_assert(bus_stream_state(place->bus, "RESULTS", NULL, &state, NULL));
    }
    ck_assert_uint_eq(state.messages, 0);
}

static void keep_stored(BusMessage *message, void *context) {
    gsize length;
    const guint8 *body = bus_message_data(message, &length);
    g_async_queue_push(context, g_strndup((const char *)body, length));
    bus_message_free(message);
}

START_TEST(a_result_is_stored_acknowledged_and_told) {
    g_auto(Place) place = place_make();
    g_autoptr(GAsyncQueue) told = g_async_queue_new_full(g_free);
    ck_assert(bus_subscribe(place.bus, "scopestream.stored.scope", NULL, keep_stored, told, NULL));
    publish(&place, documents_result(1, "ok", "{\"mean\": 3}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    wait_until_acknowledged(&place);
    g_autofree char *words = g_async_queue_timeout_pop(told, 5 * G_USEC_PER_SEC);
    g_autoptr(Frame) frame = documents_frame(1);
    char id[FRAME_ID_TEXT_LENGTH + 1];
    g_autofree char *expected = g_strdup_printf("{\"pipeline\":\"quality\",\"frame_ids\":[\"%s\"]}",
                                                frame_id_text(&frame->id, id));
    ck_assert_ptr_nonnull(words);
    ck_assert_str_eq(words, expected);
    bus_close(place.bus); /* its thread writes into told */
    place.bus = NULL;
}
END_TEST

START_TEST(nonsense_is_kept_acknowledged_and_holds_nobody_up) {
    g_auto(Place) place = place_make();
    publish(&place, g_strdup("nonsense"));
    publish(&place, documents_result(1, "ok", "{}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    wait_for(place.admin, "select document from scopestream.rejected", "nonsense");
    wait_until_acknowledged(&place);
}
END_TEST

START_TEST(results_that_came_while_postgresql_was_away_are_stored_when_it_is_back) {
    g_auto(Place) place = place_make();
    publish(&place, documents_result(1, "ok", "{}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    ck_assert(cluster_server_stop());
    for (int n = 2; n <= 20; n++)
        publish(&place, documents_result(n, "ok", "{}"));
    g_usleep(G_USEC_PER_SEC);
    ck_assert(cluster_server_start());
    postgres_disconnect(place.admin);
    ck_assert(postgres_connect(place.admin, 5000, NULL));
    wait_for(place.admin, "select count(*) from scopestream.frames", "20");
    wait_until_acknowledged(&place);
}
END_TEST

/* Kills the store in the middle of its work and starts another. */
static void store_replace(Place *place) {
    store_end(place);
    bus_close(place->bus); /* no threads across fork */
    store_start(place);
    place->bus = bus_open(place->settings, "test", NULL);
    ck_assert(bus_wait(place->bus, 10000, NULL));
}

START_TEST(a_killed_store_has_acknowledged_nothing_it_did_not_commit) {
    g_auto(Place) place = place_make();
    for (int n = 0; n < 90; n++) {
        publish(&place, documents_result(n, "ok", "{}"));
        if (n % 30 == 10) /* it is at work */
            wait_for(place.admin, "select max(site) >= 5 from scopestream.frames", "t");
        if (n % 30 == 20)
            store_replace(&place);
    }
    /* What the dead held is given out again after RESULTS' ack wait, too long to wait for here. But
     * whatever has no row yet is still in the stream. */
    BusStreamState state;
    ck_assert(bus_stream_state(place.bus, "RESULTS", NULL, &state, NULL));
    g_autofree char *rows = cluster_answer(place.admin, "select count(*) from scopestream.frames");
    ck_assert_int_ge(atoi(rows) + (int)state.messages, 90);
    ck_assert_int_gt(atoi(rows), 0);
}
END_TEST

/* Asks until somebody answers; the answer's text. */
static char *ask(Place *place, const char *subject, const char *question) {
    for (int attempt = 0; attempt < 100; attempt++) {
        g_autoptr(BusMessage) answer =
            bus_request(place->bus, subject, NULL, question, strlen(question), 5000, NULL);
        if (answer != NULL) {
            gsize length;
            const guint8 *body = bus_message_data(answer, &length);
            return g_strndup((const char *)body, length);
        }
        g_usleep(100000);
    }
    ck_abort_msg("nobody answers %s", subject);
    return NULL;
}

START_TEST(have_names_the_frames_with_rows_and_says_when_it_cannot) {
    g_auto(Place) place = place_make();
    publish(&place, documents_result(1, "broken", "{}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    g_autoptr(Frame) known = documents_frame(1);
    g_autoptr(Frame) unknown = documents_frame(2);
    char id[FRAME_ID_TEXT_LENGTH + 1], other[FRAME_ID_TEXT_LENGTH + 1];
    g_autofree char *question =
        g_strdup_printf("{\"pipeline\":\"quality\",\"frames\":["
                        "{\"frame_id\":\"%s\",\"acquired_at\":\"2026-03-01T00:00:01.000000Z\"},"
                        "{\"frame_id\":\"%s\",\"acquired_at\":\"2026-03-01T00:00:02.000000Z\"}]}",
                        frame_id_text(&known->id, id), frame_id_text(&unknown->id, other));
    g_autofree char *answer = ask(&place, "scopestream.have", question);
    g_autofree char *expected = g_strdup_printf("{\"stored\":[\"%s\"]}", id);
    ck_assert_str_eq(answer, expected);
    g_autofree char *puzzled = ask(&place, "scopestream.have", "[]");
    ck_assert_ptr_nonnull(strstr(puzzled, "\"error\""));

    ck_assert(cluster_server_stop());
    g_autofree char *away = ask(&place, "scopestream.have", question);
    ck_assert(cluster_server_start());
    ck_assert_ptr_nonnull(strstr(away, "{\"error\":\"PostgreSQL"));
}
END_TEST

START_TEST(status_is_answered_with_what_was_done) {
    g_auto(Place) place = place_make();
    publish(&place, documents_result(1, "ok", "{}"));
    publish(&place, g_strdup("nonsense"));
    wait_for(place.admin, "select count(*) from scopestream.rejected", "1");
    wait_until_acknowledged(&place);
    g_usleep(100000); /* it counts after it has acknowledged */
    g_autofree char *answer = ask(&place, "scopestream.status", "");
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *told = json_read_object(parser, answer, strlen(answer), NULL);
    ck_assert_str_eq(json_read_member_text(told, "program"), "store");
    ck_assert_str_eq(json_read_member_text(told, "database"), "connected");
    ck_assert_int_eq(json_read_member_count(told, "stored", -1), 1);
    ck_assert_int_eq(json_read_member_count(told, "rejected", -1), 1);
}
END_TEST

START_TEST(a_catalogue_that_met_a_long_query_comes_again) {
    g_auto(Place) place = place_make();
    ck_assert(postgres_run(place.admin, "begin; select count(*) from scopestream.features", NULL));
    publish(&place, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"mean\"}]}"));
    publish(&place, documents_result(1, "ok", "{\"mean\": 4}"));
    g_usleep(G_USEC_PER_SEC);
    ck_assert(postgres_run(place.admin, "commit", NULL));
    wait_for(place.admin, "select count(*) from scopestream.measures", "1");
    wait_for(place.admin, "select mean from scopestream.features", "4");
}
END_TEST

START_TEST(alerts_are_posted_to_webhooks_while_results_are_stored) {
    g_setenv("no_proxy", "127.0.0.1", TRUE);
    g_autoptr(HttpReceiver) receiver = http_receiver_listen(0);
    g_autofree char *sections =
        g_strdup_printf("[webhook chat]\nurl = http://127.0.0.1:%u/\n", receiver->port);
    g_auto(Place) place = place_make_with(sections);
    http_receiver_serve(receiver); /* its thread after the fork */
    wait_for(place.admin, "select count(*) from scopestream_data.webhook", "1");
    g_atomic_int_set(&receiver->hangs, 1);
    g_free(cluster_answer(place.admin, "insert into scopestream_data.message (kind, source, body) "
                                       "values ('alert', 'scope', '{\"kind\": \"alert\", "
                                       "\"severity\": \"critical\", \"title\": \"dark\"}')"));
    publish(&place, documents_result(1, "ok", "{}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    g_atomic_int_set(&receiver->hangs, 0);
    g_autofree char *request = http_receiver_next(receiver, 20);
    ck_assert_msg(request != NULL && strstr(request, "\"title\":\"dark\"") != NULL, "%s", request);
    wait_for(place.admin, "select count(*) from scopestream_data.webhook_post", "0");
}
END_TEST

START_TEST(a_message_no_server_takes_holds_up_no_other) {
    g_auto(Place) place = place_make();
    g_autoptr(GAsyncQueue) told = g_async_queue_new_full(g_free);
    ck_assert(bus_subscribe(place.bus, "scopestream.alert.scope", NULL, keep_stored, told, NULL));
    g_free(cluster_answer(place.admin, "insert into scopestream_data.message (kind, source, body) "
                                       "values ('alert', 'no name', '{}'), ('alert', '', '{}'), "
                                       "('alert', 'scope', '{\"n\": 3}')"));
    g_autofree char *words = g_async_queue_timeout_pop(told, 10 * G_USEC_PER_SEC);
    ck_assert_ptr_nonnull(words);
    ck_assert_str_eq(words, "{\"n\": 3}");
    wait_for(place.admin, "select count(*) from scopestream_data.message", "0");
    bus_close(place.bus); /* its thread writes into told */
    place.bus = NULL;
}
END_TEST

/* Somebody's open transaction: rules that are looked at, messages that are cleared away. */
static void expect_stored_while_locked(Place *place, int n, const char *lock) {
    g_autofree char *begin = g_strdup_printf("begin; %s", lock);
    g_autofree char *rows = g_strdup_printf("%d", n);
    Postgres *somebody = cluster_connect(place->settings->postgres);
    ck_assert(postgres_run(somebody, begin, NULL));
    g_usleep(2500000); /* the store looks at the clock meanwhile */
    publish(place, documents_result(n, "ok", "{}"));
    wait_for(place->admin, "select count(*) from scopestream.frames", rows);
    postgres_free(somebody);
}

START_TEST(what_steering_cannot_have_holds_up_no_row) {
    g_auto(Place) place = place_make();
    expect_stored_while_locked(&place, 1, "lock table scopestream_data.rule");
    expect_stored_while_locked(&place, 2, "lock table scopestream_data.message");
    expect_stored_while_locked(&place, 3, "select from scopestream_data.steering for update");
}
END_TEST

START_TEST(thumbnails_older_than_the_setting_are_dropped) {
    g_auto(Place) place = place_make_with("[store]\nkeep-thumbnails = 60d\n");
    publish(&place, documents_result(1, "ok", "{}"));
    wait_for(place.admin, "select count(*) from scopestream.frames", "1");
    store_end(&place);
    g_free(cluster_answer(place.admin,
                          "select scopestream_data.ensure_partitions('2020-05-01', '2020-06-01') + "
                          "scopestream_data.ensure_partitions(now() - interval '40 days', now())"));
    store_start(&place);
    wait_for(place.admin, "select count(*) from pg_class where relname ~ '^thumbnail_2020_0[56]$'",
             "0");
    cluster_expect(
        place.admin,
        "select count(*) > 1 from pg_class where relname ~ '^thumbnail_20\\d\\d_\\d\\d$' and "
        "relname >= to_char(now() - interval '40 days', '\"thumbnail_\"YYYY_MM')",
        "t");
    cluster_expect(place.admin,
                   "select count(*) from pg_class where relname ~ '^frame_2020_0[56]$'", "2");
}
END_TEST

SUITE_WITH("store", cluster_start, cluster_stop, a_result_is_stored_acknowledged_and_told,
           nonsense_is_kept_acknowledged_and_holds_nobody_up,
           results_that_came_while_postgresql_was_away_are_stored_when_it_is_back,
           a_killed_store_has_acknowledged_nothing_it_did_not_commit,
           have_names_the_frames_with_rows_and_says_when_it_cannot,
           status_is_answered_with_what_was_done, a_catalogue_that_met_a_long_query_comes_again,
           alerts_are_posted_to_webhooks_while_results_are_stored,
           a_message_no_server_takes_holds_up_no_other, what_steering_cannot_have_holds_up_no_row,
           thumbnails_older_than_the_setting_are_dropped)
