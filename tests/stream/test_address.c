#include "stream/address.h"
#include "tests/suite.h"
#include <unistd.h>

START_TEST(an_address_has_a_host_and_a_port) {
    static const struct {
        const char *text, *host, *port;
    } rows[] = {
        {"127.0.0.1:7810", "127.0.0.1", "7810"},
        {"[::1]:0", "::1", "0"},
        {"scope-pc.example.org:65535", "scope-pc.example.org", "65535"},
        {":7422", "", "7422"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *host = NULL, *port = NULL;
        ck_assert_msg(address_split(rows[i].text, &host, &port), "%s", rows[i].text);
        ck_assert_str_eq(host, rows[i].host);
        ck_assert_str_eq(port, rows[i].port);
    }
}
END_TEST

START_TEST(what_lacks_a_half_is_none) {
    static const char *const none[] = {
        "",    "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536",
        "::1", "::1:80",    "[::1]",      "[::1:80",        "fe80::2"};
    for (guint i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autofree char *host = NULL, *port = NULL;
        g_autoptr(GError) error = NULL;
        ck_assert_msg(!address_split(none[i], &host, &port), "%s", none[i]);
        ck_assert_msg(address_listen(none[i], 1, &error) < 0, "%s", none[i]);
        ck_assert(fault_is(error, FAULT_USAGE) && g_str_has_prefix(error->message, none[i]));
    }
}
END_TEST

START_TEST(a_page_must_say_where_it_listens) {
    g_autoptr(GError) error = NULL;
    ck_assert(address_check("0.0.0.0:7810", &error));
    ck_assert(!address_check(":7810", &error) && fault_is(error, FAULT_USAGE));
}
END_TEST

START_TEST(where_it_listens_is_told_with_the_port_it_got) {
    g_autoptr(GError) error = NULL;
    int listener = address_listen("localhost:0", 1, &error);
    ck_assert_msg(listener >= 0, "%s", error != NULL ? error->message : "");
    g_autoptr(GInetSocketAddress) address = address_of(listener);
    g_autofree char *text = address_text(address);
    ck_assert(address_check(text, &error) && address_is_loopback(text));
    ck_assert_uint_gt(g_inet_socket_address_get_port(address), 0);
    ck_assert_msg(address_listen(text, 1, &error) < 0, "had twice");
    close(listener);
}
END_TEST

START_TEST(this_machine_has_several_names) {
    static const char *const ours[] = {"localhost",   "LocalHost:80", "127.0.0.1",
                                       "127.9.9.9:1", "[::1]:80",     "[::1]"};
    static const char *const others[] = {"localhost.evil.example",
                                         "127.0.0.1.evil.example",
                                         "192.0.2.1:80",
                                         "0.0.0.0:80",
                                         "",
                                         "[::2]:80"};
    for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
        ck_assert_msg(address_is_loopback(ours[i]), "%s", ours[i]);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        ck_assert_msg(!address_is_loopback(others[i]), "%s", others[i]);
}
END_TEST

SUITE("address", an_address_has_a_host_and_a_port, what_lacks_a_half_is_none,
      a_page_must_say_where_it_listens, where_it_listens_is_told_with_the_port_it_got,
      this_machine_has_several_names)
