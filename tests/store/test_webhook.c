/* What is posted to receivers that are well, refuse, hang or are away. */
#include "store/webhooks/webhook.h"
#include "store/webhooks/webhook_body.h"
#include "store/webhooks/webhook_receiver.h"
#include "tests/store/http_receiver.h"
#include "tests/store/place.h"
#include "tests/suite.h"
#include <fcntl.h>
#include <glib/gstdio.h>

typedef struct {
    Place place;
    Settings *settings;
    Webhooks *webhooks;
} Sending;

/* sections: of a settings file. */
static Sending sending_start(const char *sections) {
    Sending sending = {.place = place_make(), .settings = settings_new()};
    g_setenv("no_proxy", "127.0.0.1", TRUE);
    g_autofree char *database =
        cluster_answer(sending.place.admin, "select current_database()::text");
    g_autofree char *address = cluster_address(database);
    g_free(sending.settings->postgres);
    sending.settings->postgres = cluster_as(address, "storing");
    g_autoptr(GError) error = NULL;
    bool right = settings_read_text(sending.settings, sections, "test.conf", &error) &&
                 settings_check(sending.settings, &error);
    sending.webhooks = right ? webhooks_new(sending.settings, &error) : NULL;
    ck_assert_msg(sending.webhooks != NULL, "%s", error != NULL ? error->message : "");
    webhooks_start(sending.webhooks);
    for (int look = 0; look < 200; look++) { /* what comes before is for nobody */
        g_autofree char *known =
            cluster_answer(sending.place.admin, "select count(*) from scopestream_data.webhook");
        if (!g_str_equal(known, "0"))
            break;
        g_usleep(20000);
    }
    return sending;
}

static void sending_stop(Sending *sending) {
    webhooks_free(sending->webhooks);
    settings_free(sending->settings);
    place_clear(&sending->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sending, sending_stop)

static void tell_alert(Sending *sending, const char *severity, const char *title) {
    g_autofree char *sql = g_strdup_printf(
        "insert into scopestream_data.message (kind, source, body) values ('alert', 'scope', "
        "jsonb_build_object('kind', 'alert', 'change', 'opened', 'severity', '%s', 'title', '%s'))",
        severity, title);
    g_free(cluster_answer(sending->place.admin, sql));
}

static char *section(const char *name, const HttpReceiver *receiver, const char *more) {
    return g_strdup_printf("[webhook %s]\nurl = http://127.0.0.1:%u/hook\n%s", name, receiver->port,
                           more);
}

/* The next request, which holds words. */
static void expect_request(HttpReceiver *receiver, const char *words) {
    g_autofree char *request = http_receiver_next(receiver, 20);
    ck_assert_msg(request != NULL && strstr(request, words) != NULL, "'%s' misses '%s'",
                  request != NULL ? request : "nothing", words);
}

static void expect_no_request(HttpReceiver *receiver) {
    g_autofree char *request = http_receiver_next(receiver, 2);
    ck_assert_msg(request == NULL, "%s", request);
}

/* Looks for up to 20 s whether sql answers expected. */
static void wait_for(Sending *sending, const char *sql, const char *expected) {
    for (int look = 0; look < 400; look++) {
        g_autofree char *answer = cluster_answer(sending->place.admin, sql);
        if (g_str_equal(answer, expected))
            return;
        g_usleep(50000);
    }
    cluster_expect(sending->place.admin, sql, expected);
}

#define WAITING "select count(*) from scopestream_data.webhook_post"

START_TEST(an_alert_is_posted_once_with_a_text_and_the_headers_of_the_file) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_autofree char *secrets = NULL;
    close(g_file_open_tmp("headers-XXXXXX", &secrets, NULL));
    ck_assert(g_file_set_contents(secrets, "Authorization: Bearer s3cr3t\n\nX-Lab: 4\n", -1, NULL));
    g_autofree char *more = g_strdup_printf("header-file = %s\n", secrets);
    g_autofree char *sections = section("chat", receiver, more);
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark: 3 frames");
    g_autofree char *request = http_receiver_next(receiver, 20);
    static const char *const words[] = {"POST /hook HTTP/1.1\r\n",
                                        "\r\nAuthorization: Bearer s3cr3t\r\n",
                                        "\r\nX-Lab: 4\r\n",
                                        "\r\nContent-Type: application/json\r\n",
                                        "\r\nUser-Agent: scopestream/",
                                        "\"title\":\"dark: 3 frames\"",
                                        "\"text\":\"warning alert opened: dark: 3 frames\""};
    ck_assert_ptr_nonnull(request);
    for (guint i = 0; i < G_N_ELEMENTS(words); i++)
        ck_assert_msg(strstr(request, words[i]) != NULL, "'%s' misses '%s'", request, words[i]);
    wait_for(&sending, WAITING, "0");
    expect_no_request(receiver);
    g_unlink(secrets);
}
END_TEST

