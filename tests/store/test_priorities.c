/* Models, policies and scores, with answers known beforehand: rows are put into the tables, counted
 * into their baselines and scored, as steering does. */
#include "tests/store/place.h"
#include "tests/suite.h"

#define NAMES                                                                                      \
    "mean plls otsu_separability psd_aniso blur_effect focus_tile_min obj_area_median "            \
    "obj_area_cv obj_border_fraction illum_tilt_x illum_tilt_y illum_corner_center vollath_f4 "    \
    "lap_excess n_levels fg_fraction total_intensity autocorr1_h focus focus_snr"

/* Test rows: n-th second of March 2026, one site a row unless told. */
#define HELPERS                                                                                    \
    "create schema test; grant usage on schema test to public;"                                    \
    "select scopestream_data.ensure_partitions('2026-03-01', '2026-04-01');"                       \
    "insert into scopestream_data.pipeline (name, version, definition) values ('quality', 1, "     \
    "'x');"                                                                                        \
    "create function test.id(n integer) returns uuid language sql as $$ "                          \
    "select md5('frame ' || n)::uuid $$;"                                                          \
    "create function test.at(n integer) returns timestamptz language sql as $$ "                   \
    "select '2026-03-01 00:00+00'::timestamptz + n * interval '1 s' $$;"                           \
    "create function test.add(n integer, values_of jsonb, plate text default 'P1', "               \
    "well text default 'A01', site integer default 0) returns void language sql as $$ "            \
    "insert into scopestream_data.frame (frame_id, acquired_at, source, plate, well, site, "       \
    "channel, path, naming, width, height) values (test.id(n), test.at(n), 'scope', plate, well, " \
    "coalesce(nullif(site, 0), n), 'DAPI', 'f' || n, 'some', 100, 100);"                           \
    "insert into scopestream_data.result select r.* from jsonb_populate_record("                   \
    "null::scopestream_data.result, values_of || jsonb_build_object('frame_id', test.id(n), "      \
    "'acquired_at', test.at(n), 'pipeline_id', 1, 'status', 'ok', 'stored_at', test.at(n))) r $$;" \
    "create function test.keys(first integer, last integer) returns scopestream_data.row_key[] "   \
    "language sql as $$ select array_agg(row(test.id(n), test.at(n), 1)::"                         \
    "scopestream_data.row_key order by n) from generate_series(first, last) n $$;"                 \
    "create function test.steer(first integer, last integer) returns void language sql as $$ "     \
    "select scopestream_data.track_frames(test.keys(first, last)); "                               \
    "select scopestream_data.score_frames(test.keys(first, last)) $$;"

static Place place_with_measures(void) {
    Place place = place_make();
    g_free(cluster_answer(place.admin,
                          "do $$ begin if to_regrole('scientist') is null then "
                          "create role scientist login in role scopestream_scientist; "
                          "create role reading login in role scopestream_reader; end if; end $$"));
    g_autoptr(GError) error = NULL;
    bool made = postgres_run(place.admin, HELPERS, &error);
    ck_assert_msg(made, "%s", error != NULL ? error->message : "");
    return place;
}

static void announce(Place *place, const char *names) {
    g_autofree char *sql = g_strdup_printf(
        "select scopestream_data.announce_measures(jsonb_build_object('measures', (select "
        "jsonb_agg(jsonb_build_object('name', n, 'formula', 'of ' || n)) from unnest("
        "string_to_array('%s', ' ')) n) || '[{\"name\": \"tile_mean\", \"kind\": \"array\", "
        "\"length\": 4}, {\"name\": \"pixel_hash\", \"kind\": \"hash\"}]'))",
        names);
    g_free(cluster_answer(place->admin, sql));
}

static Place place_with_models(void) {
    Place place = place_with_measures();
    announce(&place, NAMES);
    return place;
}

static Postgres *connect_as(Place *place, const char *role) {
    g_autofree char *database = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autofree char *as_role = cluster_as(address, role);
    return cluster_connect(as_role);
}

/* The statement is refused, and the reason holds these words. */
static void expect_refused(Postgres *postgres, const char *sql, const char *words) {
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = postgres_ask(postgres, sql, NULL, 0, &error);
    ck_assert_msg(rows == NULL, "not refused: %s", sql);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s: %s", sql, error->message);
}

#define SCORES                                                                                     \
    "select string_agg(format('%%s%%s', round(score::numeric, 6), tier), ' ' order by "            \
    "acquired_at) from scopestream.priorities where model = '%s' and model_version = %d"

static void expect_scores(Place *place, const char *model, int version, const char *expected) {
    g_autofree char *sql = g_strdup_printf(SCORES, model, version);
    cluster_expect(place->admin, sql, expected);
}

static void run(Postgres *postgres, const char *sql) {
    g_free(cluster_answer(postgres, sql));
}

