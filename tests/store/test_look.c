/* What all looking is made of: counts by the hour, maps, extremes, trends, one frame's trace; and
 * what becomes of old pictures. */
#include "tests/store/scene.h"
#include "tests/suite.h"

/* put() stores a frame and its row as the store would, without steering; seconds count from noon of
 * 2026-03-02. A NULL plate is a file that no naming explains. */
static const char putting[] =
    "select scopestream_data.ensure_partitions('2026-02-01', '2026-03-31');"
    "select scopestream_data.announce_measures('{\"measures\": [{\"name\": \"focus\"}, "
    "{\"name\": \"bg_mode\"}, {\"name\": \"tile_mean\", \"kind\": \"array\", \"length\": 4}]}');"
    "insert into scopestream_data.pipeline (name, version, definition) values "
    "('quality', 1, 'x'), ('quality', 2, 'y'), ('other', 1, 'z');"
    "create function pipeline_id(pipeline text, version integer) returns integer language sql as "
    "$$ select p.pipeline_id from scopestream_data.pipeline p "
    "where p.name = pipeline and p.version = pipeline_id.version $$;"
    "create function put(plate text, well text, site integer, channel text, focus float8, "
    "    seconds float8 default 0, t integer default null, pipeline text default 'quality', "
    "    version integer default 1, source text default 'scope', status text default 'ok') "
    "    returns uuid language plpgsql as $$ "
    "declare id uuid := md5(format('%s %s %s %s %s %s %s', source, plate, well, site, channel, t, "
    "                              seconds))::uuid; "
    "        at timestamptz := '2026-03-02 12:00:00+00'::timestamptz + seconds * interval '1 s'; "
    "begin "
    "    insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, plate, "
    "well, "
    "        site, channel, t, path, naming) "
    "    values (id, at, at, source, plate, well, site, channel, t, format('%s/%s_%s.tif', plate, "
    "        well, left(id::text, 4)), case when plate is not null then 'some' end) "
    "    on conflict do nothing; "
    "    insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, focus, "
    "        bg_mode) "
    "    values (id, at, pipeline_id(pipeline, version), status, focus, 7); "
    "    return id; "
    "end $$;";

static Place look_make(void) {
    Place place = place_make();
    scene_run(place.admin, putting);
    return place;
}

/* SQL that ends in an error of this SQLSTATE whose words hold these. */
static void refuse(Postgres *postgres, const char *sql, const char *state, const char *words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = postgres_ask(postgres, sql, NULL, 0, &error);
    ck_assert_msg(rows == NULL, "%s: expected an error", sql);
    ck_assert_str_eq(postgres_sqlstate(postgres), state);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s: expected '%s'", error->message,
                  words);
}

/* --- how much there is --- */

static const char hours[] =
    "select string_agg(format('%s %s %s %s %s', to_char(hour at time zone 'UTC', 'HH24'), plate, "
    "channel, status, frames), ', ' order by hour, plate, channel, status) from scopestream.hours";

START_TEST(hours_count_each_row_once_whatever_becomes_of_it) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "broken", "{}"));
    store_one(&place, documents_result(2, "ok", "{}"));
    store_one(&place, documents_result(3700, "ok", "{}"));
    cluster_expect(place.admin, hours, "00 P1 DAPI broken 1, 00 P1 DAPI ok 1, 01 P1 DAPI ok 1");
    store_one(&place, documents_result(2, "ok", "{}"));     /* a replay */
    store_one(&place, documents_result(2, "broken", "{}")); /* the first ok stands */
    store_one(&place, documents_result(1, "ok", "{}"));     /* replaces what failed */
    cluster_expect(place.admin, hours, "00 P1 DAPI ok 2, 01 P1 DAPI ok 1");
    cluster_expect(place.admin,
                   "select format('%s %s %s %s %s %s', frames, ok, failed, channels, pipelines, "
                   "last_acquired_at - first_acquired_at) from scopestream.plates",
                   "3 3 0 {DAPI} {quality} 01:01:39");
}
END_TEST

