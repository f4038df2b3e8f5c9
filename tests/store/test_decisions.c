/* What the microscope should do about what rules found, and what becomes of it. */
#include "tests/store/scene.h"
#include "tests/suite.h"

#define RULES                                                                                      \
    "select scopestream_data.announce_measures('{\"measures\":[{\"name\":\"focus\"}]}');"          \
    "insert into scopestream_data.rule (name, expression, bound, action, most_attempts, enabled) " \
    "values ('blurred', 'focus', 3, 'image_again', 2, false), "                                    \
    "('saturated', 'focus', 5, 'image_again', 2, false), ('empty', 'focus', 9, 'skip', 2, false)," \
    "('odd', 'focus', 9, 'continue', 2, false), ('told_only', 'focus', 9, null, 2, false)"

static Place place_with_scene(void) {
    return scene_make(RULES);
}

/* All decisions there were, in order: place, channels, action, attempt, state. */
#define expect_decisions(place, expected)                                                          \
    cluster_expect((place).admin,                                                                  \
                   "select string_agg(concat_ws(' ', well, site, channels, action, attempt, "      \
                   "state), '; ' order by decision_id) from scopestream_data.decision",            \
                   expected)

/* What the microscope was told since it was asked last. */
#define expect_told(place, expected)                                                               \
    cluster_expect((place).admin,                                                                  \
                   "with told as (delete from scopestream_data.message where kind = 'decision' "   \
                   "returning message_id, body) "                                                  \
                   "select string_agg(concat_ws(' ', body ->> 'well', body ->> 'site', "           \
                   "body ->> 'action', body ->> 'state'), '; ' order by message_id) from told",    \
                   expected)

/* sql after a second. */
static void then_run(Place *place, const char *sql) {
    scene_run(place->admin, "update scene.clock set now = now + interval '1 s'");
    scene_run(place->admin, sql);
}

START_TEST(bad_channels_of_a_site_are_one_decision) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scopestream_data.decide(array["
                           "scene.store('P1', 'B02', 1, 'GFP', '{blurred,saturated}'),"
                           "scene.store('P1', 'B02', 1, 'DAPI', '{blurred}'),"
                           "scene.store('P1', 'B02', 1, 'RFP'), scene.store('P1', 'B02', 2, 'RFP'),"
                           "scene.store('P1', 'B03', 1, 'RFP', '{told_only}')], scene.now())");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 open");
    expect_told(place, "B02 1 image_again open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'Cy5', '{saturated}')");
    expect_decisions(place, "B02 1 {Cy5,DAPI,GFP} image_again 1 open");
    expect_told(place, "B02 1 image_again open");
    cluster_expect(place.admin,
                   "select reason like '%blurred: GFP, focus 7, bound 3; saturated: GFP, focus 7, "
                   "bound 5%' and reason like '%; saturated: Cy5, focus 7, bound 5' "
                   "from scopestream.decisions",
                   "t");
}
END_TEST

START_TEST(a_newer_good_frame_of_every_bad_channel_makes_it_done) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                           "scene.frame('P1', 'B02', 1, 'GFP', '{blurred}')");
    then_run(&place, "delete from scopestream_data.message;"
                     "select scene.frame('P1', 'B02', 1, 'DAPI'),"
                     "scene.frame('P1', 'B02', 2, 'GFP'), scene.frame('P2', 'B02', 1, 'GFP'),"
                     "scene.frame('P1', 'B02', 1, 'GFP', source => 'another')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 open");
    expect_told(place, "");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'GFP')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 done");
    expect_told(place, "B02 1 continue done");
}
END_TEST

START_TEST(a_site_imaged_again_in_vain_is_skipped_in_the_end) {
    g_auto(Place) place = place_with_scene();
    for (int i = 0; i < 5; i++)
        then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}')");
