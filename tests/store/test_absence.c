/* What does not come: a silent source, missing sites and wells, stalled files. */
#include "tests/store/scene.h"
#include "tests/suite.h"

#define RULES                                                                                      \
    "insert into scopestream_data.rule (name, kind, bound) values ('silence', 'silence', 2);"      \
    "insert into scopestream_data.rule (name, kind) values ('missing', 'missing');"                \
    "insert into scopestream_data.rule (name, kind, expression) values "                           \
    "('stalled', 'event', 'unfinished'), ('away', 'event', 'source-away')"

static Place place_with_scene(void) {
    return scene_make(RULES);
}

START_TEST(a_stage_that_stops_in_a_well_is_told_once_and_until_frames_come) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', scene.wells(2, 4)), "
                           "scene.frame('P1', 'C01', 1, 'DAPI'), scene.wait(10)");
    scene_expect_alerts(place, ""); /* 5 s at least, twice */
    scene_run(place.admin, "select scene.wait(300)");
#define STOPPED                                                                                    \
    "P1 silence: no frame of scope for 11 s, where at most 1 s are usual; plate P1, last well "    \
    "C01 with 1 of 4 frames"
    scene_expect_alerts(place, "warning open " STOPPED);
    cluster_expect(place.admin, "select value || ' ' || bound from scopestream.findings", "11 10");
    scene_run(place.admin, "select scene.frame('P1', 'C01', 1, 'GFP'), scene.wait(1)");
    scene_expect_alerts(place, "warning closed " STOPPED);
    scene_run(place.admin, "select scene.wait(60)");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts where state = 'open'",
                   "1");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_slow_source_is_silent_after_twice_its_own_interval) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'A01', n, 'DAPI'), scene.wait(60) "
                           "from generate_series(1, 12) n");
    scene_run(place.admin, "select scene.wait(60)");
    scene_expect_alerts(place, "");
    scene_run(place.admin, "select scene.wait(1)");
    scene_expect_alerts(place,
                        "warning open P1 silence: no frame of scope for 121 s, where at most "
                        "60 s are usual; plate P1, last well A01 with 12 frames");
}
END_TEST

START_TEST(a_source_that_has_become_slower_is_judged_by_its_new_pace) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame(null, null, null, null), scene.wait(1) "
                           "from generate_series(1, 70) n;"
                           "select scene.wait(19, 19), scene.frame(null, null, null, null), "
                           "scene.wait(1) from generate_series(1, 70) n");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts",
                   "3"); /* until it is usual */
    cluster_expect(place.admin,
                   "select concat_ws(' ', usual_s, pause_s, cardinality(closed_at)) "
                   "from scopestream_data.pulse",
                   "20 20 65");
}
END_TEST

START_TEST(frames_that_no_naming_explains_have_a_pulse_too) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame(null, null, null, null), scene.wait(1) "
                           "from generate_series(1, 20)");
    scene_run(place.admin, "select scene.wait(20)");
    scene_expect_alerts(place, "warning open - silence: no frame of scope for 11 s, where at most "
                               "1 s are usual");
}
END_TEST

START_TEST(a_plate_that_is_complete_is_no_silence) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.layout('P2', scene.wells(2, 4)), "
              "scene.image('P1', scene.wells(2, 4)), scene.wait(100), " /* without a layout */
              "scene.image('P2', scene.wells(2, 4)), scene.wait(100)");
    scene_expect_alerts(place, "");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(with_a_layout_a_stop_between_two_wells_is_silence) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.layout('P1', scene.wells(3, 4)), "
                           "scene.image('P1', scene.wells(2, 4)), scene.wait(100)");
    scene_expect_alerts(place,
                        "warning open P1 silence: no frame of scope for 11 s, where at most 1 s "
                        "are usual; plate P1, last well B04 with 4 of 4 frames, 4 of 12 wells to "
                        "come");
}
END_TEST

START_TEST(without_a_rule_for_what_is_missing_the_end_of_a_plate_that_lacks_is_an_information) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "delete from scopestream_data.rule where kind = 'missing';"
                           "select scene.image('P1', scene.wells(2, 4), but => '{A03 2 GFP}'), "
                           "scene.wait(60)");
    scene_expect_alerts(place,
                        "info open P1 silence: no frame of scope for 11 s, where at most 1 s "
                        "are usual; plate P1, last well B04 with 4 of 4 frames");
}
END_TEST

