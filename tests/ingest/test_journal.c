#include "ingest/journal.h"
#include "tests/ingest/folder.h"
#include "tests/suite.h"
#include <string.h>

static char *folder, *file;
static Journal *journal;
static const char *pipeline; /* the one the words below are about */

/* pipelines: names with commas. */
static Journal *reopen_for(const char *pipelines) {
    g_auto(GStrv) names = g_strsplit(pipelines, ",", -1);
    journal_close(journal);
    GError *error = NULL;
    journal = journal_open(file, names, &error);
    ck_assert_msg(journal != NULL, "%s", error != NULL ? error->message : "");
    return journal;
}

static void begin(void) {
    folder = folder_new();
    file = g_build_filename(folder, "journal.sqlite", NULL);
    journal = NULL;
    pipeline = "quality";
    reopen_for("quality");
}

static void end(void) {
    g_clear_pointer(&journal, journal_close);
    g_free(file);
    folder_free(folder);
}

/* The frames of a file of that many pages, made at mtime_ns. */
static GPtrArray *frames_of(const char *path, gint64 mtime_ns, guint pages) {
    GPtrArray *frames = g_ptr_array_new_with_free_func((GDestroyNotify)frame_free);
    for (guint page = 0; page < pages; page++) {
        Frame *frame = frame_new();
        frame_set_text(&frame->source, "m");
        frame_set_text(&frame->path, path);
        frame_set_text(&frame->well, "B03");
        frame->size_bytes = 100;
        frame->mtime_ns = mtime_ns;
        frame->closed_us = 1700000000000000 + mtime_ns;
        frame->page = page;
        frame->pages = pages;
        frame->pixel_size_um = 0.325;
        frame_identify(frame);
        g_ptr_array_add(frames, frame);
    }
    return frames;
}

static FileSight sight_of(gint64 mtime_ns) {
    return (FileSight){.size_bytes = 100, .mtime_ns = mtime_ns, .ctime_ns = 5};
}

static void add(const char *path, gint64 mtime_ns, guint pages) {
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_ptr_array_add(files, frames_of(path, mtime_ns, pages));
    ck_assert(journal_add(journal, files, NULL));
}

static JournalCounts counts(void) {
    JournalCounts now;
    ck_assert(journal_count(journal, pipeline, "m", &now, NULL));
    return now;
}

static gint64 count_unfinished(void) {
    gint64 files;
    ck_assert(journal_count_unfinished(journal, "m", &files, NULL));
    return files;
}

static void expect_counts(gint64 waiting, gint64 queued, gint64 stored) {
    JournalCounts now = counts();
    ck_assert_int_eq(now.waiting, waiting);
    ck_assert_int_eq(now.queued, queued);
    ck_assert_int_eq(now.stored, stored);
}

/* Puts what waits in the queue, from sequence on, of a stream made at created_ns. */
static void queue_all(guint64 sequence, gint64 created_ns) {
    g_autoptr(GPtrArray) offers = journal_waiting(journal, pipeline, "m", 100, NULL);
    for (guint index = 0; index < offers->len; index++) {
        const JournalOffer *offer = g_ptr_array_index(offers, index);
        JournalReceipt receipt = {offer->id, sequence + index, created_ns, 1000};
        ck_assert(journal_set_queued(journal, &receipt, 1, NULL));
    }
}

static void store(const char *path, gint64 mtime_ns, guint expected) {
    FrameId id = frame_id_make("m", path, 100, mtime_ns, 0);
    guint changed;
    ck_assert(journal_set_stored(journal, pipeline, &id, 1, &changed, NULL));
    ck_assert_uint_eq(changed, expected);
}

START_TEST(frames_of_a_file_wait_once_however_often_it_is_added) {
    begin();
    add("a.tif", 1, 3);
    add("a.tif", 1, 3);
    expect_counts(3, 0, 0);
    end();
}
END_TEST

START_TEST(a_file_is_known_by_size_and_time) {
    begin();
    FileSight same = sight_of(1), later = sight_of(2), larger = same;
    larger.size_bytes++;
    ck_assert(!journal_knows(journal, "m", "a.tif", &same));
    add("a.tif", 1, 1);
    ck_assert(journal_knows(journal, "m", "a.tif", &same));
    ck_assert(!journal_knows(journal, "m", "a.tif", &later));
    ck_assert(!journal_knows(journal, "m", "a.tif", &larger));
    ck_assert(!journal_knows(journal, "m", "b.tif", &same));
    ck_assert(!journal_knows(journal, "other", "a.tif", &same));
    end();
}
END_TEST