#define IN_VAIN                                                                                    \
    "B02 1 {DAPI} image_again 1 replaced; B02 1 {DAPI} image_again 2 replaced; B02 1 {DAPI} skip " \
    "3 "
    expect_decisions(place, IN_VAIN "open");
    expect_told(place, "B02 1 image_again open; B02 1 image_again open; B02 1 skip open");
    cluster_expect(place.admin, "select reason from scopestream.decisions where action = 'skip'",
                   "imaged again 2 times, still blurred: DAPI, focus 7, bound 3");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI')");
    expect_decisions(place, IN_VAIN "done");
    expect_told(place, "B02 1 continue done");
}
END_TEST

START_TEST(each_channel_has_its_own_attempts) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                           "scene.frame('P1', 'B02', 1, 'GFP', '{blurred}')");
    /* Both again, and both in vain: that is one second attempt, whichever comes first. */
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                     "scene.frame('P1', 'B02', 1, 'GFP', '{blurred}')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 replaced; "
                            "B02 1 {DAPI,GFP} image_again 2 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 replaced; "
                            "B02 1 {DAPI,GFP} image_again 2 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'GFP')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 replaced; "
                            "B02 1 {DAPI,GFP} image_again 2 done");
}
END_TEST

START_TEST(the_next_attempt_waits_for_what_the_last_one_did_not_get) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                           "scene.frame('P1', 'B02', 1, 'GFP', '{blurred}')");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}')");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 replaced; "
                            "B02 1 {DAPI,GFP} image_again 2 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'GFP')");
    expect_decisions(place, "B02 1 {DAPI,GFP} image_again 1 replaced; "
                            "B02 1 {DAPI,GFP} image_again 2 done");
}
END_TEST

START_TEST(another_plane_of_the_stack_answers_nothing) {
    g_auto(Place) place = place_with_scene();
    for (int z = 1; z <= 3; z++) {
        g_autofree char *sql = g_strdup_printf("select scene.frame('P1', 'B02', 1, 'DAPI', '%s', "
                                               "z => %d)",
                                               z == 2 ? "{blurred}" : "{}", z);
        then_run(&place, sql);
    }
    expect_decisions(place, "B02 1 {DAPI} image_again 1 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', z => 2)");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 done");
}
END_TEST

START_TEST(a_frame_that_comes_late_neither_asks_nor_answers) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}');"
              "select scene.frame('P1', 'B02', 1, 'DAPI', at => scene.now() - interval '1 s');"
              "select scene.frame('P1', 'B03', 1, 'DAPI');"
              "select scene.frame('P1', 'B03', 1, 'DAPI', '{blurred}', "
              "at => scene.now() - interval '1 s')");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 open");
}
END_TEST

START_TEST(a_bad_frame_and_its_repetition_in_one_batch_leave_nothing_to_do) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scopestream_data.decide(array["
              "scene.store('P1', 'B02', 1, 'DAPI', at => scene.now() + interval '1 s'),"
              "scene.store('P1', 'B02', 1, 'DAPI', '{blurred}')], scene.now())");
    expect_decisions(place, ""); /* the good one is there already */
    expect_told(place, "");
}
END_TEST

START_TEST(a_second_pipeline_makes_no_second_attempt_and_no_answer) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "create table scene.keys as "
              "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}') as key;"
              "update scene.keys set key.pipeline_id = 2;"
              "select scene.measure(key, '{blurred}') from scene.keys;"
              "select scopestream_data.decide(array[key], scene.now()) from scene.keys");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', pipeline => 'other')");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 open");
}
END_TEST

START_TEST(to_image_again_counts_more_than_to_skip) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{empty}'), "
                           "scene.frame('P1', 'B03', 1, 'DAPI', '{blurred}'), "
                           "scene.frame('P1', 'B04', 1, 'DAPI', '{empty,blurred}')");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'GFP', '{blurred}'), "
                     "scene.frame('P1', 'B03', 1, 'GFP', '{empty}')");
    expect_decisions(place, "B02 1 {DAPI} skip 1 replaced; B03 1 {DAPI} image_again 1 open; "
                            "B04 1 {DAPI} image_again 1 open; B02 1 {GFP} image_again 1 open");
}
END_TEST