START_TEST(the_usual_pause_from_well_to_well_is_no_silence) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.layout('P1', scene.wells(2, 4));"
                           "select scene.image('P1', array[well]), scene.wait(9) "
                           "from unnest(scene.wells(1, 4)) well;"
                           "select scene.wait(7)"); /* 17 s after a pause of 10 s each time */
    scene_expect_alerts(place, "");
    scene_run(place.admin, "select scene.wait(10)");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "1");
}
END_TEST

START_TEST(a_lost_site_is_told_when_the_stage_has_passed_and_withdrawn_when_it_comes) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', scene.wells(1, 4), but => '{A03 2 GFP}')");
    scene_expect_alerts(place, ""); /* it may still come */
    scene_run(place.admin, "select scene.image('P1', '{A05,A06,A07}')");
#define LOST "P1 missing: plate P1, well A03: no frame of site 2 in GFP, which most wells have"
    scene_expect_alerts(place, "warning open " LOST);
    cluster_expect(place.admin,
                   "select format('%s %s %s %s %s', rule, well, site, channel, value) "
                   "from scopestream.findings",
                   "missing A03 2 GFP 1");
    scene_run(place.admin, "select scene.frame('P1', 'A03', 2, 'GFP'), scene.wait(1)");
    scene_expect_alerts(place, "warning closed " LOST);
    cluster_expect(place.admin, "select count(*) from scopestream.findings", "0");
    scene_run(place.admin, "select scene.image('P1', '{A08,A09}'), scene.wait(100)");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "1");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(all_that_a_plate_lacks_is_one_alert_and_another_plate_another) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.image('P1', scene.wells(3, 4), but => "
              "'{A03 2 GFP,A03 2 DAPI,B02 1 DAPI,C01 1 GFP}'), scene.wait(30), "
              "scene.image('P2', scene.wells(3, 4), but => '{A02 1 DAPI}'), scene.wait(30)");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s', plate, state, findings, wells), '; ' "
                   "order by alert_id) from scopestream.alerts",
                   "P1 open 4 {A03,B02,C01}; P2 open 1 {A02}");
    scene_run(place.admin, "select scene.frame('P1', 'A03', 2, 'GFP'), "
                           "scene.frame('P1', 'A03', 2, 'DAPI'), scene.wait(1)");
    cluster_expect(place.admin,
                   "select format('%s %s %s %s', plate, state, findings, wells) "
                   "from scopestream.alerts order by alert_id limit 1",
                   "P1 open 2 {B02,C01}");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_frame_without_numbers_came_too) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.image('P1', '{A01,A02}');"
              "select scene.image('P1', '{A03}', but => '{A03 2 GFP}'), "
              "scene.store('P1', 'A03', 2, 'GFP', status => 'broken');"
              "select scene.image('P1', '{A04,A05,A06,A07}');"
              "select scene.store('P1', 'B01', n, 'DAPI', status => 'broken'), scene.wait(5) "
              "from generate_series(1, 12) n");
    scene_expect_alerts(place, ""); /* nor is a minute of broken frames silence */
    cluster_expect(place.admin, "select count(*) from scopestream_data.unread_frame", "0");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_lost_plane_of_a_stack_is_named) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "do $$ declare w text; begin foreach w in array scene.wells(1, 6) loop "
              "for z in 1 .. 5 loop if not (w = 'A02' and z in (2, 4)) then "
              "perform scene.frame('P1', w, 1, 'DAPI', z => z); end if; "
              "perform scene.wait(1); end loop; end loop; end $$; select scene.wait(30)");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, well A02: no frame of site 1 in "
                               "DAPI, planes 2 4, which most wells have");
}
END_TEST

START_TEST(a_plate_imaged_channel_by_channel_lacks_nothing_at_half_time) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', scene.wells(3, 4), 1, '{DAPI}'), "
                           "scene.wait(9), scene.image('P1', '{A01,A02,A03,A04,B01,B02,B03}', 1, "
                           "'{GFP}'), scene.image('P1', '{C01,C02,C03,C04}', 1, '{GFP}')");
    scene_expect_alerts(place, "");
    scene_run(place.admin, "select scene.wait(30)");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, well B04: no frame of site 1 in "
                               "GFP, which most wells have");
}
END_TEST