START_TEST(a_value_that_moves_into_its_column_is_no_other_row) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok", "{\"focus\": 3}"));
    g_free(cluster_answer(place.admin, "select scopestream_data.announce_measures("
                                       "'{\"measures\": [{\"name\": \"focus\"}]}')"));
    cluster_expect(place.admin, "select focus from scopestream.features", "3");
    cluster_expect(place.admin, hours, "00 P1 DAPI ok 1");
}
END_TEST

START_TEST(a_frame_of_several_pipelines_is_one_frame) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "select put('P1', 'A01', s, c, 1, s) from generate_series(1, 3) s, unnest('{b,a}'::text[]) "
        "c;"
        "select put('P1', 'A01', s, c, 1, s, pipeline => 'other') from generate_series(1, 2) s, "
        "unnest('{b,a}'::text[]) c;"
        "select put('P1', 'A01', 4, null, 1, 4, version => 2, status => 'broken');"
        "select put(null, null, null, null, 1, 9)");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s: %s %s %s %s %s', plate, frames, ok, failed, channels, "
        "pipelines), '; ' order by plate nulls last) from scopestream.plates",
        "P1: 7 6 1 {a,b} {other,quality}; : 1 1 0 {} {quality}");
}
END_TEST

START_TEST(rows_from_before_are_counted_by_the_migration) {
    g_auto(Place) place = look_make();
    scene_run(place.admin,
              "select put('P1', 'A01', s, 'a', 1, 1000 * s) from generate_series(1, 8) s;"
              "select put('P1', 'A01', 9, 'a', 1, 5, status => 'vanished');"
              "create table counted as select * from scopestream_data.hour;"
              "truncate scopestream_data.hour");
    g_autofree char *file =
        g_build_filename(g_getenv("SCOPESTREAM_SOURCE_DIR"), "schema", "019_look.sql", NULL);
    g_autofree char *sql = NULL;
    ck_assert(g_file_get_contents(file, &sql, NULL, NULL));
    scene_run(place.admin, sql);
    cluster_expect(place.admin,
                   "select count(*) || ' ' || (select count(*) from counted) from "
                   "(select * from counted intersect select * from scopestream_data.hour) c",
                   "4 4");
    scene_run(place.admin, sql); /* again: nothing is counted twice */
    cluster_expect(place.admin, "select sum(frames) from scopestream.hours", "9");
}
END_TEST

/* --- maps --- */

START_TEST(a_map_shows_what_well_values_tell) {
    g_auto(Place) place = look_make();
    scene_run(place.admin,
              "select put('P1', w, s, c, 10 * s + ascii(w) + length(c), 10 * s) "
              "from unnest('{A01,B12,P24}'::text[]) w, generate_series(1, 4) s, "
              "unnest('{a,bb}'::text[]) c;"
              "select put('P1', 'A01', 2, 'a', 1000, 500);" /* imaged again: this one counts */
              "select put('P1', 'A01', 1, 'a', null, 501);" /* nothing to be measured */
              "select put('P2', 'A01', 1, 'a', 5, 7)");
    cluster_expect(place.admin,
                   "select count(*) from scopestream.plate_map('P1', 'focus') m "
                   "full join (select * from scopestream.well_values where plate = 'P1' and "
                   "measure = 'focus') v on v.well = m.well and v.channel = m.channel "
                   "where v.value is distinct from m.value or v.frames <> m.frames or "
                   "m.role <> v.role",
                   "0");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s %s %s %s %s', channel, well, \"row\", "
        "\"column\", value, frames), ', ') from scopestream.plate_map('P1', 'focus', 'a')",
        "a A01 1 1 106 3, a B12 2 12 92 4, a P24 16 24 106 4");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', well, value), ', ') "
                   "from scopestream.plate_map('P1', 'frames', 'a')",
                   "A01 6, B12 4, P24 4");
    cluster_expect(place.admin, "select count(*) from scopestream.plate_map('P3', 'focus')", "0");
    cluster_expect(place.admin, "select count(*) from scopestream.plate_map(null, 'focus')", "0");
    cluster_expect(place.admin,
                   "select count(*) from scopestream.plate_map('P1', 'focus', source => 'x')", "0");
}
END_TEST

