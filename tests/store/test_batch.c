#include "tests/store/place.h"
#include "tests/suite.h"
#include <sys/wait.h>

static const char catalogue[] =
    "{\"kind\":\"catalogue\",\"pipeline\":{\"name\":\"quality\",\"version\":1},\"measures\":["
    "{\"name\":\"focus_score\",\"unit\":\"1\",\"formula\":\"var/mean\",\"version\":1},"
    "{\"name\":\"mean\",\"unit\":\"grey levels\",\"formula\":\"sum/n\",\"version\":1}]}";

/* --- rows --- */

START_TEST(the_guessable_query_finds_what_was_stored) {
    g_auto(Place) place = place_make();
    ck_assert_int_eq(store_one(&place, g_strdup(catalogue)), DOCUMENT_STORED);
    store_one(&place, documents_result(1, "ok", "{\"focus_score\": 1.5, \"mean\": null}"));
    cluster_expect(place.admin,
                   "select format('%s %s %s', well, site, focus_score) from scopestream.features "
                   "where plate = 'P1' and channel = 'DAPI' order by acquired_at desc",
                   "A01 1 1.5");
    cluster_expect(place.admin,
                   "select format('%s %s %s %s', offered_at, delivery, attempt, worker) "
                   "from scopestream.frames",
                   "2026-03-01 00:00:02+00 path 1 h/1");
    cluster_expect(place.admin, "select mean is null from scopestream.features", "t");
}
END_TEST

START_TEST(a_replay_changes_nothing) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok", "{}"));
    g_autofree char *first =
        cluster_answer(place.admin, "select stored_at from scopestream.frames");
    ck_assert_int_eq(store_one(&place, documents_result(1, "ok", "{\"x\": 1}")), DOCUMENT_STORED);
    cluster_expect(place.admin, "select stored_at from scopestream.frames", first);
    cluster_expect(place.admin, "select frames from scopestream.totals", "1");
}
END_TEST

START_TEST(ok_replaces_broken_and_broken_never_replaces_ok) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "broken", "null"));
    cluster_expect(place.admin, "select status || reason from scopestream.failures",
                   "brokenbecause");
    store_one(&place, documents_result(1, "ok", "{\"x\": 1}"));
    store_one(&place, documents_result(1, "vanished", "{}"));
    cluster_expect(place.admin, "select status || coalesce(reason, '') from scopestream.frames",
                   "ok");
    cluster_expect(place.admin,
                   "select string_agg(status || ' ' || frames, ', ' order by status) "
                   "from scopestream.totals",
                   "broken 0, ok 1");
}
END_TEST

/* A disk that was away has come back: what can be said of the file now counts, whatever it is. */
START_TEST(everything_replaces_vanished_and_who_asks_is_not_told_of_it) {
    g_auto(Place) place = place_make();
    static const char asked[] =
        "select count(*) from frame f, scopestream_data.stored_frames('quality', "
        "jsonb_build_array(jsonb_build_object('frame_id', f.frame_id, 'acquired_at', "
        "f.acquired_at)))";
    g_autofree char *question =
        g_strdup_printf("with frame as (table scopestream_data.frame) %s", asked);
    store_one(&place, documents_result(1, "vanished", "{}"));
    cluster_expect(place.admin, question, "0");
    store_one(&place, documents_result(1, "broken", "{}"));
    store_one(&place, documents_result(1, "vanished", "{}"));
    cluster_expect(place.admin, "select string_agg(status, ' ') from scopestream.frames", "broken");
    cluster_expect(place.admin, question, "1");
    cluster_expect(place.admin,
                   "select string_agg(status || ' ' || frames, ', ' order by status) "
                   "from scopestream.totals",
                   "broken 1, vanished 0");
}
END_TEST

START_TEST(a_batch_may_hold_the_same_frame_twice) {
    g_auto(Place) place = place_make();
    g_autoptr(Batch) batch = batch_new();
    add(batch, documents_result(1, "broken", "{}"));
    add(batch, documents_result(1, "ok", "{}"));
    add(batch, documents_result(1, "poison", "{}"));
    expect_stored(batch, place.store);
    for (guint i = 0; i < 3; i++)
        ck_assert_int_eq(outcome(batch, i), DOCUMENT_STORED);
    cluster_expect(place.admin, "select string_agg(status, ' ') from scopestream.frames", "ok");
}
END_TEST

