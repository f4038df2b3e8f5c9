/* What is usual and what a site showed before: the same whatever the order of arrival, and compared
 * with what PostgreSQL computes from all rows at once. */
#include "tests/store/place.h"
#include "tests/suite.h"
#include <math.h>

/* Frames and results straight into the tables, without a store: n-th frame of a plate a second
 * after the other, its numbers made of n alone. key(n), keys(a, b) tell which row that is. */
static const char tools[] =
    "create function frame_id(n integer) returns uuid language sql immutable as "
    "$$ select md5('frame ' || n)::uuid $$;"
    "create function at(n integer) returns timestamptz language sql immutable as "
    "$$ select timestamptz '2026-03-10 00:00Z' + n * interval '1 s' $$;"
    "create function key(n integer, pipeline integer default 1) "
    "returns scopestream_data.row_key language sql as "
    "$$ select row(frame_id(n), at(n), pipeline)::scopestream_data.row_key $$;"
    "create function keys(variadic n integer[]) returns scopestream_data.row_key[] language sql as "
    "$$ select array(select key(i) from unnest(n) with ordinality u(i, place) order by place) $$;"
    "create function range(first integer, last integer) returns integer[] language sql as "
    "$$ select array(select generate_series(first, last)) $$;"
    /* a pseudo-random number of 0..1, of n alone */
    "create function noise(n integer, seed integer default 0) returns float8 language sql "
    "immutable "
    "as $$ select (hashint8extended(n, seed) & 1048575) / 1048576.0::float8 $$;"
    "create function put(n integer[], plate text default 'P1', channel text default 'DAPI', "
    "source text default 'scope', experiment text default 'E', z integer default null, "
    "pipeline integer default 1) returns void language sql as $$"
    "  insert into scopestream_data.frame (frame_id, acquired_at, source, experiment, plate, well, "
    "      site, channel, z, path, naming)"
    "  select frame_id(i), at(i), put.source, put.experiment, put.plate, "
    "         format('%s%s', chr(65 + i % 8), to_char(1 + i % 12, 'FM00')), i, put.channel, put.z, "
    "         put.plate || '/' || i, 'some' from unnest(n) i on conflict do nothing;"
    "  insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, mean, sd)"
    "  select frame_id(i), at(i), put.pipeline, 'ok', 100 * noise(i), "
    "         case when i % 7 <> 3 then noise(i, 1) - 0.1 end from unnest(n) i $$;"
    "create function track(n integer[], batch integer default 64) returns void language plpgsql as "
    "$$"
    "begin"
    "  for i in 0 .. (cardinality(n) - 1) / batch loop"
    "    perform scopestream_data.track_frames(keys(variadic n[i * batch + 1 : (i + 1) * batch]));"
    "  end loop;"
    "end $$;"
    "create function settle() returns void language plpgsql as $$"
    "begin while scopestream_data.refresh_baselines(3) > 0 loop null; end loop; end $$;"
    /* the figures of all baselines and what these are computed from, without numbers that come by
       chance */
    "create function fingerprint() returns text language sql as $$"
    "  select md5(string_agg((to_jsonb(b) - 'baseline_id')::text || s.rows, ',' order by "
    "             b.pipeline_id, b.source, b.plate, b.channel, b.z, b.role)) "
    "  from scopestream_data.baseline b, lateral ("
    "    select string_agg((to_jsonb(k) - 'baseline_id')::text, ',' order by k.sample_key) as rows "
    "    from scopestream_data.baseline_sample k where k.baseline_id = b.baseline_id) s $$;"
    "create function compared(reference text, n integer, plate text, channel text default 'DAPI', "
    "source text default 'scope', experiment text default 'E', z integer default null, "
    "pipeline integer default 1) returns scopestream_data.usual language sql as "
    "$$ select scopestream_data.baseline_for(reference, pipeline, source, experiment, plate, "
    "channel, z, at(n)) $$;";

/* Runs statements, or ends the test. */
static void run(Place *place, const char *sql) {
    g_autoptr(GError) error = NULL;
    bool ok = postgres_run(place->admin, sql, &error);
    ck_assert_msg(ok, "%.300s: %s", sql, error != NULL ? error->message : "");
}

/* With the tools, numbers mean and sd, and two features. */
static Place place_with_rows(void) {
    Place place = place_make();
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE
                               ",\"measures\":[{\"name\":\"mean\"},{\"name\":\"sd\"},"
                               "{\"name\":\"pixel_hash\",\"kind\":\"hash\"},"
                               "{\"name\":\"tile_mean\",\"kind\":\"array\",\"length\":4}]}"));
    run(&place, tools);
    run(&place,
        "delete from scopestream_data.rule; delete from scopestream_data.model;"
        "delete from scopestream_data.feature;" /* of the defaults */
        "select scopestream_data.ensure_partitions('2025-12-01', '2026-04-30'),"
        "       scopestream_data.register_feature('mean', 'v.mean'),"
        "       scopestream_data.register_feature('log(sd)', 'log(nullif(greatest(v.sd, 0), 0))')");
    return place;
}

