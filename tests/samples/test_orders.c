/* What the microscope may be told, and what it says to all else. */
#include "samples/microscope/orders.h"
#include "tests/suite.h"

#include <string.h>
#include <unistd.h>

/* Wells A01 A02 B02 B01 in the order of the stage, three sites each. */
static Plate plate_make(void) {
    WellSet set = {0};
    ck_assert(wells_parse("A01-B02", &set, NULL));
    return (Plate){wells_snake(&set), 3, 2, 1, 1, STACK_NONE};
}

static bool parse(const char *naming, const char *line, Order *order, GError **error) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    OrderStage stage = {&plate, naming_find(naming), "P 1"};
    return order_parse(line, &stage, order, error);
}

static Order understood(const char *naming, const char *line) {
    g_autoptr(GError) error = NULL;
    Order order;
    bool is_good = parse(naming, line, &order, &error);
    ck_assert_msg(is_good, "%s: %s", line, error ? error->message : "");
    return order;
}

START_TEST(a_site_is_imaged_again_with_another_focus) {
    Order order = understood("imagexpress", "image_again B02 3 focus=-9.5 plate=P 1");
    ck_assert_int_eq(order.kind, ORDER_IMAGE_AGAIN);
    ck_assert_uint_eq(order.well_index, 2);
    ck_assert_uint_eq(order.site, 2);
    ck_assert_int_eq(order.focus_nm, -9500);
    ck_assert_int_eq(understood("imagexpress", "image_again B02 3").focus_nm, 0);
}
END_TEST

START_TEST(spaces_and_small_letters_do_not_matter) {
    Order order = understood("imagexpress", "  skip \t b2   1 \r");
    ck_assert_int_eq(order.kind, ORDER_SKIP);
    ck_assert_uint_eq(order.well_index, 2);
    ck_assert_uint_eq(order.site, 0);
}
END_TEST

START_TEST(a_whole_well_or_plate_may_be_meant) {
    Order again = understood("imagexpress", "image_again B01");
    ck_assert(again.kind == ORDER_IMAGE_AGAIN && again.site == ALL && again.well_index == 3);
    Order plate = understood("micromanager", "skip all");
    ck_assert(plate.kind == ORDER_SKIP && plate.site == ALL && plate.well_index == ALL);
    Order skip = understood("imagexpress", "skip B01");
    Order back = understood("imagexpress", "continue B01");
    ck_assert(skip.kind == ORDER_SKIP && skip.site == ALL && skip.well_index == 3);
    ck_assert(back.kind == ORDER_CONTINUE && back.site == ALL && back.well_index == 3);
}
END_TEST

/* Cellomics counts from 0, Micro-Manager through the plate. */
START_TEST(sites_are_counted_as_in_the_names) {
    ck_assert_uint_eq(understood("cellomics", "image A01 0").site, 0);
    Order order = understood("micromanager", "image_again - 7");
    ck_assert_uint_eq(order.well_index, 2);
    ck_assert_uint_eq(order.site, 1);
    order = understood("micromanager", "image_again B02 7");
    ck_assert_uint_eq(order.site, 1);
}
END_TEST

START_TEST(a_wrong_order_is_refused_with_the_reason) {
    static const struct {
        const char *naming, *line, *reason;
    } wrong[] = {
        {"imagexpress", "", "expected image"},
        {"imagexpress", "dance A01 1", "expected image"},
        {"imagexpress", "image_again", "WELL [SITE]"},
        {"imagexpress", "image_again focus=3", "WELL [SITE]"},
        {"imagexpress", "image_again A01 1 2", "WELL [SITE]"},
        {"imagexpress", "image_again all 1", "\"all\" is no well"},
        {"imagexpress", "image_again H12 1", "\"H12\" is no well"},
        {"imagexpress", "image_again 01 1", "\"01\" is no well"},
        {"imagexpress", "image_again A01 0", "\"0\" is no site"},
        {"imagexpress", "image_again A01 4", "1 to 3"},
        {"imagexpress", "image_again A01 1 focus=", "micrometres"},
        {"imagexpress", "image_again A01 1 focus=9um", "micrometres"},
        {"imagexpress", "image_again A01 1 focus=nan", "micrometres"},
        {"imagexpress", "image_again A01 1 focus=1001", "-1000 to 1000"},
        {"imagexpress", "image_again A01 1 plate=Q 2", "the plate on the stage is P 1"},
        {"imagexpress", "image_again A01 1 zoom=2", "no zoom=2"},
        {"imagexpress", "image_again - 1", "a well is wanted"},
        {"imagexpress", "skip A01 focus=3", "no focus=3"},
        {"imagexpress", "skip", "WELL"},
        {"imagexpress", "stop now", "nothing after stop"},
        {"micromanager", "image_again A01 7", "another well"},
        {"micromanager", "skip -", "SITE"},
        {"cellomics", "skip A01 3", "0 to 2"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        Order order;
        ck_assert_msg(!parse(wrong[i].naming, wrong[i].line, &order, &error), "\"%s\" was taken",
                      wrong[i].line);
        ck_assert(g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE));
        ck_assert_msg(strstr(error->message, wrong[i].reason), "%s: %s", wrong[i].line,
                      error->message);
        ck_assert_ptr_null(strchr(error->message, '\n'));
    }
}
END_TEST

static void expect_line(Orders *orders, const char *wanted) {
    g_autofree char *line = orders_next(orders, 0);
    ck_assert_pstr_eq(line, wanted);
}

static void put(int fd, const char *text) {
    ck_assert_int_eq(write(fd, text, strlen(text)), (gssize)strlen(text));
}

START_TEST(lines_come_whole_however_they_were_cut) {
    int pipe_fds[2];
    ck_assert_int_eq(pipe(pipe_fds), 0);
    Orders *orders = orders_new(pipe_fds[0]);
    expect_line(orders, NULL);
    put(pipe_fds[1], "skip A0");
    expect_line(orders, NULL);
    put(pipe_fds[1], "1\nstop\nlas");
    expect_line(orders, "skip A01");
    expect_line(orders, "stop");
    expect_line(orders, NULL);
    ck_assert(!orders_ended(orders));
    close(pipe_fds[1]);
    expect_line(orders, "las");
    expect_line(orders, NULL);
    ck_assert(orders_ended(orders));
    orders_free(orders);
    close(pipe_fds[0]);
}
END_TEST

START_TEST(a_line_without_end_is_cut) {
    int pipe_fds[2];
    ck_assert_int_eq(pipe(pipe_fds), 0);
    Orders *orders = orders_new(pipe_fds[0]);
    g_autofree char *much = g_strnfill(3000, 'x');
    put(pipe_fds[1], much);
    expect_line(orders, NULL);
    put(pipe_fds[1], much);
    g_autofree char *line = orders_next(orders, 0);
    ck_assert_uint_eq(strlen(line), 4096);
    orders_free(orders);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}
END_TEST

SUITE("orders", a_site_is_imaged_again_with_another_focus, spaces_and_small_letters_do_not_matter,
      a_whole_well_or_plate_may_be_meant, sites_are_counted_as_in_the_names,
      a_wrong_order_is_refused_with_the_reason, lines_come_whole_however_they_were_cut,
      a_line_without_end_is_cut)