/* --- policies --- */

START_TEST(every_score_is_in_exactly_one_tier) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "insert into scopestream.models (name, score) values ('plain', 'mean')");
    run(place.admin,
        "select test.add(n::integer, jsonb_build_object('mean', x)) from unnest(array[0, 0.2499, "
        "0.25, 0.5, 0.7499, 0.75, 1, -3, 7, 'NaN', null]::float8[]) with ordinality v(x, n)");
    run(place.admin, "select test.steer(1, 11)");
    expect_scores(&place, "plain", 1,
                  "0.000000D 0.249900D 0.250000C 0.500000B 0.749900B 0.750000A 1.000000A "
                  "0.000000D 1.000000A 1.000000A 1.000000A");
    cluster_expect(place.admin,
                   "select string_agg(known::text, ' ' order by acquired_at) from "
                   "scopestream.priorities where model = 'plain'",
                   "true true true true true true true true true false false");
}
END_TEST

START_TEST(two_tiers_and_one_are_policies_too) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(scientist, "insert into scopestream.policies (name, tiers, bounds) values "
                   "('all-alike', '{every}', '{}'), ('best', '{rest,best}', '{1}')");
    run(scientist, "insert into scopestream.models (name, score, policy) values "
                   "('one', 'mean', 'all-alike'), ('two', 'mean', 'best'), "
                   "('keep', 'mean', 'keep_or_drop')");
    run(place.admin, "select test.add(n, jsonb_build_object('mean', (n - 1) / 5.0)) "
                     "from generate_series(1, 6) n");
    run(place.admin, "select test.steer(1, 6)");
    cluster_expect(place.admin,
                   "select string_agg(tiers, '; ' order by model) from (select model, "
                   "string_agg(tier, ' ' order by score) as tiers from scopestream.priorities "
                   "where not is_default group by model) t",
                   "drop keep keep keep keep keep; every every every every every every; "
                   "rest rest rest rest rest best");
    cluster_expect(scientist, "select in_words from scopestream.policies where name = 'four_tiers'",
                   "D < 0.25 <= C < 0.5 <= B < 0.75 <= A");
}
END_TEST

START_TEST(policies_that_leave_a_score_without_a_tier_are_refused) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    static const struct {
        const char *tiers, *bounds, *words;
    } wrong[] = {
        {"'{}'", "'{}'", "needs tiers"},
        {"'{a,null}'", "'{0.5}'", "needs tiers"},
        {"'{a,a}'", "'{0.5}'", "different names"},
        {"'{a,b}'", "'{0.2,0.5}'", "2 tiers and 2 bounds"},
        {"'{a,b,c}'", "'{0.5,0.2}'", "ascending"},
        {"'{a,b,c}'", "'{0.5,0.5}'", "ascending"},
        {"'{a,b}'", "'{0}'", "above 0"},
        {"'{a,b}'", "'{1.5}'", "at most 1"},
        {"'{a,b}'", "'{NaN}'", "ascending"},
        {"'{a,b}'", "'{null}'", "ascending"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *sql =
            g_strdup_printf("insert into scopestream.policies (name, tiers, bounds) "
                            "values ('p', %s, %s)",
                            wrong[i].tiers, wrong[i].bounds);
        expect_refused(scientist, sql, wrong[i].words);
    }
    expect_refused(place.admin,
                   "update scopestream_data.policy set bounds = '{0.3}' where name = "
                   "'keep_or_drop'",
                   "stays what it is");
}
END_TEST

/* --- the published models --- */

START_TEST(hastes_logistic_is_as_by_hand) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "update scopestream.models set enabled = true where name = 'haste'");
    run(place.admin, "select test.add(n::integer, jsonb_build_object('plls', x)) from "
                     "unnest(array[-1.4, -2, 0, -1000, 1000, null]) with ordinality v(x, n)");
    run(place.admin, "select test.steer(1, 6)");
    /* 1 / (1 + exp(4.5 (x + 1.4))): exp(-2.7) = 0.067206, exp(6.3) = 544.57 */
    expect_scores(&place, "haste", 1,
                  "0.500000B 0.937027A 0.001833D 1.000000A 0.000000D 1.000000A");
}
END_TEST

START_TEST(hastes_tiers_rank_within_the_plate_once_24_frames_are_there) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "update scopestream.models set enabled = true where name = 'haste_tiers'");
    run(place.admin, "select test.add(n, jsonb_build_object('plls', n / 10.0 - 4)) "
                     "from generate_series(1, 40) n");
    run(place.admin, "select test.steer(1, 23)");
    cluster_expect(place.admin,
                   "select format('%s %s %s', count(*), min(score), bool_or(known)) from "
                   "scopestream.priorities where model = 'haste_tiers'",
                   "23 1 f");
    run(place.admin, "select test.steer(24, 40)");
    run(place.admin, "select scopestream_data.rescore((select model_id from scopestream.models "
                     "where name = 'haste_tiers'), null, null, 100)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', score, tier, frames), ', ' order by "
                   "score) from (select score, tier, count(*) as frames from "
                   "scopestream.priorities where model = 'haste_tiers' group by 1, 2) s",
                   "0.125 D 10, 0.375 C 10, 0.625 B 10, 0.875 A 10");
}
END_TEST