START_TEST(a_map_tells_what_stands_in_the_wells) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "select scopestream.load_layout('P1', 96, '[{\"well\": \"A01\", \"role\": \"positive\", "
        "\"treatment\": \"X\"}]'); select put('P1', w, 1, 'a', 1) "
        "from unnest('{A01,A02}'::text[]) w");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', well, role, treatment), ', ') "
                   "from scopestream.plate_map('P1', 'focus')",
                   "A01 positive X, A02 sample ");
}
END_TEST

START_TEST(the_pipeline_that_measured_last_gives_the_map) {
    g_auto(Place) place = look_make();
    scene_run(place.admin, "select put('P1', 'A01', 1, 'a', 1, 0);"
                           "select put('P1', 'A01', 1, 'a', 2, 7200, pipeline => 'other')");
    cluster_expect(place.admin, "select value from scopestream.plate_map('P1', 'focus')", "2");
    cluster_expect(place.admin,
                   "select value from scopestream.plate_map('P1', 'focus', pipeline => 'quality')",
                   "1");
    refuse(place.admin, "select * from scopestream.plate_map('P1', 'focus', pipeline => 'qualty')",
           "22023", "no pipeline is called 'qualty': scopestream.pipelines lists them");
}
END_TEST

START_TEST(a_score_on_the_map_is_the_highest_of_the_well) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "select put('P1', 'A01', s, 'a', 1, s + 100 * t, t) from generate_series(1, 3) s, "
        "generate_series(0, 1) t;"
        "insert into scopestream_data.priority (frame_id, acquired_at, pipeline_id, model_id, "
        "score, tier, known) select f.frame_id, f.acquired_at, pipeline_id('quality', 1), "
        "m.model_id, "
        "(case when m.is_default then 1 else 9 end * f.site + 2 * (1 - f.t)) / 100.0, 'D', true "
        "from scopestream_data.frame f, scopestream_data.model m");
    cluster_expect(
        place.admin,
        "select format('%s %s', value, frames) from scopestream.plate_map('P1', 'score')",
        "0.03 3");
    cluster_expect(place.admin,
                   "select count(*) from scopestream.plate_map('P1', 'score') m join "
                   "scopestream.well_priorities p on p.score = m.value and p.well = m.well "
                   "and p.is_default",
                   "1");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', site, value), ', ') "
                   "from scopestream.extreme_frames('P1', 'score', lowest => false, most => 2)",
                   "3 0.05, 2 0.04");
    cluster_expect(place.admin,
                   "select round(max(median)::numeric, 3) "
                   "from scopestream.trend('score', '2026-03-01', '2026-03-03', points => 1)",
                   "0.030");
}
END_TEST

START_TEST(what_is_no_number_is_refused_in_one_line) {
    g_auto(Place) place = look_make();
    refuse(place.admin, "select * from scopestream.plate_map('P1', 'fokus')", "22023",
           "no number is called 'fokus' ('focus'?): scopestream.measures lists them");
    refuse(place.admin, "select * from scopestream.extreme_frames('P1', 'frames')", "22023",
           "no number is called 'frames'");
    refuse(place.admin, "select * from scopestream.plate_map('P1', 'tile_mean')", "22023",
           "'tile_mean' is an array: expected a number");
    refuse(place.admin, "select * from scopestream.plate_map('P1', null)", "22023",
           "no number is called 'null'");
    refuse(place.admin,
           "select * from scopestream.plate_map('P1', 'focus) from pg_class; drop table x; --')",
           "22023", "no number is called");
    refuse(place.admin, "select * from scopestream.trend(repeat('x', 100000), now(), now())",
           "22023", "no number is called");
    refuse(place.admin, "select * from scopestream.trend('focus', null, now())", "22023",
           "a trend needs a beginning and an end");
    refuse(place.admin, "select * from scopestream.trend('focus', '-infinity', now())", "22023",
           "a trend needs a beginning and an end");
    cluster_expect(place.admin,
                   "select count(*) from scopestream.plate_map('<script>''\"; --', 'focus', "
                   "'%I $1', repeat('y', 9999))",
                   "0");
}
END_TEST

/* --- extremes and the newest --- */