START_TEST(wells_of_the_layout_are_missing_when_the_stage_has_passed_them) {
    g_auto(Place) place = place_with_scene();
    /* Along rows, back and forth. B02 is passed, B04 is not to be imaged, nothing of row C yet. */
    scene_run(place.admin, "select scene.layout('P1', scene.wells(3, 6), '{D01,D02}'), "
                           "scene.image('P1', '{A01,A02,A03,A04,A05,A06,B06,B05,B04,B03,B01}'), "
                           "scene.image('P1', '{C01,C02,C03}')");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, well B02: no frame at all");
    scene_run(place.admin, "select scene.image('P1', '{C04,C05,C06}'), scene.wait(60)");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "1");
    scene_run(place.admin, "select scene.image('P1', '{B02}'), scene.wait(60)");
    cluster_expect(place.admin,
                   "select string_agg(state, ' ') || ' ' || (select count(*) "
                   "from scopestream.findings) from scopestream.alerts",
                   "closed 0");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_stage_that_jumps_about_has_passed_nothing_before_the_plate_ends) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.layout('P1', scene.wells(3, 6)), "
              "scene.image('P1', '{A01,C05,B02,A06,C01,B04,A03,C03,B06,A05}'), scene.wait(9)");
    scene_expect_alerts(place, "");
    scene_run(place.admin, "select scene.image('P2', '{A01}'), scene.wait(5)");
    cluster_expect(place.admin,
                   "select format('%s %s %s', rule, findings, wells) from scopestream.alerts",
                   "missing 8 {A02,A04,B01,B03,B05,C02,C04,C06}");
}
END_TEST

START_TEST(what_the_last_well_lacks_is_told_when_the_layout_is_through) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.layout('P1', scene.wells(2, 4)), "
                           "scene.image('P1', scene.wells(2, 4), but => '{B04 1 DAPI}'), "
                           "scene.wait(60)");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, well B04: no frame of site 1 in "
                               "DAPI, which most wells have");
}
END_TEST

START_TEST(a_time_point_goes_over_the_wells_of_the_one_before) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.image('P1', scene.wells(2, 4), t => 1), scene.wait(300, 10), "
              "scene.image('P1', scene.wells(2, 4), t => 2, but => '{A02 1 GFP}'), "
              "scene.wait(300, 10)");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, time point 2, well A02: no "
                               "frame of site 1 in GFP, which most wells have");
    scene_run(place.admin, "select scene.image('P1', scene.wells(1, 4), t => 3), scene.wait(60)");
    cluster_expect(place.admin, "select title from scopestream.alerts where rule = 'silence'",
                   "silence: no frame of scope for 11 s, where at most 2 s are usual; plate P1, "
                   "time point 3, last well A04 with 4 of 4 frames, 4 of 8 wells to come");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(what_the_last_well_of_a_time_point_lacks_is_told_when_the_next_begins) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.image('P1', scene.wells(2, 4), t => 1, but => '{B04 2 GFP}'), "
              "scene.wait(60);"
              "select scene.image('P1', scene.wells(2, 4), t => 2)");
    cluster_expect(place.admin,
                   "select string_agg(state || ' ' || title, '; ') from scopestream.alerts "
                   "where rule = 'missing'",
                   "open missing: plate P1, time point 1, well B04: no frame of site 2 in GFP, "
                   "which most wells have");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_film_of_one_well_may_pause_as_it_always_does) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "do $$ begin for t in 1 .. 6 loop "
              "perform scene.image('P1', '{A01}', t => t), scene.wait(300, 10); end loop; end $$");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "1"); /* unheard of */
    scene_run(place.admin, "select scene.wait(300, 10), scene.wait(2)");
    cluster_expect(place.admin,
                   "select title from scopestream.alerts order by alert_id desc limit 1",
                   "silence: no frame of scope for 603 s, where at most 301 s are usual; plate P1, "
                   "time point 6, last well A01 with 4 frames");
}
END_TEST