START_TEST(an_empty_site_is_skipped_until_it_is_not_empty) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{empty}')");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{empty}')");
    expect_told(place, "B02 1 skip open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI')");
    expect_told(place, "B02 1 continue done");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{odd}')");
    expect_told(place, "B02 1 continue open");
}
END_TEST

START_TEST(a_decision_expires_and_the_next_begins_anew) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "update scopestream_data.rule set action_expires_s = 30;"
                           "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}');"
                           "select scene.wait(29)");
    expect_told(place, "B02 1 image_again open");
    scene_run(place.admin, "select scene.wait(1)");
    expect_told(place, "B02 1 continue expired");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}')");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 expired; B02 1 {DAPI} image_again 1 open");
    /* The view goes by the real clock, and need not wait for the store. */
    cluster_expect(place.admin, "select string_agg(state, ' ') from scopestream.decisions",
                   "expired expired");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(what_is_missing_is_asked_for_until_it_comes) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "insert into scopestream_data.rule (name, kind, action) values "
              "('missing', 'missing', 'image_again');"
              "select scene.layout('P1', scene.wells(1, 9)), scene.image('P1', "
              "'{A01,A02,A03,A04,A06,A07,A08}', but => '{A03 1 DAPI,A03 1 GFP}'), scene.wait(9)");
    expect_told(place, "A03 1 image_again open; A03 1 image_again open; A05 image_again open");
    cluster_expect(place.admin, "select reason from scopestream.decisions where site is null",
                   "missing: plate P1, well A05: no frame at all");
    scene_run(place.admin, "select scene.frame('P1', 'A03', 1, 'GFP'), scene.wait(1)");
    expect_told(place, "");
    scene_run(place.admin, "select scene.frame('P1', 'A03', 1, 'DAPI'), "
                           "scene.frame('P1', 'A05', 2, 'GFP')");
    expect_told(place, "A03 1 continue done; A05 continue done");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_persons_word_stands_above_the_rules) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
              "scene.frame('P1', 'B02', 2, 'DAPI', '{blurred}'), scene.frame('P1', 'B03', 1, "
              "'DAPI', '{blurred}');"
              "select scopestream.decide('scope', 'P1', 'B02', null, 'skip', 'a hair')");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 replaced; B02 2 {DAPI} image_again 1 "
                            "replaced; B03 1 {DAPI} image_again 1 open; B02 {} skip 1 open");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                     "scene.frame('P1', 'B02', 1, 'GFP')"); /* a frame does not undo it either */
    cluster_expect(place.admin,
                   "select string_agg(well || ' ' || action || ' ' || decided_by, '; ' order by "
                   "decision_id) from scopestream_data.decision where state = 'open'",
                   "B03 image_again rule; B02 skip postgres");
    scene_run(place.admin, "delete from scopestream_data.message;"
                           "select scopestream.withdraw_decision(4, 'no, a shadow')");
    expect_told(place, "B02 continue withdrawn");
    cluster_expect(place.admin,
                   "select ended_because from scopestream.decisions where well = "
                   "'B02' and site is null",
                   "withdrawn by postgres: no, a shadow");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}')");
    expect_told(place, "B02 1 image_again open");
}
END_TEST

START_TEST(what_a_person_wants_imaged_again_is_done_when_all_of_it_was) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', '{A01,A02}');"
                           "select scopestream.decide('scope', 'P1', 'A01', null, 'image_again', "
                           "'the lid was on'), scopestream.decide('scope', 'P1', 'A02', 2, "
                           "'image_again', 'why not', channels => '{GFP}');"
                           "delete from scopestream_data.message");
    then_run(&place, "select scene.frame('P1', 'A01', 1, 'DAPI'), scene.frame('P1', 'A01', 1, "
                     "'GFP'), scene.frame('P1', 'A01', 2, 'DAPI', '{blurred}'), "
                     "scene.frame('P1', 'A02', 2, 'DAPI')");
    expect_told(place, "");
    then_run(&place, "select scene.frame('P1', 'A01', 2, 'GFP'), "
                     "scene.frame('P1', 'A02', 2, 'GFP', '{blurred}')");
    /* It was done, though in vain: now the rule decides. */
    expect_told(place, "A01 continue done; A02 2 continue done; A02 2 image_again open");
}
END_TEST

