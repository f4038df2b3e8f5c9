/* Rules over frames whose numbers are known: what is found, and how many alerts it makes. */
#include "tests/store/place.h"
#include "tests/suite.h"

#define CATALOGUE                                                                                  \
    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["                   \
    "{\"name\":\"x\"},{\"name\":\"y\"},{\"name\":\"tile_mean\",\"kind\":\"array\",\"length\":4}]}"

/* Only the rules of the test: those that come switched on would add to the answers. */
static Place place_with_catalogue(void) {
    Place place = place_make();
    g_free(cluster_answer(place.admin, "delete from scopestream_data.rule"));
    ck_assert_int_eq(store_one(&place, g_strdup(CATALOGUE)), DOCUMENT_STORED);
    return place;
}

static void run(Place *place, const char *sql) {
    g_free(cluster_answer(place->admin, sql));
}

/* The frames of a plate, one a second from the n-th second on, each in a site of its own of wells
 * A01, A01, A02, A02, ...; words: their numbers x. In one batch. */
static void store_batch(Place *place, const char *plate, const char *channel, int n,
                        const char *words) {
    g_autoptr(Batch) batch = batch_new();
    g_auto(GStrv) numbers = g_strsplit(words, " ", -1);
    for (int i = 0; numbers[i] != NULL; i++) {
        g_autoptr(Frame) frame = documents_frame(n + i);
        g_autofree char *well = g_strdup_printf("A%02d", (n + i) / 2 + 1);
        g_autofree char *path = g_strdup_printf("%s/%s_%d.tif", plate, channel, n + i);
        g_autofree char *values = g_strdup_printf("{\"x\": %s}", numbers[i]);
        frame_set_text(&frame->path, path);
        frame_set_text(&frame->plate, plate);
        frame_set_text(&frame->channel, channel);
        frame_set_text(&frame->well, well);
        frame_identify(frame);
        add(batch, documents_result_of(frame, "ok", values));
    }
    expect_stored(batch, place->store);
    cluster_expect(place->admin, "select string_agg(error, '; ') from scopestream.unsteered", "");
}

/* The same, each in a batch of its own. */
static void store_singly(Place *place, const char *plate, int n, const char *words) {
    g_auto(GStrv) numbers = g_strsplit(words, " ", -1);
    for (int i = 0; numbers[i] != NULL; i++)
        store_batch(place, plate, "DAPI", n + i, numbers[i]);
}

/* Which of the seconds were found bad, with their alerts: '3:1 4:1 7:' */
#define FOUND                                                                                      \
    "select string_agg(format('%s:%s', extract(second from acquired_at)::integer, alert_id), ' ' " \
    "order by acquired_at, alert_id) from scopestream.findings"
#define ALERTS                                                                                     \
    "select string_agg(format('%s %s %s', alert_id, state, findings), ', ' order by alert_id) "    \
    "from scopestream.alerts"

START_TEST(an_alert_names_frame_rule_value_and_bound) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, severity) "
                "values ('too_much', 'x', 5, 'critical')");
    store_batch(&place, "P1", "DAPI", 0, "1 6.25 5 2");
    cluster_expect(place.admin,
                   "select format('%s %s %s %s %s %s %s %s %s %s', rule, severity, state, source, "
                   "plate, wells, channels, value, bound, frame_id = (select frame_id from "
                   "scopestream.frames where site = 1)) from scopestream.alerts",
                   "too_much critical open scope P1 {A01} {DAPI} 6.25 5 t");
    cluster_expect(place.admin, "select title from scopestream.alerts",
                   "too_much: 1 frame of plate P1 (A01), with x 6.25, bound 5");
    store_batch(&place, "P1", "GFP", 10, "5.5 7.123456 7 8 9 7 11 1 10 12 1 1 13 1 14");
    cluster_expect(place.admin, "select title from scopestream.alerts",
                   "too_much: 12 frames of plate P1 (A01 A06 A07 A08 A09 A10 and 2 more wells), "
                   "worst x 14, bound 5");
    cluster_expect(place.admin,
                   "select format('%s %s %s', channels, value, extract(second from "
                   "(select acquired_at from scopestream.frames f where f.frame_id = "
                   "worst_frame_id))) from scopestream.alerts",
                   "{DAPI,GFP} 14 24.000000");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s %s', kind, body ->> 'change', "
                   "body ->> 'rule', body ->> 'value', body ->> 'findings'), ', ' "
                   "order by message_id) from scopestream_data.message where kind = 'alert'",
                   "alert opened too_much 6.25 1"); /* not for each that follows */
}
END_TEST