START_TEST(a_time_point_of_a_plate_that_does_not_begin_is_an_information) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.layout('P1', scene.wells(2, 4));"
              "do $$ begin for t in 1 .. 4 loop "
              "perform scene.image('P1', scene.wells(2, 4), t => t), scene.wait(3000, 100); "
              "end loop; end $$");
    scene_expect_alerts(place, "");
    scene_run(place.admin, "select scene.wait(3000, 100), scene.wait(2)");
    scene_expect_alerts(place, "info open P1 silence: no frame of scope for 6003 s, where at most "
                               "3001 s are usual; plate P1, time point 4, last well B04 with 4 of "
                               "4 frames, 0 of 8 wells to come");
    scene_run(place.admin, "select scene.image('P1', scene.wells(2, 4), t => 5), scene.wait(30)");
    cluster_expect(place.admin, "select string_agg(state, ' ') from scopestream.alerts", "closed");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(a_source_may_pause_as_it_did_again_and_again) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "do $$ begin for burst in 1 .. 5 loop for n in 1 .. 10 loop "
                           "perform scene.frame(null, null, null, null), scene.wait(1); end loop; "
                           "perform scene.wait(40); end loop; end $$");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "3"); /* unheard of */
    scene_run(place.admin, "select scene.wait(42)");
    cluster_expect(place.admin, "select count(*) from scopestream.alerts", "4");
}
END_TEST

START_TEST(a_film_of_each_well_in_turn_is_judged_by_its_time_points) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.layout('P1', scene.wells(1, 8));"
              "do $$ declare w text; begin foreach w in array scene.wells(1, 8) loop "
              "for t in 1 .. 4 loop perform scene.image('P1', array[w], 1, t => t, but => "
              "case t when 3 then '{A04 1 GFP}'::text[] else '{}' end); end loop; end loop; "
              "end $$");
    scene_expect_alerts(place, "warning open P1 missing: plate P1, time point 3, well A04: no "
                               "frame of site 1 in GFP, which most wells have");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(what_the_microscope_was_told_to_skip_is_not_missing) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.layout('P1', scene.wells(2, 4)), scene.frame('P1', 'A01', 1, 'DAPI'), "
              "scopestream.decide('scope', 'P1', 'A03', null, 'skip', 'dull', interval '9 years'),"
              "scopestream.decide('scope', 'P1', 'B01', 2, 'skip', 'dust', interval '9 years'), "
              "scene.image('P1', '{A01,A02,A04,B01,B02,B03,B04}', but => '{B01 2 DAPI,B01 2 GFP}'),"
              " scene.wait(60)");
    scene_expect_alerts(place, "");
}
END_TEST

START_TEST(a_stalled_file_is_told_until_it_has_a_row) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "select scene.image('P1', scene.wells(1, 3));"
              "insert into scopestream_data.event (at, source, path, level, event, detail, "
              "document_md5) values (now(), 'scope', 'P1/A04_1_DAPI.tif', 'warning', 'unfinished', "
              "'its directory is missing', gen_random_uuid()), (now(), 'scope', null, 'error', "
              "'source-away', 'gone', gen_random_uuid()), (now(), 'scope', 'x', 'info', 'boring', "
              "'', gen_random_uuid()); select scene.wait(2)");
    scene_expect_alerts(
        place, "warning open P1 stalled: unfinished: P1/A04_1_DAPI.tif, its directory is missing\n"
               "warning open - away: source-away: gone");
    scene_run(place.admin,
              "insert into scopestream_data.event (at, source, level, event, document_md5) values "
              "(now(), 'scope', 'info', 'source-back', gen_random_uuid());"
              "select scene.frame('P1', 'A04', 1, 'DAPI'), scene.wait(1)");
    cluster_expect(place.admin,
                   "select string_agg(state, ' ') || count(f) from scopestream.alerts a left join "
                   "scopestream.findings f using (alert_id)",
                   "closed closed2");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(events_stored_out_of_order_are_each_told_once) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "create function scene.event(id bigint) returns void language sql as $$ "
              "insert into scopestream_data.event (event_id, at, source, level, event, detail, "
              "document_md5) overriding system value values (id, now(), 'scope', 'warning', "
              "'unfinished', id, gen_random_uuid()) $$;"
              "select scene.event(1002), scene.event(1003), scene.wait(2);"
              "select scene.event(1001), scene.wait(2), scene.event(1005), scene.wait(2)");
    cluster_expect(place.admin,
                   "select string_agg(detail, ', ' order by found_at) from scopestream.findings",
                   "unfinished: 1002, unfinished: 1003, unfinished: 1001, unfinished: 1005");
}
END_TEST

