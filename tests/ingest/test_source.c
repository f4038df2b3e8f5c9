#include "ingest/event.h"
#include "ingest/source.h"
#include "tests/ingest/folder.h"
#include "tests/suite.h"

/* A source in a folder of its own, with short times; caught gathers what all turns brought. */
static char *root, *folder;
static Settings *settings;
static Journal *journal;
static Source *source;
static SourceCatch caught;

static void begin_with(bool events) {
    root = folder_new();
    folder_make(root, "out");
    folder = g_build_filename(root, "out", NULL);
    settings = folder_settings(folder);
    settings->sources[0]->events = events;
    settings->settle_ms = 100;
    settings->settle_closed_ms = 20;
    settings->unfinished_after_ms = 400;
    settings->scan_interval_ms = events ? 60000 : 100; /* with events, nothing waits for a scan */
    g_autofree char *file = g_build_filename(root, "journal.sqlite", NULL);
    char *pipelines[] = {"quality", NULL};
    journal = journal_open(file, pipelines, NULL);
    source = source_new(settings->sources[0], settings, journal);
    caught = source_catch_new();
}

static void end(void) {
    source_free(source);
    source_catch_free(&caught);
    journal_close(journal);
    settings_free(settings);
    g_free(folder);
    folder_free(root);
}

static void turns(gint64 ms) {
    gint64 end_us = g_get_monotonic_time() + ms * 1000;
    while (g_get_monotonic_time() < end_us) {
        SourceCatch fresh = source_catch_new();
        source_turn(source, &fresh);
        journal_add(journal, fresh.files, NULL);
        g_ptr_array_extend_and_steal(caught.files, g_steal_pointer(&fresh.files));
        g_ptr_array_extend_and_steal(caught.news, g_steal_pointer(&fresh.news));
        g_usleep(2000);
    }
}

/* How often the file was given as complete. */
static guint completed(const char *path) {
    guint count = 0;
    for (guint index = 0; index < caught.files->len; index++) {
        GPtrArray *frames = g_ptr_array_index(caught.files, index);
        count += g_str_equal(((Frame *)g_ptr_array_index(frames, 0))->path, path);
    }
    return count;
}

static bool until_completed(const char *path, guint count) {
    for (int turn = 0; turn < 300 && completed(path) < count; turn++)
        turns(10);
    return completed(path) == count;
}

static const SourceNews *news_of(const char *event) {
    for (guint index = 0; index < caught.news->len; index++) {
        const SourceNews *news = g_ptr_array_index(caught.news, index);
        if (g_strcmp0(news->event, event) == 0)
            return news;
    }
    return NULL;
}

static guint times_told(const char *event) {
    guint count = 0;
    for (guint index = 0; index < caught.news->len; index++)
        count +=
            g_strcmp0(((SourceNews *)g_ptr_array_index(caught.news, index))->event, event) == 0;
    return count;
}

static bool until_news(const char *event) {
    for (int turn = 0; turn < 300 && news_of(event) == NULL; turn++)
        turns(10);
    return news_of(event) != NULL;
}

START_TEST(a_file_that_was_there_before_is_found) {
    begin_with(true);
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    turns(200);
    ck_assert_uint_eq(completed("a.tif"), 1);
    ck_assert(source_caught_up(source));
    ck_assert_str_eq(source_state_text(source), "watching");
    end();
}
END_TEST

START_TEST(a_file_written_later_is_found_by_its_event) {
    begin_with(true);
    turns(50);
    gint64 before_us = g_get_real_time();
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    const GPtrArray *frames = g_ptr_array_index(caught.files, 0);
    const Frame *frame = g_ptr_array_index(frames, 0);
    ck_assert_int_ge(frame->closed_us, before_us);
    end();
}
END_TEST

START_TEST(a_file_written_later_is_found_without_events) {
    begin_with(false);
    turns(50);
    ck_assert_int_eq(source_fd(source), -1);
    ck_assert_str_eq(source_state_text(source), "scanning only");
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    end();
}
END_TEST