START_TEST(figures_of_up_to_1024_frames_are_those_of_all_frames) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 1024)), put(range(2001, 2700), channel => 'GFP'), "
                "put(range(3001, 3005), channel => null)");
    run(&place,
        "select track(range(1, 1024)), track(range(2001, 2700), 7), track(range(3001, 3005)), "
        "settle()");
    /* Every frame that is there, by PostgreSQL itself. */
    cluster_expect(
        place.admin,
        "with whole as ("
        "  select channel, expression, count(x) as n, percentile_cont(0.5) within group (order by "
        "x)"
        "         as median, percentile_cont(0.25) within group (order by x) as lower_quartile, "
        "         max(x) as largest, array_agg(x) as all_of_them "
        "  from scopestream_data.frame join scopestream_data.result using (frame_id, acquired_at), "
        "  lateral (values ('mean', mean), ('log(sd)', case when sd > 0 then log(sd) end)) "
        "      e(expression, x) group by 1, 2) "
        "select count(*) from scopestream.baselines b join whole w using "
        "(expression) "
        "where w.channel is not distinct from b.channel and w.n = b.n and w.median = b.median "
        "and (b.n < 24 or w.lower_quartile = b.lower_quartile and w.largest = b.largest) "
        "and b.mad = (select percentile_cont(0.5) within group (order by abs(x - w.median)) "
        "             from unnest(w.all_of_them) x)",
        "6");
    cluster_expect(
        place.admin,
        "select string_agg(distinct channel || ' ' || frames || ' ' || up_to_date, ', ') "
        "from scopestream.baselines",
        "DAPI 1024 true, GFP 700 true");
}
END_TEST

START_TEST(the_order_of_arrival_changes_nothing) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select scopestream.well_row('A01');"
                "insert into scopestream_data.layout (plate, rows, columns) values ('P2', 8, 12);"
                "insert into scopestream_data.layout_well (layout_id, well, role) "
                "select layout_id, 'B02', 'negative' from scopestream_data.layout");
    run(&place, "select put(range(1, 1500)), put(range(1501, 1800), 'P2'), "
                "put(range(1801, 1900), 'P2', 'GFP'), put(range(1901, 2000), 'P2', 'GFP', z => 3)");
    run(&place, "select track(range(1, 2000)), settle()");
    g_autofree char *sorted = cluster_answer(place.admin, "select fingerprint()");
    cluster_expect(place.admin,
                   "select count(*) || ' ' || sum(frames) from scopestream_data.baseline",
                   "7 2021"); /* four groups, three of them with controls */
    static const int batches[] = {1, 17, 64, 256};
    for (guint i = 0; i < G_N_ELEMENTS(batches); i++) {
        g_autofree char *shuffled =
            g_strdup_printf("truncate scopestream_data.baseline cascade; "
                            "select track(array_agg(n order by noise(n, %u)), %d), settle() "
                            "from generate_series(1, 2000) n",
                            i + 5, batches[i]);
        run(&place, shuffled);
        cluster_expect(place.admin, "select fingerprint()", sorted);
    }
    run(&place,
        "truncate scopestream_data.baseline cascade; " /* backwards, the first of them late */
        "select track(array_agg(n order by n < 100, n desc)), settle() "
        "from generate_series(1, 2000) n");
    cluster_expect(place.admin, "select fingerprint()", sorted);
}
END_TEST

START_TEST(a_frame_told_twice_counts_once) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 800))");
    run(&place, "select track(range(1, 800)), settle()");
    g_autofree char *once = cluster_answer(place.admin, "select fingerprint()");
    run(&place, "select track(range(300, 800)), track('{5,5,5,6}'), settle()");
    cluster_expect(place.admin, "select fingerprint()", once);
    run(&place, "select put(range(801, 2000)); select track(range(801, 2000)), settle()");
    g_autofree char *medians =
        cluster_answer(place.admin, "select medians || mads from scopestream_data.baseline");
    run(&place, "select track(range(1, 2000)), settle()");
    cluster_expect(place.admin, "select medians || mads from scopestream_data.baseline", medians);
}
END_TEST

START_TEST(frames_that_were_not_measured_do_not_count) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 30)); update scopestream_data.result set status = 'broken' "
                "where frame_id in (frame_id(1), frame_id(2))");
    run(&place, "select track(range(1, 40))"); /* and some that are not there at all */
    cluster_expect(place.admin, "select frames from scopestream_data.baseline", "28");
    run(&place, "select scopestream_data.track_frames('{}')");
}
END_TEST

START_TEST(beyond_1024_frames_the_error_is_that_of_a_sample) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 6000))");
    run(&place, "select track(range(1, 6000), 256), settle()");
    cluster_expect(
        place.admin,
        "select concat_ws(' ', b.frames, count(*), bool_and(s.sample_key <= last.key)) from "
        " scopestream_data.baseline b join scopestream_data.baseline_sample s "
        "using (baseline_id), (select scopestream_data.sample_key(frame_id(n)) as key "
        "from generate_series(1, 6000) n order by 1 offset 1023 limit 1) last "
        "group by b.frames",
        "6000 1024 t");
    /* mean is even over 0..100: the median of 1024 of them strays by 100 / (2 sqrt(1024)) = 1.6,
     * the MAD by half of that. */
    cluster_expect(place.admin,
                   "select abs(median - 50) < 5 and abs(mad - 25) < 4 and smallest < 1 "
                   "and largest > 99 from scopestream.baselines where expression = 'mean'",
                   "t");
}
END_TEST