START_TEST(the_worst_frames_are_those_with_the_least_numbers) {
    g_auto(Place) place = look_make();
    scene_run(place.admin,
              "select put(p, 'A01', s, c, s * length(c) + length(c) / 10.0 + ascii(p), s) from "
              "unnest('{P1,Q1}'::text[]) p, "
              "generate_series(1, 9) s, unnest('{a,bb}'::text[]) c;"
              "select put('P1', 'A01', 1, 'a', 999, 1, version => 2);" /* measured again */
              "select put('P1', 'A01', 99, 'a', -1, 99, status => 'broken')");
    static const char asked[] =
        "select string_agg(format('%%s %%s %%s', plate, channel, site), ', ') "
        "from scopestream.extreme_frames(%s)";
    static const char *const cases[][2] = {
        {"'P1', 'focus', most => 3", "P1 a 2, P1 bb 1, P1 a 3"},
        {"'P1', 'focus', lowest => false, most => 3", "P1 a 1, P1 bb 9, P1 bb 8"},
        {"'Q1', 'focus', 'a', most => 2", "Q1 a 1, Q1 a 2"},
        {"null, 'focus', 'bb', false, 2", "Q1 bb 9, P1 bb 9"},
        {"null, 'focus', 'bb', false, 2, 'nowhere'", ""},
        {"'P1', 'focus', most => -5", "P1 a 2"},
        {"'nowhere', 'focus'", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(asked, cases[i][0]);
        cluster_expect(place.admin, sql, cases[i][1]);
    }
}
END_TEST

START_TEST(the_newest_frames_are_told_measured_or_not) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "select put(p, 'A01', s, 'a', 1, s, status => case when s = 9 then 'broken' else 'ok' end) "
        "from unnest('{P1,P2}'::text[]) p, generate_series(1, 9) s;"
        "select put(null, null, null, null, 1, -1e6)");
    cluster_expect(
        place.admin,
        "select string_agg(site::text, ', ') from scopestream.newest_frames('P1', most => 3)",
        "9, 8, 7");
    cluster_expect(place.admin, "select count(*) from scopestream.newest_frames()", "19");
    cluster_expect(place.admin, "select count(*) from scopestream.newest_frames('P3')", "0");
}
END_TEST

/* --- a stretch of time --- */

START_TEST(a_stretch_of_time_shows_what_the_views_show) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "select put(p, 'A01', s, 'a', s, s, status => case when s = 4 then 'broken' else 'ok' end) "
        "from unnest('{P1,P2}'::text[]) p, generate_series(1, 9) s;"
        "update scopestream_data.result set stored_at = acquired_at + interval '1 minute'");
    static const char *const cases[][2] = {
        {"frames_stored('2026-03-02 12:01:02Z', '2026-03-02 12:01:05Z')", "2 2 3 3 4 4 5 5"},
        {"frames_acquired('2026-03-02 12:00:02Z', '2026-03-02 12:00:04Z', plate => 'P1')", "2 3 4"},
        {"features_acquired('2026-03-02 12:00:02Z', '2026-03-02 12:00:05Z', 'scope', 'P1')",
         "2 3 5"},
        {"features_acquired('2026-03-02', '2026-03-03', 'o''; drop table x; --')", ""},
        {"frames_stored(null, now())", ""},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(
            "select string_agg(site::text, ' ' order by site) from scopestream.%s", cases[i][0]);
        cluster_expect(place.admin, sql, cases[i][1]);
    }
}
END_TEST

START_TEST(a_stretch_of_time_has_the_columns_that_came_meanwhile) {
    g_auto(Place) place = look_make();
    scene_run(place.admin, "select put('P1', 'A01', 1, 'a', 1)");
    static const char asked[] = "select to_jsonb(f) ? 'later' from "
                                "scopestream.features_acquired('2026-03-02', '2026-03-03') f";
    cluster_expect(place.admin, asked, "f");
    g_free(cluster_answer(place.admin, "select scopestream_data.announce_measures("
                                       "'{\"measures\": [{\"name\": \"later\"}]}')"));
    cluster_expect(place.admin, asked, "t");
}
END_TEST

/* --- trends --- */