START_TEST(hastes_trend_is_the_larger_tau_over_ten_frames) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "update scopestream.models set enabled = true where name = 'haste_trend'");
    /* rising but for one neighbour pair that is swapped: 44 pairs of 45 up, 1 down */
    run(place.admin, "select test.add(n, jsonb_build_object('total_intensity', case n when 4 then "
                     "5 when 5 then 4 else n end, 'autocorr1_h', case when n % 2 = 0 then 0.5 "
                     "else 0.6 end), site => 1) from generate_series(1, 10) n");
    run(place.admin, "select test.steer(1, 10)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s%s', round(score::numeric, 6), known), ' ' order "
                   "by acquired_at desc) from (select * from scopestream.priorities where model = "
                   "'haste_trend' order by acquired_at desc limit 2) p",
                   "0.955556t 1.000000f");
    cluster_expect(place.admin,
                   "select distinct tier from scopestream.priorities where model = 'haste_trend'",
                   "keep");
}
END_TEST

/* 30 usual frames, whose vollath_f4 is 10^(n / 10 - 2) and so on, and what is told of them. */
#define USUAL                                                                                      \
    "select test.add(n, jsonb_build_object('vollath_f4', power(10, n / 10.0 - 2), 'lap_excess', "  \
    "power(10, n / 10.0) - 1, 'mean', power(10, n / 30.0), 'plls', -2 + n / 30.0, 'n_levels', "    \
    "200, 'fg_fraction', 0.3, 'otsu_separability', 0.8, 'pixel_hash', n)) from "                   \
    "generate_series(1, 31) n"

START_TEST(the_default_blend_adds_up) {
    g_auto(Place) place = place_with_models();
    run(place.admin, USUAL);
    run(place.admin, "select test.add(32, '{\"vollath_f4\": 1e-9, \"lap_excess\": 10, \"mean\": "
                     "1e9, \"plls\": -1.5, \"n_levels\": 200, \"fg_fraction\": 0.3, "
                     "\"pixel_hash\": 32}'), test.add(33, '{\"vollath_f4\": 0.001, \"lap_excess\": "
                     "10, \"mean\": 1, \"plls\": -1.5, \"n_levels\": 200, \"fg_fraction\": 0.001, "
                     "\"pixel_hash\": 33}'), test.add(34, '{\"vollath_f4\": 0.001, \"lap_excess\": "
                     "10, \"mean\": 1, \"plls\": -1.5, \"n_levels\": 200, \"fg_fraction\": 0.3, "
                     "\"pixel_hash\": 7}'), test.add(35, '{\"vollath_f4\": 0, \"lap_excess\": "
                     "null, \"mean\": 1, \"n_levels\": 1, \"pixel_hash\": 35}')");
    run(place.admin, "select test.steer(1, 31)");
    run(place.admin, "select scopestream_data.score_frames(test.keys(32, 35))");
    /* Median and MAD of n / 10, n = 1 .. 31: 1.6 and 0.8; of n / 30: 0.5333 and 0.2667. Frame 32: z
     * of its log(vollath_f4) is (-9 + 0.4) / (1.4826 * 0.8) = -7.2508, its mean counts 100, plls
     * 0.0071 and the ten that are not known 1 each. The 33rd is nearly empty, the 34th is the 7th
     * once more, the 35th has no picture. */
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s %s %s %s', round((parts ->> 'sharp')::numeric, "
        "6), round((parts ->> 'novel')::numeric, 6), parts ->> 'stuck', parts ->> 'filled', "
        "round(score::numeric, 6)), '; ' order by acquired_at) from "
        "scopestream.priorities where is_default and acquired_at >= test.at(32)",
        "0.014053 0.513871 0 1 0.201484; 0.691663 0.017732 0 0.25 0.109735; "
        "0.691663 0.017732 1 1 0.000000; 0.000000 0.019212 1 1 0.000000");
}
END_TEST