START_TEST(figures_are_at_most_5_percent_behind) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 600))");
    run(&place, "create function behind() returns text language plpgsql as $$ "
                "declare wrong text := ''; b record; begin "
                "for n in 1 .. 600 loop "
                "  perform scopestream_data.track_frames(keys(n)); "
                "  select frames, refreshed_frames into b from scopestream_data.baseline; "
                "  if b.frames <> n or (case when n < 24 then b.refreshed_frames <> 0 "
                "     else n >= 1.05 * b.refreshed_frames or b.refreshed_frames < 24 end) then "
                "    wrong := wrong || ' ' || n || '/' || b.refreshed_frames; "
                "  end if; end loop; return wrong; end $$");
    cluster_expect(place.admin, "select behind()", "");
}
END_TEST

START_TEST(a_new_plate_is_compared_with_the_one_before) {
    g_auto(Place) place = place_with_rows();
    run(&place, "insert into scopestream_data.pipeline (name, version, definition) values "
                "('quality', 2, 'two'), ('other', 1, 'three')");
    run(&place, "select put(range(1, 30), 'P1'), put(range(101, 130), 'P2'), "
                "put(range(201, 230), 'P3', experiment => 'F'), put(range(301, 323), 'P4'), "
                "put(range(401, 430), 'P5', 'GFP'), put(range(501, 530), 'P6', source => 'other'), "
                "put(range(601, 630), 'P7', z => 2), put(range(701, 730), 'P8', pipeline => 3), "
                "put(range(801, 830), 'P9', pipeline => 2)");
    run(&place, "select track(range(1, 700)), scopestream_data.track_frames(array(select key(n, 3) "
                "from generate_series(701, 730) n)), scopestream_data.track_frames(array("
                "select key(n, 2) from generate_series(801, 830) n)), settle()");
    static const char *const rows[][2] = {
        {"compared('plate', 120, 'P2')", "plate 30"}, /* its own */
        {"compared('plate', 310, 'P4')",
         "plate P2 30"}, /* 23 are too few; P3: not the experiment */
        {"compared('plate', 310, 'P4', experiment => 'G')",
         "plate P3 30"}, /* an experiment's first */
        {"compared('plate', 790, 'P10')", "plate P2 30"},
        {"compared('plate', 900, 'P10')", "plate P9 30"}, /* another version of the pipeline */
        {"compared('plate', 101, 'P10')", "plate P1 30"}, /* P2 begins that very second */
        {"compared('plate', 0, 'P10')", ""},
        {"compared('plate', 990, 'P10', 'GFP')", "plate P5 30"},
        {"compared('plate', 990, 'P10', 'RFP')", ""},
        {"compared('plate', 990, 'P10', null)", ""},
        {"compared('plate', 990, 'P10', z => 2)", "plate P7 30"},
        {"compared('plate', 990, 'P10', source => 'other')", "plate P6 30"},
        {"compared('plate', 990, 'P10', pipeline => 3)", "plate P8 30"},
        {"compared('controls', 990, 'P2')", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql = g_strdup_printf(
            "select concat_ws(' ', (c).compared_with, (c).frames) from %s c", rows[i][0]);
        g_autofree char *found = cluster_answer(place.admin, sql);
        ck_assert_msg(g_str_equal(found, rows[i][1]), "%s: '%s', expected '%s'", rows[i][0], found,
                      rows[i][1]);
    }
    cluster_expect(place.admin,
                   "select (c).medians = b.medians and (c).mads = b.mads and (c).counts = b.counts "
                   "and (c).quantiles = b.quantiles from compared('plate', 310, 'P4') c, "
                   "scopestream_data.baseline b where b.plate = 'P2'",
                   "t");
}
END_TEST

/* A third of the plate's wells, on either plate. */
#define LAYOUT(plate)                                                                              \
    "with l as (insert into scopestream_data.layout (plate, rows, columns) values ('" plate        \
    "', 8, 12) returning layout_id) insert into scopestream_data.layout_well (layout_id, well, "   \
    "role) select layout_id, chr(64 + r) || to_char(c, 'FM00'), "                                  \
    "case when r in (1, 5) then 'negative' when r = 2 then 'positive' else 'sample' end "          \
    "from l, generate_series(1, 8) r, generate_series(1, 12) c"

START_TEST(controls_are_the_negative_wells_of_the_layout) {
    g_auto(Place) place = place_with_rows();
    run(&place, LAYOUT("P1"));
    run(&place, "select put(range(1, 160)), put(range(201, 360), 'P2')");
    run(&place, "select track(range(1, 360)), settle()");
    static const char found[] =
        "select string_agg(concat_ws(' ', plate, role, frames, counts[1], (select count(*) from "
        "scopestream_data.baseline_sample s where s.baseline_id = b.baseline_id)), ', ' order by "
        "plate, role) "
        "from scopestream_data.baseline b";
    cluster_expect(place.admin, found,
                   "P1 all 160 160 160, P1 controls 40 40 40, P2 all 160 160 160");
    cluster_expect(
        place.admin,
        "select (c).compared_with || ' ' || (c).frames || ' ' || ((c).medians[1] = ("
        "select percentile_cont(0.5) within group (order by mean) from "
        "scopestream_data.result join scopestream_data.frame using (frame_id, acquired_at) "
        "where plate = 'P1' and well ~ '[AE]')) from compared('controls', 99, 'P1') c",
        "controls 40 true");
    cluster_expect(place.admin, "select (compared('controls', 250, 'P2')).compared_with",
                   "controls of plate P1");
    run(&place, LAYOUT("*")); /* the layout of all others comes after the frames */
    run(&place, "select settle()");
    cluster_expect(
        place.admin, found,
        "P1 all 160 160 160, P1 controls 40 40 40, P2 all 160 160 160, P2 controls 40 40 40");
    run(&place, "update scopestream_data.layout_well w set role = 'negative' from "
                "scopestream_data.layout l where l.layout_id = w.layout_id and plate = 'P1' and "
                "well ~ 'B'");
    run(&place, "select put(range(161, 176)); select track(range(161, 176)), settle()");
    cluster_expect(
        place.admin, found,
        "P1 all 176 176 176, P1 controls 66 66 66, P2 all 160 160 160, P2 controls 40 40 40");
    run(&place, "delete from scopestream_data.layout where plate = '*'; select settle()");
    cluster_expect(place.admin, found,
                   "P1 all 176 176 176, P1 controls 66 66 66, P2 all 160 160 160");
    run(&place, "delete from scopestream_data.layout; select settle()");
    cluster_expect(place.admin, found, "P1 all 176 176 176, P2 all 160 160 160");
}
END_TEST

START_TEST(controls_read_anew_are_those_that_were_counted) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 3000))");
    run(&place, LAYOUT("P1"));
    run(&place, "select track(range(1, 3000), 256), settle()");
    g_autofree char *counted = cluster_answer(place.admin, "select fingerprint()");
    run(&place, "delete from scopestream_data.layout;" LAYOUT("P1"));
    run(&place, "select settle()");
    cluster_expect(place.admin, "select fingerprint()", counted);
}
END_TEST