/* As whole intensities and tilts of light are. */
START_TEST(numbers_far_from_one_are_told_with_an_exponent) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, comparison, bound) "
                "values ('much', 'x', '>', 2.5e6), ('little', 'x', '<', 1e-5)");
    store_batch(&place, "P1", "DAPI", 0, "1 38400000 0.00000123 1e300");
    cluster_expect(place.admin,
                   "select string_agg(title, '; ' order by title) from scopestream.alerts",
                   "little: 1 frame of plate P1 (A02), with x 1.23e-06, bound 1.00e-05; "
                   "much: 2 frames of plate P1 (A01 A02), worst x 1.00e+300, bound 2.50e+06");
}
END_TEST

START_TEST(a_bad_plate_is_one_alert) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, comparison, bound) "
                "values ('dark', 'x', '<', 1)");
    for (int batch = 0; batch < 10; batch++)
        store_batch(&place, "P1", "DAPI", batch * 6, "0 0.5 0.25 -1 0 0");
    store_batch(&place, "P2", "DAPI", 0, "0 3 0");
    cluster_expect(place.admin,
                   "select string_agg(format('%s: %s, %s wells, worst %s', plate, findings, "
                   "cardinality(wells), value), '; ' order by plate) from scopestream.alerts",
                   "P1: 60, 30 wells, worst -1; P2: 2, 2 wells, worst 0");
}
END_TEST

START_TEST(alerts_are_grouped_as_the_rule_says) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, group_by) "
                "select 'by_' || g, 'x', 5, g from "
                "unnest('{source,plate,channel,well,site}'::text[]) g");
    store_batch(&place, "P1", "DAPI", 0, "6 6 6 1");
    store_batch(&place, "P1", "GFP", 2, "1 6");
    store_batch(&place, "P2", "GFP", 0, "6");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s', rule, alerts), ', ' order by alerts, rule) from "
        "(select rule, count(*) as alerts from scopestream.alerts group by 1) a",
        "by_source 1, by_plate 2, by_channel 3, by_well 3, by_site 5");
    cluster_expect(place.admin,
                   "select string_agg(title, '; ' order by alert_id) from scopestream.alerts "
                   "where rule in ('by_source', 'by_site', 'by_channel') and acquired_at = "
                   "'2026-03-01 00:00:02+00' or title ~ 'scope' or title ~ 'GFP'",
                   "by_source: 5 frames of scope (A01 A02), worst x 6, bound 5; "
                   "by_site: 1 frame of plate P1, well A02, site 2, with x 6, bound 5; "
                   "by_channel: 1 frame of plate P1, GFP (A02), with x 6, bound 5; "
                   "by_channel: 1 frame of plate P2, GFP (A01), with x 6, bound 5");
}
END_TEST

START_TEST(k_of_the_last_n_open_an_alert_with_all_k) {
    g_auto(Place) place = place_with_catalogue();
    run(&place,
        "insert into scopestream.rules (name, expression, bound, k, n) values ('r', 'x', 5, 3, 5)");
    store_batch(&place, "P1", "DAPI", 0, "6 1 1 6 1"); /* two of five */
    cluster_expect(place.admin, FOUND, "0: 3:");
    store_singly(&place, "P1", 5, "1 6 1"); /* two of five: the first one has left the window */
    cluster_expect(place.admin, FOUND, "0: 3: 6:");
    store_batch(&place, "P1", "DAPI", 8, "6 6 1"); /* 6 8 9 are three of five */
    cluster_expect(place.admin, FOUND, "0: 3: 6:1 8:1 9:1");
    store_batch(&place, "P2", "DAPI", 0, "6 1 1 1 1 6 6 6 6"); /* all within a batch */
    cluster_expect(place.admin, FOUND " where plate = 'P2'", "0: 5:2 6:2 7:2 8:2");
    cluster_expect(place.admin, ALERTS, "1 open 3, 2 open 4");
}
END_TEST