START_TEST(change_counts_where_there_is_one) {
    g_auto(Place) place = place_with_models();
    run(place.admin, USUAL);
    run(place.admin, "select test.steer(1, 31)");
    /* Nine frames of one site; the pictures differ a little more or less, the last one much. */
    run(place.admin,
        "select test.add(n, jsonb_build_object('vollath_f4', 0.4, 'lap_excess', 40, 'mean', 3, "
        "'plls', -1.5, 'n_levels', 200, 'fg_fraction', 0.3, 'pixel_hash', n, 'tile_mean', case n "
        "when 58 then array[4, 1, 3, 2] else array[1, 2, 3, 4 + (n % 3) * (n % 2)] end), site => "
        "1000) from generate_series(50, 58) n");
    run(place.admin, "select test.steer(n, n) from generate_series(50, 58) n");
    cluster_expect(place.admin,
                   "select string_agg(case when parts ->> 'changed' is null then 'no' when (parts "
                   "->> 'changed')::float8 > 0.99 then 'much' else 'little' end, ' ' order by "
                   "acquired_at) from scopestream.priorities where is_default and site = 1000",
                   "no no no no no little little little much");
    cluster_expect(
        place.admin,
        "select max(abs(score - case when c is null then (0.5 * s + 0.3 * n) / 0.8 else 0.5 * s + "
        "0.3 * n + 0.2 * c end)) < 1e-12 from scopestream.priorities, jsonb_to_record(parts) "
        "parts(sharp float8, novel float8, changed float8), lateral (select sharp "
        "s, novel n, changed c) x where is_default and site = 1000",
        "t");
}
END_TEST

START_TEST(what_is_not_known_yet_is_kept_unless_the_plate_before_tells) {
    g_auto(Place) place = place_with_models();
    run(place.admin, USUAL);
    run(place.admin, "select test.steer(1, 20), test.steer(21, 31)");
    run(place.admin, "select test.add(40, '{\"vollath_f4\": 0.4, \"lap_excess\": 40, \"mean\": 3, "
                     "\"n_levels\": 200}', 'P2'), test.steer(40, 40)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s%s %s', frames, known, highest, with_what), "
                   "'; ' order by first) from (select count(*) as frames, known, "
                   "max(score) = 1 as highest, compared_with as with_what, min(acquired_at) as "
                   "first from scopestream.priorities where is_default group by known, "
                   "compared_with) p",
                   "20 ft ; 11 tf plate; 1 tf plate P1");
}
END_TEST

/* --- models are rows --- */

START_TEST(a_new_model_is_one_row_and_the_same_name_its_next_version) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(place.admin, "select test.add(n, '{\"mean\": 0.2}') from generate_series(1, 2) n");
    run(scientist, "insert into scopestream.models (name, score, parts, description) values "
                   "('bright', 'twice + 0.1', '{\"twice\": \"2 * mean\"}', 'light')");
    run(place.admin, "select test.steer(1, 1)");
    run(scientist, "insert into scopestream.models (name, score) values ('bright', '3 * mean')");
    run(place.admin, "select test.steer(2, 2)");
    cluster_expect(scientist,
                   "select string_agg(format('%s %s %s', model_version, score, parts), ', ' order "
                   "by acquired_at) from scopestream.priorities where model = 'bright'",
                   "1 0.5 {\"twice\": 0.4}, 2 0.6000000000000001 ");
    cluster_expect(scientist,
                   "select string_agg(format('%s %s %s %s', version, enabled, built_in, "
                   "created_by), ', ' order by version) from scopestream.models "
                   "where name = 'bright'",
                   "1 f f scientist, 2 t f scientist");
    run(scientist, "update scopestream.models set enabled = true where name = 'bright' and "
                   "version = 1"); /* back again */
    cluster_expect(scientist,
                   "select string_agg(enabled::text, ' ' order by version) from "
                   "scopestream.models where name = 'bright'",
                   "true false");
}
END_TEST

START_TEST(a_wrong_model_is_refused_with_the_reason) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    static const struct {
        const char *columns, *values, *words;
    } wrong[] = {
        {"name, score", "'m', 'vollath_f5'", "model 'm': unknown word 'vollath_f5'"},
        {"name, score", "'m', 'mean +'", "model 'm'"},
        {"name, score", "'m', ''", "empty"},
        {"name, score", "'m', null", "empty"},
        {"name, score", "'m', 'mean; drop table model'", "model 'm'"},
        {"name, score", "'m', 'pg_sleep(1)'", "pg_sleep"},
        {"name, score", "'Big', 'mean'", "cannot be called 'Big'"},
        {"name, score", "null, 'mean'", "cannot be called 'null'"},
        {"name, score, parts", "'m', 'a', '{\"a\": \"meen\"}'", "part 'a': unknown word 'meen'"},
        {"name, score, parts", "'m', 'mean', '{\"a\": \"meen\"}'", "part 'a': unknown word"},
        {"name, score, parts", "'m', 'a', '{\"a\": 1}'", "'a'"},
        {"name, score, parts", "'m', 'a', '[]'", "parts"},
        {"name, score, parts", "'m', 'a', '{\"a\": \"b\", \"b\": \"a\"}'", "made of itself"},
        {"name, score, policy", "'m', 'mean', 'five'", "no policy is called 'five'"},
        {"name, score, reference", "'m', 'mean', 'yesterday'", "yesterday"},
        {"name, score, unknown_score", "'m', 'mean', 2", "unknown_score"},
        {"name, score, enabled, is_default", "'m', 'mean', false, true", "not enabled"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *sql = g_strdup_printf("insert into scopestream.models (%s) values (%s)",
                                               wrong[i].columns, wrong[i].values);
        expect_refused(scientist, sql, wrong[i].words);
    }
    cluster_expect(scientist, "select count(*) from scopestream.models where not built_in", "0");
}
END_TEST