START_TEST(last_week_is_the_middle_of_the_other_plates) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 40), 'P1'), put(range(4001, 4040), 'P2'), "
                "put(range(8001, 8040), 'P3'), put(range(8101, 8110), 'P4'), put(range(8201, "
                "8240), 'P5', 'GFP')");
    run(&place, "select track(range(1, 8300)), settle()");
    cluster_expect(
        place.admin,
        "select (c).compared_with || ' ' || (c).frames || ' ' || ((c).medians[1] = m.median) || "
        "((c).mads[1] = m.mad) || ((c).quantiles[3] = m.quartile) || (c).counts[1] "
        "from compared('last week', 20000, 'P9') c, (select percentile_cont(0.5) within group "
        "(order by median) as median, percentile_cont(0.5) within group (order by mad) as mad, "
        "percentile_cont(0.5) within group (order by lower_quartile) as quartile from "
        "scopestream.baselines where expression = 'mean' and channel = 'DAPI' and n >= 24) m",
        "last week 120 truetruetrue120");
    cluster_expect(place.admin, "select (compared('last week', 20000, 'P3')).frames", "80");
    cluster_expect(place.admin, "select (compared('last week', 7000, 'P9')).frames", "40");
    cluster_expect(place.admin, "select (compared('last week', 610000, 'P9')).frames", "80");
    cluster_expect(place.admin, "select (compared('last week', 700000, 'P9')).frames", "");
    /* kept for the hour, and forgotten when a baseline was refreshed */
    run(&place, "select put(range(8111, 8150), 'P4'); select track(range(8111, 8150))");
    cluster_expect(place.admin, "select (compared('last week', 20000, 'P9')).frames", "120");
    run(&place, "select settle()");
    cluster_expect(place.admin, "select (compared('last week', 20000, 'P9')).frames", "170");
    run(&place, "begin read only");
    cluster_expect(place.admin, "select (compared('last week', 20500, 'P8')).frames", "170");
    run(&place, "rollback");
}
END_TEST

