#include "stream/bus.h"
#include "tests/nats_server.h"
#include "tests/suite.h"
#include <string.h>

/* A server, a bus, and both streams small enough to fill. */
static NatsServer server;
static Settings *settings;
static Bus *bus;

static void begin(void) {
    server = nats_server_start();
    settings = nats_server_settings(&server);
    GError *error = NULL;
    bus = bus_open(settings, "test", &error);
    ck_assert_ptr_nonnull(bus);
    ck_assert_msg(bus_wait(bus, 10000, &error), "%s", error != NULL ? error->message : "");
}

static void end(void) {
    bus_close(bus);
    settings_free(settings);
    nats_server_stop(&server);
}

static BusStream make_frames(void) {
    BusStream frames = bus_stream_frames(settings, "quality");
    GError *error = NULL;
    ck_assert_msg(bus_ensure_stream(bus, &frames, &error), "%s",
                  error != NULL ? error->message : "");
    return frames;
}

static guint publish_to(const char *subject, const char *text, const char *id, GError **error) {
    BusHeader headers[] = {{"Nats-Msg-Id", id}, {NULL}};
    BusPublication one = {.subject = subject,
                          .headers = id != NULL ? headers : NULL,
                          .data = text,
                          .length = strlen(text)};
    guint stored = bus_publish_durably(bus, &one, 1, 5000);
    if (one.error != NULL)
        g_propagate_error(error, one.error);
    return stored;
}

static guint publish(const char *text, const char *id, GError **error) {
    return publish_to("scopestream.frame.quality.s", text, id, error);
}

static char *text_of(const BusMessage *message) {
    gsize length;
    const guint8 *data = bus_message_data(message, &length);
    return g_strndup((const char *)data, length);
}

static void wait_until_connected(bool connected) {
    for (int turn = 0; turn < 1000 && bus_is_connected(bus) != connected; turn++)
        g_usleep(10000);
    ck_assert_int_eq(bus_is_connected(bus), connected);
}