START_TEST(a_frame_comes_back_as_it_was_written) {
    begin();
    add("sub/a%25.tif", 1, 2);
    reopen_for("quality");
    g_autoptr(GPtrArray) offers = journal_waiting(journal, pipeline, "m", 10, NULL);
    ck_assert_uint_eq(offers->len, 2);
    const JournalOffer *second = g_ptr_array_index(offers, 1);
    ck_assert_uint_eq(second->attempt, 1);
    ck_assert_uint_eq(second->frame->page, 1);
    ck_assert_str_eq(second->frame->path, "sub/a%25.tif");
    ck_assert_str_eq(second->frame->well, "B03");
    ck_assert_double_eq(second->frame->pixel_size_um, 0.325);
    ck_assert_int_eq(counts().oldest_us, 1700000000000001);
    end();
}
END_TEST

START_TEST(offers_go_from_waiting_to_queue_to_stored_and_are_counted) {
    begin();
    add("a.tif", 1, 1);
    add("b.tif", 2, 1);
    queue_all(1, 7);
    expect_counts(0, 2, 0);
    store("a.tif", 1, 1);
    expect_counts(0, 1, 1);
    store("a.tif", 1, 0);
    expect_counts(0, 1, 1);
    reopen_for("quality");
    expect_counts(0, 1, 1);
    ck_assert_int_eq(counts().oldest_us, 1700000000000002);
    end();
}
END_TEST

START_TEST(a_row_that_comes_before_the_receipt_stays) {
    begin();
    add("a.tif", 1, 1);
    g_autoptr(GPtrArray) offers = journal_waiting(journal, pipeline, "m", 10, NULL);
    store("a.tif", 1, 1);
    JournalReceipt receipt = {((JournalOffer *)g_ptr_array_index(offers, 0))->id, 1, 7, 1000};
    ck_assert(journal_set_queued(journal, &receipt, 1, NULL));
    expect_counts(0, 0, 1);
    end();
}
END_TEST

START_TEST(offers_of_a_lost_stream_wait_again) {
    begin();
    add("a.tif", 1, 1);
    queue_all(1, 7);
    add("b.tif", 2, 1);
    queue_all(1, 8);
    guint lost;
    ck_assert(journal_set_stream_lost(journal, pipeline, 8, 1, &lost, NULL));
    ck_assert_uint_eq(lost, 1);
    g_autoptr(GPtrArray) offers = journal_waiting(journal, pipeline, "m", 10, NULL);
    ck_assert_uint_eq(offers->len, 1);
    const JournalOffer *again = g_ptr_array_index(offers, 0);
    ck_assert_uint_eq(again->attempt, 2);
    ck_assert_str_eq(again->frame->path, "a.tif");
    end();
}
END_TEST

START_TEST(offers_beyond_the_streams_last_sequence_wait_again) {
    begin();
    add("a.tif", 1, 3);
    queue_all(1, 7);
    guint lost;
    ck_assert(journal_set_stream_lost(journal, pipeline, 7, 2, &lost, NULL));
    ck_assert_uint_eq(lost, 1);
    expect_counts(1, 2, 0);
    end();
}
END_TEST

START_TEST(queued_offers_are_found_by_sequence_and_age) {
    begin();
    add("a.tif", 1, 5);
    queue_all(10, 7);
    g_autoptr(GPtrArray) left = journal_queued(journal, pipeline, 0, 12, G_MAXINT64, 10, NULL);
    ck_assert_uint_eq(left->len, 2);
    ck_assert_uint_eq(((JournalOffer *)g_ptr_array_index(left, 1))->sequence, 11);
    g_autoptr(GPtrArray) next =
        journal_queued(journal, pipeline, 12, G_MAXUINT64, G_MAXINT64, 1, NULL);
    ck_assert_uint_eq(next->len, 1);
    ck_assert_uint_eq(((JournalOffer *)g_ptr_array_index(next, 0))->sequence, 13);
    g_autoptr(GPtrArray) young = journal_queued(journal, pipeline, 0, G_MAXINT64, 1000, 10, NULL);
    ck_assert_uint_eq(young->len, 0);
    ck_assert(journal_set_lost(journal, left, NULL));
    expect_counts(2, 3, 0);
    end();
}
END_TEST