START_TEST(whatever_the_order_of_arrival_the_same_is_known) {
    g_auto(Place) place = place_with_scene();
    static const char known[] =
        "select md5(string_agg(format('%s %s %s %s %s %s', p.usual_s, p.acquired_at, p.closed_at, "
        "w.well, w.first_closed_at, (select array_agg((site, channel) order by site, channel) from "
        "unnest(parts) i join scopestream_data.part on part_id = i)::text), ',' order by w.well)) "
        "from scopestream_data.pulse p, scopestream_data.round_well w";
    scene_run(place.admin,
              "create table scene.keys as select row_number() over () n, scene.store('P1', well, "
              "site, channel, at => scene.now() + n * interval '1.7 s') as key from (select *, "
              "row_number() over () n from unnest(scene.wells(3, 5)) well, generate_series(1, 4) "
              "site, unnest('{DAPI,GFP}'::text[]) channel) places;"
              "select scopestream_data.decide(array[key], scene.now()) from scene.keys order by n");
    g_autofree char *in_order = cluster_answer(place.admin, known);
    scene_run(place.admin,
              "truncate scopestream_data.pulse, scopestream_data.plate_round, "
              "scopestream_data.round_well, scopestream_data.absence, scopestream_data.part;"
              "select scopestream_data.decide(array_agg(key order by md5(n::text)), scene.now()) "
              "from scene.keys group by n % 7 order by n % 7 desc;"
              "select scopestream_data.decide(array_agg(key), scene.now()) from scene.keys where "
              "n < 40"); /* and some of them again */
    cluster_expect(place.admin, known, in_order);
}
END_TEST

START_TEST(a_step_that_fails_is_told_and_stops_no_other) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin,
              "create or replace function scopestream_data.watch_rounds(now timestamptz) returns "
              "void language plpgsql as 'begin perform 1 / 0; end';"
              "select scene.image('P1', scene.wells(1, 3)), scene.frame('P1', 'A04', 1, 'DAPI'), "
              "scene.wait(30)");
    cluster_expect(place.admin, "select rule from scopestream.alerts", "silence");
    cluster_expect(place.admin, "select event || ': ' || detail from scopestream.events",
                   "steering-failed: watch_rounds: division by zero");
}
END_TEST

START_TEST(a_person_who_takes_time_over_an_alert_holds_up_no_watch) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', scene.wells(1, 6), but => '{A02 1 DAPI}'), "
                           "scene.wait(20), scene.frame('P1', 'A02', 1, 'DAPI'), "
                           "scene.frame('P1', 'A07', 1, 'DAPI')");
    g_autofree char *name = cluster_answer(place.admin, "select current_database()");
    g_autofree char *address = cluster_address(name);
    g_autoptr(Postgres) person = cluster_connect(address);
    scene_run(person, "begin; select scopestream.acknowledge_alert(1)");
    scene_run(place.admin, "set statement_timeout = '30s'; select scene.wait(12)");
    cluster_expect(place.admin,
                   "select string_agg(rule || ' ' || state, ', ' order by alert_id) "
                   "from scopestream.alerts",
                   "missing open, silence open");
    scene_run(person, "rollback");
    scene_run(place.admin, "select scene.wait(1)");
    cluster_expect(place.admin,
                   "select string_agg(rule || ' ' || state, ', ' order by alert_id) "
                   "from scopestream.alerts",
                   "missing closed, silence open");
    scene_expect_no_trouble(place);
}
END_TEST

START_TEST(switched_off_nothing_is_watched) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.image('P1', scene.wells(1, 3)), "
                           "scene.frame('P1', 'A04', 1, 'DAPI');"
                           "update scopestream_data.steering set enabled = false;"
                           "select scene.wait(100)");
    scene_expect_alerts(place, "");
}
END_TEST