START_TEST(between_bound_and_clear_bound_a_frame_is_neither_bad_nor_good) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, clear_bound, clear_after) "
                "values ('r', 'x', 5, 3, 3)");
    store_batch(&place, "P1", "DAPI", 0, "6 1 1 4 4 4 5");
    cluster_expect(place.admin, ALERTS, "1 open 1"); /* two good, the rest neither */
    store_singly(&place, "P1", 10, "null 3.01 6 2 2");
    cluster_expect(place.admin, ALERTS, "1 open 2"); /* a bad one: counted anew */
    store_singly(&place, "P1", 20, "4 3");           /* 3 is good already */
    cluster_expect(place.admin,
                   "select format('%s %s %s', state, closed_by, closed_at >= last_at) "
                   "from scopestream.alerts",
                   "closed rule t");
    store_singly(&place, "P1", 30, "6 1 1");
    store_batch(&place, "P1", "DAPI", 33, "1 7 1 1 1 7"); /* one ends, the next too, one begins */
    cluster_expect(place.admin, ALERTS, "1 closed 2, 2 closed 1, 3 closed 1, 4 open 1");
    cluster_expect(place.admin,
                   "select string_agg(body ->> 'change' || (body ->> 'alert_id'), ' ' "
                   "order by message_id) from scopestream_data.message where kind = 'alert'",
                   "opened1 closed1 opened2 opened3 opened4 closed2 closed3");
}
END_TEST

START_TEST(below_a_lower_bound_it_is_the_other_way_round) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, comparison, bound, clear_bound, "
                "clear_after) values ('r', 'x', '<', -3, -2, 2)");
    store_batch(&place, "P1", "DAPI", 0, "-3 -4 0 -2.5 -2.5 -3");
    cluster_expect(place.admin, ALERTS, "1 open 1"); /* one good, the rest neither */
    store_singly(&place, "P1", 10, "-2");            /* good already */
    cluster_expect(place.admin, ALERTS, "1 closed 1");
}
END_TEST

START_TEST(a_frame_without_the_number_is_neither) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, comparison, bound, k, n) "
                "values ('r', 'x / y', '<', 5, 2, 2)");
    store_batch(&place, "P1", "DAPI", 0, "null 1 2 3"); /* y is there for none */
    run(&place, "update scopestream.rules set expression = 'x'");
    store_singly(&place, "P1", 4, "1 null null 1"); /* two of the two that have one */
    cluster_expect(place.admin, FOUND, "4:1 7:1");
}
END_TEST

START_TEST(a_batch_is_judged_in_the_order_of_acquisition) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, k, n, clear_after) "
                "values ('r', 'x', 5, 2, 2, 1)");
    g_autoptr(Batch) batch = batch_new();
    static const int shuffled[] = {5, 3, 4, 0, 2, 1};
    static const char *const values[] = {"{\"x\": 6}", "{\"x\": 6}", "{\"x\": 1}",
                                         "{\"x\": 6}", "{\"x\": 1}", "{\"x\": 6}"};
    for (guint i = 0; i < G_N_ELEMENTS(shuffled); i++)
        add(batch, documents_result(shuffled[i], "ok", values[shuffled[i]]));
    expect_stored(batch, place.store);
    cluster_expect(place.admin, FOUND, "0:1 1:1 3: 5:");
}
END_TEST

START_TEST(a_late_frame_counts_when_it_comes_and_a_repeated_one_never) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, k, n) "
                "values ('r', 'x', 5, 2, 3)");
    store_singly(&place, "P1", 10, "6 1");
    for (int again = 0; again < 3; again++)
        store_batch(&place, "P1", "DAPI", 10, "6 1");
    cluster_expect(place.admin, FOUND, "10:");
    store_singly(&place, "P1", 2, "6"); /* acquired before, stored after */
    cluster_expect(place.admin, FOUND, "2:1 10:1");
    cluster_expect(place.admin,
                   "select format('%s %s', extract(second from acquired_at), title) from "
                   "scopestream.alerts",
                   "10.000000 r: 2 frames of plate P1 (A02 A06), worst x 6, bound 5");
}
END_TEST

START_TEST(after_a_close_it_is_armed_again_in_time) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, clear_after, rearm_s) "
                "values ('r', 'x', 5, 1, 600)");
    store_singly(&place, "P1", 0, "6 1 6 6");
    store_singly(&place, "P2", 0, "6"); /* another group */
    cluster_expect(place.admin, FOUND, "0:1 0:2 2: 3:");
    cluster_expect(place.admin,
                   "select string_agg(plate || ' ' || state, ', ' order by plate) from "
                   "scopestream.alerts",
                   "P1 closed, P2 open");
    run(&place, "update scopestream_data.rule_state set rearm_at = clock_timestamp()");
    store_singly(&place, "P1", 10, "6");
    cluster_expect(place.admin, ALERTS " where plate = 'P1'", "1 closed 1, 3 open 1");
}
END_TEST