START_TEST(nobody_writes_more_than_what_is_theirs) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    g_autoptr(Postgres) reading = connect_as(&place, "reading");
    static const char *const denied[] = {
        "insert into scopestream.models (name, score, built_in) values ('m', 'mean', true)",
        "insert into scopestream.models (name, score, created_by) values ('m', 'mean', 'eve')",
        "update scopestream.models set score = 'mean'",
        "update scopestream.models set version = 9",
        "delete from scopestream.models",
        "update scopestream.policies set bounds = '{0.1}'",
        "delete from scopestream.policies",
        "insert into scopestream_data.model (name, score) values ('m', 'mean')",
        "select * from scopestream_data.priority",
        "select scopestream_data.score_frames('{}')",
        "select scopestream_data.compile_waiting_models()",
    };
    for (guint i = 0; i < G_N_ELEMENTS(denied); i++)
        expect_refused(scientist, denied[i], "permission denied");
    expect_refused(reading, "insert into scopestream.models (name, score) values ('m', 'mean')",
                   "permission denied");
    expect_refused(reading, "select * from scopestream.what_if('haste', 'interest')",
                   "permission denied");
    expect_refused(place.admin, "update scopestream_data.model set score = 'mean' where is_default",
                   "version 2");
}
END_TEST

START_TEST(one_model_is_the_default_always) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    static const char which[] = "select string_agg(format('%s %s', name, version), ', ') from "
                                "scopestream.models where is_default and enabled";
    cluster_expect(scientist, which, "interest 1");
    expect_refused(scientist, "update scopestream.models set enabled = false", "is the default");
    expect_refused(scientist, "update scopestream.models set is_default = false",
                   "make another the default");
    run(scientist, "update scopestream.models set is_default = true where name = 'haste'");
    cluster_expect(scientist, which, "haste 1");
    run(scientist, "insert into scopestream.models (name, score) values ('haste', 'plls')");
    cluster_expect(scientist, which, "haste 2"); /* takes the place of its older version */
    run(scientist, "insert into scopestream.models (name, score, enabled) values ('haste', "
                   "'mean', false)");
    cluster_expect(scientist, which, "haste 2");
    run(scientist, "update scopestream.models set enabled = true where name = 'haste' and "
                   "version = 1");
    cluster_expect(scientist, which, "haste 1");
    run(scientist, "insert into scopestream.models (name, score, is_default) values ('other', "
                   "'plls', true)");
    cluster_expect(scientist, which, "other 1");
}
END_TEST

START_TEST(built_in_models_wait_until_their_measures_are_announced) {
    g_auto(Place) place = place_with_measures();
    static const char ready[] = "select string_agg(name, ' ' order by name) from "
                                "scopestream.models where waits_for is null";
    cluster_expect(place.admin, ready, "");
    run(place.admin, "select test.add(1, '{}'), test.steer(1, 1)");
    cluster_expect(place.admin, "select count(*) from scopestream.priorities", "0");
    announce(&place, "plls");
    cluster_expect(place.admin, ready, "change haste haste_tiers");
    cluster_expect(place.admin,
                   "select waits_for ~ 'unknown word ''mean''' from scopestream.models where name "
                   "= 'novelty'",
                   "t");
    expect_refused(place.admin, "select * from scopestream.what_if('haste', 'novelty')",
                   "cannot be computed yet");
    announce(&place, NAMES);
    cluster_expect(place.admin, "select count(*) from scopestream.models where waits_for is null",
                   "8");
    run(place.admin, "select test.add(2, '{}'), test.steer(2, 2)");
    cluster_expect(place.admin, "select format('%s %s', model, score) from scopestream.priorities",
                   "interest 1");
}
END_TEST

START_TEST(the_defaults_come_once) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "insert into scopestream.models (name, score) values ('interest', 'mean')");
    g_autofree char *folder = cluster_schema_folder();
    g_autofree char *file = g_build_filename(folder, "017_steering_defaults.sql", NULL);
    g_autofree char *sql = NULL;
    ck_assert(g_file_get_contents(file, &sql, NULL, NULL));
    g_autoptr(GError) error = NULL;
    ck_assert_msg(postgres_run(place.admin, sql, &error), "%s", error ? error->message : "");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', name, version), ', ') from "
                   "scopestream.models where enabled",
                   "interest 2");
    cluster_expect(place.admin,
                   "select string_agg(distinct created_by, ' ') from (select built_in, created_by "
                   "from scopestream.models union all select built_in, created_by from "
                   "scopestream.rules) ours where built_in",
                   "scopestream");
}
END_TEST