static void expect_refused(Postgres *postgres, const char *sql, const char *words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = postgres_ask(postgres, sql, NULL, 0, &error);
    ck_assert_msg(rows == NULL, "%s was not refused", sql);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

START_TEST(a_plate_known_to_be_good_is_kept_under_a_name) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 100), 'P1'), put(range(101, 150), 'P1', 'GFP')");
    run(&place, "select track(range(1, 150))");
    expect_refused(place.admin, "select scopestream_data.check_reference('saved:good')",
                   "no reference is called 'saved:good': expected plate, controls, last week, or "
                   "saved:NAME after scopestream.save_baseline(NAME, PLATE)");
    cluster_expect(place.admin, "select scopestream.save_baseline('good', 'P1')", "2");
    run(&place, "select scopestream_data.check_reference(r) from "
                "unnest('{plate,controls,last week,saved:good}'::text[]) r");
    expect_refused(place.admin, "select scopestream_data.check_reference('well')",
                   "expected plate, controls, last week or saved:good");
    run(&place, "select put(range(151, 250), 'P1'); select track(range(151, 250)), settle()");
    static const char saved[] =
        "select (c).compared_with || ' ' || (c).frames || ' ' || (c).counts[1] || ' ' || "
        "((c).medians = b.medians and (c).mads = b.mads and (c).quantiles = b.quantiles) "
        "from compared('saved:good', 500, 'P7', '%s') c, scopestream_data.baseline b where "
        "b.channel = '%s'";
    g_autofree char *changed = g_strdup_printf(saved, "DAPI", "DAPI");
    g_autofree char *same = g_strdup_printf(saved, "GFP", "GFP");
    cluster_expect(place.admin, changed, "saved:good 100 100 false");
    cluster_expect(place.admin, same, "saved:good 50 50 true");
    cluster_expect(place.admin, "select scopestream.save_baseline('good', 'P1', 'scope')", "2");
    cluster_expect(place.admin, changed, "saved:good 200 200 true");
    cluster_expect(place.admin,
                   "select string_agg(concat_ws(' ', s.name, s.channel, s.expression, b.n = s.n "
                   "and b.median = s.median), "
                   "', ' order by s.channel, s.expression) from scopestream.saved_baselines s "
                   "join scopestream.baselines b using (channel, expression)",
                   "good DAPI log(sd) t, good DAPI mean t, good GFP log(sd) t, good GFP mean t");
    cluster_expect(place.admin, "select (compared('saved:good', 500, 'P7', source => 'x')).frames",
                   "");
    cluster_expect(place.admin, "select (compared('saved:bad', 500, 'P7')).frames", "");
    /* known by its words: a feature of another number finds it */
    run(&place, "update scopestream_data.feature set feature_id = 9 where expression = 'mean'");
    cluster_expect(
        place.admin,
        "select (c).counts[9] || ' ' || (c).counts[1] || ' ' || cardinality((c).quantiles) "
        "from compared('saved:good', 500, 'P7') c",
        "200 0 81");
}
END_TEST

START_TEST(who_may_save_a_baseline_and_what_is_refused) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 10), 'P1'), put(range(11, 20), 'P1', source => 'second')");
    run(&place, "select track(range(1, 20))");
    run(&place,
        "do $$ begin if to_regrole('looking') is null then create role looking login in role "
        "scopestream_reader; end if; if to_regrole('curious') is null then create role curious "
        "login in role scopestream_scientist; end if; end $$; set role curious");
    expect_refused(place.admin, "select scopestream.save_baseline('good', 'P1')",
                   "plate 'P1' was imaged by scope and second: say which source is meant");
    expect_refused(place.admin, "select scopestream.save_baseline('good', 'P2')",
                   "no frame of plate 'P2' has been measured");
    expect_refused(place.admin, "select scopestream.save_baseline('good', 'P1', 'third')",
                   "no frame of plate 'P1' by third has been measured");
    expect_refused(place.admin, "select scopestream.save_baseline('Good', 'P1', 'scope')",
                   "a baseline cannot be called 'Good'");
    expect_refused(place.admin, "select scopestream.save_baseline(null, null)",
                   "a baseline cannot be called 'null'");
    cluster_expect(place.admin, "select scopestream.save_baseline('good', 'P1', 'scope')", "1");
    run(&place, "set role looking");
    expect_refused(place.admin, "select scopestream.save_baseline('worse', 'P1', 'scope')",
                   "permission denied");
    cluster_expect(place.admin, "select count(*) from scopestream.baselines", "4");
    cluster_expect(place.admin, "select count(*) from scopestream.saved_baselines", "2");
    expect_refused(place.admin, "select scopestream_data.refresh_baselines(1)",
                   "permission denied");
}
END_TEST

START_TEST(a_feature_asked_for_later_knows_the_frames_before) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 300)), put(range(301, 350), 'P2')");
    run(&place, "select track(range(1, 350)), settle()");
    cluster_expect(place.admin,
                   "select scopestream_data.register_feature('mean + sd', 'v.mean + v.sd')", "3");
    cluster_expect(place.admin,
                   "select scopestream_data.register_feature('mean + sd', 'v.mean + v.sd')", "3");
    run(&place, "select settle()");
    cluster_expect(
        place.admin,
        "select count(*) from scopestream.baselines b where expression = 'mean + sd' and "
        "median = (select percentile_cont(0.5) within group (order by mean + sd) from "
        "scopestream_data.result join scopestream_data.frame f using (frame_id, acquired_at) "
        "where f.plate = b.plate) and n > 24 and up_to_date",
        "2");
    /* the same words with another meaning, as after an upgrade */
    cluster_expect(place.admin, "select scopestream_data.register_feature('mean', '2 * v.mean')",
                   "1");
    run(&place, "select settle()");
    cluster_expect(
        place.admin,
        "select count(*) from scopestream.baselines b where expression = 'mean' and "
        "median = (select percentile_cont(0.5) within group (order by 2 * mean) from "
        "scopestream_data.result join scopestream_data.frame f using (frame_id, acquired_at) "
        "where f.plate = b.plate)",
        "2");
    run(&place, "select put(range(351, 400), 'P2'); select track(range(351, 400))");
    g_autofree char *arrived = cluster_answer(place.admin, "select settle(), fingerprint()");
    g_autofree char *later = cluster_answer(place.admin, "select fingerprint()");
    run(&place,
        "truncate scopestream_data.baseline cascade; select track(range(1, 400)), settle()");
    cluster_expect(place.admin, "select fingerprint()", later);
}
END_TEST