START_TEST(more_than_most_per_hour_are_kept_and_not_sent) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound, group_by, most_per_hour) "
                "values ('r', 'x', 5, 'site', 3), ('other', 'x', 50, 'site', 3)");
    store_batch(&place, "P1", "DAPI", 0, "6 6");
    store_batch(&place, "P1", "DAPI", 2, "6 6 60");
    cluster_expect(place.admin,
                   "select string_agg(format('%s%s', rule, case when sent then '!' end), ' ' "
                   "order by rule, alert_id) from scopestream.alerts",
                   "other! r! r! r! r r");
    run(&place, "select scopestream.close_alert(alert_id) from scopestream.alerts");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', change, n), ', ' order by change) from "
                   "(select body ->> 'change' as change, count(*) as n from "
                   "scopestream_data.message where kind = 'alert' group by 1) m",
                   "closed 4, opened 4");
    run(&place, "update scopestream_data.alert set opened_at = opened_at - interval '1 hour'");
    store_batch(&place, "P1", "DAPI", 20, "6");
    cluster_expect(place.admin,
                   "select sent from scopestream.alerts order by alert_id desc limit 1", "t");
}
END_TEST

START_TEST(a_growing_alert_is_told_every_so_often) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound) values ('r', 'x', 5)");
    static const char told[] = "select string_agg((body ->> 'change') || (body ->> 'findings'), "
                               "' ' order by message_id) from scopestream_data.message "
                               "where kind = 'alert'";
    store_singly(&place, "P1", 0, "6 6 6");
    cluster_expect(place.admin, told, "opened1");
    run(&place, "update scopestream_data.alert set told_at = told_at - interval '31 s'");
    store_singly(&place, "P1", 3, "1");
    cluster_expect(place.admin, told, "opened1 grown3");
    run(&place, "update scopestream_data.alert set told_at = told_at - interval '31 s'");
    store_singly(&place, "P1", 4, "1");
    cluster_expect(place.admin, told, "opened1 grown3"); /* nothing new */
    store_singly(&place, "P1", 5, "6");
    cluster_expect(place.admin, told, "opened1 grown3 grown4");
}
END_TEST

START_TEST(drift_is_seen_by_the_moving_average) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, clear_bound) "
                "values ('up', 'ewma', 'x', 1, 0.5), ('less', 'ewma', '-x', 1, null)");
    /* 0.4 0.72 0.976 1.1808 */
    store_batch(&place, "P1", "DAPI", 0, "2 2");
    store_batch(&place, "P1", "GFP", 10, "-2 2 -2 2 -2"); /* a chart of its own */
    store_batch(&place, "P2", "DAPI", 20, "2 2");         /* and this */
    store_batch(&place, "P1", "DAPI", 2, "2 null 2 2");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', rule, extract(second from "
                   "acquired_at)::integer, value), ', ' order by rule desc, acquired_at) "
                   "from scopestream.findings",
                   "up 4 1.1808, up 5 1.34464, less 4 -1.1808, less 5 -1.34464");
    cluster_expect(place.admin, "select title from scopestream.alerts where rule = 'less'",
                   "less: 2 frames of plate P1 (A03), worst ewma -1.34, bound 1");
}
END_TEST

START_TEST(a_shift_is_seen_by_the_cumulated_sum_which_begins_anew) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, slack, clear_after) "
                "values ('r', 'cusum', 'x', 5, 0.5, 3)");
    /* An outlier counts 4 - 0.5 and is forgotten by and by: 3.5 3 2.5 ... */
    store_batch(&place, "P1", "DAPI", 0, "1000 0 0 0 0 0 0 0");
    cluster_expect(place.admin, FOUND, "");
    /* 1 2.5 4 5.5: found; anew 1.5 3 4.5 6: found; then down: -2 -4.5 and, clipped, -8 */
    store_singly(&place, "P1", 8, "1.5 2 2 2 2 2 2 2 -2.5 -3 -100");
    cluster_expect(place.admin,
                   "select string_agg(format('%s:%s', extract(second from acquired_at)::integer, "
                   "value), ' ' order by acquired_at) from scopestream.findings",
                   "11:5.5 15:6 18:-8");
    cluster_expect(place.admin, ALERTS, "1 closed 1, 2 open 2"); /* three good ones between */
}
END_TEST