/* --- what people see --- */

START_TEST(a_score_is_explained_by_one_query) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) reading = connect_as(&place, "reading");
    run(place.admin, "insert into scopestream.models (name, score, parts, policy) values ('e', "
                     "'a + 0.1 * z(log(mean)) + same_pixels', '{\"a\": \"2 * plls\"}', "
                     "'keep_or_drop')");
    run(place.admin, "select test.add(n, jsonb_build_object('mean', power(10, n), 'plls', 0.01 * "
                     "n, 'pixel_hash', n)) from generate_series(1, 31) n");
    run(place.admin, "select test.steer(1, 31)");
    run(place.admin, "select scopestream_data.rescore(model_id, null, null, 100) from "
                     "scopestream.models where name = 'e'");
    /* median 16, mad 8: of frame 16, z is 0; of frame 24, 8 / (1.4826 * 8) */
    cluster_expect(
        reading,
        "select string_agg(concat_ws(' ', part, round(value::numeric, 4), left(formula, 40), "
        "'(' || note || ')', compared_with, median, mad, n), E'\\n') from "
        "scopestream.explain_priority((select frame_id from scopestream.priorities "
        "where path = 'f24' and model = 'e'), 'e')",
        "score 0.5474 a + 0.1 * z(log(mean)) + same_pixels (tier keep of keep_or_drop) "
        "plate\n"
        "a 0.4800 2 * plls (part of score)\n"
        "log(mean) 24.0000 what is usual is kept of it (median, mad and n as they are "
        "now) plate 16 8 31\n"
        "mean 1000000000000000000000000.0000 of mean (of this frame)\n"
        "plls 0.2400 of plls (of this frame)\n"
        "same_pixels 0.0000 how many earlier frames of this source s (of this frame)");
    cluster_expect(reading,
                   "select format('%s %s', model, note) from scopestream.explain_priority((select "
                   "frame_id from scopestream.priorities where path = 'f1' and is_default)) "
                   "where part = 'score'",
                   "interest unknown, so unknown_score: tier A of four_tiers");
    expect_refused(reading, "select * from scopestream.explain_priority(null, 'nix')",
                   "no model is called 'nix'");
}
END_TEST

START_TEST(sites_wells_and_plates_take_the_newest_frame_of_each_place) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "insert into scopestream.models (name, score) values ('plain', 'mean')");
    run(place.admin, "select test.add(1, '{\"mean\": 0.9}', site => 1), "
                     "test.add(2, '{\"mean\": 0.3}', site => 1), " /* imaged again */
                     "test.add(3, '{\"mean\": 0.6}', site => 2), "
                     "test.add(4, '{}', site => 3, well => 'B02'), "
                     "test.add(5, '{\"mean\": 0.1}', site => 4, well => 'B02')");
    run(place.admin, "select test.steer(1, 5)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s/%s %s%s %s %s', well, site, score, tier, "
                   "frames, unknown_frames), ', ' order by well, site) from "
                   "scopestream.site_priorities where model = 'plain'",
                   "A01/1 0.3C 1 0, A01/2 0.6B 1 0, B02/3 1A 1 1, B02/4 0.1D 1 0");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s%s %s of %s, %s unknown', well, score, tier, "
                   "round(mean_score::numeric, 4), sites, unknown_frames), ', ' order by well) "
                   "from scopestream.well_priorities where model = 'plain' and plate = 'P1'",
                   "A01 0.6B 0.4500 of 2, 0 unknown, B02 1A 0.5500 of 2, 1 unknown");
    cluster_expect(place.admin,
                   "select format('%s %s%s %s of %s', plate, score, tier, mean_score, wells) "
                   "from scopestream.plate_priorities where model = 'plain'",
                   "P1 1A 0.5 of 2");
}
END_TEST

START_TEST(all_that_people_see_has_a_comment) {
    g_auto(Place) place = place_with_models();
    cluster_expect(place.admin,
                   "select string_agg(relname || '.' || attname, ' ') from pg_class c "
                   "join pg_attribute a on attrelid = c.oid and attnum > 0 "
                   "where relnamespace = 'scopestream'::regnamespace and relkind = 'v' "
                   "and (col_description(c.oid, attnum) is null or obj_description(c.oid) is null)",
                   "");
}
END_TEST

/* --- history --- */

