/* The client in C hears decisions and says what the microscope is to do: a real server, a store
 * that the test plays, and in the end the microscope itself. */
#include "tests/nats_server.h"
#include "tests/samples/bench.h"
#include "tests/suite.h"

#include <gio/gio.h>
#include <nats/nats.h>
#include <string.h>

#define FOREVER "2099-01-01T00:00:00.000000+00:00"

static NatsServer server;

static void before(void) {
    server = nats_server_start();
}

static void after(void) {
    nats_server_stop(&server);
}

/* --- the store, as far as it is met here --- */

typedef struct {
    natsConnection *nats;
    natsSubscription *questions;
    const char *open; /* what it answers who asks what is open */
    gint asked;       /* atomic */
} Store;

static void on_question(natsConnection *nats, natsSubscription *questions, natsMsg *message,
                        void *context) {
    Store *store = context;
    ck_assert_str_eq(natsMsg_GetData(message), "{\"source\": \"demo\"}");
    natsConnection_PublishString(nats, natsMsg_GetReply(message), store->open);
    natsMsg_Destroy(message);
    g_atomic_int_inc(&store->asked);
}

static void store_start(Store *store, const char *open) {
    g_autofree char *url = g_strdup_printf("nats://127.0.0.1:%d", server.port);
    *store = (Store){.open = open};
    for (int tries = 0; tries < 100 && !store->nats; tries++)
        if (natsConnection_ConnectTo(&store->nats, url) != NATS_OK)
            g_usleep(50000); /* it is about to start */
    ck_assert_ptr_nonnull(store->nats);
    ck_assert_int_eq(natsConnection_Subscribe(&store->questions, store->nats,
                                              "scopestream.decisions", on_question, store),
                     NATS_OK);
    ck_assert_int_eq(natsConnection_Flush(store->nats), NATS_OK);
}

static void store_stop(Store *store) {
    natsSubscription_Destroy(store->questions);
    natsConnection_Destroy(store->nats);
}

static void store_say(Store *store, const char *body) {
    ck_assert_int_eq(natsConnection_PublishString(store->nats, "scopestream.decision.demo", body),
                     NATS_OK);
    ck_assert_int_eq(natsConnection_Flush(store->nats), NATS_OK);
}

/* members: further ones, each followed by a comma, or "". */
static void store_decide(Store *store, int id, const char *action, const char *well, int site,
                         const char *members) {
    g_autofree char *body = g_strdup_printf(
        "{\"decision_id\": %d, \"source\": \"demo\", \"action\": \"%s\", \"well\": \"%s\", "
        "\"site\": %d, %s \"expires_at\": \"" FOREVER "\", \"reason\": \"why not\"}",
        id, action, well, site, members);
    store_say(store, body);
}

/* --- the client --- */

typedef struct {
    Store store;
    GSubprocess *process;
    GDataInputStream *lines;
} Client;

static void wait_until_asked(Client *client, int times) {
    for (int tries = 0; tries < 400 && g_atomic_int_get(&client->store.asked) < times; tries++)
        g_usleep(50000);
    ck_assert_int_ge(g_atomic_int_get(&client->store.asked), times);
}

/* Starts it, and returns when it has asked what is open, and so listens. */
static void client_start(Client *client, const char *options, const char *open) {
    store_start(&client->store, open);
    g_autofree char *line = g_strdup_printf("%s/act --source demo --nats nats://127.0.0.1:%d %s",
                                            g_getenv("SCOPESTREAM_BIN"), server.port, options);
    g_auto(GStrv) argv = g_strsplit(g_strstrip(line), " ", -1);
    client->process =
        g_subprocess_newv((const char *const *)argv,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);
    ck_assert_ptr_nonnull(client->process);
    client->lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(client->process));
    wait_until_asked(client, 1);
}

static void expect_line(Client *client, const char *wanted) {
    g_autofree char *line = g_data_input_stream_read_line(client->lines, NULL, NULL, NULL);
    ck_assert_pstr_eq(line, wanted);
}