START_TEST(a_chart_does_not_care_how_frames_are_cut_into_batches) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, k, n, clear_after) "
                "values ('e', 'ewma', 'x', 0.8, 1, 1, 2), ('c', 'cusum', 'x', 3, 2, 4, 3), "
                "('b', 'bound', 'x', 2, 2, 3, 2)");
    static const char numbers[] =
        "0.3 1.2 -0.7 2.5 3.1 2.2 0.1 0.4 2.8 2.6 1.1 -4 -2.2 -0.3 0 2.1 0.2 2.4 2.3 2.9";
    store_batch(&place, "P1", "DAPI", 0, numbers);
    store_singly(&place, "P2", 0, numbers);
    store_batch(&place, "P3", "DAPI", 0, "0.3 1.2 -0.7 2.5 3.1");
    store_batch(&place, "P3", "DAPI", 5, "2.2 0.1 0.4 2.8 2.6 1.1 -4 -2.2 -0.3 0 2.1 0.2");
    store_batch(&place, "P3", "DAPI", 17, "2.4 2.3 2.9");
    static const char each[] =
        "select count(*) || ' ' || count(distinct told) from (select plate, "
        "string_agg(format('%s %s %s %s', rule, acquired_at, value, (select count(*) from "
        "scopestream.alerts o where o.rule = f.rule and o.plate = f.plate and o.alert_id <= "
        "f.alert_id)), ', ' order by rule, acquired_at) as told from scopestream.findings f "
        "group by plate) p";
    cluster_expect(place.admin, each, "3 1");
    cluster_expect(place.admin,
                   "select count(distinct rule) >= 3 and count(*) > 15 from scopestream.findings",
                   "t");
}
END_TEST

START_TEST(a_rule_may_be_for_some_sources_and_channels_only) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, sources, channels) "
                "values ('a', 'bound', 'x', 5, null, '{GFP}'), ('b', 'bound', 'x', 5, '{other}', "
                "null), ('c', 'ewma', 'x', 1, null, '{DAPI,RFP}'), "
                "('d', 'bound', 'x', 5, '{scope}', '{DAPI}')");
    store_batch(&place, "P1", "DAPI", 0, "6");
    store_batch(&place, "P1", "GFP", 1, "6");
    store_batch(&place, "P1", "Cy5", 2, "6");
    cluster_expect(
        place.admin,
        "select string_agg(rule || channel, ' ' order by rule) from scopestream.findings",
        "aGFP cDAPI dDAPI");
}
END_TEST

START_TEST(a_rule_that_cannot_be_is_refused_with_the_reason) {
    g_auto(Place) place = place_with_catalogue();
    static const struct {
        const char *columns, *values, *reason;
    } cases[] = {
        {"name, expression, bound", "'No', 'x', 1",
         "a rule cannot be called 'No': a letter a-z, then at most 62 of a-z 0-9 _"},
        {"name, expression, bound", "'r', 'xx', 1", "rule 'r': unknown word 'xx' ('x'?)"},
        {"name, expression, bound", "'r', 'x; drop table x', 1", "rule 'r': "},
        {"name, expression", "'r', 'x'", "rule 'r': bound: expected a number"},
        {"name, expression, bound", "'r', 'x', 'NaN'", "rule 'r': bound: expected a number"},
        {"name, bound", "'r', 1", "rule 'r': kind bound needs an expression"},
        {"name, kind, bound", "'r', 'guess', 1", "rule 'r': kind 'guess': expected bound, ewma"},
        {"name, expression, comparison, bound", "'r', 'x', '=', 1", "comparison '=': expected >"},
        {"name, expression, bound, clear_bound", "'r', 'x', 1, 2",
         "clear_bound 2: lies on the bad side of bound 1"},
        {"name, expression, comparison, bound, clear_bound", "'r', 'x', '<', 1, 0",
         "clear_bound 0: lies on the bad side of bound 1"},
        {"name, kind, expression, bound", "'r', 'ewma', 'x', -1",
         "bound -1: kind ewma needs one above 0"},
        {"name, kind, expression, bound, clear_bound", "'r', 'cusum', 'x', 1, 2",
         "clear_bound 2: expected 0 to bound, which is 1"},
        {"name, kind, expression, bound, slack", "'r', 'cusum', 'x', 1, -1",
         "slack -1: expected 0"},
        {"name, expression, bound, k, n", "'r', 'x', 1, 3, 2", "k 3 of n 2: expected 1 <= k <= n"},
        {"name, expression, bound, k, n", "'r', 'x', 1, 3, 65", "k 3 of n 65: expected 1 <= k"},
        {"name, expression, bound, clear_after", "'r', 'x', 1, 0", "clear_after 0: expected 1 or"},
        {"name, expression, bound, group_by", "'r', 'x', 1, 'row'", "group_by 'row': expected"},
        {"name, expression, bound, rearm_s", "'r', 'x', 1, -1", "rearm_s -1: expected 0 or more"},
        {"name, expression, bound, most_per_hour", "'r', 'x', 1, 0", "most_per_hour 0: expected 1"},
        {"name, expression, bound, severity", "'r', 'x', 1, 'bad'",
         "severity 'bad': expected info"},
        {"name, expression, bound, action", "'r', 'x', 1, 'stop'", "action 'stop': expected image"},
        {"name, expression, bound, reference", "'r', 'z(x)', 1, 'yesterday'", "yesterday"},
        {"name, kind, bound", "'r', 'silence', 0", "bound 0: kind silence needs one above 0"},
        {"name, kind", "'r', 'event'", "kind event needs an expression"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *sql = g_strdup_printf("insert into scopestream.rules (%s) values (%s)",
                                               cases[i].columns, cases[i].values);
        ck_assert_msg(!postgres_run(place.admin, sql, &error), "%s", sql);
        ck_assert_msg(strstr(error->message, cases[i].reason) != NULL, "%s: %s", sql,
                      error->message);
        ck_assert_str_eq(postgres_sqlstate(place.admin), "22023");
    }
    cluster_expect(place.admin, "select count(*) from scopestream.rules", "0");
}
END_TEST

START_TEST(a_built_in_rule_waits_for_its_measures) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream_data.rule (name, expression, bound, built_in) "
                "values ('r', 'later', 5, true), ('s', 'x', 5, true)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', name, waits_for ~ 'later'), ', ' "
                   "order by name) from scopestream.rules",
                   "r t, s ");
    store_batch(&place, "P1", "DAPI", 0, "6"); /* the other one judges */
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"later\"}]}"));
    cluster_expect(place.admin, "select count(waits_for) from scopestream.rules", "0");
    store_one(&place, documents_result(1, "ok", "{\"later\": 6}"));
    cluster_expect(place.admin,
                   "select string_agg(rule, ' ' order by rule desc) from scopestream.alerts",
                   "s r");
}
END_TEST