START_TEST(a_frame_of_any_month_from_2000_to_2099_makes_its_tables) {
    g_auto(Place) place = place_make();
    static const gint64 seconds[] = {946684800, 1709251199, 4102444799}; /* 2000, Feb 2024, 2099 */
    for (guint i = 0; i < G_N_ELEMENTS(seconds); i++) {
        g_autoptr(Frame) frame = documents_frame(1);
        frame->mtime_ns = seconds[i] * 1000000000;
        frame_identify(frame);
        ck_assert_int_eq(store_one(&place, documents_result_of(frame, "ok", "{}")),
                         DOCUMENT_STORED);
    }
    cluster_expect(place.admin,
                   "select to_regclass('scopestream_data.result_2024_02') is not null and "
                   "to_regclass('scopestream_data.thumbnail_2099_12') is not null",
                   "t");
    cluster_expect(place.admin, "select count(*) from scopestream.frames", "3");
}
END_TEST

START_TEST(more_months_than_there_are_locks_are_stored_in_parts) {
    g_auto(Place) place = place_make();
    g_autoptr(Batch) batch = batch_new();
    enum { MONTHS = 200 };
    for (gint64 month = 0; month < MONTHS; month++) {
        g_autoptr(Frame) frame = documents_frame(1);
        frame->mtime_ns = (946684800 + month * 2629746) * 1000000000; /* from 2000 */
        frame_identify(frame);
        add(batch, documents_result_of(frame, "ok", "{}"));
    }
    expect_stored(batch, place.store);
    for (guint i = 0; i < MONTHS; i++)
        ck_assert_int_eq(outcome(batch, i), DOCUMENT_STORED);
}
END_TEST

START_TEST(a_path_as_long_as_systems_allow_has_its_row) {
    g_auto(Place) place = place_make();
    g_autoptr(Frame) frame = documents_frame(1);
    g_autoptr(GString) path = g_string_new(NULL);
    g_autoptr(GRand) dice = g_rand_new_with_seed(1); /* what does not compress */
    while (path->len < 3 * 4096)                     /* each byte percent-encoded */
        g_string_append_printf(path, "%%%02X", g_rand_int_range(dice, 0x80, 0x100));
    frame_set_text(&frame->path, path->str);
    frame_identify(frame);
    ck_assert_int_eq(store_one(&place, documents_result_of(frame, "ok", "{}")), DOCUMENT_STORED);
    g_autofree char *sql =
        g_strdup_printf("select count(*) from scopestream.frames where path = '%s'", path->str);
    cluster_expect(place.admin, sql, "1");
}
END_TEST

START_TEST(a_thumbnail_is_kept_as_bytes) {
    g_auto(Place) place = place_make();
    g_autofree char *plain = documents_result(1, "ok", "{}");
    store_one(&place, documents_replace(plain, "\"attempt\":1",
                                        "\"thumbnail\":{\"mime\":\"image/png\",\"width\":3,"
                                        "\"height\":2,\"low\":1,\"high\":2.5,"
                                        "\"base64\":\"aGFsbG8=\"},\"attempt\":1"));
    cluster_expect(place.admin,
                   "select format('%s %s %s', mime, high, convert_from(image, 'UTF8')) "
                   "from scopestream.thumbnails",
                   "image/png 2.5 hallo");
}
END_TEST

START_TEST(an_event_is_one_row_however_often_it_comes) {
    g_auto(Place) place = place_make();
    static const char event[] =
        "{\"kind\":\"event\",\"at\":\"2026-03-01T00:00:00Z\",\"source\":\"scope\",\"path\":\"a."
        "tif\","
        "\"level\":\"warning\",\"event\":\"unfinished\",\"detail\":\"strip 3 is missing\"}";
    store_one(&place, g_strdup(event));
    store_one(&place, g_strdup(event));
    cluster_expect(place.admin, "select count(*) || max(detail) from scopestream.events",
                   "1strip 3 is missing");
}
END_TEST

/* --- what cannot be stored --- */

START_TEST(one_bad_document_among_many_is_found_and_the_others_are_stored) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup(catalogue));
    g_autoptr(Batch) batch = batch_new();
    for (int n = 0; n < 20; n++)
        add(batch, documents_result(n, "ok", n == 13 ? "{\"mean\": 1e999}" : "{\"mean\": 2}"));
    expect_stored(batch, place.store);
    for (guint n = 0; n < 20; n++)
        ck_assert_int_eq(outcome(batch, n), n == 13 ? DOCUMENT_REJECTED : DOCUMENT_STORED);
    cluster_expect(place.admin, "select count(*) from scopestream.features", "19");
    cluster_expect(place.admin, "select count(*) from scopestream.rejected", "1");
}
END_TEST