START_TEST(a_feature_that_has_no_answer_is_null_and_harms_no_other) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select scopestream_data.register_feature('1 / sd', '1 / v.sd'), "
                "scopestream_data.register_feature('exp(mean)', 'exp(v.mean * v.mean)'), "
                "scopestream_data.register_feature('nothing', 'case when v.mean > 50 then "
                "''NaN''::float8 else ''-Infinity''::float8 end')");
    run(&place, "select put(range(1, 60)); update scopestream_data.result set sd = 0 "
                "where frame_id in (frame_id(7), frame_id(8))");
    run(&place, "select track(range(1, 60), 16), settle()");
    cluster_expect(
        place.admin,
        "select string_agg(b.expression || ' ' || (b.n = e.n), ', ' order by expression) "
        "from scopestream.baselines b join (select unnest(array[count(*) filter (where sd <> 0), "
        "count(*) filter (where sd > 0), count(*), 0, "
        "count(*) filter (where mean * mean < 345.387)]) as n, " /* up to 1e150 */
        "unnest('{1 / sd,log(sd),mean,nothing,exp(mean)}'::text[]) as expression "
        "from scopestream_data.result) e using (expression)",
        "1 / sd true, exp(mean) true, log(sd) true, mean true, nothing true");
}
END_TEST

START_TEST(small_statistics_have_the_answers_of_the_books) {
    g_auto(Place) place = place_with_rows();
    static const char *const rows[][2] = {
        {"robust_z(10, 4, 2, 24)", "2.023472278429786"}, /* 6 / 2.9652 */
        {"robust_z(10, 4, 2, 23)", ""},
        {"robust_z(10, 4, 0, 99)", ""},
        {"kendall('{12,2,1,12,2}', '{1,4,7,1,0}')", "-0.4714045207910316"},
        {"kendall('{1,2,3,4}', '{1,2,3,4}')", "1"},
        {"kendall('{1,2,3,4}', '{9,7,5,3}')", "-1"},
        {"kendall('{1,2,3,4}', '{5,5,5,5}')", ""},
        {"kendall('{1,2,null,4}', '{1,2,0,4}')", "1"},
        {"kendall('{}', '{}')", ""},
        {"rank_in(5, '{0,1,2,3,4,5,6,7,8}', 1)", "0.625"},
        {"rank_in(5.5, '{0,1,2,3,4,5,6,7,8}', 1)", "0.6875"},
        {"rank_in(-1, '{0,1,2,3,4,5,6,7,8}', 1)", "0"},
        {"rank_in(0, '{0,1,2,3,4,5,6,7,8}', 1)", "0"},
        {"rank_in(8, '{0,1,2,3,4,5,6,7,8}', 1)", "1"},
        {"rank_in(9, '{0,1,2,3,4,5,6,7,8}', 1)", "1"},
        {"rank_in(0, '{0,0,0,0,0,5,6,7,8}', 1)", "0.25"}, /* half of them are 0 */
        {"rank_in(3, '{3,3,3,3,3,3,3,3,3}', 1)", "0.5"},
        {"rank_in(15, '{0,1,2,3,4,5,6,7,8,10,11,12,13,14,15,16,17,18}', 2)", "0.625"},
        {"rank_in(15, '{0,1,2,3,4,5,6,7,8}', 2)", ""},
        {"rank_in(null, '{0,1,2,3,4,5,6,7,8}', 1)", ""},
        {"rank_in(1, null, 1)", ""},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql = g_strdup_printf("select scopestream_data.%s", rows[i][0]);
        g_autofree char *found = cluster_answer(place.admin, sql);
        bool close = fabs(g_ascii_strtod(found, NULL) - g_ascii_strtod(rows[i][1], NULL)) < 1e-14;
        ck_assert_msg(close && (*found == '\0') == (*rows[i][1] == '\0'), "%s: '%s', expected '%s'",
                      rows[i][0], found, rows[i][1]);
    }
}
END_TEST

START_TEST(the_same_pixels_are_counted_in_earlier_frames_only) {
    g_auto(Place) place = place_with_rows();
    run(&place,
        "select put('{1,2,3,4,5,600000,610000}'), put('{6}', source => 'other'), put('{7}'); "
        "update scopestream_data.result set pixel_hash = -5 where frame_id <> frame_id(4); "
        "update scopestream_data.frame set path = 'P1/2' where frame_id = frame_id(7)");
    run(&place,
        "insert into scopestream_data.pipeline (name, version, definition) values ('two', 1, 'x'); "
        "select put('{3}', pipeline => 2); "
        "update scopestream_data.result set pixel_hash = -5 where pipeline_id = 2");
    /* late, twice, by two pipelines */
    run(&place, "select track('{600000,3,2,6,4,7,610000}'), track('{1,5}'), track('{1,2,3}'), "
                "scopestream_data.track_frames(array[key(3, 2)])");
    cluster_expect(
        place.admin,
        "select string_agg(n || ':' || coalesce(scopestream_data.same_pixels(f, "
        "v.pixel_hash)::text, '-'), ' ' order by n) from scopestream_data.frame f join "
        "scopestream_data.result v using (frame_id, acquired_at) join "
        "unnest('{1,2,3,4,5,6,7,600000,610000}'::integer[]) n on f.frame_id = frame_id(n) "
        "where pipeline_id = 1",
        /* 2 was written again as 7; 610000 is more than a week after all but one */
        "1:0 2:1 3:2 4:- 5:3 6:0 7:3 600000:5 610000:1");
    /* of two at the very same time, the one with the lesser id counts as earlier */
    run(&place, "insert into scopestream_data.pixels_seen (source, pixel_hash, acquired_at, "
                "frame_id, file) "
                "select 'scope', -5, at(5), id::uuid, 1 from unnest(array[repeat('0', 32), "
                "repeat('f', 32)]) id");
    cluster_expect(place.admin,
                   "select scopestream_data.same_pixels(f, -5) from scopestream_data.frame f "
                   "where frame_id = frame_id(5)",
                   "4");
}
END_TEST