START_TEST(a_rule_that_was_changed_begins_anew) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, k, n) "
                "values ('b', 'bound', 'x', 5, 2, 3), ('c', 'cusum', 'x', 6, 1, 1)");
    store_singly(&place, "P1", 0, "6");
    run(&place, "update scopestream.rules set bound = bound - 0.5, description = 'other'");
    store_singly(&place, "P1", 1, "6");
    cluster_expect(place.admin, ALERTS, ""); /* one of three; a sum of 3.5 */
    run(&place, "update scopestream.rules set description = 'the same', severity = 'info'");
    store_singly(&place, "P1", 2, "5.75");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', rule, severity, findings), ', ' "
                   "order by rule) from scopestream.alerts",
                   "b info 2, c info 1");
    run(&place, "update scopestream.rules set enabled = false");
    store_singly(&place, "P1", 3, "100");
    cluster_expect(place.admin, ALERTS, "1 open 2, 2 open 1");
    run(&place, "delete from scopestream.rules");
    cluster_expect(place.admin,
                   "select string_agg(rule, ' ' order by rule) from scopestream.alerts",
                   "b c"); /* these stay, with their findings */
    run(&place, "select scopestream.close_alert(1)");
    cluster_expect(place.admin, FOUND, "0: 1:1 2:1 2:2");
}
END_TEST

static Postgres *connect_as(Place *place, const char *role, const char *group) {
    g_autofree char *sql = g_strdup_printf("do $$ begin if to_regrole('%1$s') is null then "
                                           "create role %1$s login in role %2$s; end if; end $$",
                                           role, group);
    g_free(cluster_answer(place->admin, sql));
    g_autofree char *database = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autofree char *as_role = cluster_as(address, role);
    return cluster_connect(as_role);
}

static void expect_refused(Postgres *postgres, const char *sql, const char *words) {
    g_autoptr(GError) error = NULL;
    ck_assert_msg(!postgres_run(postgres, sql, &error), "%s", sql);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s: %s", sql, error->message);
}

