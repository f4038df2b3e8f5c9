/* Real sockets: what a browser, a slow one and a bad one send and get. */
#include "stream/http.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LARGE_BYTES = 8 * 1024 * 1024, VIEWERS = 150 };

/* --- a server, and who asks it --- */

static gint asked; /* atomic: requests that came through */
static HttpRequest *kept;

static gpointer answer_later(gpointer data) {
    g_usleep(30000);
    http_answer_text(data, 200, "later");
    return NULL;
}

static void answer_shown(HttpRequest *request) {
    const char *shown = http_parameter(request, "show");
    g_autofree char *words = g_strdup_printf("%s show=%s", http_path(request), shown);
    http_answer_text(request, 200, words);
}

static void answer(HttpRequest *request, void *context) {
    g_atomic_int_inc(&asked);
    const char *path = http_path(request);
    if (g_str_equal(path, "/later"))
        g_thread_unref(g_thread_new("later", answer_later, request));
    else if (g_str_equal(path, "/events"))
        http_answer_events(request);
    else if (g_str_equal(path, "/kept"))
        kept = request;
    else if (g_str_equal(path, "/large"))
        http_answer(request, 200, "application/octet-stream",
                    g_bytes_new_take(g_malloc0(LARGE_BYTES), LARGE_BYTES), "max-age=60");
    else
        answer_shown(request);
}

static Http *start_on(const char *listen) {
    GError *error = NULL;
    Http *http = http_start(listen, answer, NULL, &error);
    ck_assert_msg(http != NULL, "%s", error != NULL ? error->message : "");
    return http;
}

static Http *start(void) {
    return start_on("127.0.0.1:0");
}

static int connect_to(const Http *http) {
    const char *colon = strrchr(http_address(http), ':');
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((guint16)atoi(colon + 1)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int socket_ = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(socket_, (struct sockaddr *)&to, sizeof to), 0);
    return socket_;
}

static void say(int connection, const char *text, gsize length) {
    for (gsize sent = 0; sent < length;) {
        ssize_t part = send(connection, text + sent, length - sent, MSG_NOSIGNAL);
        if (part <= 0)
            return; /* cut off in the middle: what it answered tells */
        sent += (gsize)part;
    }
}

/* All until it closes, or says nothing for wait_ms. */
static GString *hear(int connection, int wait_ms) {
    GString *heard = g_string_new(NULL);
    char part[4096];
    struct pollfd wait = {.fd = connection, .events = POLLIN};
    for (ssize_t length; poll(&wait, 1, wait_ms) > 0;) {
        if ((length = recv(connection, part, sizeof part, 0)) <= 0)
            break;
        g_string_append_len(heard, part, length);
    }
    return heard;
}

/* Whether it comes to say text within some seconds; what it said is added to heard. */
static bool hears(int connection, GString *heard, const char *text) {
    for (int turn = 0; turn < 300 && strstr(heard->str, text) == NULL; turn++) {
        GString *more = hear(connection, 10);
        g_string_append_len(heard, more->str, (gssize)more->len);
        g_string_free(more, TRUE);
    }
    return strstr(heard->str, text) != NULL;
}

/* Sends text, and returns all that comes until the other end closes. */
static char *exchange(const Http *http, const char *text, gsize length) {
    int connection = connect_to(http);
    say(connection, text, length);
    GString *heard = hear(connection, 15000);
    close(connection);
    return g_string_free(heard, FALSE);
}

/* The answer to a request whose line and headers stand in text. */
static char *ask(const Http *http, const char *text) {
    return exchange(http, text, strlen(text));
}