START_TEST(a_rejected_results_frame_has_a_row_that_says_why) {
    g_auto(Place) place = place_make();
    g_autofree char *plain = documents_result(1, "ok", "{}");
    ck_assert_int_eq(
        store_one(&place, documents_replace(plain, "\"attempt\":1", "\"attempt\":\"many\"")),
        DOCUMENT_REJECTED);
    cluster_expect(place.admin,
                   "select status || ': ' || reason from scopestream.failures where site = 1",
                   "broken: result rejected: PostgreSQL: invalid input syntax for type integer: "
                   "\"many\"");
    cluster_expect(place.admin, "select sqlstate || subject from scopestream.rejected",
                   "22P02scopestream.result.quality.scope");
    /* and a good one repairs it */
    store_one(&place, g_strdup(plain));
    cluster_expect(place.admin, "select status from scopestream.frames", "ok");
}
END_TEST

START_TEST(many_kinds_of_nonsense_hold_nobody_up) {
    g_auto(Place) place = place_make();
    g_autoptr(Batch) batch = batch_new();
    g_autofree char *good = documents_result(2, "ok", "{}");
    add(batch, g_strdup("not json"));
    add(batch, documents_result(1, "ok", "{}"));
    add(batch, g_strdup("{\"kind\":\"event\"}"));
    add(batch, g_strdup("{\"kind\":\"event\",\"at\":\"soon\",\"event\":\"x\"}"));
    add(batch, g_strdup("{\"kind\":\"catalogue\",\"measures\":7}"));
    add(batch, documents_replace(good, "\"status\":\"ok\"", "\"status\":\"fine\""));
    add(batch, documents_replace(good, "\"worker\":\"h/1\"", "\"worker\":\"\\u0000\""));
    add(batch, documents_replace(good, "2026-03-01T00:00:03Z", "yesterday evening"));
    expect_stored(batch, place.store);
    for (guint i = 0; i < batch->documents->len; i++)
        ck_assert_int_eq(outcome(batch, i), i == 1 ? DOCUMENT_STORED : DOCUMENT_REJECTED);
    cluster_expect(place.admin, "select count(*) from scopestream.rejected", "7");
    cluster_expect(place.admin, "select count(*) from scopestream.frames where status = 'ok'", "1");
}
END_TEST

/* json-glib may take it for one; SQL must not take it for two. */
START_TEST(two_documents_in_one_message_are_refused) {
    g_auto(Place) place = place_make();
    static const char event[] =
        "{\"kind\":\"event\",\"at\":\"2026-03-01T00:00:00Z\",\"event\":\"x\"}";
    ck_assert_int_eq(store_one(&place, g_strdup_printf("%s,%s", event, event)), DOCUMENT_REJECTED);
    cluster_expect(place.admin, "select count(*) from scopestream.events", "0");
}
END_TEST

START_TEST(a_lost_connection_loses_and_acknowledges_nothing) {
    g_auto(Place) place = place_make();
    g_autoptr(Batch) batch = batch_new();
    add(batch, documents_result(1, "ok", "{}"));
    add(batch, documents_result(2, "ok", "{}"));
    g_free(cluster_answer(place.admin,
                          "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
                          "where usename = 'storing' and datname = current_database()"));
    g_autoptr(GError) error = NULL;
    ck_assert(!batch_store(batch, place.store, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert_int_eq(outcome(batch, 0), DOCUMENT_OPEN);
    ck_assert(postgres_connect(place.store, 5000, NULL));
    expect_stored(batch, place.store);
    cluster_expect(place.admin, "select count(*) from scopestream.frames", "2");
}
END_TEST

/* --- the catalogue --- */

START_TEST(numbers_without_a_column_are_kept_and_move_into_it) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok", "{\"mean\": 7.25, \"new_one\": 3}"));
    cluster_expect(place.admin, "select other_values from scopestream.features",
                   "{\"mean\": 7.25, \"new_one\": 3}");
    store_one(&place, g_strdup(catalogue));
    cluster_expect(place.admin, "select mean || ' ' || other_values from scopestream.features",
                   "7.25 {\"new_one\": 3}");
    store_one(&place, documents_result(2, "ok", "{\"mean\": 8.5}"));
    cluster_expect(place.admin,
                   "select string_agg(mean::text, ' ' order by site) from scopestream.features",
                   "7.25 8.5");
}
END_TEST