START_TEST(a_scientist_writes_rules_and_answers_alerts) {
    g_auto(Place) place = place_with_catalogue();
    Postgres *ada = connect_as(&place, "ada", "scopestream_scientist");
    g_free(cluster_answer(ada, "insert into scopestream.rules (name, expression, bound) "
                               "values ('r', 'x', 5)"));
    store_singly(&place, "P1", 0, "6");
    store_singly(&place, "P2", 0, "6");
    g_free(cluster_answer(ada, "select scopestream.acknowledge_alert(1, 'shutter?')"));
    store_singly(&place, "P1", 1, "6 6"); /* still gathers */
    cluster_expect(ada,
                   "select format('%s %s %s %s', state, acknowledged_by, findings, note) from "
                   "scopestream.alerts where alert_id = 1",
                   "acknowledged ada 3 ada: shutter?");
    g_free(cluster_answer(ada, "select scopestream.close_alert(1, 'shutter mended')"));
    cluster_expect(ada,
                   "select format('%s %s %s', state, closed_by, note) from "
                   "scopestream.alerts where alert_id = 1",
                   "closed ada ada: shutter?\nada: shutter mended");
    expect_refused(ada, "select scopestream.close_alert(1)", "alert 1 was closed by ada on ");
    expect_refused(ada, "select scopestream.acknowledge_alert(77)", "there is no alert 77");
    store_singly(&place, "P1", 3, "6");
    cluster_expect(ada, ALERTS, "1 closed 3, 2 open 1, 3 open 1");
    cluster_expect(place.admin,
                   "select string_agg((body ->> 'change') || (body ->> 'alert_id'), ' ' "
                   "order by message_id) from scopestream_data.message where kind = 'alert'",
                   "opened1 opened2 acknowledged1 closed1 opened3");
    cluster_expect(ada, "select created_by || open_alerts from scopestream.rules", "ada2");
    expect_refused(ada, "update scopestream.rules set built_in = true", "permission denied");
    expect_refused(ada, "update scopestream_data.alert set state = 'open'", "permission denied");
    expect_refused(ada, "select scopestream_data.apply_rules('{}')", "permission denied");
    g_free(cluster_answer(ada, "update scopestream.rules set bound = 7"));
    g_free(cluster_answer(ada, "delete from scopestream.rules"));
    postgres_free(ada);
}
END_TEST

START_TEST(a_reader_sees_and_changes_nothing) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, bound) values ('r', 'x', 5)");
    store_singly(&place, "P1", 0, "6");
    Postgres *bob = connect_as(&place, "bob", "scopestream_reader");
    cluster_expect(bob, ALERTS, "1 open 1");
    cluster_expect(bob, "select count(*) from scopestream.test_rule('r', 'P1')", "1");
    static const char *const refused[] = {
        "insert into scopestream.rules (name) values ('s')", "delete from scopestream.rules",
        "select scopestream.acknowledge_alert(1)", "select scopestream.close_alert(1)",
        "select scopestream.switch_steering(false)"};
    for (guint i = 0; i < G_N_ELEMENTS(refused); i++)
        expect_refused(bob, refused[i], "permission denied");
    postgres_free(bob);
}
END_TEST

START_TEST(testing_a_rule_finds_what_it_found_and_stores_nothing) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, expression, bound, k, n, clear_after) "
                "values ('e', 'ewma', 'x', 0.8, 1, 1, 2), ('b', 'bound', 'x', 2, 2, 3, 2)");
    store_batch(&place, "P1", "DAPI", 0,
                "0.3 1.2 -0.7 2.5 3.1 2.2 0.1 0.4 2.8 2.6 1.1 -4 -2.2 -0.3 0 2.1 0.2 2.4");
    store_batch(&place, "P1", "GFP", 20, "2.5 2.5 null 2.5");
    store_batch(&place, "P2", "GFP", 30, "2.5 2.5");
    static const char held[] = "select count(*) || ' ' || (select count(*) from "
                               "scopestream_data.alert) || ' ' || (select count(*) from "
                               "scopestream_data.rule_chart) || (select sum(ewma) from "
                               "scopestream_data.rule_chart) from scopestream_data.finding";
    g_autofree char *before = cluster_answer(place.admin, held);
    static const char *const rules[] = {"e", "b"};
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *live = g_strdup_printf(
            "select string_agg(format('%%s %%s %%s %%s', frame_id, value, bound, (select count(*) "
            "from scopestream.alerts a where a.rule = f.rule and a.alert_id <= f.alert_id)), ', ' "
            "order by frame_id) from scopestream.findings f where rule = '%s' and plate = 'P1'",
            rules[i]);
        g_autofree char *tested = g_strdup_printf(
            "select string_agg(format('%%s %%s %%s %%s', frame_id, value, bound, "
            "alert), ', ' order by frame_id) from scopestream.test_rule('%s', 'P1')",
            rules[i]);
        g_autofree char *answer = cluster_answer(place.admin, live);
        ck_assert(strlen(answer) > 100);
        cluster_expect(place.admin, tested, answer);
    }
    cluster_expect(place.admin, held, before);
    cluster_expect(place.admin,
                   "select string_agg(plate_found || alert, ' ' order by acquired_at) from "
                   "scopestream.test_rule('b', since => '2026-03-01 00:00:20+00')",
                   "P11 P11 P11 P22 P22");
    run(&place, "insert into scopestream.rules (name, kind, bound) values ('s', 'silence', 3)");
    expect_refused(place.admin, "select scopestream.test_rule('q', 'P1')", "no rule is called 'q'");
    expect_refused(place.admin, "select scopestream.test_rule('b')", "name a plate, or a time");
    expect_refused(place.admin, "select scopestream.test_rule('s', 'P1')",
                   "is of kind silence, which is about no frame");
}
END_TEST