START_TEST(folders_made_and_filled_at_once_are_looked_through) {
    begin_with(true);
    turns(50);
    for (int number = 0; number < 20; number++) {
        g_autofree char *sub = g_strdup_printf("plate%d/well/site", number);
        g_autofree char *path = g_strconcat(sub, "/a.tif", NULL);
        folder_make(folder, sub);
        folder_write_tiff(folder, path, 1);
    }
    for (int number = 0; number < 20; number++) {
        g_autofree char *path = g_strdup_printf("plate%d/well/site/a.tif", number);
        ck_assert(until_completed(path, 1));
    }
    folder_write_tiff(folder, "plate7/well/site/later.tif", 1);
    ck_assert(until_completed("plate7/well/site/later.tif", 1));
    end();
}
END_TEST

START_TEST(a_renamed_folder_goes_on_being_watched) {
    begin_with(true);
    folder_make(folder, "old/deep");
    turns(50);
    folder_move(folder, "old", "new");
    turns(50);
    folder_write_tiff(folder, "new/deep/a.tif", 1);
    ck_assert(until_completed("new/deep/a.tif", 1));
    end();
}
END_TEST

START_TEST(renames_and_hard_links_bring_files) {
    begin_with(true);
    turns(50);
    folder_write_tiff(folder, "a.part", 1);
    folder_move(folder, "a.part", "a.tif");
    ck_assert(until_completed("a.tif", 1));
    g_autofree char *old = g_build_filename(folder, "a.tif", NULL);
    g_autofree char *new = g_build_filename(folder, "b.tif", NULL);
    ck_assert_int_eq(link(old, new), 0);
    ck_assert(until_completed("b.tif", 1));
    end();
}
END_TEST

START_TEST(a_rewritten_file_is_given_again) {
    begin_with(true);
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    folder_write_tiff(folder, "a.tif", 2);
    ck_assert(until_completed("a.tif", 2));
    end();
}
END_TEST

START_TEST(an_unfinished_file_is_told_and_considered_again_when_it_changes) {
    begin_with(true);
    folder_write(folder, "a.tif", "II*\0\0\0\0\0", 8);
    turns(200);
    ck_assert_uint_eq(settle_count(source_settle(source)), 1);
    ck_assert(until_news(EVENT_UNFINISHED));
    const SourceNews *news = news_of(EVENT_UNFINISHED);
    ck_assert_str_eq(news->path, "a.tif");
    ck_assert(news->is_given_up);
    ck_assert_uint_eq(settle_count(source_settle(source)), 0);
    ck_assert_uint_eq(completed("a.tif"), 0);
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    end();
}
END_TEST

START_TEST(a_file_written_in_pieces_waits_for_the_last) {
    begin_with(true);
    g_autofree char *full = g_build_filename(folder, "a.tif", NULL);
    g_autofree char *bytes = NULL;
    gsize length;
    folder_write_tiff(root, "whole.tif", 1);
    g_autofree char *whole = g_build_filename(root, "whole.tif", NULL);
    ck_assert(g_file_get_contents(whole, &bytes, &length, NULL));
    FILE *file = fopen(full, "w");
    for (gsize at = 0; at < length; at += 30) {
        fwrite(bytes + at, 1, MIN(30, length - at), file);
        fflush(file);
        turns(60);
        ck_assert_uint_eq(completed("a.tif"), 0);
    }
    fclose(file);
    ck_assert(until_completed("a.tif", 1));
    end();
}
END_TEST