START_TEST(work_is_given_out_once_and_removed_when_acknowledged) {
    begin();
    make_frames();
    ck_assert_uint_eq(publish("one", "1", NULL), 1);
    ck_assert_uint_eq(publish("two", "2", NULL), 1);
    BusPull *pull = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    for (int number = 0; number < 2; number++) {
        g_autoptr(BusMessage) message = bus_pull_next(pull, 1, 3000, NULL);
        ck_assert_ptr_nonnull(message);
        g_autofree char *text = text_of(message);
        ck_assert_str_eq(text, number == 0 ? "one" : "two");
        ck_assert_uint_eq(bus_delivery_count(bus_message_reply(message)), 1);
        ck_assert(bus_ack(bus, bus_message_reply(message), NULL));
    }
    ck_assert_ptr_null(bus_pull_next(pull, 1, 200, NULL));
    BusStreamState state;
    for (int turn = 0; turn < 100; turn++) {
        ck_assert(bus_stream_state(bus, "FRAMES", "workers_quality", &state, NULL));
        if (state.messages == 0)
            break;
        g_usleep(20000);
    }
    ck_assert_uint_eq(state.messages, 0);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_stream_tells_what_of_it_is_a_consumers) {
    begin();
    make_frames();
    BusStream other = bus_stream_frames(settings, "second");
    ck_assert(bus_ensure_stream(bus, &other, NULL));
    publish_to("scopestream.frame.second.s", "older", NULL, NULL);
    for (int number = 0; number < 3; number++)
        publish("frame", NULL, NULL);
    BusPull *pull = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    g_autoptr(BusMessage) first = bus_pull_next(pull, 1, 3000, NULL);
    ck_assert_ptr_nonnull(first);
    ck_assert(bus_ack(bus, bus_message_reply(first), NULL));
    BusStreamState state = {0}; /* the stream learns of it before the consumer's floor rises */
    for (int turn = 0; turn < 100 && (state.messages != 3 || state.consumer_floor != 2);
         turn++, g_usleep(20000))
        ck_assert(bus_stream_state(bus, "FRAMES", "workers_quality", &state, NULL));
    ck_assert_uint_eq(state.messages, 3);
    ck_assert_uint_eq(state.first_sequence, 1);
    ck_assert_uint_eq(state.consumer_messages, 2);
    ck_assert_uint_eq(state.consumer_floor, 2);
    ck_assert(bus_stream_state(bus, "FRAMES", "workers_second", &state, NULL));
    ck_assert_uint_eq(state.consumer_messages, 1);
    ck_assert_uint_eq(state.consumer_floor, 0);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(work_given_back_comes_again_and_is_counted) {
    begin();
    make_frames();
    publish("one", "1", NULL);
    BusPull *pull = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    g_autoptr(BusMessage) first = bus_pull_next(pull, 10, 3000, NULL);
    ck_assert(bus_nak(bus, bus_message_reply(first), 100, NULL));
    g_autoptr(BusMessage) second = bus_pull_next(pull, 10, 5000, NULL);
    ck_assert_ptr_nonnull(second);
    ck_assert_uint_eq(bus_delivery_count(bus_message_reply(second)), 2);
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(closing_a_pull_gives_back_what_was_not_taken) {
    begin();
    make_frames();
    for (int number = 0; number < 5; number++) {
        g_autofree char *id = g_strdup_printf("%d", number);
        publish("work", id, NULL);
    }
    BusPull *greedy = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    g_autoptr(BusMessage) taken = bus_pull_next(greedy, 5, 3000, NULL);
    g_usleep(200000); /* the other four arrive meanwhile */
    bus_pull_close(greedy);
    BusPull *other = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    for (int number = 0; number < 4; number++) {
        g_autoptr(BusMessage) message = bus_pull_next(other, 5, 3000, NULL);
        ck_assert_ptr_nonnull(message);
        bus_ack(bus, bus_message_reply(message), NULL);
    }
    bus_pull_close(other);
    end();
}
END_TEST

START_TEST(many_publications_wait_for_their_acks_together) {
    begin();
    make_frames();
    enum { COUNT = 1000 };
    g_autofree BusPublication *many = g_new0(BusPublication, COUNT);
    for (int index = 0; index < COUNT; index++)
        many[index] =
            (BusPublication){.subject = "scopestream.frame.quality.s", .data = "x", .length = 1};
    ck_assert_uint_eq(bus_publish_durably(bus, many, COUNT, 10000), COUNT);
    for (int index = 0; index < COUNT; index++)
        ck_assert_uint_eq(many[index].sequence, (guint64)index + 1);
    end();
}
END_TEST

START_TEST(a_full_queue_refuses_and_says_so) {
    begin();
    settings->frames_limit_messages = 3;
    make_frames();
    for (int number = 0; number < 3; number++)
        ck_assert_uint_eq(publish("x", NULL, NULL), 1);
    g_autoptr(GError) error = NULL;
    ck_assert_uint_eq(publish("x", NULL, &error), 0);
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert_ptr_nonnull(strstr(error->message, "full"));
    settings->frames_limit_messages = 10; /* a raised limit takes effect */
    make_frames();
    ck_assert_uint_eq(publish("x", NULL, NULL), 1);
    end();
}
END_TEST

START_TEST(a_subject_without_a_stream_is_told_at_once) {
    begin();
    g_autoptr(GError) error = NULL;
    ck_assert_uint_eq(publish("x", NULL, &error), 0);
    ck_assert(fault_is(error, FAULT_AGAIN));
    end();
}
END_TEST

START_TEST(a_server_that_restarts_is_found_again_and_has_kept_the_work) {
    begin();
    make_frames();
    publish("one", "1", NULL);
    BusPull *pull = bus_pull_open(bus, "FRAMES", "workers_quality", NULL);
    guint generation = bus_generation(bus);
    nats_server_kill(&server);
    wait_until_connected(false);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(bus_pull_next(pull, 1, 100, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert_uint_eq(publish("lost", "2", NULL), 0); /* not buffered: refused */
    nats_server_run(&server);
    wait_until_connected(true);
    ck_assert_uint_gt(bus_generation(bus), generation);
    g_autoptr(BusMessage) message = NULL;
    for (int turn = 0; turn < 50 && message == NULL; turn++)
        message = bus_pull_next(pull, 1, 1000, NULL);
    g_autofree char *text = text_of(message);
    ck_assert_str_eq(text, "one");
    bus_pull_close(pull);
    end();
}
END_TEST

START_TEST(a_server_that_comes_late_is_waited_for) {
    server = nats_server_start();
    nats_server_kill(&server);
    settings = nats_server_settings(&server);
    bus = bus_open(settings, "test", NULL);
    g_autoptr(GError) error = NULL;
    ck_assert(!bus_wait(bus, 700, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    nats_server_run(&server);
    wait_until_connected(true);
    end();
}
END_TEST

static void echo(BusMessage *message, void *context) {
    g_autoptr(BusMessage) question = message;
    gsize length;
    const guint8 *data = bus_message_data(question, &length);
    for (int times = 0; times < GPOINTER_TO_INT(context); times++)
        bus_publish(bus, bus_message_reply(question), NULL, data, length, NULL);
}

START_TEST(a_request_is_answered_or_ends) {
    begin();
    ck_assert(bus_subscribe(bus, "echo", NULL, echo, GINT_TO_POINTER(1), NULL));
    g_autoptr(BusMessage) answer = bus_request(bus, "echo", NULL, "hello", 5, 3000, NULL);
    g_autofree char *text = text_of(answer);
    ck_assert_str_eq(text, "hello");
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(bus_request(bus, "nobody", NULL, "hello", 5, 3000, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    end();
}
END_TEST

START_TEST(an_inbox_drops_answers_to_what_was_forgotten) {
    begin();
    bus_subscribe(bus, "echo", NULL, echo, GINT_TO_POINTER(3), NULL);
    BusInbox *inbox = bus_inbox_open(bus, NULL);
    ck_assert(bus_inbox_ask(inbox, "echo", NULL, "old", 3, NULL));
    g_autoptr(BusMessage) first = bus_inbox_next(inbox, 3000, NULL);
    ck_assert_ptr_nonnull(first);
    bus_inbox_forget(inbox);
    ck_assert(bus_inbox_ask(inbox, "echo", NULL, "new", 3, NULL));
    for (int number = 0; number < 3; number++) {
        g_autoptr(BusMessage) answer = bus_inbox_next(inbox, 3000, NULL);
        g_autofree char *text = text_of(answer);
        ck_assert_str_eq(text, "new");
    }
    ck_assert_ptr_null(bus_inbox_next(inbox, 100, NULL));
    bus_inbox_close(inbox);
    end();
}
END_TEST

START_TEST(subscriptions_survive_a_restart_of_the_server) {
    begin();
    bus_subscribe(bus, "echo", NULL, echo, GINT_TO_POINTER(1), NULL);
    nats_server_kill(&server);
    wait_until_connected(false);
    nats_server_run(&server);
    wait_until_connected(true);
    g_autoptr(BusMessage) answer = NULL;
    for (int turn = 0; turn < 50 && answer == NULL; turn++)
        answer = bus_request(bus, "echo", NULL, "x", 1, 200, NULL);
    ck_assert_ptr_nonnull(answer);
    end();
}
END_TEST

START_TEST(refused_credentials_are_a_wrong_setting) {
    server = nats_server_start();
    nats_server_kill(&server);
    server.options[0] = "--user";
    server.options[1] = "somebody";
    server.options[2] = "--pass=secret";
    nats_server_run(&server);
    settings = nats_server_settings(&server);
    bus = bus_open(settings, "test", NULL);
    g_autoptr(GError) error = NULL;
    ck_assert(!bus_wait(bus, 20000, &error));
    ck_assert_msg(fault_is(error, FAULT_USAGE), "%s", error->message);
    end();
}
END_TEST

START_TEST(an_address_that_is_none_is_a_wrong_setting) {
    const char *addresses[] = {"nats://host:port", "", ",", "http://host:4222", "nats://h:99999"};
    for (guint index = 0; index < G_N_ELEMENTS(addresses); index++) {
        g_autoptr(Settings) wrong = settings_new();
        g_free(wrong->nats_url);
        wrong->nats_url = g_strdup(addresses[index]);
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(bus_open(wrong, "test", &error));
        ck_assert(fault_is(error, FAULT_USAGE));
        ck_assert_msg(strstr(error->message, "expected nats://HOST:PORT") != NULL, "%s",
                      error->message);
    }
}
END_TEST

START_TEST(the_delivery_count_is_read_from_old_and_new_servers) {
    ck_assert_uint_eq(bus_delivery_count("$JS.ACK.FRAMES.w.3.10.20.1700000000.0"), 3);
    ck_assert_uint_eq(bus_delivery_count("$JS.ACK.hub.ACC.FRAMES.w.4.10.20.1700000000.0.tok"), 4);
    ck_assert_uint_eq(bus_delivery_count("$JS.ACK.short"), 1);
    ck_assert_uint_eq(bus_delivery_count(NULL), 1);
}
END_TEST

SUITE("bus", work_is_given_out_once_and_removed_when_acknowledged,
      a_stream_tells_what_of_it_is_a_consumers, work_given_back_comes_again_and_is_counted,
      closing_a_pull_gives_back_what_was_not_taken, many_publications_wait_for_their_acks_together,
      a_full_queue_refuses_and_says_so, a_subject_without_a_stream_is_told_at_once,
      a_server_that_restarts_is_found_again_and_has_kept_the_work,
      a_server_that_comes_late_is_waited_for, a_request_is_answered_or_ends,
      an_inbox_drops_answers_to_what_was_forgotten, subscriptions_survive_a_restart_of_the_server,
      refused_credentials_are_a_wrong_setting, an_address_that_is_none_is_a_wrong_setting,
      the_delivery_count_is_read_from_old_and_new_servers)