START_TEST(only_what_a_receiver_wants_is_posted) {
    g_autoptr(HttpReceiver) alarms = http_receiver_start();
    g_autoptr(HttpReceiver) all = http_receiver_start();
    g_autofree char *one = section("alarms", alarms, "least-severity = critical\n");
    g_autofree char *two = section("all", all, "kinds = alert, decision\nleast-severity = info\n");
    g_autofree char *sections = g_strconcat(one, two, NULL);
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "info", "first");
    g_free(cluster_answer(sending.place.admin,
                          "insert into scopestream_data.message (kind, source, body) values "
                          "('decision', 'scope', '{\"kind\": \"decision\", \"source\": \"scope\", "
                          "\"action\": \"skip\", \"plate\": \"P1\", \"well\": \"C06\", "
                          "\"site\": 2, \"reason\": \"empty\"}')"));
    tell_alert(&sending, "critical", "last");
    expect_request(all, "first");
    expect_request(all, "\"text\":\"skip, scope, plate P1, well C06, site 2: empty\"");
    expect_request(all, "last");
    expect_request(alarms, "last");
    expect_no_request(alarms);
}
END_TEST

START_TEST(a_receiver_that_fails_twice_is_told_the_third_time) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_atomic_int_set(&receiver->failures, 2);
    g_autofree char *sections = section("chat", receiver, "");
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark");
    expect_request(receiver, "dark");
    wait_for(&sending, "select attempts || ' ' || last_error from scopestream_data.webhook_post",
             "1 answered 503");
    expect_request(receiver, "dark");
    expect_request(receiver, "dark");
    wait_for(&sending, WAITING, "0");
    expect_no_request(receiver);
}
END_TEST

START_TEST(a_receiver_that_hangs_is_given_up_in_time_and_holds_up_no_other) {
    g_autoptr(HttpReceiver) hanging = http_receiver_start();
    g_autoptr(HttpReceiver) well = http_receiver_start();
    g_atomic_int_set(&hanging->hangs, 1);
    g_autofree char *one = section("hanging", hanging, "timeout = 1s\n");
    g_autofree char *two = section("well", well, "");
    g_autofree char *sections = g_strconcat(one, two, NULL);
    g_auto(Sending) sending = sending_start(sections);
    for (int n = 0; n < 30; n++)
        tell_alert(&sending, "warning", "dark");
    gint64 begun_us = g_get_monotonic_time();
    for (int n = 0; n < 30; n++)
        expect_request(well, "dark");
    ck_assert_int_lt(g_get_monotonic_time() - begun_us, 10 * G_USEC_PER_SEC);
    wait_for(&sending,
             "select count(*) > 0 from scopestream_data.webhook_post where webhook = 'hanging' "
             "and last_error = 'no answer within 1.0 s'",
             "t");
    wait_for(&sending, WAITING " where webhook = 'well'", "0");
    wait_for(&sending, WAITING " where webhook = 'hanging'", "30");
}
END_TEST

START_TEST(a_receiver_that_is_away_is_told_when_it_is_back) {
    HttpReceiver *gone = http_receiver_listen(0);
    guint16 port = gone->port;
    g_autofree char *sections = section("chat", gone, "");
    http_receiver_stop(gone); /* its port is nobody's now */
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark");
    wait_for(&sending,
             "select count(*) from scopestream_data.webhook_post where last_error ~ 'connect'",
             "1");
    g_autoptr(HttpReceiver) back = http_receiver_listen(port);
    http_receiver_serve(back);
    expect_request(back, "dark");
    wait_for(&sending, WAITING, "0");
}
END_TEST

START_TEST(redirects_are_not_followed) {
    g_autoptr(HttpReceiver) other = http_receiver_start();
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_autofree char *header =
        g_strdup_printf("Location: http://127.0.0.1:%u/elsewhere\r\n", other->port);
    receiver->header = header;
    receiver->status = "307 Elsewhere";
    g_atomic_int_set(&receiver->failures, 1);
    g_autofree char *sections = section("chat", receiver, "");
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark");
    expect_request(receiver, "dark");
    expect_request(receiver, "dark");
    expect_no_request(other);
}
END_TEST

START_TEST(it_ends_at_once_while_a_receiver_hangs) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_atomic_int_set(&receiver->hangs, 1);
    g_autofree char *sections = section("chat", receiver, "timeout = 30s\n");
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark");
    wait_for(&sending,
             "select count(*) from scopestream_data.webhook_post "
             "where next_at > clock_timestamp() + interval '30 s'", /* in hand */
             "1");
    gint64 begun_us = g_get_monotonic_time();
    webhooks_free(sending.webhooks);
    sending.webhooks = NULL;
    ck_assert_int_lt(g_get_monotonic_time() - begun_us, 2 * G_USEC_PER_SEC);
    cluster_expect(sending.place.admin, WAITING, "1");
}
END_TEST

START_TEST(posting_goes_on_after_postgresql_was_away) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_autofree char *sections = section("chat", receiver, "");
    g_auto(Sending) sending = sending_start(sections);
    ck_assert(cluster_server_stop());
    g_usleep(G_USEC_PER_SEC);
    ck_assert(cluster_server_start());
    postgres_disconnect(sending.place.admin);
    ck_assert(postgres_connect(sending.place.admin, 5000, NULL));
    tell_alert(&sending, "warning", "dark");
    expect_request(receiver, "dark");
    wait_for(&sending, WAITING, "0");
}
END_TEST

