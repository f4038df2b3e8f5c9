#include "ingest/settle.h"
#include "tests/suite.h"

/* Times of these tests: quiet 500, closed 50, given up after 2000, in milliseconds. */
#define MS 1000

static Settle *settle_of_test(void) {
    return settle_new((SettleTimes){500 * MS, 50 * MS, 2000 * MS});
}

static FileSight sight_of(guint64 size_bytes) {
    return (FileSight){.size_bytes = size_bytes, .mtime_ns = 7, .inode = 1};
}

static void see(Settle *settle, guint64 size_bytes, gint64 closed_us, gint64 now_ms) {
    FileSight sight = sight_of(size_bytes);
    settle_see(settle, "a.tif", &sight, closed_us, now_ms * MS);
}

static bool is_quiet(Settle *settle, guint64 size_bytes, gint64 now_ms) {
    SettleFile *file = settle_next(settle, now_ms * MS);
    ck_assert_msg(file != NULL, "nothing is due at %d ms", (int)now_ms);
    FileSight sight = sight_of(size_bytes);
    return settle_is_quiet(settle, file, &sight, now_ms * MS);
}

START_TEST(a_file_only_seen_needs_the_long_quiet_time) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 1000);
    ck_assert_ptr_null(settle_next(settle, 1499 * MS));
    ck_assert_int_eq(settle_due_us(settle), 1500 * MS);
    ck_assert(is_quiet(settle, 10, 1500));
}
END_TEST

START_TEST(a_closed_file_needs_the_short_one) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 77, 1000);
    ck_assert_ptr_null(settle_next(settle, 1049 * MS));
    ck_assert(is_quiet(settle, 10, 1050));
    ck_assert_int_eq(settle_next(settle, 1050 * MS)->closed_us, 77);
}
END_TEST

START_TEST(closing_shortens_the_wait_of_a_file_seen_before) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 1000);
    see(settle, 10, 77, 1010);
    ck_assert_uint_eq(settle_count(settle), 1);
    ck_assert_int_eq(settle_due_us(settle), 1050 * MS);
}
END_TEST

START_TEST(a_file_that_grows_waits_anew) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 1000);
    ck_assert(!is_quiet(settle, 20, 1500));
    ck_assert_int_eq(settle_due_us(settle), 2000 * MS);
    ck_assert(!is_quiet(settle, 30, 2000));
    ck_assert_str_eq(settle_next(settle, 2500 * MS)->reason, "is still being written");
    ck_assert(is_quiet(settle, 30, 2500));
}
END_TEST

START_TEST(a_file_opened_again_is_no_longer_closed) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 77, 1000);
    ck_assert(!is_quiet(settle, 20, 1050));
    ck_assert_int_eq(settle_due_us(settle), 1550 * MS);
    ck_assert_int_eq(settle_next(settle, 1550 * MS)->closed_us, 0);
}
END_TEST

START_TEST(any_part_of_a_sight_counts_as_a_change) {
    FileSight first = {1, 2, 3, 4, 5};
    FileSight others[] = {
        {9, 2, 3, 4, 5}, {1, 9, 3, 4, 5}, {1, 2, 9, 4, 5}, {1, 2, 3, 9, 5}, {1, 2, 3, 4, 9}};
    for (guint other = 0; other < G_N_ELEMENTS(others); other++) {
        g_autoptr(Settle) settle = settle_of_test();
        settle_see(settle, "a.tif", &first, 0, 0);
        SettleFile *file = settle_next(settle, 500 * MS);
        ck_assert(!settle_is_quiet(settle, file, &others[other], 500 * MS));
    }
}
END_TEST

