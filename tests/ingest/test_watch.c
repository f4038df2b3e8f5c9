#include "ingest/watch.h"
#include "tests/ingest/folder.h"
#include "tests/suite.h"
#include <poll.h>

static char *folder;
static Watch *watch;

static void begin(void) {
    folder = folder_new();
    GError *error = NULL;
    watch = watch_open(folder, &error);
    ck_assert_ptr_nonnull(watch);
    ck_assert(watch_folder(watch, "", &error));
}

static void end(void) {
    watch_close(watch);
    folder_free(folder);
}

/* Whether a hint of that kind and path comes; others before it are passed over. */
static bool comes(WatchKind kind, const char *path) {
    for (int turn = 0; turn < 200; turn++) {
        WatchHint hint;
        while (watch_next(watch, &hint))
            if (hint.kind == kind && g_strcmp0(hint.path, path) == 0)
                return true;
        poll(&(struct pollfd){watch_fd(watch), POLLIN, 0}, 1, 10);
    }
    return false;
}

static bool nothing_comes(void) {
    WatchHint hint;
    g_usleep(50000);
    return !watch_next(watch, &hint);
}

START_TEST(a_file_written_and_closed_is_told) {
    begin();
    folder_write(folder, "a.tif", "x", 1);
    ck_assert(comes(WATCH_TOUCHED, "a.tif"));
    ck_assert(comes(WATCH_CLOSED, "a.tif"));
    end();
}
END_TEST

START_TEST(a_file_renamed_into_place_counts_as_closed) {
    begin();
    folder_write(folder, "a.part", "x", 1);
    ck_assert(comes(WATCH_CLOSED, "a.part"));
    folder_move(folder, "a.part", "a.tif");
    ck_assert(comes(WATCH_CLOSED, "a.tif"));
    end();
}
END_TEST

START_TEST(a_hard_link_is_told) {
    begin();
    folder_write(folder, "a.tif", "x", 1);
    g_autofree char *old = g_build_filename(folder, "a.tif", NULL);
    g_autofree char *new = g_build_filename(folder, "b.tif", NULL);
    ck_assert_int_eq(link(old, new), 0);
    ck_assert(comes(WATCH_TOUCHED, "b.tif"));
    end();
}
END_TEST

START_TEST(a_new_folder_is_told_and_can_be_watched) {
    begin();
    folder_make(folder, "sub");
    ck_assert(comes(WATCH_FOLDER, "sub"));
    ck_assert(watch_folder(watch, "sub", NULL));
    folder_write(folder, "sub/a.tif", "x", 1);
    ck_assert(comes(WATCH_CLOSED, "sub/a.tif"));
    end();
}
END_TEST

START_TEST(a_renamed_folder_is_told_by_its_new_path) {
    begin();
    folder_make(folder, "old/deep");
    ck_assert(watch_folder(watch, "old", NULL));
    ck_assert(watch_folder(watch, "old/deep", NULL));
    folder_move(folder, "old", "new");
    ck_assert(comes(WATCH_FOLDER, "new"));
    ck_assert(comes(WATCH_FOLDER, "old"));
    ck_assert_uint_eq(watch_folders(watch), 1); /* what stood below it is forgotten with it */
    ck_assert(watch_folder(watch, "new", NULL));
    ck_assert(watch_folder(watch, "new/deep", NULL));
    folder_write(folder, "new/deep/a.tif", "x", 1);
    ck_assert(comes(WATCH_CLOSED, "new/deep/a.tif"));
    end();
}
END_TEST

START_TEST(a_folder_moved_away_is_no_longer_heard_of) {
    begin();
    char *elsewhere = folder_new();
    folder_make(folder, "sub");
    ck_assert(comes(WATCH_FOLDER, "sub"));
    ck_assert(watch_folder(watch, "sub", NULL));
    g_autofree char *from = g_build_filename(folder, "sub", NULL);
    g_autofree char *to = g_build_filename(elsewhere, "sub", NULL);
    ck_assert_int_eq(g_rename(from, to), 0);
    ck_assert(comes(WATCH_FOLDER, "sub"));
    folder_write(elsewhere, "sub/a.tif", "x", 1);
    ck_assert(nothing_comes());
    folder_free(elsewhere);
    end();
}
END_TEST

START_TEST(a_root_that_is_renamed_or_removed_is_told) {
    begin();
    g_autofree char *other = g_strconcat(folder, "-moved", NULL);
    ck_assert_int_eq(g_rename(folder, other), 0);
    ck_assert(comes(WATCH_ROOT_GONE, NULL));
    watch_close(watch);
    watch = watch_open(other, NULL);
    ck_assert(watch_folder(watch, "", NULL));
    folder_remove_all(other);
    ck_assert(comes(WATCH_ROOT_GONE, NULL));
    end();
}
END_TEST

START_TEST(a_removed_folder_leaves_no_watch_behind) {
    begin();
    folder_make(folder, "sub");
    ck_assert(watch_folder(watch, "sub", NULL));
    ck_assert_uint_eq(watch_folders(watch), 2);
    folder_remove(folder, "sub");
    WatchHint hint;
    for (int turn = 0; turn < 200 && watch_folders(watch) > 1; turn++) {
        while (watch_next(watch, &hint))
            ;
        g_usleep(10000);
    }
    ck_assert_uint_eq(watch_folders(watch), 1);
    end();
}
END_TEST

START_TEST(more_events_than_the_kernel_keeps_are_told_as_overflow) {
    begin();
    g_autofree char *limit_text = NULL;
    ck_assert(
        g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &limit_text, NULL, NULL));
    gint64 limit = g_ascii_strtoll(limit_text, NULL, 10);
    if (limit <= 100000) {
        /* Equal events in a row are merged: two names take turns. */
        for (gint64 event = 0; event < limit + 10; event++)
            folder_write(folder, event % 2 == 0 ? "a.tif" : "b.tif", "", 0);
        ck_assert(comes(WATCH_OVERFLOW, NULL));
    }
    end();
}
END_TEST

START_TEST(a_folder_that_is_not_there_cannot_be_watched) {
    begin();
    GError *error = NULL;
    ck_assert(!watch_folder(watch, "nowhere", &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    g_clear_error(&error);
    g_autofree char *link_name = g_build_filename(folder, "link", NULL);
    ck_assert_int_eq(symlink("/", link_name), 0);
    ck_assert(!watch_folder(watch, "link", &error));
    g_clear_error(&error);
    end();
}
END_TEST

START_TEST(a_local_file_system_has_events) {
    begin();
    g_autofree char *why = NULL;
    ck_assert(watch_is_possible("/proc", &why));
    ck_assert_ptr_null(why);
    end();
}
END_TEST

SUITE("watch", a_file_written_and_closed_is_told, a_file_renamed_into_place_counts_as_closed,
      a_hard_link_is_told, a_new_folder_is_told_and_can_be_watched,
      a_renamed_folder_is_told_by_its_new_path, a_folder_moved_away_is_no_longer_heard_of,
      a_root_that_is_renamed_or_removed_is_told, a_removed_folder_leaves_no_watch_behind,
      more_events_than_the_kernel_keeps_are_told_as_overflow,
      a_folder_that_is_not_there_cannot_be_watched, a_local_file_system_has_events)