START_TEST(a_measures_column_is_explained_where_people_look) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup(catalogue));
    cluster_expect(place.admin,
                   "select col_description(attrelid, attnum) from pg_attribute where attname = "
                   "'focus_score' and attrelid = 'scopestream.features'::regclass",
                   "var/mean [1]");
    cluster_expect(place.admin, "select unit from scopestream.measures where name = 'mean'",
                   "grey levels");
}
END_TEST

START_TEST(a_name_that_cannot_be_a_column_is_rejected) {
    g_auto(Place) place = place_make();
    static const char *const names[] = {"status", "Mean",    "ctid",   "1st", "frame_id",
                                        "well",   "x; drop", "frames", ""};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(
            store_one(&place,
                      g_strdup_printf("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"%s\"}]}",
                                      names[i])) == DOCUMENT_REJECTED,
            "%s", names[i]);
}
END_TEST

START_TEST(a_value_cannot_overrule_what_the_store_says) {
    g_auto(Place) place = place_make();
    ck_assert_int_eq(
        store_one(&place, documents_result(1, "ok", "{\"pipeline_id\": 99, \"attempt\": 5}")),
        DOCUMENT_STORED);
    cluster_expect(place.admin, "select attempt || ' ' || other_values from scopestream.features",
                   "1 {\"attempt\": 5, \"pipeline_id\": 99}");
}
END_TEST

START_TEST(a_long_query_postpones_new_columns_and_not_the_results) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok", "{}"));
    g_free(cluster_answer(place.admin, "select 1"));
    ck_assert(postgres_run(place.admin, "begin; select count(*) from scopestream.features", NULL));
    g_autoptr(Batch) batch = batch_new();
    add(batch, g_strdup(catalogue));
    add(batch, documents_result(2, "ok", "{\"mean\": 4}"));
    gint64 began_us = g_get_monotonic_time();
    expect_stored(batch, place.store);
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 5 * G_USEC_PER_SEC);
    ck_assert_int_eq(outcome(batch, 0), DOCUMENT_POSTPONED);
    ck_assert_int_eq(outcome(batch, 1), DOCUMENT_STORED);

    ck_assert(postgres_run(place.admin, "commit", NULL));
    ck_assert_int_eq(store_one(&place, g_strdup(catalogue)), DOCUMENT_STORED);
    cluster_expect(place.admin, "select mean from scopestream.features where site = 2", "4");
}
END_TEST

START_TEST(an_older_workers_words_do_not_overrule_a_newer_ones) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"mean\","
                               "\"formula\":\"new\",\"version\":2}]}"));
    store_one(&place, g_strdup(catalogue));
    cluster_expect(place.admin, "select formula from scopestream.measures where name = 'mean'",
                   "new");
}
END_TEST

/* --- several stores, several roles --- */

static void store_in_child(const char *address, int step) {
    g_autoptr(Postgres) postgres = cluster_connect(address);
    for (int round = 0; round < 10; round++) {
        g_autoptr(Batch) batch = batch_new();
        add(batch, g_strdup(catalogue));
        for (int n = 0; n < 60; n++) /* the same frames, in opposite orders */
            add(batch,
                documents_result(round * 30 + (step > 0 ? n : 59 - n), "ok", "{\"mean\": 1}"));
        g_autoptr(GError) error = NULL;
        while (!batch_store(batch, postgres, &error)) {
            if (!g_str_equal(postgres_sqlstate(postgres), "55P03"))
                _exit(1);
            g_clear_error(&error);
        }
    }
    _exit(0);
}

START_TEST(stores_at_work_on_the_same_frames_do_not_deadlock) {
    g_autofree char *address = cluster_database();
    GPid children[4];
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            store_in_child(address, i % 2 == 0 ? 1 : -1);
    }
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    g_autoptr(Postgres) admin = cluster_connect(address);
    cluster_expect(admin, "select count(*) from scopestream.frames", "330");
    cluster_expect(admin, "select sum(frames) from scopestream.totals", "330");
    cluster_expect(admin, "select sum(deadlocks) from pg_stat_database", "0");
}
END_TEST