START_TEST(a_file_given_up_is_told_once_and_known_until_it_changes) {
    begin();
    FileSight sight = sight_of(1), touched = sight;
    touched.ctime_ns++;
    for (int turn = 0; turn < 2; turn++)
        ck_assert(journal_add_unfinished(journal, "m", "a.tif", &sight, "no end", "{}", NULL));
    g_autoptr(GPtrArray) events = journal_events(journal, 10, NULL);
    ck_assert_uint_eq(events->len, 1);
    ck_assert(journal_knows(journal, "m", "a.tif", &sight));
    ck_assert(!journal_knows(journal, "m", "a.tif", &touched));
    ck_assert_int_eq(count_unfinished(), 1);
    add("a.tif", 2, 1);
    ck_assert_int_eq(count_unfinished(), 0);
    end();
}
END_TEST

START_TEST(a_file_given_up_can_become_complete) {
    begin();
    FileSight sight = sight_of(1);
    ck_assert(journal_add_unfinished(journal, "m", "a.tif", &sight, "no end", "{}", NULL));
    add("a.tif", 1, 1);
    ck_assert_int_eq(count_unfinished(), 0);
    expect_counts(1, 0, 0);
    end();
}
END_TEST

START_TEST(events_are_kept_until_told) {
    begin();
    ck_assert(journal_tell(journal, "m", "first", NULL));
    ck_assert(journal_tell(journal, "m", "second", NULL));
    reopen_for("quality");
    g_autoptr(GPtrArray) events = journal_events(journal, 10, NULL);
    ck_assert_uint_eq(events->len, 2);
    const JournalEvent *first = g_ptr_array_index(events, 0);
    ck_assert_str_eq(first->body, "first");
    ck_assert(journal_set_told(journal, first->id, NULL));
    g_autoptr(GPtrArray) left = journal_events(journal, 10, NULL);
    ck_assert_uint_eq(left->len, 1);
    end();
}
END_TEST

