/* The microscope is told things while it images, and does them: what it says it did is what stands
 * on disk. Runs simulated-microscope, into folders of its own. */
#include "stream/naming.h"
#include "tests/samples/bench.h"
#include "tests/suite.h"

#include <gio/gio.h>
#include <string.h>

#define SMALL "--sites 2 --channels DAPI,GFP --obey"

/* Runs to the end with these orders, all there when it begins. Returns its answers. */
static char *obey(const Bench *bench, const char *options, const char *orders) {
    g_auto(GStrv) argv = command(bench, options);
    g_autofree char *path = g_build_filename(bench->folder, "orders", NULL);
    ck_assert(g_file_set_contents(path, orders, -1, NULL));
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    g_subprocess_launcher_set_stdin_file_path(launcher, path);
    g_autoptr(GSubprocess) microscope =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, NULL);
    ck_assert_ptr_nonnull(microscope);
    g_autoptr(GBytes) answers = NULL;
    ck_assert(g_subprocess_communicate(microscope, NULL, NULL, &answers, NULL, NULL));
    ck_assert(g_subprocess_get_if_exited(microscope));
    ck_assert_int_eq(g_subprocess_get_exit_status(microscope), 0);
    return g_strndup(g_bytes_get_data(answers, NULL), g_bytes_get_size(answers));
}

/* A microscope one talks to. */
typedef struct {
    GSubprocess *process;
    GDataInputStream *answers;
} Told;

static Told told_new(const Bench *bench, const char *options) {
    g_auto(GStrv) argv = command(bench, options);
    Told told = {g_subprocess_newv((const char *const *)argv,
                                   G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                                   NULL)};
    ck_assert_ptr_nonnull(told.process);
    told.answers = g_data_input_stream_new(g_subprocess_get_stdout_pipe(told.process));
    return told;
}

/* Sends an order and waits for its answer. */
static void tell(Told *told, const char *order, const char *wanted) {
    GOutputStream *orders = g_subprocess_get_stdin_pipe(told->process);
    ck_assert(g_output_stream_write_all(orders, order, strlen(order), NULL, NULL, NULL));
    ck_assert(g_output_stream_write_all(orders, "\n", 1, NULL, NULL, NULL));
    ck_assert(g_output_stream_flush(orders, NULL, NULL));
    g_autofree char *answer = g_data_input_stream_read_line(told->answers, NULL, NULL, NULL);
    ck_assert_pstr_eq(answer, wanted);
}

static void told_end(Told *told) {
    g_output_stream_close(g_subprocess_get_stdin_pipe(told->process), NULL, NULL);
    ck_assert(g_subprocess_wait_check(told->process, NULL, NULL));
    g_clear_object(&told->answers);
    g_clear_object(&told->process);
}

static guint rows_with(GPtrArray *rows, int column, const char *value) {
    guint count = 0;
    for (guint i = 0; i < rows->len; i++)
        count += strcmp(list_row(rows, i)[column], value) == 0;
    return count;
}

static guint rows_again(GPtrArray *rows) {
    guint count = 0;
    for (guint i = 0; i < rows->len; i++)
        count += g_str_has_prefix(list_row(rows, i)[FILE_NAME], "again-");
    return count;
}

static void expect_all_on_disk(const Bench *bench, GPtrArray *rows) {
    g_autoptr(GHashTable) disk = files_on_disk(bench);
    ck_assert_uint_eq(g_hash_table_size(disk), rows->len);
    for (guint i = 0; i < rows->len; i++)
        ck_assert(g_hash_table_contains(disk, list_row(rows, i)[FILE_NAME]));
}

START_TEST(told_to_image_again_it_goes_back_after_the_plate_too) {
    g_auto(Bench) bench = bench_new();
    Told told = told_new(&bench, "--wells A01-A02 --wait " SMALL);
    tell(&told, "image A01 1", "ok image A01 1 files=2 again=0");
    tell(&told, "image_again A01 1 focus=2.5", "ok image_again A01 1 focus=2.5 files=2 again=1");
    tell(&told, "image_again A01 1 focus=-3", "ok image_again A01 1 focus=-3 files=2 again=2");
    told_end(&told);
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 6);
    expect_all_on_disk(&bench, rows);
    const char *const off_focus[] = {"0.0", "0.0", "2.5", "2.5", "-3.0", "-3.0"};
    for (guint i = 0; i < 6; i++) {
        char **row = list_row(rows, i);
        ck_assert_str_eq(row[WELL], "A01");
        ck_assert_str_eq(row[SITE], "1");
        ck_assert_str_eq(row[CHANNEL], i % 2 ? "2" : "1");
        ck_assert_str_eq(row[OFF_FOCUS], off_focus[i]);
    }
}
END_TEST