#define RESCORE                                                                                    \
    "do $$ declare step record; after_at timestamptz; after_id uuid; begin "                       \
    "create table test.steps (frames integer); "                                                   \
    "loop select * into step from scopestream_data.rescore((select model_id from "                 \
    "scopestream.models where name = 'm' and version = 2), after_at, after_id, 4%s); "             \
    "exit when step.frames = 0; insert into test.steps values (step.frames); "                     \
    "after_at := step.last_at; after_id := step.last_id; end loop; end $$"

START_TEST(history_is_scored_again_in_batches_and_old_scores_stay) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(scientist, "insert into scopestream.models (name, score) values ('m', 'mean')");
    /* Three of one time, a gap, another month, a frame that failed */
    run(place.admin, "select test.add(n, '{\"mean\": 0.5}') from unnest(array[1, 2, 3, 4, 5, 6, "
                     "90000, 90001, 2600000, 2800000]) n");
    run(place.admin, "update scopestream_data.result set status = 'broken' where acquired_at = "
                     "test.at(3)");
    run(place.admin, "update scopestream_data.frame set acquired_at = test.at(4) where "
                     "acquired_at in (test.at(5), test.at(6))");
    run(place.admin, "update scopestream_data.result set acquired_at = test.at(4) where "
                     "acquired_at in (test.at(5), test.at(6))");
    run(place.admin, "select scopestream_data.score_frames((scopestream_data.next_frames(null, "
                     "null, 5, null, null)).keys)");
    run(scientist, "insert into scopestream.models (name, score, enabled) values ('m', "
                   "'mean / 5', false)");
    g_autofree char *all = g_strdup_printf(RESCORE, "");
    run(place.admin, all);
    cluster_expect(place.admin, "select string_agg(frames::text, ' ') from test.steps", "4 4 1");
    cluster_expect(scientist,
                   "select string_agg(format('%s: %s of %s', frames, score, version), ', ' order "
                   "by version) from (select model_version as version, score, count(*) as frames "
                   "from scopestream.priorities where model = 'm' group by 1, 2) p",
                   "5: 0.5 of 1, 9: 0.1 of 2");
    cluster_expect(scientist, "select scopestream_data.frames_about('P1')", "10");
    cluster_expect(scientist, "select scopestream_data.frames_about(null) > 0", "t");
}
END_TEST

START_TEST(one_plate_or_the_last_days_are_scored_again) {
    g_auto(Place) place = place_with_models();
    run(place.admin, "insert into scopestream.models (name, score) values ('m', 'mean'), ('m', "
                     "'mean')");
    run(place.admin, "select test.add(n, '{\"mean\": 0.5}', 'P' || n % 3) from "
                     "generate_series(1, 15) n");
    g_autofree char *plate = g_strdup_printf(RESCORE, ", 'P1', test.at(5)");
    run(place.admin, plate);
    cluster_expect(place.admin,
                   "select format('%s %s', count(*), min(path)) from scopestream.priorities "
                   "where model = 'm' and plate = 'P1'",
                   "3 f10"); /* 7, 10, 13 */
    cluster_expect(place.admin, "select count(*) from scopestream.priorities where model = 'm'",
                   "3");
    expect_refused(place.admin, "select scopestream_data.rescore(999, null, null, 10)",
                   "no model has the number 999");
}
END_TEST

START_TEST(scored_again_a_frame_has_what_the_baselines_say_now) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(place.admin, "insert into scopestream.models (name, score) values ('m', 'rank(mean)')");
    run(place.admin, "select test.add(n, jsonb_build_object('mean', n)) from "
                     "generate_series(1, 33) n");
    run(place.admin, "select test.steer(n, n) from generate_series(1, 33) n");
    cluster_expect(place.admin,
                   "select score from scopestream.priorities where model = 'm' and path = 'f9'",
                   "1"); /* not known then */
    run(scientist, "select scopestream_data.rescore(model_id, null, null, 100) from "
                   "scopestream.models where name = 'm'");
    cluster_expect(place.admin,
                   "select format('%s %s', score, known) from scopestream.priorities where model "
                   "= 'm' and path = 'f9'",
                   "0.25 t");
}
END_TEST

/* --- what if --- */