static char *get(const Http *http, const char *target) {
    g_autofree char *text = g_strdup_printf(
        "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, http_address(http));
    return ask(http, text);
}

static int status_of(const char *heard) {
    return g_str_has_prefix(heard, "HTTP/1.") ? atoi(heard + strlen("HTTP/1.1 ")) : 0;
}

static const char *body_of(const char *heard) {
    const char *end = strstr(heard, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

#define assert_heard(heard, status, body)                                                          \
    do {                                                                                           \
        ck_assert_msg(status_of(heard) == (status), "%s", heard);                                  \
        ck_assert_str_eq(body_of(heard), body);                                                    \
    } while (0)

static bool listeners_become(Http *http, guint count) {
    for (int turn = 0; turn < 500 && http_listeners(http) != count; turn++)
        g_usleep(10000);
    return http_listeners(http) == count;
}

/* By HTTP/1.0, which has no marks between the pieces it is sent in. */
static int listen_to_events(const Http *http) {
    static const char text[] = "GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n";
    int connection = connect_to(http);
    say(connection, text, strlen(text));
    return connection;
}

/* --- asking --- */

START_TEST(a_path_and_its_parameters_arrive_decoded) {
    Http *http = start();
    g_autofree char *heard = get(http, "/pl%C3%A4tze/a?show=a+b%26%3Cc%3E&other=");
    assert_heard(heard, 200, "/plätze/a show=a b&<c>\n");
    ck_assert(strstr(heard, "X-Content-Type-Options: nosniff\r\n") != NULL);
    ck_assert(strstr(heard, "Cache-Control: no-store\r\n") != NULL);
    g_autofree char *bare = get(http, "/");
    assert_heard(bare, 200, "/ show=(null)\n");
    http_stop(http);
}
END_TEST

START_TEST(an_answer_may_come_later_from_another_thread) {
    Http *http = start();
    for (int turn = 0; turn < 5; turn++) {
        g_autofree char *heard = get(http, "/later");
        assert_heard(heard, 200, "later\n");
    }
    http_stop(http);
}
END_TEST

START_TEST(one_connection_asks_many_times) {
    static const char two[] = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
                              "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n"
                              "GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    Http *http = start();
    g_autofree char *heard = ask(http, two);
    const char *a = strstr(heard, "/a show"), *later = strstr(heard, "later\n"),
               *b = strstr(heard, "/b show");
    ck_assert(a != NULL && later > a && b > later);
    http_stop(http);
}
END_TEST

START_TEST(head_gets_the_length_and_no_body) {
    Http *http = start();
    g_autofree char *heard =
        ask(http, "HEAD /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_heard(heard, 200, "");
    ck_assert(strstr(heard, "Content-Length: 8388608\r\n") != NULL);
    http_stop(http);
}
END_TEST

START_TEST(head_of_a_stream_has_no_body_either) {
    static const char two[] = "HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n"
                              "GET /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    Http *http = start();
    g_autofree char *heard = ask(http, two);
    ck_assert_msg(status_of(heard) == 200, "%s", heard);
    ck_assert_msg(g_str_has_prefix(body_of(heard), "HTTP/1.1 200 "), "%s", body_of(heard));
    ck_assert_uint_eq(http_listeners(http), 0);
    http_stop(http);
}
END_TEST

START_TEST(other_methods_and_bodies_are_refused) {
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc", 405},
        {"DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"CONNECT evil.example:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"get / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 413},
    };
    Http *http = start();
    for (guint row = 0; row < G_N_ELEMENTS(rows); row++) {
        int connection = connect_to(http);
        say(connection, rows[row].text, strlen(rows[row].text));
        GString *heard = hear(connection, 300);
        ck_assert_msg(status_of(heard->str) == rows[row].status, "%s -> %s", rows[row].text,
                      heard->str);
        g_string_free(heard, TRUE);
        close(connection);
    }
    ck_assert_int_eq(g_atomic_int_get(&asked), 0);
    http_stop(http);
}
END_TEST

/* --- strangers --- */

START_TEST(hostile_request_lines_and_headers_do_nothing) {
    g_autofree char *long_path = g_strnfill(100000, 'a'), *long_header = g_strnfill(100000, 'b');
    g_autofree char *endless_line = g_strdup_printf("GET /%s HTTP/1.1\r\n\r\n", long_path);
    g_autofree char *endless_header =
        g_strdup_printf("GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n", long_header);
    GString *many_headers = g_string_new("GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 5000; i++)
        g_string_append_printf(many_headers, "X-%d: y\r\n", i);
    g_string_append(many_headers, "\r\n");
    const char *const texts[] = {
        "\r\n\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET //%00/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /?show=%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /?show=%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /?show=%e4%b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* HTTP/1.1 without Host */
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        endless_line,
        endless_header,
        many_headers->str,
    };
    Http *http = start();
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        int connection = connect_to(http);
        say(connection, texts[i], strlen(texts[i]));
        GString *heard = hear(connection, 200);
        ck_assert_msg(heard->len == 0 || status_of(heard->str) >= 400, "%.200s -> %s", texts[i],
                      heard->str);
        g_string_free(heard, TRUE);
        close(connection);
    }
    ck_assert_int_eq(g_atomic_int_get(&asked), 0);
    g_autofree char *heard = get(http, "/well");
    assert_heard(heard, 200, "/well show=(null)\n");
    g_string_free(many_headers, TRUE);
    http_stop(http);
}
END_TEST

/* A request that is forgotten shows as a leak when the test ends. */
START_TEST(more_parameters_than_there_is_memory_for_leave_nothing_behind) {
    Http *http = start();
    g_autoptr(GString) text = g_string_new("GET /a?");
    for (int i = 0; i < 3500; i++)
        g_string_append(text, "a=b&");
    g_string_append(text, "a=b HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int turn = 0; turn < 3; turn++) {
        g_autofree char *heard = exchange(http, text->str, text->len);
        ck_assert_int_ne(status_of(heard), 200);
    }
    g_autofree char *after = get(http, "/after");
    assert_heard(after, 200, "/after show=(null)\n");
    http_stop(http);
}
END_TEST

START_TEST(a_name_from_elsewhere_is_refused_on_loopback) {
    static const struct {
        const char *host;
        int status;
    } rows[] = {
        {"localhost", 200},
        {"LOCALHOST:1", 200},
        {"127.0.0.1", 200},
        {"127.0.0.1:8080", 200},
        {"[::1]:7810", 200},
        {"127.8.9.1", 200},
        {"evil.example", 403},
        {"evil.example:7810", 403},
        {"127.0.0.1.evil.example", 403},
        {"localhost.evil.com", 403},
        {"evil.com:127.0.0.1", 403},
        {"10.0.0.1", 403},
        {"[fe80::1]", 403},
        {"localhost\r\nHost: evil.example", 403},
        {"", 403},
    };
    Http *http = start();
    for (guint row = 0; row < G_N_ELEMENTS(rows); row++) {
        g_autofree char *text = g_strdup_printf(
            "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", rows[row].host);
        g_autofree char *heard = ask(http, text);
        ck_assert_msg(status_of(heard) == rows[row].status ||
                          (rows[row].status == 403 && status_of(heard) == 400),
                      "%s -> %s", rows[row].host, heard);
    }
    http_stop(http);
}
END_TEST

START_TEST(on_every_interface_any_name_will_do) {
    Http *http = start_on("0.0.0.0:0");
    g_autofree char *heard =
        ask(http, "GET / HTTP/1.1\r\nHost: scope.lab.example\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(status_of(heard), 200);
    http_stop(http);
}
END_TEST

START_TEST(who_dawdles_over_a_request_is_cut_off) {
    Http *http = start();
    int dawdlers[3];
    for (int i = 0; i < 3; i++)
        dawdlers[i] = connect_to(http);
    say(dawdlers[1], "GE", 2);
    bool open[3] = {true, true, true};
    gint64 since_us = g_get_monotonic_time();
    while ((open[0] || open[1] || open[2]) && g_get_monotonic_time() - since_us < 14000000) {
        say(dawdlers[2], "G", 1); /* a byte now and then is no excuse */
        for (int i = 0; i < 3; i++) {
            char byte;
            ssize_t length = recv(dawdlers[i], &byte, 1, MSG_DONTWAIT);
            open[i] = open[i] && (length > 0 || (length < 0 && errno == EAGAIN));
        }
        g_usleep(200000);
    }
    ck_assert(!open[0] && !open[1] && !open[2]);
    for (int i = 0; i < 3; i++)
        close(dawdlers[i]);
    http_stop(http);
}
END_TEST

START_TEST(a_reader_who_stops_in_the_middle_holds_nobody_up) {
    static const char text[] = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Http *http = start();
    int slow[20];
    for (int i = 0; i < 20; i++) {
        slow[i] = connect_to(http);
        say(slow[i], text, strlen(text));
    }
    gint64 since_us = g_get_monotonic_time();
    g_autofree char *heard = get(http, "/quick");
    assert_heard(heard, 200, "/quick show=(null)\n");
    ck_assert_int_lt(g_get_monotonic_time() - since_us, 5000000);
    for (int i = 0; i < 20; i++)
        close(slow[i]);
    http_stop(http);
}
END_TEST

/* --- events --- */

START_TEST(events_reach_a_listener_line_by_line) {
    Http *http = start();
    int connection = listen_to_events(http);
    ck_assert(listeners_become(http, 1));
    http_tell(http, "news", "{\"a\": 1}");
    http_tell(http, "more", "one\ntwo");
    GString *heard = g_string_new(NULL);
    ck_assert(hears(connection, heard, "event: more\ndata: one\ndata: two\n\n"));
    ck_assert(strstr(heard->str, "Content-Type: text/event-stream") != NULL);
    ck_assert(strstr(heard->str, "event: news\ndata: {\"a\": 1}\n\n") != NULL);
    g_string_free(heard, TRUE);
    close(connection);
    /* That it is gone is noticed by telling. */
    for (int turn = 0; turn < 300 && http_listeners(http) > 0; turn++) {
        http_tell(http, "news", "x");
        g_usleep(10000);
    }
    ck_assert_uint_eq(http_listeners(http), 0);
    http_stop(http);
}
END_TEST

START_TEST(what_is_told_while_a_listener_reads_nothing_is_sent_in_order) {
    Http *http = start();
    int connection = listen_to_events(http);
    ck_assert(listeners_become(http, 1));
    for (int i = 0; i < 2000; i++) {
        g_autofree char *data = g_strdup_printf("number %d", i);
        http_tell(http, "count", data);
    }
    GString *heard = g_string_new(NULL);
    ck_assert(hears(connection, heard, "number 1999\n"));
    const char *at = heard->str;
    for (int i = 0; i < 2000; i++) {
        g_autofree char *data = g_strdup_printf("number %d\n", i);
        ck_assert((at = strstr(at, data)) != NULL);
    }
    g_string_free(heard, TRUE);
    close(connection);
    http_stop(http);
}
END_TEST

START_TEST(a_slow_listener_is_cut_off_and_the_others_hear_on) {
    Http *http = start();
    int slow = listen_to_events(http), quick = listen_to_events(http);
    ck_assert(listeners_become(http, 2));
    g_autofree char *much = g_strnfill(100000, 'm');
    for (int turn = 0; turn < 500 && http_listeners(http) == 2; turn++) {
        g_autofree char *data = g_strdup_printf("%s\nturn %d", much, turn);
        g_autofree char *last_line = g_strdup_printf("data: turn %d\n", turn);
        GString *heard = g_string_new(NULL);
        gint64 since_us = g_get_monotonic_time();
        http_tell(http, "much", data);
        ck_assert_int_lt(g_get_monotonic_time() - since_us, 1000000);
        ck_assert(hears(quick, heard, last_line));
        g_string_free(heard, TRUE);
    }
    GString *heard = g_string_new(NULL);
    ck_assert(listeners_become(http, 1));
    http_tell(http, "last", "word");
    ck_assert(hears(quick, heard, "event: last\ndata: word\n"));
    g_string_free(heard, TRUE);
    close(slow);
    close(quick);
    http_stop(http);
}
END_TEST

START_TEST(many_listeners_hear_the_same) {
    Http *http = start();
    int viewers[VIEWERS];
    for (int i = 0; i < VIEWERS; i++)
        viewers[i] = listen_to_events(http);
    ck_assert(listeners_become(http, VIEWERS));
    http_tell(http, "news", "for all");
    for (int i = 0; i < VIEWERS; i++) {
        GString *heard = g_string_new(NULL);
        ck_assert(hears(viewers[i], heard, "data: for all\n"));
        g_string_free(heard, TRUE);
        close(viewers[i]);
    }
    http_stop(http);
}
END_TEST

START_TEST(more_connections_than_are_served_wait_and_harm_nobody) {
    enum { MANY = 600 };
    Http *http = start();
    static int crowd[MANY];
    for (int i = 0; i < MANY; i++)
        crowd[i] = connect_to(http);
    for (int i = 0; i < MANY; i++)
        close(crowd[i]);
    g_autofree char *heard = get(http, "/after");
    assert_heard(heard, 200, "/after show=(null)\n");
    http_stop(http);
}
END_TEST

/* --- starting and stopping --- */

START_TEST(it_stops_while_everything_is_open) {
    static const char large[] = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
                      held[] = "GET /kept HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Http *http = start();
    int stream = listen_to_events(http), reader = connect_to(http), silent = connect_to(http),
        waiting = connect_to(http);
    say(reader, large, strlen(large));
    say(waiting, held, strlen(held));
    ck_assert(listeners_become(http, 1));
    for (int turn = 0; turn < 500 && g_atomic_int_get(&asked) < 3; turn++)
        g_usleep(10000);
    gint64 since_us = g_get_monotonic_time();
    http_stop(http);
    ck_assert_int_lt(g_get_monotonic_time() - since_us, 3000000);
    http_answer_text(kept, 200, "too late, and no harm");
    GString *heard = hear(waiting, 3000);
    ck_assert_uint_eq(heard->len, 0);
    g_string_free(heard, TRUE);
    int all[] = {stream, reader, silent, waiting};
    for (guint i = 0; i < G_N_ELEMENTS(all); i++)
        close(all[i]);
}
END_TEST

START_TEST(who_left_before_the_answer_is_no_loss) {
    static const char text[] = "GET /kept HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Http *http = start();
    int connection = connect_to(http);
    say(connection, text, strlen(text));
    for (int turn = 0; turn < 500 && g_atomic_int_get(&asked) < 1; turn++)
        g_usleep(10000);
    close(connection);
    g_usleep(50000);
    http_answer_events(kept);
    ck_assert(listeners_become(http, 1) || listeners_become(http, 0));
    for (int turn = 0; turn < 300 && http_listeners(http) > 0; turn++) {
        http_tell(http, "anyone", "there?");
        g_usleep(10000);
    }
    ck_assert_uint_eq(http_listeners(http), 0);
    http_stop(http);
}
END_TEST

START_TEST(an_address_that_cannot_be_had_is_told) {
    Http *http = start();
    const char *const wrong[] = {http_address(http),
                                 "127.0.0.1",
                                 "127.0.0.1:",
                                 ":80",
                                 "127.0.0.1:65536",
                                 "127.0.0.1:-1",
                                 "::1:80",
                                 "[::1:80",
                                 "203.0.113.7:0",
                                 "no-such-host.invalid:80",
                                 "",
                                 "127.0.0.1:http"};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_msg(http_start(wrong[i], answer, NULL, &error) == NULL, "%s", wrong[i]);
        ck_assert(fault_is(error, FAULT_USAGE));
        ck_assert_msg(g_str_has_prefix(error->message, wrong[i]), "%s", error->message);
    }
    http_stop(http);
}
END_TEST

START_TEST(it_listens_on_ipv6_too) {
    g_autoptr(GError) error = NULL;
    Http *http = http_start("[::1]:0", answer, NULL, &error);
    if (http == NULL) /* a machine without */
        return;
    ck_assert(g_str_has_prefix(http_address(http), "[::1]:"));
    http_stop(http);
}
END_TEST

SUITE("http", a_path_and_its_parameters_arrive_decoded,
      an_answer_may_come_later_from_another_thread, one_connection_asks_many_times,
      head_gets_the_length_and_no_body, head_of_a_stream_has_no_body_either,
      other_methods_and_bodies_are_refused, hostile_request_lines_and_headers_do_nothing,
      more_parameters_than_there_is_memory_for_leave_nothing_behind,
      a_name_from_elsewhere_is_refused_on_loopback, on_every_interface_any_name_will_do,
      who_dawdles_over_a_request_is_cut_off, a_reader_who_stops_in_the_middle_holds_nobody_up,
      events_reach_a_listener_line_by_line,
      what_is_told_while_a_listener_reads_nothing_is_sent_in_order,
      a_slow_listener_is_cut_off_and_the_others_hear_on, many_listeners_hear_the_same,
      more_connections_than_are_served_wait_and_harm_nobody, it_stops_while_everything_is_open,
      who_left_before_the_answer_is_no_loss, an_address_that_cannot_be_had_is_told,
      it_listens_on_ipv6_too)