START_TEST(the_whole_plate_is_imaged_beside_what_is_told) {
    g_auto(Bench) bench = bench_new();
    Told told = told_new(&bench, "--wells A01-A02 " SMALL);
    for (int tries = 0; tries < 100; tries++) { /* until the plate is done */
        g_autoptr(GHashTable) disk =
            g_file_test(bench.out, G_FILE_TEST_IS_DIR) ? files_on_disk(&bench) : NULL;
        if (disk && g_hash_table_size(disk) == 8)
            break;
        g_usleep(50000);
    }
    tell(&told, "image_again A02 2", "ok image_again A02 2 files=2 again=1");
    told_end(&told);
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 10);
    ck_assert_uint_eq(rows_again(rows), 2);
    expect_all_on_disk(&bench, rows);
}
END_TEST

START_TEST(a_whole_well_is_imaged_again) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01 --wait " SMALL,
                                    "image A01\nimage_again A01 2\nimage_again all\n");
    ck_assert_str_eq(answers, "ok image A01 files=4 again=0\n"
                              "ok image_again A01 2 files=2 again=1\n"
                              "ok image_again all files=4 again=2\n");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 10);
    expect_all_on_disk(&bench, rows);
}
END_TEST

START_TEST(files_of_another_run_are_not_overwritten) {
    g_auto(Bench) bench = bench_new();
    const char *orders = "image A01 1\nimage_again A01 1\n";
    g_autofree char *first = obey(&bench, "--wells A01 --wait " SMALL, orders);
    g_autofree char *second = obey(&bench, "--wells A01 --wait " SMALL, orders);
    ck_assert_ptr_nonnull(strstr(first, "files=2 again=1\n"));
    ck_assert_ptr_nonnull(strstr(second, "files=2 again=2\n"));
}
END_TEST

START_TEST(what_is_skipped_is_not_imaged_and_can_be_taken_back) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01-A03 " SMALL,
                                    "skip all\ncontinue A03 1\nskip A01\ncontinue A01\n");
    ck_assert_str_eq(answers, "ok skip all\nok continue A03 1\nok skip A01\nok continue A01\n");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows_with(rows, WELL, "A01"), 4);
    ck_assert_uint_eq(rows_with(rows, WELL, "A02"), 0);
    ck_assert_uint_eq(rows_with(rows, WELL, "A03"), 2);
    ck_assert_uint_eq(rows_with(rows, SITE, "2"), 2);
    expect_all_on_disk(&bench, rows);
}
END_TEST

START_TEST(a_site_imaged_before_its_turn_is_not_imaged_twice) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01-A02 " SMALL,
                                    "image A02 2\nimage A02 2\nimage_again A01 1\nimage A01\n");
    ck_assert_str_eq(answers, "ok image A02 2 files=2 again=0\n"
                              "refused image A02 2: was imaged already, say image_again\n"
                              "ok image_again A01 1 files=2 again=0\n"
                              "ok image A01 files=2 again=0\n");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 8);
    ck_assert_str_eq(list_row(rows, 0)[WELL], "A02");
    expect_all_on_disk(&bench, rows);
}
END_TEST

START_TEST(stop_ends_the_run) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01-D06 " SMALL, "stop\nskip A01\n");
    ck_assert_str_eq(answers, "ok stop\n");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 0);
}
END_TEST

START_TEST(a_wrong_order_is_answered_and_changes_nothing) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers =
        obey(&bench, "--wells A01 " SMALL, "\nimage_again Z99 1\n\xff\xfe\nimage_again A01 1 x=\n");
    g_auto(GStrv) lines = g_strsplit(answers, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 4); /* the last one is empty */
    for (guint i = 0; i < 3; i++)
        ck_assert(g_str_has_prefix(lines[i], "refused "));
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 4);
}
END_TEST

START_TEST(it_waits_no_longer_than_it_was_told_to) {
    g_auto(Bench) bench = bench_new();
    Told told = told_new(&bench, "--wells A01 --linger 300ms " SMALL);
    gint64 began_us = g_get_monotonic_time();
    ck_assert(g_subprocess_wait_check(told.process, NULL, NULL)); /* its input stays open */
    ck_assert_int_ge(g_get_monotonic_time() - began_us, 300000);
    told_end(&told);
}
END_TEST

START_TEST(an_offset_brings_a_defocused_site_into_focus_and_the_list_says_so) {
    g_auto(Bench) bench = bench_new();
    Told told = told_new(&bench, "--wells A01 --wait --fault defocus:A01 " SMALL);
    tell(&told, "image A01 1", "ok image A01 1 files=2 again=0");
    g_autoptr(GPtrArray) before = list_read(&bench);
    double off_um = g_ascii_strtod(list_row(before, 0)[OFF_FOCUS], NULL);
    ck_assert_double_ge(ABS(off_um), 8);
    g_autofree char *order = g_strdup_printf("image_again A01 1 focus=%.1f", -off_um);
    g_autofree char *wanted = g_strdup_printf("ok %s files=2 again=1", order);
    tell(&told, order, wanted);
    told_end(&told);
    g_autoptr(GPtrArray) after = list_read(&bench);
    ck_assert_str_eq(list_row(after, 0)[FAULTS], "defocus");
    ck_assert_str_eq(list_row(after, 2)[FAULTS], "");
    ck_assert_double_le(ABS(g_ascii_strtod(list_row(after, 2)[OFF_FOCUS], NULL)), 0.1);
}
END_TEST

