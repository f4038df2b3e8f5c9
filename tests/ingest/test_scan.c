#include "ingest/scan.h"
#include "tests/ingest/folder.h"
#include "tests/suite.h"
#include <string.h>

#define SECOND_US G_USEC_PER_SEC

static gint compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What a scan gives, as one text: folders end in '/', unreadable ones in '!'; sorted. */
static char *scan_text_with(const char *folder, const char *below, ScanMemo *memo, gint64 lasts_us,
                            gint64 now_us, const char *unfinished) {
    g_autoptr(Settings) settings = folder_settings(folder);
    g_autoptr(Filter) filter = filter_new(settings->sources[0]);
    g_autoptr(Scan) scan = scan_new(folder, below, filter, memo, lasts_us);
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    ScanEntry entry;
    for (ScanStep step; (step = scan_next(scan, now_us, &entry)) != SCAN_END;) {
        if (step == SCAN_FILE && g_strcmp0(entry.path, unfinished) == 0)
            scan_unfinished(scan);
        if (step != SCAN_RESTED)
            g_ptr_array_add(words, g_strconcat(entry.path,
                                               step == SCAN_FILE     ? ""
                                               : step == SCAN_FOLDER ? "/"
                                                                     : "!",
                                               NULL));
        g_free(entry.why);
    }
    g_ptr_array_sort(words, compare_texts);
    g_ptr_array_add(words, NULL);
    return g_strjoinv(" ", (char **)words->pdata);
}

static char *scan_text(const char *folder, const char *below) {
    return scan_text_with(folder, below, NULL, 0, 0, NULL);
}

static void expect(char *text, const char *expected) {
    ck_assert_str_eq(text, expected);
    g_free(text);
}

START_TEST(files_in_folders_in_folders_are_found) {
    char *folder = folder_new();
    folder_make(folder, "plate/well");
    folder_write(folder, "a.tif", "x", 1);
    folder_write(folder, "plate/b.TIFF", "x", 1);
    folder_write(folder, "plate/well/c.png", "x", 1);
    expect(scan_text(folder, ""), "/ a.tif plate/ plate/b.TIFF plate/well/ plate/well/c.png");
    expect(scan_text(folder, "plate/well"), "plate/well/ plate/well/c.png");
    expect(scan_text(folder, "nowhere"), "");
    folder_free(folder);
}
END_TEST

START_TEST(other_names_are_passed_over_in_any_case) {
    char *folder = folder_new();
    folder_make(folder, ".hidden");
    folder_make(folder, "run.TMP");
    folder_write(folder, ".hidden/a.tif", "x", 1);
    folder_write(folder, "run.TMP/a.tif", "x", 1);
    const char *names[] = {"._a.tif", "a.tif.part", "notes.txt", "a_Thumb128.tif", "~a.tif"};
    for (guint name = 0; name < G_N_ELEMENTS(names); name++)
        folder_write(folder, names[name], "x", 1);
    expect(scan_text(folder, ""), "/");
    folder_free(folder);
}
END_TEST

START_TEST(links_and_pipes_are_not_followed) {
    char *folder = folder_new();
    folder_make(folder, "real");
    folder_write(folder, "real/a.tif", "x", 1);
    g_autofree char *file_link = g_build_filename(folder, "link.tif", NULL);
    g_autofree char *folder_link = g_build_filename(folder, "link", NULL);
    g_autofree char *pipe_name = g_build_filename(folder, "pipe.tif", NULL);
    ck_assert_int_eq(symlink("real/a.tif", file_link), 0);
    ck_assert_int_eq(symlink("real", folder_link), 0);
    ck_assert_int_eq(mkfifo(pipe_name, 0600), 0);
    expect(scan_text(folder, ""), "/ real/ real/a.tif");

    FileSight sight;
    GError *error = NULL;
    ck_assert_int_eq(file_open(folder, "link.tif", &sight, &error), -1);
    ck_assert(fault_is(error, FAULT_VANISHED));
    g_clear_error(&error);
    ck_assert_int_eq(file_open(folder, "link/a.tif", &sight, &error), -1);
    ck_assert(fault_is(error, FAULT_VANISHED));
    g_clear_error(&error);
    ck_assert_int_eq(file_open(folder, "pipe.tif", &sight, &error), -1);
    ck_assert(fault_is(error, FAULT_VANISHED));
    g_clear_error(&error);
    folder_free(folder);
}
END_TEST