/* One site, frames n with these four tiles each; 11 seconds or 20 days between them. */
#define AT_SITE                                                                                    \
    "update scopestream_data.frame set well = 'C03', site = 1, t = 0; "                            \
    "update scopestream_data.result r set tile_mean = array[1, 2, 3 + 5 * noise(n, 3), 4 + "       \
    "noise(n, 4)]::real[] from generate_series(1, 30) n where r.frame_id = frame_id(n); "

START_TEST(a_site_remembers_what_it_showed_before) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 14)), put('{20}', 'P2'), put('{21}', 'P1', 'GFP'), "
                "put('{22}', z => 1), "
                "put('{23}', source => 'other'), put('{24}', experiment => 'F')");
    run(&place, AT_SITE
        "update scopestream_data.result set status = 'broken' where frame_id = frame_id(9); "
        "update scopestream_data.frame set site = 2 where frame_id = frame_id(8); "
        "update scopestream_data.frame set well = 'C04' where frame_id = frame_id(7); "
        "update scopestream_data.frame set page = 1 where frame_id = frame_id(6)");
    static const char before[] =
        "select string_agg((select n from generate_series(1, 30) n where frame_id(n) = "
        "e.frame_id)::text, ',' "
        "order by place) from scopestream_data.frame f, scopestream_data.site_history(f, 1, %d) h, "
        "unnest(h.earlier) with ordinality e(frame_id, acquired_at, pipeline_id, place) "
        "where f.frame_id = frame_id(%d)";
    static const struct {
        int of, most;
        const char *expected;
    } rows[] = {{14, 10, "13,12,11,10,5,4,3,2,1"},
                {14, 3, "13,12,11"},
                {2, 10, "1"},
                {1, 10, ""},
                {8, 10, ""},
                {6, 10, ""},
                {20, 10, ""},
                {21, 10, ""},
                {22, 10, ""},
                {23, 10, ""},
                {24, 10, ""}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *sql = g_strdup_printf(before, rows[i].most, rows[i].of);
        g_autofree char *found = cluster_answer(place.admin, sql);
        ck_assert_msg(g_str_equal(found, rows[i].expected), "before %d: '%s', expected '%s'",
                      rows[i].of, found, rows[i].expected);
    }
    /* all at once as one by one, and the features of these rows */
    cluster_expect(place.admin,
                   "select count(*) || ' ' || count(h.earlier) || ' ' || bool_and(h = one) from "
                   "scopestream_data.site_histories(keys(variadic range(1, 14)), 9) h "
                   "join scopestream_data.frame f using (frame_id), "
                   "scopestream_data.site_history(f, 1, 9) one",
                   "14 10 true");
    cluster_expect(
        place.admin,
        "select bool_and((h).\"values\"[n][1] = 100 * noise(14 - n)) || ' ' || "
        "array_dims((h).\"values\") from scopestream_data.site_histories(keys(14), 4) h, "
        "generate_series(1, 4) n group by (h).\"values\"",
        "true [1:4][1:2]");
}
END_TEST

START_TEST(a_site_forgets_after_31_days_and_other_months_are_not_touched) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(array[-2678401, -2678400, 0]), put(array[-6000000])");
    run(&place, "update scopestream_data.frame set well = 'C03', site = 1");
    cluster_expect(
        place.admin,
        "select array_agg(n) from scopestream_data.site_histories(keys(0), 10) h, "
        "unnest(h.earlier) e(frame_id) join unnest(array[-2678401, -2678400, 0, -6000000]) n "
        "on e.frame_id = frame_id(n)",
        "{-2678400}");
    /* nor where another of the batch is much older */
    cluster_expect(place.admin,
                   "select string_agg(coalesce(cardinality(earlier), 0)::text, ' ' order by "
                   "acquired_at) from scopestream_data.site_histories(keys(0, -2678401), 10)",
                   "0 1");
    run(&place, "begin; select scopestream_data.track_frames(keys(0)); "
                "select count(*) from scopestream_data.site_histories(keys(0), 10)");
    cluster_expect(
        place.admin,
        "select string_agg(relation::regclass::text, ' ' order by relation::regclass::text) from "
        "(select distinct "
        "relation from pg_locks where pid = pg_backend_pid() and relation::regclass::text ~ "
        "'(frame|result)_2\\d{3}_\\d\\d$') l(relation)",
        "scopestream_data.frame_2026_02 scopestream_data.frame_2026_03 "
        "scopestream_data.result_2026_02 scopestream_data.result_2026_03");
    run(&place, "rollback");
}
END_TEST