START_TEST(bytes_are_found_by_frame_and_only_then) {
    begin();
    add("a.tif", 1, 2);
    FrameId known = frame_id_make("m", "a.tif", 100, 1, 1);
    FrameId unknown = frame_id_make("m", "a.tif", 100, 1, 2);
    JournalPlace place;
    ck_assert(journal_find(journal, &known, &place, NULL));
    ck_assert_str_eq(place.source, "m");
    ck_assert_str_eq(place.path, "a.tif");
    ck_assert_uint_eq(place.size_bytes, 100);
    ck_assert_int_eq(place.mtime_ns, 1);
    ck_assert_uint_eq(place.page, 1);
    journal_place_clear(&place);
    g_autoptr(GError) error = NULL;
    ck_assert(!journal_find(journal, &unknown, &place, &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    end();
}
END_TEST

static void vanish(const char *path, gint64 mtime_ns, guint32 page) {
    FrameId id = frame_id_make("m", path, 100, mtime_ns, page);
    ck_assert(journal_set_vanished(journal, pipeline, &id, 1, NULL));
}

/* A folder renamed and renamed back, a disk that was away: the row says vanished, the file is
 * there.
 */
START_TEST(a_vanished_frame_waits_again_when_its_file_is_seen_again) {
    begin();
    add("a.tif", 1, 2);
    queue_all(1, 10);
    store("a.tif", 1, 1); /* page 0 */
    vanish("a.tif", 1, 1);
    expect_counts(0, 0, 2);
    FileSight same = sight_of(1);
    ck_assert(!journal_knows(journal, "m", "a.tif", &same));
    add("a.tif", 1, 2);
    expect_counts(1, 0, 1);
    ck_assert(journal_knows(journal, "m", "a.tif", &same));
    g_autoptr(GPtrArray) offers = journal_waiting(journal, pipeline, "m", 10, NULL);
    const JournalOffer *offer = g_ptr_array_index(offers, 0);
    ck_assert_uint_eq(offer->frame->page, 1);
    ck_assert_uint_eq(offer->attempt, 2);
    end();
}
END_TEST

START_TEST(word_of_a_vanished_frame_that_is_stored_changes_nothing) {
    begin();
    add("a.tif", 1, 1);
    store("a.tif", 1, 1);
    vanish("a.tif", 1, 0);
    FileSight same = sight_of(1);
    ck_assert(journal_knows(journal, "m", "a.tif", &same));
    add("a.tif", 1, 1);
    expect_counts(0, 0, 1);
    end();
}
END_TEST

/* A disk that shows a file and refuses its bytes would else keep us busy for ever. */
START_TEST(a_frame_that_always_vanishes_is_left_in_the_end) {
    begin();
    for (int time = 0; time < 30; time++) {
        add("a.tif", 1, 1);
        vanish("a.tif", 1, 0);
    }
    add("a.tif", 1, 1);
    expect_counts(0, 0, 1);
    end();
}
END_TEST

START_TEST(each_pipeline_has_its_own_way_of_a_frame) {
    begin();
    reopen_for("quality,second");
    add("a.tif", 1, 2);
    expect_counts(2, 0, 0);
    queue_all(1, 7);
    store("a.tif", 1, 1);
    expect_counts(0, 1, 1);
    pipeline = "second";
    expect_counts(2, 0, 0);
    ck_assert_int_eq(counts().oldest_us, 1700000000000001);
    queue_all(3, 7);
    g_autoptr(GPtrArray) queued = journal_queued(journal, pipeline, 0, 100, G_MAXINT64, 10, NULL);
    ck_assert_uint_eq(queued->len, 2);
    ck_assert_uint_eq(((JournalOffer *)g_ptr_array_index(queued, 0))->sequence, 3);
    ck_assert(journal_set_lost(journal, queued, NULL));
    expect_counts(2, 0, 0);
    pipeline = "quality";
    expect_counts(0, 1, 1);
    end();
}
END_TEST

START_TEST(a_frame_that_vanished_for_one_pipeline_waits_again_for_that_one_only) {
    begin();
    reopen_for("quality,second");
    add("a.tif", 1, 1);
    store("a.tif", 1, 1);
    pipeline = "second";
    queue_all(1, 7);
    vanish("a.tif", 1, 0);
    FileSight same = sight_of(1);
    ck_assert(!journal_knows(journal, "m", "a.tif", &same));
    add("a.tif", 1, 1);
    expect_counts(1, 0, 0);
    pipeline = "quality";
    expect_counts(0, 0, 1);
    end();
}
END_TEST

START_TEST(a_lost_stream_is_lost_for_the_pipeline_that_is_asked_about) {
    begin();
    reopen_for("quality,second");
    add("a.tif", 1, 1);
    queue_all(1, 7);
    pipeline = "second";
    queue_all(2, 7);
    guint lost;
    ck_assert(journal_set_stream_lost(journal, pipeline, 8, 0, &lost, NULL));
    ck_assert_uint_eq(lost, 1);
    expect_counts(1, 0, 0);
    pipeline = "quality";
    expect_counts(0, 1, 0);
    end();
}
END_TEST

START_TEST(another_pipeline_is_offered_every_file_anew) {
    begin();
    add("a.tif", 1, 1);
    queue_all(1, 7);
    store("a.tif", 1, 1);
    FileSight sight = sight_of(1);
    reopen_for("second");
    pipeline = "second";
    ck_assert(!journal_knows(journal, "m", "a.tif", &sight));
    add("a.tif", 1, 1);
    ck_assert(journal_knows(journal, "m", "a.tif", &sight));
    expect_counts(1, 0, 0);
    reopen_for("quality");
    pipeline = "quality";
    add("a.tif", 1, 1);
    expect_counts(0, 0, 1);
    end();
}
END_TEST

START_TEST(files_are_looked_at_again_only_for_a_pipeline_that_came) {
    begin();
    add("a.tif", 1, 1);
    FileSight sight = sight_of(1);
    reopen_for("quality,second");
    ck_assert(!journal_knows(journal, "m", "a.tif", &sight));
    add("a.tif", 1, 1);
    expect_counts(1, 0, 0);
    pipeline = "second";
    expect_counts(1, 0, 0);
    reopen_for("second,quality");
    ck_assert(journal_knows(journal, "m", "a.tif", &sight));
    reopen_for("second");
    ck_assert(journal_knows(journal, "m", "a.tif", &sight));
    add("b.tif", 2, 1); /* which `quality` has not seen */
    reopen_for("quality,second");
    FileSight unseen = sight_of(2);
    ck_assert(!journal_knows(journal, "m", "b.tif", &unseen));
    end();
}
END_TEST

START_TEST(what_an_abandoned_pipeline_has_in_the_queue_can_be_withdrawn) {
    begin();
    reopen_for("quality,second");
    add("a.tif", 1, 3);
    queue_all(1, 7);
    store("a.tif", 1, 1);
    g_autoptr(GPtrArray) none = journal_abandoned(journal, NULL);
    ck_assert_uint_eq(none->len, 0);
    reopen_for("second");
    g_autoptr(GPtrArray) lanes = journal_abandoned(journal, NULL);
    ck_assert_uint_eq(lanes->len, 1);
    const JournalLane *lane = g_ptr_array_index(lanes, 0);
    ck_assert_str_eq(lane->pipeline, "quality");
    ck_assert_str_eq(lane->source, "m");
    ck_assert(journal_set_withdrawn(journal, lane, NULL));
    g_autoptr(GPtrArray) done = journal_abandoned(journal, NULL);
    ck_assert_uint_eq(done->len, 0);
    reopen_for("quality");
    expect_counts(2, 0, 1);
    g_autoptr(GPtrArray) again = journal_waiting(journal, pipeline, "m", 10, NULL);
    ck_assert_uint_eq(((JournalOffer *)g_ptr_array_index(again, 0))->attempt, 2);
    end();
}
END_TEST

START_TEST(the_secret_lives_as_long_as_the_journal) {
    begin();
    guint8 secret[32];
    memcpy(secret, journal_secret(journal), sizeof secret);
    ck_assert(journal_is_new(journal));
    reopen_for("quality");
    ck_assert(!journal_is_new(journal));
    ck_assert_mem_eq(secret, journal_secret(journal), sizeof secret);
    g_clear_pointer(&journal, journal_close);
    folder_remove(folder, "journal.sqlite");
    reopen_for("quality");
    ck_assert_mem_ne(secret, journal_secret(journal), sizeof secret);
    end();
}
END_TEST

static void expect_refused(Fault fault, const char *words) {
    g_autoptr(GError) error = NULL;
    char *names[] = {"quality", NULL};
    ck_assert_ptr_null(journal_open(file, names, &error));
    ck_assert_msg(fault_is(error, fault), "%s", error->message);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
    ck_assert_ptr_nonnull(strstr(error->message, file));
}

START_TEST(a_journal_in_use_is_refused) {
    begin();
    expect_refused(FAULT_STOP, "another scopestream-ingest");
    end();
}
END_TEST

START_TEST(a_file_that_is_no_journal_is_refused_and_left_alone) {
    begin();
    g_clear_pointer(&journal, journal_close);
    folder_remove(folder, "journal.sqlite");
    folder_write(folder, "journal.sqlite", "these are my holiday notes, no database", 39);
    expect_refused(FAULT_STOP, "may be deleted");
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(file, &text, NULL, NULL));
    ck_assert_str_eq(text, "these are my holiday notes, no database");
    end();
}
END_TEST

START_TEST(a_damaged_journal_says_that_it_may_be_deleted) {
    begin();
    add("a.tif", 1, 100);
    g_clear_pointer(&journal, journal_close);
    g_autofree char *bytes = NULL;
    gsize length;
    ck_assert(g_file_get_contents(file, &bytes, &length, NULL));
    memset(bytes + 100, 0xff, length - 100);
    folder_write(folder, "journal.sqlite", bytes, length);
    expect_refused(FAULT_STOP, "may be deleted");
    end();
}
END_TEST

START_TEST(a_journal_whose_folder_is_missing_is_a_wrong_setting) {
    begin();
    g_clear_pointer(&journal, journal_close);
    g_free(file);
    file = g_build_filename(folder, "nowhere", "journal.sqlite", NULL);
    expect_refused(FAULT_USAGE, "--journal");
    end();
}
END_TEST

SUITE("journal", frames_of_a_file_wait_once_however_often_it_is_added,
      a_file_is_known_by_size_and_time, a_frame_comes_back_as_it_was_written,
      offers_go_from_waiting_to_queue_to_stored_and_are_counted,
      a_row_that_comes_before_the_receipt_stays, offers_of_a_lost_stream_wait_again,
      offers_beyond_the_streams_last_sequence_wait_again,
      queued_offers_are_found_by_sequence_and_age,
      a_file_given_up_is_told_once_and_known_until_it_changes, a_file_given_up_can_become_complete,
      events_are_kept_until_told, bytes_are_found_by_frame_and_only_then,
      a_vanished_frame_waits_again_when_its_file_is_seen_again,
      word_of_a_vanished_frame_that_is_stored_changes_nothing,
      a_frame_that_always_vanishes_is_left_in_the_end, each_pipeline_has_its_own_way_of_a_frame,
      a_frame_that_vanished_for_one_pipeline_waits_again_for_that_one_only,
      a_lost_stream_is_lost_for_the_pipeline_that_is_asked_about,
      another_pipeline_is_offered_every_file_anew,
      files_are_looked_at_again_only_for_a_pipeline_that_came,
      what_an_abandoned_pipeline_has_in_the_queue_can_be_withdrawn,
      the_secret_lives_as_long_as_the_journal, a_journal_in_use_is_refused,
      a_file_that_is_no_journal_is_refused_and_left_alone,
      a_damaged_journal_says_that_it_may_be_deleted,
      a_journal_whose_folder_is_missing_is_a_wrong_setting)