START_TEST(z_compares_with_the_plate) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, expression, comparison, bound) "
                "values ('out_of_focus', 'z(log(x))', '<', -5)");
    GString *numbers = g_string_new("1000");
    for (int i = 1; i < 59; i++)
        g_string_append_printf(numbers, " %d", i == 40 ? 10 : 1000 + i * 37 % 59);
    store_batch(&place, "P1", "DAPI", 0, numbers->str);
    cluster_expect(place.admin, FOUND, "40:1");
    cluster_expect(place.admin,
                   "select title ~ '^out_of_focus: 1 frame of plate P1 .A21., with z -\\d+, "
                   "bound -5$' from scopestream.alerts",
                   "t");
    g_string_free(numbers, TRUE);
}
END_TEST

START_TEST(what_is_found_without_a_frame_opens_an_alert_too) {
    g_auto(Place) place = place_with_catalogue();
    run(&place, "insert into scopestream.rules (name, kind, clear_after) "
                "values ('lost', 'missing', 1)");
#define PLACE                                                                                      \
    "(null, null, null, 'scope', null, 'P1', 'C05', 2, null)::scopestream_data.found_place"
    for (int n = 1; n <= 2; n++)
        cluster_expect(place.admin,
                       "select scopestream_data.note_finding(r, " PLACE ", null, null, "
                       "'site 2 of well C05 has no frame') from scopestream_data.rule r",
                       "1");
    cluster_expect(place.admin, "select format('%s %s', title, wells) from scopestream.alerts",
                   "lost: 2 findings of plate P1 (C05), last: site 2 of well C05 has no frame "
                   "{C05}");
    cluster_expect(place.admin, "select body ->> 'title' from scopestream_data.message",
                   "lost: site 2 of well C05 has no frame");
    run(&place, "select scopestream_data.note_good(r, " PLACE ") from scopestream_data.rule r");
    cluster_expect(place.admin, "select state from scopestream.alerts", "closed");
}
END_TEST

SUITE_WITH("rules", cluster_start, cluster_stop, an_alert_names_frame_rule_value_and_bound,
           numbers_far_from_one_are_told_with_an_exponent, a_bad_plate_is_one_alert,
           alerts_are_grouped_as_the_rule_says, k_of_the_last_n_open_an_alert_with_all_k,
           between_bound_and_clear_bound_a_frame_is_neither_bad_nor_good,
           below_a_lower_bound_it_is_the_other_way_round, a_frame_without_the_number_is_neither,
           a_batch_is_judged_in_the_order_of_acquisition,
           a_late_frame_counts_when_it_comes_and_a_repeated_one_never,
           after_a_close_it_is_armed_again_in_time, more_than_most_per_hour_are_kept_and_not_sent,
           a_growing_alert_is_told_every_so_often, drift_is_seen_by_the_moving_average,
           a_shift_is_seen_by_the_cumulated_sum_which_begins_anew,
           a_chart_does_not_care_how_frames_are_cut_into_batches,
           a_rule_may_be_for_some_sources_and_channels_only,
           a_rule_that_cannot_be_is_refused_with_the_reason, a_built_in_rule_waits_for_its_measures,
           a_rule_that_was_changed_begins_anew, a_scientist_writes_rules_and_answers_alerts,
           a_reader_sees_and_changes_nothing, testing_a_rule_finds_what_it_found_and_stores_nothing,
           z_compares_with_the_plate, what_is_found_without_a_frame_opens_an_alert_too)