START_TEST(files_without_a_known_name_are_places_of_their_own) {
    g_auto(Place) place = place_with_rows();
    run(&place,
        "select put('{1,2,3,4}'); update scopestream_data.frame set naming = null, well = null, "
        "site = null; update scopestream_data.frame set path = 'same' where frame_id in "
        "(frame_id(2), frame_id(4))");
    cluster_expect(place.admin,
                   "select string_agg(coalesce(cardinality(h.earlier), 0)::text, ' ' order by "
                   "acquired_at) from "
                   "scopestream_data.site_histories(keys(1, 2, 3, 4), 10) h",
                   "0 0 0 1");
}
END_TEST

START_TEST(change_is_that_of_the_view_and_its_z_that_of_the_site) {
    g_auto(Place) place = place_with_rows();
    run(&place, "select put(range(1, 16))");
    run(&place,
        AT_SITE "update scopestream_data.frame set t = extract(epoch from acquired_at - at(0))");
    cluster_expect(
        place.admin,
        "select count(h.change) || ' ' || sum((abs(h.change - c.change) < 1e-12)::integer) || ' ' "
        "|| "
        "count(h.change_z) from scopestream_data.site_histories(keys(variadic range(1, 16)), 1) h "
        "left join scopestream.frame_changes c using (frame_id)",
        "15 15 11"); /* four changes before, from the 6th frame on */
    cluster_expect(
        place.admin,
        "with c as (select t, change from scopestream.frame_changes), "
        "b as (select * from c where t between 6 and 15), "
        "m as (select percentile_cont(0.5) within group (order by change) as m from b) "
        "select abs(h.change_z - (h.change - m) / (1.4826 * (select percentile_cont(0.5) "
        "within group (order by abs(change - m)) from b))) < 1e-9 "
        "from m, scopestream_data.site_histories(keys(16), 1, '{change_z}') h",
        "t");
    cluster_expect(place.admin,
                   "select concat(change is not null, change_z, \"values\") from "
                   "scopestream_data.site_histories(keys(16), 1, '{change}')",
                   "t");
    run(&place,
        "update scopestream_data.result set tile_mean = null where frame_id = frame_id(15); "
        "update scopestream_data.result set tile_mean = '{1,1,1,1}' where frame_id = frame_id(12)");
    cluster_expect(place.admin,
                   "select string_agg(n::text, ' ' order by n) from generate_series(1, 16) n join "
                   "scopestream_data.site_histories(keys(variadic range(1, 16)), 1) h "
                   "on frame_id(n) = h.frame_id where h.change is null",
                   "1 12 13 15 16");
}
END_TEST

START_TEST(a_database_without_these_measures_has_no_change_and_no_pixels) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE
                               ",\"measures\":[{\"name\":\"mean\"},{\"name\":\"sd\"}]}"));
    run(&place, tools);
    run(&place, "select scopestream_data.ensure_partitions('2026-03-01', '2026-03-30'); "
                "delete from scopestream_data.feature; select put(range(1, 40)); "
                "update scopestream_data.frame set well = 'C03', site = 1");
    run(&place, "select track(range(1, 40)), settle()"); /* nor is any feature asked for */
    cluster_expect(
        place.admin,
        "select concat_ws(' ', cardinality(h.earlier), h.change, h.change_z, h.\"values\", "
        "b.frames, "
        "b.refreshed_frames, b.counts) from scopestream_data.site_histories(keys(40), 3) h, "
        "scopestream_data.baseline b",
        "3 40 40 {}");
    cluster_expect(place.admin, "select count(*) from scopestream_data.pixels_seen", "0");
}
END_TEST

SUITE_WITH(
    "baselines", cluster_start, cluster_stop, figures_of_up_to_1024_frames_are_those_of_all_frames,
    the_order_of_arrival_changes_nothing, a_frame_told_twice_counts_once,
    frames_that_were_not_measured_do_not_count, beyond_1024_frames_the_error_is_that_of_a_sample,
    figures_are_at_most_5_percent_behind, a_new_plate_is_compared_with_the_one_before,
    controls_are_the_negative_wells_of_the_layout, controls_read_anew_are_those_that_were_counted,
    last_week_is_the_middle_of_the_other_plates, a_plate_known_to_be_good_is_kept_under_a_name,
    who_may_save_a_baseline_and_what_is_refused, a_feature_asked_for_later_knows_the_frames_before,
    a_feature_that_has_no_answer_is_null_and_harms_no_other,
    small_statistics_have_the_answers_of_the_books,
    the_same_pixels_are_counted_in_earlier_frames_only, a_site_remembers_what_it_showed_before,
    a_site_forgets_after_31_days_and_other_months_are_not_touched,
    files_without_a_known_name_are_places_of_their_own,
    change_is_that_of_the_view_and_its_z_that_of_the_site,
    a_database_without_these_measures_has_no_change_and_no_pixels)