/* Whoever no longer reads what it says has ended it. */
static void client_stop(Client *client) {
    g_input_stream_close(g_subprocess_get_stdout_pipe(client->process), NULL, NULL);
    ck_assert(g_subprocess_wait_check(client->process, NULL, NULL));
    g_object_unref(client->lines);
    g_object_unref(client->process);
    store_stop(&client->store);
}

#define NOTHING "{\"decisions\": [], \"more\": false}"

/* --- situations --- */

START_TEST(what_is_decided_is_said_as_a_command) {
    Client client;
    client_start(&client, "", NOTHING);
    store_decide(&client.store, 1, "skip", "C04", 2, "\"plate\": \"P 7\",");
    store_decide(&client.store, 2, "image_again", "B02", 1, "\"plate\": \"P 7\",");
    store_say(&client.store,
              "{\"decision_id\": 3, \"action\": \"image_again\", \"well\": \"A05\"}");
    store_say(&client.store, "{\"decision_id\": 4, \"action\": \"continue\", \"well\": null, "
                             "\"site\": 7}");
    expect_line(&client, "skip C04 2 plate=P 7");
    expect_line(&client, "image_again B02 1 plate=P 7");
    expect_line(&client, "image_again A05");
    store_say(&client.store, "{\"decision_id\": 5, \"action\": \"skip\"}");
    expect_line(&client, "continue - 7");
    expect_line(&client, "skip all");
    client_stop(&client);
}
END_TEST

START_TEST(what_was_open_already_comes_first_and_once) {
    static const char open[] =
        "{\"decisions\": [{\"decision_id\": 9, \"action\": \"skip\", \"well\": \"B02\"}, "
        "{\"decision_id\": 8, \"action\": \"skip\", \"well\": \"A01\"}]}";
    Client client;
    client_start(&client, "", open);
    store_decide(&client.store, 9, "skip", "B02", 1, "");
    store_decide(&client.store, 10, "skip", "C03", 1, "");
    store_decide(&client.store, 10, "skip", "C03", 1, "");
    store_decide(&client.store, 10, "continue", "C03", 1, "");
    expect_line(&client, "skip A01");
    expect_line(&client, "skip B02");
    expect_line(&client, "skip C03 1");
    expect_line(&client, "continue C03 1");
    client_stop(&client);
}
END_TEST

START_TEST(what_expired_is_left_alone_but_one_may_always_continue) {
#define LATE "\"well\": \"B02\", \"site\": 1, \"expires_at\": \"2026-01-01T00:00:00.5+00:00\"}"
    Client client;
    client_start(&client, "", NOTHING);
    store_say(&client.store, "{\"decision_id\": 1, \"action\": \"image_again\", " LATE);
    store_say(&client.store, "{\"decision_id\": 1, \"action\": \"continue\", " LATE);
    expect_line(&client, "continue B02 1");
    client_stop(&client);
}
END_TEST

#define BLURRED "\"rule\": \"out_of_focus\", \"attempt\": "

START_TEST(focus_is_tried_to_both_sides_and_what_helped_comes_first) {
    Client client;
    client_start(&client, "--step 8", NOTHING);
    store_decide(&client.store, 1, "image_again", "B02", 1, BLURRED "1,");
    store_decide(&client.store, 2, "image_again", "B02", 1, BLURRED "2,");
    store_decide(&client.store, 3, "continue", "B03", 1, "\"state\": \"done\",");
    store_decide(&client.store, 4, "image_again", "B04", 1, BLURRED "1,");
    store_decide(&client.store, 2, "continue", "B02", 1, "\"state\": \"done\",");
    store_decide(&client.store, 5, "image_again", "B05", 1, BLURRED "1,");
    store_decide(&client.store, 6, "image_again", "B05", 1, BLURRED "2,");
    store_decide(&client.store, 7, "image_again", "B05", 1, BLURRED "3,");
    expect_line(&client, "image_again B02 1 focus=+8.0");
    expect_line(&client, "image_again B02 1 focus=-8.0");
    expect_line(&client, "continue B03 1");
    expect_line(&client, "image_again B04 1 focus=+8.0");
    expect_line(&client, "continue B02 1");
    expect_line(&client, "image_again B05 1 focus=-8.0");
    expect_line(&client, "image_again B05 1 focus=+8.0");
    expect_line(&client, "image_again B05 1 focus=-4.0");
    client_stop(&client);
}
END_TEST