START_TEST(what_got_lost_comes_when_it_is_imaged_again) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01 --wait --fault missing:A01 " SMALL,
                                    "image A01 1\nimage_again A01 1\n");
    ck_assert_ptr_nonnull(strstr(answers, "again=1"));
    g_autoptr(GPtrArray) rows = list_read(&bench);
    g_autoptr(GHashTable) disk = files_on_disk(&bench);
    ck_assert_str_eq(list_row(rows, 0)[FAULTS], "missing");
    ck_assert_str_eq(list_row(rows, 2)[FAULTS], "");
    ck_assert_uint_eq(g_hash_table_size(disk), 2);
}
END_TEST

START_TEST(each_plate_of_a_loop_begins_anew) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *answers = obey(&bench, "--wells A01 --loop --frames 8 " SMALL, "skip A01 2\n");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_str_eq(answers, "ok skip A01 2\n");
    ck_assert_uint_eq(rows_with(rows, PLATE, "P1"), 2);
    ck_assert_uint_eq(rows_with(rows, PLATE, "P1-2"), 4);
}
END_TEST

/* --- whoever reads the names --- */

static Frame *place_read(const char *path) {
    SourceSettings source = {.name = "scope", .folder = "/images", .naming = NAMING_AUTO};
    Frame *frame = frame_new();
    frame->path = g_strdup(path);
    naming_place(&source, frame);
    return frame;
}

static void expect_same_place(const char *first, const char *again) {
    g_autoptr(Frame) before = place_read(first);
    g_autoptr(Frame) after = place_read(again);
    ck_assert_pstr_eq(after->naming, before->naming);
    ck_assert_pstr_eq(after->experiment, before->experiment);
    ck_assert_pstr_eq(after->plate, "P1");
    ck_assert_pstr_eq(after->plate, before->plate);
    ck_assert_pstr_eq(after->well, before->well);
    ck_assert_pstr_eq(after->channel, before->channel);
    ck_assert(after->site == before->site && after->z == before->z && after->t == before->t);
}

START_TEST(names_of_files_imaged_again_tell_the_same_place) {
    static const struct {
        const char *options, *site, *again; /* the site, as orders name it */
    } rows[] = {
        {"--naming imagexpress --z 2 --t 2", "A02 2", "A02 2"},
        {"--naming imagexpress --z 2 --stack", "A02 2", "A02 2"},
        {"--naming phenix --z 2", "A02 2", "A02 2"},
        {"--naming yokogawa", "A02 2", "A02 2"},
        {"--naming cellomics", "A02 1", "A02 1"},
        {"--naming cellomics --t 2", "A02 1", "A02 1"},
        {"--naming micromanager --z 2", "A02 3", "- 3"},
        {"--naming micromanager --z 2 --t 2 --stack", "- 3", "- 3"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Bench) bench = bench_new();
        g_autofree char *options =
            g_strdup_printf("--wells A01-A02 --wait %s " SMALL, rows[i].options);
        g_autofree char *orders =
            g_strdup_printf("image %s\nimage_again %s\n", rows[i].site, rows[i].again);
        g_autofree char *answers = obey(&bench, options, orders);
        g_autoptr(GPtrArray) list = list_read(&bench);
        ck_assert_msg(list->len >= 4 && list->len % 2 == 0, "%s: %s", options, answers);
        for (guint frame = 0; frame < list->len / 2; frame++)
            expect_same_place(list_row(list, frame)[FILE_NAME],
                              list_row(list, frame + list->len / 2)[FILE_NAME]);
    }
}
END_TEST

SUITE("obey", told_to_image_again_it_goes_back_after_the_plate_too,
      the_whole_plate_is_imaged_beside_what_is_told, a_whole_well_is_imaged_again,
      files_of_another_run_are_not_overwritten, what_is_skipped_is_not_imaged_and_can_be_taken_back,
      a_site_imaged_before_its_turn_is_not_imaged_twice, stop_ends_the_run,
      a_wrong_order_is_answered_and_changes_nothing, it_waits_no_longer_than_it_was_told_to,
      an_offset_brings_a_defocused_site_into_focus_and_the_list_says_so,
      what_got_lost_comes_when_it_is_imaged_again, each_plate_of_a_loop_begins_anew,
      names_of_files_imaged_again_tell_the_same_place)