START_TEST(decisions_that_cannot_be_are_refused_with_the_reason) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'A01', 1, 'DAPI')");
    static const char *const cases[][2] = {
        {"decide('scope', 'P1', 'A01', 1, 'refocus', 'x')",
         "action 'refocus': expected image_again, skip or continue"},
        {"decide('scope', 'P1', 'A01', 1, null, 'x')",
         "action '': expected image_again, skip or continue"},
        {"decide('scope', 'P1', 'a1', 1, 'skip', 'x')",
         "well 'a1': expected letters and two digits, such as A01"},
        {"decide('scope', 'P1', null, 1, 'skip', 'x')",
         "a site of which well? This plate has wells"},
        {"decide('scope', 'P1', 'A01', 1, 'skip', ' ')", "a reason is needed: a few words"},
        {"decide('scope', 'P1', 'A01', 1, 'skip', 'x', interval '-1 s')",
         "expires -00:00:01: expected more than nothing"},
        {"decide('scop', 'P1', 'A01', 1, 'skip', 'x')",
         "no frame of source 'scop' has come yet; known: scope"},
        {"withdraw_decision(77)", "decision 77: not open; see scopestream.decisions"}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf("select scopestream.%s", cases[i][0]);
        g_autoptr(GError) error = NULL;
        ck_assert(!postgres_run(place.admin, sql, &error));
        ck_assert_msg(strstr(error->message, cases[i][1]) != NULL, "%s", error->message);
    }
    expect_decisions(place, "");
}
END_TEST

START_TEST(scientists_may_decide_and_readers_may_look) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.frame('P1', 'A01', 1, 'DAPI');"
              "do $$ begin if to_regrole('deciding') is null then create role deciding "
              "in role scopestream_scientist; create role watching in role scopestream_reader; "
              "end if; end $$");
    static const char decide[] = "select scopestream.decide('scope', 'P1', 'A01', 1, 'skip', 'x')";
    static const char *const roles[] = {"deciding", "watching", "scopestream_store"};
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        g_autofree char *become = g_strdup_printf("set role %s", roles[i]);
        scene_run(place.admin, become);
        g_autoptr(GError) error = NULL;
        ck_assert_int_eq(postgres_run(place.admin, decide, &error), i == 0);
        scene_run(place.admin, "select * from scopestream.decisions; reset role");
    }
}
END_TEST

START_TEST(a_person_who_takes_time_holds_up_no_store) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}')");
    g_autofree char *address = cluster_answer(place.admin, "select current_database()");
    g_autofree char *again = cluster_address(address);
    g_autoptr(Postgres) person = cluster_connect(again);
    scene_run(person, "begin; select scopestream.withdraw_decision(1)");
    scene_run(place.admin, "set statement_timeout = '5s'");
    then_run(&place, "select scene.frame('P1', 'B02', 1, 'DAPI', '{blurred}'), "
                     "scene.frame('P1', 'B02', 1, 'DAPI'), scene.wait(1)");
    scene_run(person, "rollback");
    expect_decisions(place, "B02 1 {DAPI} image_again 1 open");
}
END_TEST