/* Counted in pages, which do not depend on who else is busy. */
START_TEST(a_call_costs_the_same_however_much_has_been_stored) {
    g_auto(Place) place = place_with_scene();
    static const char fill[] =
        "do $$ declare keys scopestream_data.row_key[]; begin for plate in %d .. %d loop "
        "keys := array(select scene.store('Q' || plate, well, site, 'DAPI') "
        "from unnest(scene.wells(8, 12)) well, generate_series(1, 4) site);"
        "perform scopestream_data.decide(keys, scene.now()); perform scene.wait(1); "
        "end loop; end $$";
    static const char batch[] =
        "select scene.pages($$ select scopestream_data.decide(array(select scene.store('R' || %d, "
        "'A01', site, 'DAPI') from generate_series(1, 20) site), scene.now()) $$)";
    static const char watch[] =
        "select scene.pages($$ select scopestream_data.watch_time(scene.now()) $$)";
    gint64 pages[2][2];
    for (int round = 0; round < 2; round++) {
        g_autofree char *more = g_strdup_printf(fill, round * 2 + 1, round == 0 ? 2 : 60);
        scene_run(place.admin, more);
        scene_run(place.admin, "select scene.wait(1000, 10)"); /* all is told that is to be told */
        for (int again = 0; again < 2; again++) {              /* the first finds its plans */
            g_autofree char *question = g_strdup_printf(batch, round * 2 + again);
            g_autofree char *storing = cluster_answer(place.admin, question);
            g_autofree char *watching = cluster_answer(place.admin, watch);
            pages[round][0] = g_ascii_strtoll(storing, NULL, 10);
            pages[round][1] = g_ascii_strtoll(watching, NULL, 10);
        }
    }
    cluster_expect(place.admin, "select count(*) > 20000 from scopestream_data.frame", "t");
    for (int what = 0; what < 2; what++)
        ck_assert_msg(pages[1][what] < pages[0][what] * 3 / 2 + 50,
                      "%s: %" G_GINT64_FORMAT " pages, then %" G_GINT64_FORMAT,
                      what == 0 ? "decide" : "watch_time", pages[0][what], pages[1][what]);
}
END_TEST

SUITE_WITH("absence", cluster_start, cluster_stop,
           a_stage_that_stops_in_a_well_is_told_once_and_until_frames_come,
           a_slow_source_is_silent_after_twice_its_own_interval,
           a_source_that_has_become_slower_is_judged_by_its_new_pace,
           frames_that_no_naming_explains_have_a_pulse_too, a_plate_that_is_complete_is_no_silence,
           with_a_layout_a_stop_between_two_wells_is_silence,
           without_a_rule_for_what_is_missing_the_end_of_a_plate_that_lacks_is_an_information,
           the_usual_pause_from_well_to_well_is_no_silence,
           a_lost_site_is_told_when_the_stage_has_passed_and_withdrawn_when_it_comes,
           all_that_a_plate_lacks_is_one_alert_and_another_plate_another,
           a_frame_without_numbers_came_too, a_lost_plane_of_a_stack_is_named,
           a_plate_imaged_channel_by_channel_lacks_nothing_at_half_time,
           wells_of_the_layout_are_missing_when_the_stage_has_passed_them,
           a_stage_that_jumps_about_has_passed_nothing_before_the_plate_ends,
           what_the_last_well_lacks_is_told_when_the_layout_is_through,
           a_time_point_goes_over_the_wells_of_the_one_before,
           what_the_last_well_of_a_time_point_lacks_is_told_when_the_next_begins,
           a_film_of_one_well_may_pause_as_it_always_does,
           a_time_point_of_a_plate_that_does_not_begin_is_an_information,
           a_source_may_pause_as_it_did_again_and_again,
           a_film_of_each_well_in_turn_is_judged_by_its_time_points,
           what_the_microscope_was_told_to_skip_is_not_missing,
           a_stalled_file_is_told_until_it_has_a_row, events_stored_out_of_order_are_each_told_once,
           whatever_the_order_of_arrival_the_same_is_known,
           a_step_that_fails_is_told_and_stops_no_other,
           a_person_who_takes_time_over_an_alert_holds_up_no_watch, switched_off_nothing_is_watched,
           a_call_costs_the_same_however_much_has_been_stored)