START_TEST(a_trend_of_few_frames_takes_them_all) {
    g_auto(Place) place = look_make();
    scene_run(place.admin,
              "select put('P1', 'A01', s, 'a', s % 10, s) from generate_series(0, 99) s;"
              "select put('P2', 'A01', s, 'b', -1, s) from generate_series(0, 99) s;"
              "select put('P1', 'A01', 5, 'a', 77, 5, version => 2)");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s %s %s %s %s', to_char(at at time zone 'UTC', 'MI:SS'), "
        "channel, frames, round(median::numeric, 2), round(p10::numeric, 2), round(p90::numeric, "
        "2)), ', ') "
        "from scopestream.trend('focus', '2026-03-02 12:00Z', '2026-03-02 12:01:40Z', 'P1', points "
        "=> 2)",
        "00:00 a 50 4.50 0.90 9.00, 00:50 a 50 4.50 0.90 8.10");
    cluster_expect(place.admin,
                   "select sum(frames) from scopestream.trend('focus', '2026-03-02 12:00:10Z', "
                   "'2026-03-02 12:00:20Z')",
                   "20"); /* the last second is not in it */
    cluster_expect(place.admin,
                   "select count(*) from scopestream.trend('focus', '2026-03-02', '2026-03-01')",
                   "0");
}
END_TEST

START_TEST(a_trend_of_many_frames_samples_them_evenly_and_the_same_again) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, plate, "
        "channel, path) select md5(n::text)::uuid, at, at, 'scope', 'P' || n / 1000, "
        "case n % 3 when 0 then 'a' else 'b' end, n::text "
        "from generate_series(0, 39999) n, lateral (select '2026-02-20Z'::timestamptz + n * "
        "interval '20 s' as at) a;"
        "insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, focus) "
        "select frame_id, acquired_at, pipeline_id('quality', 1), 'ok', "
        "extract(epoch from acquired_at - '2026-02-20Z') from scopestream_data.frame;"
        "create view trended as select * from scopestream.trend('focus', '2026-02-20Z', "
        "'2026-03-03Z', points => 20)");
    cluster_expect(
        place.admin,
        "select format('%s %s %s', count(*), sum(frames) between 6000 and 16000, min(frames) > 50) "
        "from trended where at < '2026-03-01Z'",
        "34 t t");
    /* The number is the time: its median lies in the middle of its stretch, width 47520 s. */
    cluster_expect(place.admin,
                   "select format('%s %s', max(abs(median - extract(epoch from at - '2026-02-20Z') "
                   "- 23760)) < 2500, "
                   "max(abs(p90 - p10 - 0.8 * 47520)) < 2500) from trended "
                   "where at > '2026-02-20Z' and at < '2026-02-28Z'",
                   "t t");
    cluster_expect(place.admin,
                   "select count(*) from (select * from trended except select * from trended) t",
                   "0");
    /* A plate is few frames: all of them. */
    cluster_expect(
        place.admin,
        "select sum(frames) from scopestream.trend('focus', '2026-02-20Z', '2026-03-03Z', 'P7')",
        "1000");
}
END_TEST

START_TEST(what_is_watched_over_months_is_kept_of_each_plate) {
    g_auto(Place) place = look_make();
    scene_run(
        place.admin,
        "with put as (select put('P1', 'A01', s, 'a', s, s) as id from generate_series(1, 30) s) "
        "select count(*) from put;"
        "select scopestream_data.track_frames(array(select row(frame_id, acquired_at, pipeline_id)"
        "::scopestream_data.row_key from scopestream_data.result order by acquired_at));"
        "select scopestream_data.refresh_baselines(10)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s', feature, plate, channel, median), ', ' "
                   "order by feature) from scopestream.plate_trends",
                   "bg_mode P1 a 7, focus P1 a 15.5");
}
END_TEST

/* --- one frame --- */