static void expect_refused(Postgres *postgres, const char *sql) {
    g_autoptr(GError) error = NULL;
    ck_assert_msg(!postgres_run(postgres, sql, &error), "%s", sql);
    ck_assert_str_eq(postgres_sqlstate(postgres), "42501");
}

START_TEST(a_reader_sees_views_only_and_the_store_opens_no_table) {
    g_autofree char *address = cluster_database();
    g_autoptr(Postgres) admin = cluster_connect(address);
    g_free(cluster_answer(admin, "create role scientist login in role scopestream_reader"));
    g_free(cluster_answer(admin, "create role storing_only login in role scopestream_store"));
    g_autofree char *as_reader = cluster_as(address, "scientist");
    g_autofree char *as_store = cluster_as(address, "storing_only");
    g_autoptr(Postgres) reader = cluster_connect(as_reader);
    g_autoptr(Postgres) store = cluster_connect(as_store);
    g_autofree char *all_views = cluster_answer(
        admin, "select string_agg(format('select * from scopestream.%I', relname), '; ') "
               "from pg_class where relnamespace = 'scopestream'::regnamespace "
               "and relkind = 'v'");
    ck_assert(postgres_run(reader, all_views, NULL));
    cluster_expect(reader, "select scopestream.well_row('AF48')", "32");
    expect_refused(reader, "select * from scopestream_data.frame");
    expect_refused(reader, "select scopestream_data.store_documents('[]', 0)");
    expect_refused(reader, "delete from scopestream.events");
    expect_refused(store, "delete from scopestream_data.result");
    expect_refused(store, "insert into scopestream_data.event (at) values (now())");
    expect_refused(store, "select scopestream_data.make_views()");
    cluster_expect(store, "select scopestream_data.store_documents('[]', 0)", "");
}
END_TEST

START_TEST(every_view_and_every_column_is_explained) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup(catalogue));
    cluster_expect(place.admin,
                   "select string_agg(relname || '.' || attname, ' ') from pg_class c "
                   "join pg_attribute a on attrelid = c.oid and attnum > 0 "
                   "where relnamespace = 'scopestream'::regnamespace and relkind = 'v' "
                   "and (col_description(c.oid, attnum) is null or obj_description(c.oid) is null)",
                   "");
}
END_TEST

START_TEST(have_finds_frames_in_the_month_they_belong_to) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "broken", "{}"));
    g_autofree char *plain = documents_result(1, "ok", "{}");
    g_autofree char *sql = g_strdup_printf(
        "select count(*) from scopestream_data.stored_frames('quality', jsonb_build_array("
        "'%s'::jsonb -> 'frame', jsonb_build_object('frame_id', gen_random_uuid(), 'acquired_at', "
        "'2026-03-01T00:00:01Z')))",
        plain);
    cluster_expect(place.store, sql, "1");
    g_autofree char *other = documents_replace(sql, "('quality'", "('other'");
    cluster_expect(place.store, other, "0");
}
END_TEST

SUITE_WITH("batch", cluster_start, cluster_stop, the_guessable_query_finds_what_was_stored,
           a_replay_changes_nothing, ok_replaces_broken_and_broken_never_replaces_ok,
           everything_replaces_vanished_and_who_asks_is_not_told_of_it,
           a_batch_may_hold_the_same_frame_twice,
           a_frame_of_any_month_from_2000_to_2099_makes_its_tables,
           more_months_than_there_are_locks_are_stored_in_parts,
           a_path_as_long_as_systems_allow_has_its_row, a_thumbnail_is_kept_as_bytes,
           an_event_is_one_row_however_often_it_comes,
           one_bad_document_among_many_is_found_and_the_others_are_stored,
           a_rejected_results_frame_has_a_row_that_says_why, many_kinds_of_nonsense_hold_nobody_up,
           two_documents_in_one_message_are_refused,
           a_lost_connection_loses_and_acknowledges_nothing,
           numbers_without_a_column_are_kept_and_move_into_it,
           a_measures_column_is_explained_where_people_look,
           a_name_that_cannot_be_a_column_is_rejected, a_value_cannot_overrule_what_the_store_says,
           a_long_query_postpones_new_columns_and_not_the_results,
           an_older_workers_words_do_not_overrule_a_newer_ones,
           stores_at_work_on_the_same_frames_do_not_deadlock,
           a_reader_sees_views_only_and_the_store_opens_no_table,
           every_view_and_every_column_is_explained, have_finds_frames_in_the_month_they_belong_to)