START_TEST(a_file_in_a_folder_that_is_away_is_not_said_to_be_gone) {
    FileSight sight;
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(file_open("/nowhere/at/all", "a.tif", &sight, &error), -1);
    ck_assert(fault_is(error, FAULT_AGAIN));
}
END_TEST

START_TEST(folders_too_deep_are_told_and_passed_over) {
    char *folder = folder_new();
    g_autoptr(GString) deep = g_string_new("d");
    for (guint level = 1; level < SCAN_DEPTH_MAX + 5; level++)
        g_string_append(deep, "/d");
    folder_make(folder, deep->str);
    g_autofree char *text = scan_text(folder, "");
    ck_assert_ptr_nonnull(strchr(text, '!'));
    folder_free(folder);
}
END_TEST

/* A memo that has seen the folder finished twice, a while apart: at 0 and at 10 seconds. */
static ScanMemo *memo_of(const char *folder) {
    ScanMemo *memo = scan_memo_new();
    g_free(scan_text_with(folder, "", memo, 0, 0, NULL));
    g_free(scan_text_with(folder, "", memo, 0, 10 * SECOND_US, NULL));
    return memo;
}

START_TEST(a_finished_folder_is_passed_over_until_the_memo_is_old) {
    char *folder = folder_new();
    folder_make(folder, "sub");
    folder_write(folder, "a.tif", "x", 1);
    folder_write(folder, "sub/b.tif", "x", 1);
    g_autoptr(ScanMemo) memo = memo_of(folder);
    gint64 lasts_us = 60 * SECOND_US;
    expect(scan_text_with(folder, "", memo, lasts_us, 11 * SECOND_US, NULL), "/ sub/");
    expect(scan_text_with(folder, "", memo, lasts_us, 71 * SECOND_US, NULL),
           "/ a.tif sub/ sub/b.tif");
    folder_free(folder);
}
END_TEST

START_TEST(one_look_at_a_folder_is_not_enough_for_the_memo) {
    char *folder = folder_new();
    folder_write(folder, "a.tif", "x", 1);
    g_autoptr(ScanMemo) memo = scan_memo_new();
    g_free(scan_text_with(folder, "", memo, 0, 0, NULL));
    expect(scan_text_with(folder, "", memo, 60 * SECOND_US, SECOND_US, NULL), "/ a.tif");
    expect(scan_text_with(folder, "", memo, 60 * SECOND_US, 2 * SECOND_US, NULL), "/ a.tif");
    folder_free(folder);
}
END_TEST

START_TEST(a_folder_in_which_something_came_is_looked_at) {
    char *folder = folder_new();
    folder_write(folder, "a.tif", "x", 1);
    g_autoptr(ScanMemo) memo = memo_of(folder);
    folder_write(folder, "b.tif", "x", 1);
    expect(scan_text_with(folder, "", memo, 60 * SECOND_US, 11 * SECOND_US, NULL), "/ a.tif b.tif");
    folder_free(folder);
}
END_TEST

START_TEST(a_renamed_folder_holds_new_paths) {
    char *folder = folder_new();
    folder_make(folder, "old");
    folder_write(folder, "old/a.tif", "x", 1);
    g_autoptr(ScanMemo) memo = memo_of(folder);
    folder_move(folder, "old", "new");
    expect(scan_text_with(folder, "", memo, 60 * SECOND_US, 11 * SECOND_US, NULL),
           "/ new/ new/a.tif");
    folder_free(folder);
}
END_TEST

START_TEST(a_folder_with_an_unfinished_file_is_never_passed_over) {
    char *folder = folder_new();
    folder_write(folder, "a.tif", "x", 1);
    g_autoptr(ScanMemo) memo = scan_memo_new();
    for (gint64 now_us = 0; now_us < 40 * SECOND_US; now_us += 10 * SECOND_US)
        expect(scan_text_with(folder, "", memo, 60 * SECOND_US, now_us, "a.tif"), "/ a.tif");
    folder_free(folder);
}
END_TEST

SUITE("scan", files_in_folders_in_folders_are_found, other_names_are_passed_over_in_any_case,
      links_and_pipes_are_not_followed, a_file_in_a_folder_that_is_away_is_not_said_to_be_gone,
      folders_too_deep_are_told_and_passed_over,
      a_finished_folder_is_passed_over_until_the_memo_is_old,
      one_look_at_a_folder_is_not_enough_for_the_memo,
      a_folder_in_which_something_came_is_looked_at, a_renamed_folder_holds_new_paths,
      a_folder_with_an_unfinished_file_is_never_passed_over)