START_TEST(a_frames_trace_tells_each_step) {
    g_auto(Place) place = scene_make("insert into scopestream.rules (name, kind, expression, "
                                     "bound) values ('blurred', 'bound', '1', 0)");
    scene_run(
        place.admin,
        "select scene.frame('P1', 'A01', 1, 'a', '{blurred}');"
        "update scopestream_data.frame set width = 20, height = 10, bits = 16, size_bytes = 99, "
        "path = 'P1/it''s <b>.tif';"
        "update scopestream_data.result set attempt = 2, worker = 'h/1', delivery = 'path', "
        "offered_at = acquired_at + interval '1 s', taken_at = acquired_at + interval '2 s', "
        "received_at = acquired_at + interval '3 s', decoded_at = acquired_at + interval '4 s', "
        "measured_at = acquired_at + interval '5 s', stored_at = acquired_at + interval '6 s';"
        "insert into scopestream_data.priority select frame_id, acquired_at, pipeline_id, "
        "(select model_id from scopestream_data.model where is_default), 0.5, 'B', true, null, "
        "'plate', acquired_at + interval '7 s' from scopestream_data.result;"
        "update scopestream_data.finding set found_at = acquired_at + interval '8 s'");
    static const char traced[] =
        "select string_agg(format('%s %s: %s', after_s, step, detail), E'\\n') from "
        "scopestream.trace((select path from scopestream.frames))";
    g_autofree char *trace = cluster_answer(place.admin, traced);
    static const char *const steps[] = {
        "0 file closed: scope P1 A01 site 1 a\n",
        "\n1 offered: quality 1, attempt 2\n2 taken: by h/1\n3 received: by way of path\n"
        "4 decoded: 20 x 10 pixels, 16 bits\n5 measured: quality 1\n6 stored: ok\n"
        "7 scored: interest 1: 0.500, tier B, compared with plate\n"
        "8 found bad: blurred, 7 at a bound of 0",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++)
        ck_assert_msg(strstr(trace, steps[i]) != NULL, "%s", trace);
    cluster_expect(
        place.admin,
        "select count(*) from scopestream.frames f, scopestream.trace(f.frame_id::text) a "
        "join scopestream.trace((select path from scopestream.frames)) b "
        "on a.step = b.step and a.at = b.at and a.detail = b.detail",
        "10");
    cluster_expect(
        place.admin,
        "select count(*) from unnest('{x,\"\",00000000-0000-0000-0000-000000000000,%}'::text[]) "
        "w, scopestream.trace(w)",
        "0");
    cluster_expect(place.admin, "select count(*) from scopestream.trace(null)", "0");
}
END_TEST

START_TEST(a_rewritten_path_means_its_newest_frame) {
    g_auto(Place) place = look_make();
    scene_run(place.admin,
              "select put('P1', 'A01', s, 'a', s, 100 * s) from generate_series(1, 3) s;"
              "update scopestream_data.frame set path = 'same'");
    cluster_expect(place.admin,
                   "select detail from scopestream.trace('same') where step = 'file closed'",
                   "scope P1 A01 site 3 a");
}
END_TEST

/* --- pictures --- */

START_TEST(a_data_uri_is_a_picture_and_nothing_else) {
    g_auto(Place) place = place_make();
    cluster_expect(place.admin, "select scopestream.data_uri('image/jpeg', '\\x0001ff')",
                   "data:image/jpeg;base64,AAH/");
    cluster_expect(
        place.admin,
        "select length(scopestream.data_uri('image/png', decode(repeat('00', 3000), 'hex')))",
        "4022"); /* in one line */
    cluster_expect(place.admin,
                   "select count(scopestream.data_uri(m, '')) from unnest(array['text/html', "
                   "'image/svg+xml', 'image/png,<script>', '', null]) m",
                   "0");
}
END_TEST

static void put_thumbnail(Place *place, const char *at) {
    g_autofree char *sql = g_strdup_printf(
        "insert into scopestream_data.thumbnail (frame_id, acquired_at, mime, image) "
        "values (gen_random_uuid(), '%s', 'image/jpeg', '\\x00')",
        at);
    scene_run(place->admin, sql);
}

static const char pictured[] =
    "select string_agg(to_char(acquired_at at time zone 'UTC', 'MM-DD'), ' ' order by acquired_at) "
    "from scopestream_data.thumbnail";

START_TEST(pictures_of_whole_months_are_dropped) {
    g_auto(Place) place = look_make();
    put_thumbnail(&place, "2026-02-01 00:00Z");
    put_thumbnail(&place, "2026-02-28 23:59:59Z");
    put_thumbnail(&place, "2026-03-01 00:00Z");
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-02-28 23:00Z')",
                   "0");
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails(null)", "0");
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-03-05Z')", "1");
    cluster_expect(place.admin, pictured, "03-01");
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-03-05Z')", "0");
}
END_TEST