START_TEST(an_incomplete_file_is_looked_at_less_and_less_often) {
    g_autoptr(Settle) settle = settle_new((SettleTimes){500 * MS, 50 * MS, 60000 * MS});
    see(settle, 10, 0, 0);
    gint64 last_ms = 500;
    gint64 pauses_ms[] = {500, 1000, 2000, 4000, 5000, 5000};
    for (guint look = 0; look < G_N_ELEMENTS(pauses_ms); look++) {
        ck_assert(is_quiet(settle, 10, last_ms));
        SettleFile *file = settle_next(settle, last_ms * MS);
        ck_assert(!settle_incomplete(settle, file, "no end", last_ms * MS));
        ck_assert_int_eq(settle_due_us(settle), (last_ms + pauses_ms[look]) * MS);
        last_ms += pauses_ms[look];
    }
}
END_TEST

START_TEST(an_incomplete_file_that_is_closed_is_looked_at_at_once) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 0);
    SettleFile *file = settle_next(settle, 500 * MS);
    settle_incomplete(settle, file, "no end", 500 * MS);
    see(settle, 10, 77, 600);
    ck_assert(is_quiet(settle, 10, 600));
}
END_TEST

START_TEST(an_incomplete_file_is_given_up_after_its_time) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 0);
    SettleFile *file = settle_next(settle, 500 * MS);
    ck_assert(!settle_incomplete(settle, file, "no end", 500 * MS));
    ck_assert(!settle_incomplete(settle, file, "no end", 1999 * MS));
    ck_assert_int_eq(settle_due_us(settle), 2000 * MS);
    ck_assert(settle_incomplete(settle, file, "no end", 2000 * MS));
    settle_forget(settle, file);
    ck_assert_uint_eq(settle_count(settle), 0);
    ck_assert_int_eq(settle_due_us(settle), G_MAXINT64);
}
END_TEST

START_TEST(a_change_starts_the_time_to_give_up_anew) {
    g_autoptr(Settle) settle = settle_of_test();
    see(settle, 10, 0, 0);
    SettleFile *file = settle_next(settle, 500 * MS);
    settle_incomplete(settle, file, "no end", 500 * MS);
    see(settle, 20, 0, 1900);
    ck_assert_ptr_null(file->reason);
    ck_assert(!settle_incomplete(settle, file, "no end", 2400 * MS));
}
END_TEST

START_TEST(files_come_in_the_order_they_are_due) {
    g_autoptr(Settle) settle = settle_of_test();
    FileSight sight = sight_of(1);
    settle_see(settle, "late.tif", &sight, 0, 0);
    settle_see(settle, "soon.tif", &sight, 5, 100 * MS);
    ck_assert_str_eq(settle_next(settle, G_MAXINT64)->path, "soon.tif");
    settle_forget(settle, settle_next(settle, G_MAXINT64));
    ck_assert_str_eq(settle_next(settle, G_MAXINT64)->path, "late.tif");
}
END_TEST

static void count_one(const SettleFile *file, void *context) {
    ck_assert_str_eq(file->reason, "no end");
    ++*(guint *)context;
}

START_TEST(only_files_with_a_reason_are_shown) {
    g_autoptr(Settle) settle = settle_of_test();
    FileSight sight = sight_of(1);
    settle_see(settle, "waits.tif", &sight, 0, 400 * MS);
    settle_see(settle, "broken.tif", &sight, 0, 0);
    settle_incomplete(settle, settle_next(settle, 500 * MS), "no end", 500 * MS);
    guint count = 0;
    settle_visit_incomplete(settle, 20, count_one, &count);
    ck_assert_uint_eq(count, 1);
}
END_TEST

SUITE("settle", a_file_only_seen_needs_the_long_quiet_time, a_closed_file_needs_the_short_one,
      closing_shortens_the_wait_of_a_file_seen_before, a_file_that_grows_waits_anew,
      a_file_opened_again_is_no_longer_closed, any_part_of_a_sight_counts_as_a_change,
      an_incomplete_file_is_looked_at_less_and_less_often,
      an_incomplete_file_that_is_closed_is_looked_at_at_once,
      an_incomplete_file_is_given_up_after_its_time, a_change_starts_the_time_to_give_up_anew,
      files_come_in_the_order_they_are_due, only_files_with_a_reason_are_shown)