START_TEST(what_helped_elsewhere_makes_no_attempt_come_twice) {
    Client client;
    client_start(&client, "--step 8", NOTHING);
    store_decide(&client.store, 1, "image_again", "B02", 1, BLURRED "1,");
    store_decide(&client.store, 2, "image_again", "B02", 2, BLURRED "1,");
    store_decide(&client.store, 3, "image_again", "B02", 2, BLURRED "2,");
    store_decide(&client.store, 3, "continue", "B02", 2, "\"state\": \"done\",");
    store_decide(&client.store, 4, "image_again", "B02", 1, BLURRED "2,");
    expect_line(&client, "image_again B02 1 focus=+8.0");
    expect_line(&client, "image_again B02 2 focus=+8.0");
    expect_line(&client, "image_again B02 2 focus=-8.0");
    expect_line(&client, "continue B02 2");
    expect_line(&client, "image_again B02 1 focus=-8.0");
    client_stop(&client);
}
END_TEST

START_TEST(only_the_rule_for_focus_changes_the_focus) {
    Client client;
    client_start(&client, "--focus-rule blurred", NOTHING);
    store_decide(&client.store, 1, "image_again", "B02", 1, BLURRED "1,");
    store_decide(&client.store, 2, "image_again", "B03", 1, "\"rule\": \"blurred\",");
    store_decide(&client.store, 3, "image_again", "B04", 1, "\"rule\": null,");
    expect_line(&client, "image_again B02 1");
    expect_line(&client, "image_again B03 1 focus=+10.5");
    expect_line(&client, "image_again B04 1");
    client_stop(&client);
}
END_TEST

START_TEST(other_plates_are_others_business) {
    Client client;
    client_start(&client, "--plate P1", NOTHING);
    store_decide(&client.store, 1, "skip", "B02", 1, "\"plate\": \"P2\",");
    store_decide(&client.store, 2, "skip", "B03", 1, "");
    store_decide(&client.store, 3, "skip", "B04", 1, "\"plate\": \"P1\",");
    expect_line(&client, "skip B03 1");
    expect_line(&client, "skip B04 1 plate=P1");
    client_stop(&client);
}
END_TEST

START_TEST(what_is_no_decision_says_nothing) {
    static const char *const odd[] = {
        "",
        "[]",
        "no json",
        "{}",
        "{\"decision_id\": 1, \"well\": \"B02\"}",
        "{\"decision_id\": 1, \"action\": \"skip\", \"well\": \"B02\\nstop\"}",
        "{\"decision_id\": 1, \"action\": \"skip\", \"well\": \"B02\", \"plate\": \"P\\nstop\"}",
        "{\"decision_id\": \"1\", \"action\": 5, \"well\": {}, \"site\": \"x\"}"};
    Client client;
    client_start(&client, "", "{\"error\": \"PostgreSQL is away\"}");
    for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
        store_say(&client.store, odd[i]);
    store_decide(&client.store, 1, "skip", "B02", 1, "");
    expect_line(&client, "skip B02 1");
    client_stop(&client);
}
END_TEST

START_TEST(when_the_server_was_away_it_asks_what_it_missed) {
    Client client;
    client_start(&client, "", NOTHING);
    client.store.open =
        "{\"decisions\": [{\"decision_id\": 5, \"action\": \"skip\", \"well\": \"A01\"}]}";
    nats_server_kill(&server);
    g_usleep(300000);
    nats_server_run(&server);
    wait_until_asked(&client, 2);
    expect_line(&client, "skip A01");
    client_stop(&client);
    nats_server_kill(&server); /* it is this test's child, and not the fixture's */
}
END_TEST