START_TEST(a_late_frame_of_a_dropped_month_is_stored_with_its_picture) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok", "{}"));
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-05-01Z')", "1");
    char *late = documents_result(2, "ok", "{}");
    g_autofree char *pictured_one =
        documents_replace(late, "\"attempt\"",
                          "\"thumbnail\":{\"mime\":\"image/jpeg\",\"width\":1,\"height\":1,"
                          "\"low\":0,\"high\":1,\"base64\":\"AAAA\"},\"attempt\"");
    g_free(late);
    ck_assert_int_eq(store_one(&place, g_steal_pointer(&pictured_one)), DOCUMENT_STORED);
    cluster_expect(place.admin, "select count(*) from scopestream.thumbnails", "1");
    cluster_expect(place.admin, "select count(*) from scopestream.frames", "2");
}
END_TEST

START_TEST(pictures_that_somebody_looks_at_stay_until_the_next_time) {
    g_auto(Place) place = look_make();
    put_thumbnail(&place, "2026-02-01 00:00Z");
    g_autofree char *database = cluster_answer(place.admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    Postgres *somebody = cluster_connect(address);
    ck_assert(postgres_run(somebody, "begin; select count(*) from scopestream.thumbnails", NULL));
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-03-05Z')", "0");
    ck_assert(postgres_run(somebody, "commit", NULL));
    postgres_free(somebody);
    cluster_expect(place.store, "select scopestream_data.drop_thumbnails('2026-03-05Z')", "1");
}
END_TEST

/* --- who may --- */

START_TEST(a_reader_may_ask_and_touch_nothing) {
    g_auto(Place) place = look_make();
    scene_run(place.admin, "select put('P1', 'A01', 1, 'a', 1); set role scopestream_reader");
    cluster_expect(
        place.admin,
        "select (select count(*) from scopestream.plates) + (select count(*) from "
        "scopestream.hours) "
        "+ (select count(*) from scopestream.plate_map('P1', 'focus')) "
        "+ (select count(*) from scopestream.extreme_frames('P1', 'focus')) "
        "+ (select count(*) from scopestream.newest_frames('P1')) "
        "+ (select count(*) from scopestream.trend('focus', '2026-03-01', '2026-03-03')) "
        "+ (select count(*) from scopestream.plate_trends) "
        "+ (select count(*) from scopestream.frames_acquired('2026-03-01', '2026-03-03')) "
        "+ (select count(*) from scopestream.features_acquired('2026-03-01', '2026-03-03')) "
        "+ (select count(*) from scopestream.trace('x')) "
        "+ (select count(scopestream.data_uri('image/png', '')))",
        "9");
    static const char *const closed[] = {"select * from scopestream_data.hour",
                                         "select scopestream_data.drop_thumbnails(now())",
                                         "select * from scopestream_data.find_frame('x')"};
    for (gsize i = 0; i < G_N_ELEMENTS(closed); i++)
        refuse(place.admin, closed[i], "42501", "permission denied");
}
END_TEST

SUITE_WITH("look", cluster_start, cluster_stop, hours_count_each_row_once_whatever_becomes_of_it,
           a_value_that_moves_into_its_column_is_no_other_row,
           a_frame_of_several_pipelines_is_one_frame, rows_from_before_are_counted_by_the_migration,
           a_map_shows_what_well_values_tell, a_map_tells_what_stands_in_the_wells,
           the_pipeline_that_measured_last_gives_the_map,
           a_score_on_the_map_is_the_highest_of_the_well, what_is_no_number_is_refused_in_one_line,
           the_worst_frames_are_those_with_the_least_numbers,
           the_newest_frames_are_told_measured_or_not, a_stretch_of_time_shows_what_the_views_show,
           a_stretch_of_time_has_the_columns_that_came_meanwhile,
           a_trend_of_few_frames_takes_them_all,
           a_trend_of_many_frames_samples_them_evenly_and_the_same_again,
           what_is_watched_over_months_is_kept_of_each_plate, a_frames_trace_tells_each_step,
           a_rewritten_path_means_its_newest_frame, a_data_uri_is_a_picture_and_nothing_else,
           pictures_of_whole_months_are_dropped,
           a_late_frame_of_a_dropped_month_is_stored_with_its_picture,
           pictures_that_somebody_looks_at_stay_until_the_next_time,
           a_reader_may_ask_and_touch_nothing)