START_TEST(two_models_are_compared_before_one_is_switched) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(scientist, "insert into scopestream.models (name, score, enabled) values ('a', 'mean', "
                   "false), ('b', '1 - mean', false)");
    run(place.admin, "select test.add(n, jsonb_build_object('mean', (n - 1) / 8.0), 'P' || 1 + n / "
                     "9) from generate_series(1, 10) n");
    /* P1: 0, 1/8 .. 7/8; P2: 1, 9/8 */
    cluster_expect(scientist,
                   "select string_agg(format('%s%s %s', tier_a, tier_b, frames), ', ') from "
                   "scopestream.what_if('a', 'b', 'P1') where frames > 0",
                   "DA 2, CB 1, CA 1, BC 1, BB 1, AD 1, AC 1");
    cluster_expect(scientist,
                   "select format('%s %s %s %s', count(*), sum(frames), round(sum(share)), "
                   "count(mean_score_a)) from scopestream.what_if('a', 'b')",
                   "16 10 1 7");
    cluster_expect(scientist,
                   "select string_agg(format('%s %s%s>%s%s', path, tier_a, score_a, tier_b, "
                   "score_b), ', ') from scopestream.what_if_frames('a', 'b', null, null, 4)",
                   "f1 D0>A1, f9 A1>D0, f10 A1>D0, f2 D0.125>A0.875");
    g_autofree char *since = g_strdup("select string_agg(path, ' ' order by path) from "
                                      "scopestream.what_if_frames('a', 'b', since => "
                                      "'2026-03-01 00:00:07+00')");
    cluster_expect(scientist, since, "f10 f7 f8 f9");
}
END_TEST

START_TEST(an_expression_stands_for_a_model_and_nothing_of_it_is_stored) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(place.admin, "select test.add(n, jsonb_build_object('mean', n / 100.0, 'plls', -1.4)) from "
                     "generate_series(1, 31) n");
    run(place.admin, "select test.steer(1, 31)");
    static const char stored[] =
        "select md5(string_agg(t, '')) from (select (select string_agg(f::text, '' order by "
        "feature_id) from scopestream_data.feature f) || (select string_agg(b::text, '' order by "
        "baseline_id) from scopestream_data.baseline b) || (select string_agg(s::text, '' order "
        "by frame_id) from scopestream_data.baseline_sample s) || (select string_agg(p::text, '' "
        "order by frame_id) from scopestream_data.priority p) || (select string_agg(m::text, '' "
        "order by model_id) from scopestream_data.model m) as t) x";
    g_autofree char *before = cluster_answer(place.admin, stored);
    ck_assert_str_ne(before, "");
    /* 31 values: those above the median and 1.4826 MAD, 24 and more */
    cluster_expect(scientist,
                   "select string_agg(format('%s%s %s', tier_a, tier_b, frames), ', ') from "
                   "scopestream.what_if('haste', 'case when z(mean + 0.001) > 1 then 1 else 0.3 "
                   "end', 'P1') where frames > 0",
                   "BC 27, BA 4");
    cluster_expect(place.admin, stored, before);
    expect_refused(scientist, "select * from scopestream.what_if('haste', 'hast')",
                   "'hast' is no model's name, and as an expression: unknown word 'hast'");
}
END_TEST

START_TEST(what_was_never_asked_of_baselines_is_known_on_every_plate) {
    g_auto(Place) place = place_with_models();
    g_autoptr(Postgres) scientist = connect_as(&place, "scientist");
    run(place.admin,
        "select test.add(n, jsonb_build_object('mean', n / 1000.0, 'plls', -9), 'P' || "
        "n / 24) from generate_series(24, 2423) n");
    run(place.admin, "select test.steer(24, 2423)");
    /* Of 24 frames a plate six lie in the upper quarter; plls of -9 scores 1. */
    cluster_expect(scientist,
                   "select string_agg(format('%s%s %s', tier_a, tier_b, frames), ', ') from "
                   "scopestream.what_if('haste', 'case when rank(mean * 2) >= 0.75 then 1 else 0 "
                   "end') where frames > 0",
                   "AD 1800, AA 600");
}
END_TEST

SUITE_WITH("priorities", cluster_start, cluster_stop, every_score_is_in_exactly_one_tier,
           two_tiers_and_one_are_policies_too,
           policies_that_leave_a_score_without_a_tier_are_refused, hastes_logistic_is_as_by_hand,
           hastes_tiers_rank_within_the_plate_once_24_frames_are_there,
           hastes_trend_is_the_larger_tau_over_ten_frames, the_default_blend_adds_up,
           change_counts_where_there_is_one,
           what_is_not_known_yet_is_kept_unless_the_plate_before_tells,
           a_new_model_is_one_row_and_the_same_name_its_next_version,
           a_wrong_model_is_refused_with_the_reason, nobody_writes_more_than_what_is_theirs,
           one_model_is_the_default_always, built_in_models_wait_until_their_measures_are_announced,
           the_defaults_come_once, a_score_is_explained_by_one_query,
           sites_wells_and_plates_take_the_newest_frame_of_each_place,
           all_that_people_see_has_a_comment,
           history_is_scored_again_in_batches_and_old_scores_stay,
           one_plate_or_the_last_days_are_scored_again,
           scored_again_a_frame_has_what_the_baselines_say_now,
           two_models_are_compared_before_one_is_switched,
           an_expression_stands_for_a_model_and_nothing_of_it_is_stored,
           what_was_never_asked_of_baselines_is_known_on_every_plate)