START_TEST(no_server_and_no_source_are_told) {
    static const struct {
        const char *options;
        int status;
    } wrong[] = {{"--source demo --nats nats://127.0.0.1:1", 1}, {"", 2}, {"--source a.b", 2}};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *line =
            g_strdup_printf("%s/act %s", g_getenv("SCOPESTREAM_BIN"), wrong[i].options);
        g_autofree char *complaint = NULL;
        int status = -1;
        g_spawn_command_line_sync(line, NULL, &complaint, &status, NULL);
        ck_assert_int_eq(WEXITSTATUS(status), wrong[i].status);
        ck_assert_ptr_eq(strchr(complaint, '\n'), complaint + strlen(complaint) - 1);
    }
}
END_TEST

/* --- with the microscope --- */

static bool list_has_again(const Bench *bench, guint frames) {
    if (!g_file_test(bench->list, G_FILE_TEST_EXISTS))
        return false;
    g_autoptr(GPtrArray) rows = list_read(bench);
    return rows->len >= frames;
}

static void wait_for_frames(const Bench *bench, guint frames) {
    for (int tries = 0; tries < 400 && !list_has_again(bench, frames); tries++)
        g_usleep(50000);
    ck_assert(list_has_again(bench, frames));
}

START_TEST(the_microscope_brings_into_focus_what_was_decided) {
    g_auto(Bench) bench = bench_new();
    Store store;
    store_start(&store, NOTHING);
    const char *bin = g_getenv("SCOPESTREAM_BIN");
    g_autofree char *line = g_strdup_printf(
        "%s/act --source demo --nats nats://127.0.0.1:%d --step 10.5 2>/dev/null | "
        "%s/simulated-microscope --out %s --quiet --rate 0 --side 96 --wells A01-A02 --sites 1 "
        "--fault defocus:A02 --obey --linger 1s > /dev/null",
        bin, server.port, bin, bench.out);
    g_autoptr(GSubprocess) both =
        g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, NULL, "bash", "-c", line, NULL);
    ck_assert_ptr_nonnull(both);
    for (int tries = 0; tries < 400 && !g_atomic_int_get(&store.asked); tries++)
        g_usleep(50000);
    wait_for_frames(&bench, 4);
    store_decide(&store, 1, "image_again", "A02", 1, "\"plate\": \"P1\"," BLURRED "1,");
    wait_for_frames(&bench, 6);
    store_decide(&store, 2, "image_again", "A02", 1, "\"plate\": \"P1\"," BLURRED "2,");
    wait_for_frames(&bench, 8);
    ck_assert(g_subprocess_wait_check(both, NULL, NULL));
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_str_eq(list_row(rows, 2)[FAULTS], "defocus");
    bool up = *list_row(rows, 4)[FAULTS] == '\0', down = *list_row(rows, 6)[FAULTS] == '\0';
    ck_assert_msg(up != down, "off by %s, then %s and %s um", list_row(rows, 2)[OFF_FOCUS],
                  list_row(rows, 4)[OFF_FOCUS], list_row(rows, 6)[OFF_FOCUS]);
    store_stop(&store);
}
END_TEST

SUITE_WITH("act", before, after, what_is_decided_is_said_as_a_command,
           what_was_open_already_comes_first_and_once,
           what_expired_is_left_alone_but_one_may_always_continue,
           focus_is_tried_to_both_sides_and_what_helped_comes_first,
           what_helped_elsewhere_makes_no_attempt_come_twice,
           only_the_rule_for_focus_changes_the_focus, other_plates_are_others_business,
           what_is_no_decision_says_nothing, the_microscope_brings_into_focus_what_was_decided,
           no_server_and_no_source_are_told, when_the_server_was_away_it_asks_what_it_missed)