START_TEST(files_whose_events_were_lost_are_found) {
    begin_with(true);
    folder_make(folder, "sub");
    turns(300);
    g_autofree char *limit_text = NULL;
    ck_assert(
        g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &limit_text, NULL, NULL));
    gint64 limit = g_ascii_strtoll(limit_text, NULL, 10);
    for (gint64 event = 0; limit <= 100000 && event < limit + 10; event++)
        folder_write(folder, event % 2 == 0 ? "a.txt" : "b.txt", "", 0);
    folder_write_tiff(folder, "sub/a.tif", 1);
    ck_assert(until_completed("sub/a.tif", 1));
    end();
}
END_TEST

START_TEST(a_root_that_vanishes_and_returns_is_told_once_each) {
    begin_with(true);
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    folder_move(root, "out", "elsewhere");
    ck_assert(until_news(EVENT_SOURCE_AWAY));
    ck_assert_str_eq(source_state_text(source), "away");
    ck_assert(!source_caught_up(source));
    folder_write_tiff(root, "elsewhere/b.tif", 1);
    folder_move(root, "elsewhere", "out");
    ck_assert(until_news(EVENT_SOURCE_BACK));
    ck_assert(until_completed("b.tif", 1));
    ck_assert_uint_eq(completed("a.tif"), 1);
    folder_write_tiff(folder, "c.tif", 1);
    ck_assert(until_completed("c.tif", 1));
    ck_assert_uint_eq(times_told(EVENT_SOURCE_AWAY), 1);

    folder_move(root, "out", "elsewhere");
    turns(1500); /* looked for more than once */
    ck_assert_uint_eq(times_told(EVENT_SOURCE_AWAY), 2);
    ck_assert_uint_eq(times_told(EVENT_SOURCE_BACK), 1);
    end();
}
END_TEST

START_TEST(a_root_that_is_not_there_at_start_is_waited_for) {
    begin_with(true);
    folder_remove(root, "out");
    turns(50);
    ck_assert_ptr_nonnull(news_of(EVENT_SOURCE_AWAY));
    folder_make(root, "out");
    folder_write_tiff(folder, "a.tif", 1);
    ck_assert(until_completed("a.tif", 1));
    ck_assert_ptr_nonnull(news_of(EVENT_SOURCE_BACK));
    end();
}
END_TEST

START_TEST(a_file_removed_while_it_waits_is_forgotten_in_silence) {
    begin_with(true);
    turns(50);
    guint told = caught.news->len;
    folder_write(folder, "a.tif", "II", 2);
    turns(60);
    folder_remove(folder, "a.tif");
    turns(600);
    ck_assert_uint_eq(settle_count(source_settle(source)), 0);
    ck_assert_uint_eq(caught.news->len, told);
    end();
}
END_TEST

START_TEST(settings_that_can_never_be_right_are_refused) {
    begin_with(true);
    SourceSettings *checked = settings->sources[0];
    ck_assert(source_check(checked, NULL));
    g_autoptr(GError) error = NULL;
    g_free(checked->naming);
    checked->naming = g_strdup("no-such-instrument");
    ck_assert(!source_check(checked, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    g_clear_error(&error);
    g_free(checked->naming);
    checked->naming = g_strdup("auto");
    folder_write(root, "file", "x", 1);
    g_free(checked->folder);
    checked->folder = g_build_filename(root, "file", NULL);
    ck_assert(!source_check(checked, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    end();
}
END_TEST

SUITE("source", a_file_that_was_there_before_is_found, a_file_written_later_is_found_by_its_event,
      a_file_written_later_is_found_without_events,
      folders_made_and_filled_at_once_are_looked_through, a_renamed_folder_goes_on_being_watched,
      renames_and_hard_links_bring_files, a_rewritten_file_is_given_again,
      an_unfinished_file_is_told_and_considered_again_when_it_changes,
      a_file_written_in_pieces_waits_for_the_last, files_whose_events_were_lost_are_found,
      a_root_that_vanishes_and_returns_is_told_once_each,
      a_root_that_is_not_there_at_start_is_waited_for,
      a_file_removed_while_it_waits_is_forgotten_in_silence,
      settings_that_can_never_be_right_are_refused)