START_TEST(a_section_that_is_gone_is_forgotten_with_what_waited) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_autofree char *sections = section("chat", receiver, "");
    g_auto(Sending) sending = sending_start(sections);
    g_free(cluster_answer(sending.place.admin,
                          "insert into scopestream_data.webhook (name) values ('old')"));
    g_free(cluster_answer(sending.place.admin, "insert into scopestream_data.webhook_post "
                                               "(webhook, body) values ('old', '{}')"));
    webhooks_free(sending.webhooks);
    sending.webhooks = webhooks_new(sending.settings, NULL);
    webhooks_start(sending.webhooks);
    wait_for(&sending, WAITING, "0");
    cluster_expect(sending.place.admin, "select name from scopestream_data.webhook", "chat");
}
END_TEST

/* --- secrets --- */

/* What is said of a file that holds text, with key before it. */
static char *refusal_of_file(const char *key, const char *text) {
    g_autofree char *file = NULL;
    close(g_file_open_tmp("secret-XXXXXX", &file, NULL));
    ck_assert(g_file_set_contents(file, text, -1, NULL));
    WebhookSettings settings = {.name = (char *)"chat",
                                .url = (char *)"http://127.0.0.1:1/",
                                .url_file = (char *)"",
                                .header_file = (char *)"",
                                .timeout_ms = 1000};
    *(g_str_equal(key, "url-file") ? &settings.url_file : &settings.header_file) = file;
    g_autoptr(GError) error = NULL;
    Receiver *receiver = receiver_new(&settings, &error);
    ck_assert_msg(receiver == NULL, "accepted: %s", text);
    ck_assert(fault_is(error, FAULT_USAGE));
    g_unlink(file);
    return g_strdup(error->message);
}

START_TEST(a_secret_that_is_none_is_refused_and_not_repeated) {
    static const struct {
        const char *key, *text, *words;
    } wrong[] = {
        {"url-file", "ftp://s3cr3t.example/", "url-file: expected http://"},
        {"url-file", "http://a/s3cr3t\nhttp://b/", "nothing else"},
        {"url-file", "", "url-file: expected"},
        {"header-file", "Bearer s3cr3t", "line 1 of"},
        {"header-file", "A: 1\n\nB s3cr3t : 2\n", "line 3 of"},
        {"header-file", "A: 1\r\nB: s3cr3t\x01\n", "line 2 of"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *said = refusal_of_file(wrong[i].key, wrong[i].text);
        ck_assert_msg(strstr(said, wrong[i].words) != NULL, "'%s' misses '%s'", said,
                      wrong[i].words);
        ck_assert_ptr_nonnull(strstr(said, "[webhook chat]"));
        ck_assert_ptr_null(strstr(said, "s3cr3t"));
    }
}
END_TEST

START_TEST(an_address_in_a_file_is_posted_to) {
    g_autoptr(HttpReceiver) receiver = http_receiver_start();
    g_autofree char *file = NULL;
    close(g_file_open_tmp("secret-XXXXXX", &file, NULL));
    g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/secret\n", receiver->port);
    ck_assert(g_file_set_contents(file, url, -1, NULL));
    g_autofree char *sections = g_strdup_printf("[webhook chat]\nurl-file = %s\n", file);
    g_auto(Sending) sending = sending_start(sections);
    tell_alert(&sending, "warning", "dark");
    expect_request(receiver, "POST /secret ");
    g_unlink(file);
}
END_TEST

START_TEST(a_message_that_is_none_or_too_large_has_no_body) {
    g_autofree char *large = g_strnfill(300 << 10, ' ');
    ck_assert_ptr_null(webhook_body(large, NULL));
    ck_assert_ptr_null(webhook_body("[]", NULL));
    g_autofree char *bare = webhook_body("{\"kind\":\"alert\"}", NULL);
    ck_assert_ptr_nonnull(bare);
    g_autofree char *empty = webhook_body("{}", NULL);
    ck_assert_ptr_nonnull(empty);
}
END_TEST

SUITE_WITH("webhook", cluster_start, cluster_stop,
           an_alert_is_posted_once_with_a_text_and_the_headers_of_the_file,
           only_what_a_receiver_wants_is_posted, a_receiver_that_fails_twice_is_told_the_third_time,
           a_receiver_that_hangs_is_given_up_in_time_and_holds_up_no_other,
           a_receiver_that_is_away_is_told_when_it_is_back, redirects_are_not_followed,
           it_ends_at_once_while_a_receiver_hangs, posting_goes_on_after_postgresql_was_away,
           a_section_that_is_gone_is_forgotten_with_what_waited,
           a_secret_that_is_none_is_refused_and_not_repeated, an_address_in_a_file_is_posted_to,
           a_message_that_is_none_or_too_large_has_no_body)