START_TEST(who_asks_is_told_what_is_open) {
    g_auto(Place) place = place_with_scene();
    cluster_expect(place.store, "select scopestream_data.open_decisions() - 'at'",
                   "{\"more\": false, \"decisions\": []}");
    scene_run(place.admin, "select scene.frame(p, w, 1, 'DAPI') from unnest('{P1,P2}'::text[]) p, "
                           "unnest('{A01,A02}'::text[]) w;"
                           "select scopestream.decide('scope', p, w, 1, 'skip', 'x') "
                           "from unnest('{P1,P2}'::text[]) p, unnest('{A01,A02}'::text[]) w;"
                           "select scopestream.withdraw_decision(1)");
    static const char wells[] =
        "select string_agg(d ->> 'plate' || ' ' || (d ->> 'well'), ', ') from "
        "jsonb_array_elements(scopestream_data.open_decisions(%s) -> 'decisions') d";
    static const char *const cases[][2] = {{"", "P2 A02, P2 A01, P1 A02"},
                                           {"'scope', 'P1'", "P1 A02"},
                                           {"'scope'", "P2 A02, P2 A01, P1 A02"},
                                           {"plate => 'P2'", "P2 A02, P2 A01"},
                                           {"'other'", ""}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *sql = g_strdup_printf(wells, cases[i][0]);
        cluster_expect(place.store, sql, cases[i][1]);
    }
}
END_TEST

START_TEST(deciding_costs_the_same_however_many_are_open) {
    g_auto(Place) place = place_with_scene();
    static const char batch[] =
        "select scene.pages($$ select scopestream_data.decide(array(select scene.store('R', "
        "'A01', site, 'DAPI', case when site < 5 then '{blurred}' else '{}' end::text[]) "
        "from generate_series(1, 20) site), scene.now()) $$)";
    static const char fill[] =
        "do $$ begin for plate in %d .. %d loop perform scopestream_data.decide(array("
        "select scene.store('Q' || plate, well, 1, 'DAPI', '{blurred}') "
        "from unnest(scene.wells(8, 12)) well), scene.now()); end loop; end $$";
    gint64 pages[2];
    for (int round = 0; round < 2; round++) {
        g_autofree char *more = g_strdup_printf(fill, 2 * round, round == 0 ? 1 : 20);
        scene_run(place.admin, more);
        for (int again = 0; again < 2; again++) { /* the first finds its plans */
            scene_run(place.admin, "update scene.clock set now = now + interval '1 h'");
            g_autofree char *deciding = cluster_answer(place.admin, batch);
            pages[round] = g_ascii_strtoll(deciding, NULL, 10);
        }
    }
    cluster_expect(place.admin, "select count(*) > 1900 from scopestream.decisions", "t");
    ck_assert_msg(pages[1] < pages[0] * 3 / 2, "%" G_GINT64_FORMAT " pages, then %" G_GINT64_FORMAT,
                  pages[0], pages[1]);
}
END_TEST

SUITE_WITH("decisions", cluster_start, cluster_stop, bad_channels_of_a_site_are_one_decision,
           a_newer_good_frame_of_every_bad_channel_makes_it_done,
           a_site_imaged_again_in_vain_is_skipped_in_the_end, each_channel_has_its_own_attempts,
           the_next_attempt_waits_for_what_the_last_one_did_not_get,
           another_plane_of_the_stack_answers_nothing,
           a_frame_that_comes_late_neither_asks_nor_answers,
           a_bad_frame_and_its_repetition_in_one_batch_leave_nothing_to_do,
           a_second_pipeline_makes_no_second_attempt_and_no_answer,
           to_image_again_counts_more_than_to_skip, an_empty_site_is_skipped_until_it_is_not_empty,
           a_decision_expires_and_the_next_begins_anew, what_is_missing_is_asked_for_until_it_comes,
           a_persons_word_stands_above_the_rules,
           what_a_person_wants_imaged_again_is_done_when_all_of_it_was,
           decisions_that_cannot_be_are_refused_with_the_reason,
           scientists_may_decide_and_readers_may_look, a_person_who_takes_time_holds_up_no_store,
           who_asks_is_told_what_is_open, deciding_costs_the_same_however_many_are_open)
