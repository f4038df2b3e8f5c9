/* The commands people steer with, as people call them. */
#include "stream/json_read.h"
#include "tests/store/place.h"
#include "tests/suite.h"
#include <signal.h>
#include <sys/wait.h>

enum { FRAMES = 20 }; /* of plate P1, a second apart; those of odd seconds are dark */

static Place place_with_frames(void) {
    Place place = place_make();
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('scientist') is null then "
                                       "create role scientist login in role scopestream_scientist; "
                                       "create role reader login in role scopestream_reader; "
                                       "create role stranger login; end if; end $$"));
    g_free(cluster_answer(place.admin, "update scopestream_data.rule set enabled = false"));
    g_free(cluster_answer(place.admin, "insert into scopestream_data.policy (name, tiers, bounds) "
                                       "values ('four_tiers', '{D,C,B,A}', '{0.25,0.5,0.75}') "
                                       "on conflict do nothing"));
    g_autoptr(Batch) batch = batch_new();
    add(batch, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"mean\"},"
                        "{\"name\":\"focus\"}]}"));
    for (int n = 0; n < FRAMES; n++) {
        g_autofree char *values =
            g_strdup_printf("{\"mean\": %g, \"focus\": %g}", n % 2 == 0 ? 0.5 : 0.001, 0.04 * n);
        add(batch, documents_result(n, "ok", values));
    }
    expect_stored(batch, place.store);
    return place;
}

/* --- calling the program --- */

/* What the program is called with, split at spaces; a word may stand in single quotes. */
static char **call_words(const Place *place, const char *role, const char *line) {
    g_autofree char *program =
        g_build_filename(g_getenv("SCOPESTREAM_BIN"), "scopestream-store", NULL);
    g_autofree char *database = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autofree char *as_role = cluster_as(address, role);
    g_autofree char *whole = g_strdup_printf("%s %s --postgres '%s'", program, line, as_role);
    char **words;
    ck_assert(g_shell_parse_argv(whole, NULL, &words, NULL));
    return words;
}

/* Calls it and returns what it said, on stdout and then on stderr; g_free it. */
static char *call(const Place *place, const char *role, const char *line, int status) {
    g_auto(GStrv) words = call_words(place, role, line);
    g_autofree char *said = NULL, *complained = NULL;
    int ended;
    ck_assert(g_spawn_sync(NULL, words, NULL, G_SPAWN_DEFAULT, NULL, NULL, &said, &complained,
                           &ended, NULL));
    char *both = g_strconcat(said, complained, NULL);
    ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == status, "%s: status %d, not %d: %s",
                  line, ended, status, both);
    return both;
}

static void expect_words(const char *line, const char *said, const char *words) {
    ck_assert_msg(strstr(said, words) != NULL, "%s: '%s' misses '%s'", line, said, words);
}

/* A call that succeeds, and words it says. */
static void expect(const Place *place, const char *line, const char *words) {
    g_autofree char *said = call(place, "scientist", line, EXIT_SUCCESS);
    expect_words(line, said, words);
}

/* One that is refused as wrong use, in one line. */
static void expect_refusal(const Place *place, const char *role, const char *line,
                           const char *words) {
    g_autofree char *said = call(place, role, line, 2);
    expect_words(line, said, words);
    ck_assert_msg(strchr(said, '\n') == said + strlen(said) - 1, "%s: more than a line: %s", line,
                  said);
}

static JsonNode *call_json(const Place *place, const char *line) {
    g_autofree char *said = call(place, "scientist", line, EXIT_SUCCESS);
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(said, &error);
    ck_assert_msg(root != NULL, "%s: %s: %s", line, said, error != NULL ? error->message : "");
    return root;
}

/* --- rules --- */

START_TEST(a_rule_is_written_changed_switched_and_dropped) {
    g_auto(Place) place = place_with_frames();
    expect(&place,
           "rules add dark --expression mean --comparison '<' --bound 0.01 --k 2 --n 3 "
           "--severity critical --action image_again --channels 'DAPI, GFP' --rearm 10min",
           "rule dark is on: critical, mean < 0.01, 2 of 3");
    cluster_expect(place.admin,
                   "select concat_ws(' ', channels, rearm_s, enabled, built_in, created_by) "
                   "from scopestream.rules where name = 'dark'",
                   "{DAPI,GFP} 600 t f scientist");
    expect(&place, "rules change dark --bound -2.5e-3 --action none --clear-after 5",
           "mean < -0.0025, 2 of 3");
    cluster_expect(place.admin,
                   "select concat_ws(' ', coalesce(action, '-'), clear_after, k) "
                   "from scopestream.rules where name = 'dark'",
                   "- 5 2");
    expect(&place, "rules off dark", "rule dark is off");
    expect(&place, "rules list", "dark");
    expect(&place, "rules on dark", "rule dark is on");
    expect(&place, "rules show dark", "{DAPI,GFP}");
    expect(&place, "rules drop dark", "rule dark is dropped");
    cluster_expect(place.admin, "select count(*) from scopestream.rules where name = 'dark'", "0");
}
END_TEST

START_TEST(a_rule_that_cannot_be_is_refused_with_the_reason) {
    g_auto(Place) place = place_with_frames();
    expect(&place, "rules add dark --expression mean --bound 1 --off", "rule dark is off");
    expect_refusal(&place, "scientist", "rules add dark --expression mean --bound 1",
                   "called 'dark' already");
    expect_refusal(&place, "scientist", "rules add b --expression maen --bound 1", "'mean'?");
    expect_refusal(&place, "scientist", "rules add b --expression mean --bound much",
                   "--bound much: expected a number");
    expect_refusal(&place, "scientist", "rules add b --expression mean --bound 1 --n 0",
                   "--n 0: expected a whole number above 0");
    expect_refusal(&place, "scientist", "rules add b --expression mean --bound 1 --rearm 5",
                   "--rearm 5: expected a time");
    expect_refusal(&place, "scientist",
                   "rules add b --expression \"mean'; drop table x; --\" --bound 1", "rule 'b'");
    expect_refusal(&place, "scientist", "rules on nothing", "no rule is called 'nothing'");
    expect_refusal(&place, "scientist", "rules change dark", "say what");
    cluster_expect(place.admin, "select count(*) from scopestream.rules where not built_in", "1");
}
END_TEST

START_TEST(a_rule_tells_what_it_would_have_found) {
    g_auto(Place) place = place_with_frames();
    g_free(call(&place, "scientist",
                "rules add dark --expression mean --comparison '<' --bound 0.01 --off", 0));
    expect(&place, "rules test dark --plate P1 --most 2",
           "would have found 10 frames, in 1 alerts");
    expect(&place, "rules test dark --plate P1 --most 2", "and 8 more");
    expect(&place, "rules test dark --since 2026-03-01T00:00:10Z", "found 5 frames");
    expect(&place, "rules test dark --plate P7", "would have found nothing");
    expect_refusal(&place, "scientist", "rules test dark", "--plate, --since");
    expect_refusal(&place, "scientist", "rules test dark --since soon", "--since soon: expected");
    g_autoptr(JsonNode) found = call_json(&place, "rules test dark --plate P1 --format json");
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(found)), 10);
    cluster_expect(place.admin, "select count(*) from scopestream.findings", "0");
}
END_TEST

/* --- alerts --- */

/* A rule judges all frames anew. */
static void judge_frames(Place *place) {
    g_free(cluster_answer(
        place->admin, "select scopestream_data.apply_rules(array(select (frame_id, acquired_at, "
                      "pipeline_id)::scopestream_data.row_key from scopestream_data.result))"));
}

/* Names are UTF-8, whatever the locale of whoever asks. */
START_TEST(a_name_may_have_any_letters) {
    g_auto(Place) place = place_with_frames();
    g_setenv("LC_ALL", "C", TRUE);
    expect(&place, "alerts list --plate Plätte", "no open alert");
    expect_refusal(&place, "scientist", "alerts list --plate 'Pl\xff'", "Invalid byte sequence");
}
END_TEST

START_TEST(an_alert_is_listed_acknowledged_and_closed_with_a_note) {
    g_auto(Place) place = place_with_frames();
    expect(&place, "alerts list", "no open alert");
    g_free(call(&place, "scientist",
                "rules add dark --expression mean --comparison '<' --bound 0.01", 0));
    judge_frames(&place);
    g_autofree char *id = cluster_answer(place.admin, "select alert_id from scopestream.alerts");
    g_autofree char *acknowledge = g_strdup_printf("alerts acknowledge %s --note 'the lamp'", id);
    g_autofree char *close_it = g_strdup_printf("alerts close %s --note changed", id);
    g_autofree char *show = g_strdup_printf("alerts show %s", id);
    expect(&place, "alerts list --plate P1", "dark: 10 frames of plate P1");
    expect(&place, "alerts list --plate P2", "no open alert");
    expect(&place, acknowledge, "is acknowledged: dark");
    expect(&place, close_it, "is closed: dark");
    expect_refusal(&place, "scientist", close_it, "was closed by scientist");
    expect(&place, "alerts list", "no open alert");
    expect(&place, "alerts list --all", "closed");
    expect(&place, show, "scientist: the lamp");
    expect_refusal(&place, "scientist", "alerts close lamp", "expected its number");
    expect_refusal(&place, "scientist", "alerts show 999", "there is no alert 999");
    g_autoptr(JsonNode) alerts = call_json(&place, "alerts list --all --format json");
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(alerts)), 1);
}
END_TEST

/* --- models --- */

START_TEST(a_model_written_again_is_its_next_version) {
    g_auto(Place) place = place_with_frames();
    expect(&place, "models add bright --score 'clamp(mean, 0, 1)' --default",
           "model bright, version 1, is on and the default");
    expect(&place,
           "models add bright --score 'least(light, 1)' --part 'light = 2 * mean' "
           "--unknown-score 0.5",
           "model bright, version 2, is on and the default");
    expect(&place, "models show bright", "2 * mean");
    expect(&place, "models list --all", "off");
    expect(&place, "models on bright 1", "version 1, is on and the default");
    expect(&place, "models default bright 2", "version 2, is on and the default");
    expect_refusal(&place, "scientist", "models off bright", "make another the default");
    expect(&place, "models add other --score focus --off", "model other, version 1, is off");
    expect(&place, "models default other", "model other, version 1, is on and the default");
    expect(&place, "models off bright", "is off");
    expect_refusal(&place, "scientist", "models add wrong --score 'lamp + 1'", "'lamp'");
    expect_refusal(&place, "scientist", "models add wrong", "--score");
    expect_refusal(&place, "scientist", "models add wrong --score a --part a=1 --part a=2",
                   "--part a: stands there twice");
    expect_refusal(&place, "scientist", "models add wrong --score a --part mean",
                   "--part mean: expected NAME=EXPRESSION");
    expect_refusal(&place, "scientist", "models on wrong", "no model is called 'wrong'");
}
END_TEST

START_TEST(stored_frames_are_scored_by_a_model) {
    g_auto(Place) place = place_with_frames();
    g_free(call(&place, "scientist", "models add bright --score mean", 0));
    expect(&place, "rescore bright --plate P1 --at-once 7", "20 frames have their score by bright");
    cluster_expect(place.admin,
                   "select count(*) || ' ' || min(score) from scopestream.priorities "
                   "where model = 'bright'",
                   "20 0.001");
    expect(&place, "rescore bright --since 2026-03-01T00:00:15Z", "5 frames have");
    expect(&place, "rescore bright --plate P9", "0 frames have");
    expect_refusal(&place, "scientist", "rescore dim", "no model is called 'dim'");
    expect_refusal(&place, "scientist", "rescore bright --after 5", "--after 5: expected TIME,ID");
    expect_refusal(&place, "scientist", "rescore", "expected MODEL");
}
END_TEST

/* What a process says until it ends, with its status; g_free it. */
static char *wait_for_end(GPid process, int output, int *ret_status) {
    g_autoptr(GString) said = g_string_new(NULL);
    char bytes[4096];
    for (ssize_t length; (length = read(output, bytes, sizeof bytes)) > 0;)
        g_string_append_len(said, bytes, length);
    close(output);
    ck_assert_int_eq(waitpid(process, ret_status, 0), process);
    return g_strdup(said->str);
}

/* Begins a command that meets a lock, and stops it there as Ctrl-C does. */
static char *stop_at_a_lock(Place *place, const char *line, int *ret_status) {
    g_auto(GStrv) words = call_words(place, "scientist", line);
    GPid process;
    int output;
    ck_assert(g_spawn_async_with_pipes(NULL, words, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                       &process, NULL, &output, NULL, NULL));
    for (int look = 0; look < 300; look++) {
        g_autofree char *waits =
            cluster_answer(place->admin, "select count(*) from pg_locks where not granted");
        if (g_str_equal(waits, "1"))
            break;
        g_usleep(50000);
    }
    kill(process, SIGINT);
    return wait_for_end(process, output, ret_status);
}

START_TEST(rescoring_that_is_stopped_can_be_gone_on_with) {
    g_auto(Place) place = place_with_frames();
    g_free(call(&place, "scientist", "models add bright --score mean", 0));
    g_free(call(&place, "scientist", "rescore bright", 0));
    g_autofree char *before = cluster_answer(place.admin, "select clock_timestamp()::text");
    ck_assert(
        postgres_run(place.admin,
                     "begin; select from scopestream_data.priority p join scopestream_data.frame "
                     "f using (frame_id) where f.site = 12 for update of p",
                     NULL));
    int status;
    g_autofree char *said = stop_at_a_lock(&place, "rescore bright --at-once 5", &status);
    ck_assert(postgres_run(place.admin, "rollback", NULL));
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %d", status);
    expect_words("rescore", said, "stopped; 10 frames have their new scores. To go on: ");
    g_autofree char *advice = g_strchomp(g_strdup(strstr(said, " rescore ") + 1));
    expect(&place, advice, "10 frames have their score");
    g_autofree char *sql = g_strdup_printf("select count(*) from scopestream.priorities "
                                           "where model = 'bright' and scored_at > '%s'",
                                           before);
    cluster_expect(place.admin, sql, "20");
}
END_TEST

START_TEST(two_models_are_compared_and_nothing_is_stored) {
    g_auto(Place) place = place_with_frames();
    g_free(call(&place, "scientist", "models add bright --score mean", 0));
    g_autofree char *before = cluster_answer(place.admin, "select count(*) from "
                                                          "scopestream_data.priority");
    expect(&place, "what-if bright 'case when mean < 0.1 then 1 else mean end' --plate P1",
           "10 of 20 frames, 50.0 %, would change their tier");
    expect(&place, "what-if bright 'case when mean < 0.1 then 1 else mean end' --plate P1 --most 1",
           "those that would change most:");
    expect(&place, "what-if bright bright --plate P1", "0 of 20 frames");
    expect(&place, "what-if bright focus --plate P9", "no frames to compare");
    g_autoptr(JsonNode) root =
        call_json(&place, "what-if bright '1 - mean' --plate P1 --most 3 --format json");
    JsonObject *answer = json_node_get_object(root);
    ck_assert_uint_eq(json_array_get_length(json_read_member_array(answer, "tiers")), 16);
    ck_assert_uint_eq(json_array_get_length(json_read_member_array(answer, "frames")), 3);
    expect_refusal(&place, "scientist", "what-if bright 'nonsense('", "'nonsense'");
    expect_refusal(&place, "scientist", "what-if bright", "expected two models");
    cluster_expect(place.admin, "select count(*) from scopestream_data.priority", before);
}
END_TEST

/* --- layouts --- */

/* Writes text to a file of its own and returns its name; g_free it. */
static char *write_file(const char *text) {
    g_autoptr(GError) error = NULL;
    char *name = NULL;
    int file = g_file_open_tmp("layout-XXXXXX.csv", &name, &error);
    ck_assert_msg(file >= 0, "%s", error != NULL ? error->message : "");
    close(file);
    ck_assert(g_file_set_contents(name, text, -1, NULL));
    return name;
}

START_TEST(a_layout_is_loaded_shown_and_dropped) {
    g_auto(Place) place = place_with_frames();
    g_autofree char *file = write_file("well,role,treatment,concentration,unit\n"
                                       "A1,negative,DMSO,0.1,%\nB2,positive,drug,10,uM\n");
    g_autofree char *load = g_strdup_printf("layout load %s --plate P1 --format 96", file);
    expect(&place, load, "the layout of plate P1 is loaded");
    expect(&place, "layout show --plate P1", "\n A  -\n B     +\n C\n");
    expect(&place, "layout show --plate P1", "drug");
    expect(&place, "layout load --plate '*' --format 1536", "32 x 48");
    expect(&place, "layout show --plate P2", "no layout of its own");
    expect(&place, "layout show", "8 x 12");
    g_autoptr(JsonNode) wells = call_json(&place, "layout show --plate P1 --format json");
    ck_assert_uint_eq(json_array_get_length(json_node_get_array(wells)), 2);
    expect(&place, "layout drop --plate P1", "the layout of plate P1 is dropped");
    expect_refusal(&place, "scientist", "layout drop --plate P1", "no layout of its own");
    g_unlink(file);
}
END_TEST

START_TEST(a_layout_with_a_wrong_line_changes_nothing) {
    g_auto(Place) place = place_with_frames();
    g_autofree char *file = write_file("well,role\nA1,blank\nI1,blank\nA2,cells\n");
    g_autofree char *load = g_strdup_printf("layout load %s --plate P1 --format 96", file);
    g_free(call(&place, "scientist", "layout load --plate P1 --format 6", 0));
    expect_refusal(&place, "scientist", load, "line 3: well 'I1'");
    expect_refusal(&place, "scientist", load, "line 4: role 'cells'");
    cluster_expect(place.admin, "select count(*) from scopestream.layouts where plate = 'P1'", "6");
    expect_refusal(&place, "scientist", "layout load --plate P1", "--format");
    expect_refusal(&place, "scientist", "layout load --plate P1 --format 100", "--format 100");
    expect_refusal(&place, "scientist", "layout load /nowhere.csv --plate P1", "/nowhere.csv");
    expect_refusal(&place, "scientist", "layout load /dev/zero --plate P1", "at most 4 MiB");
    g_unlink(file);
}
END_TEST

/* --- whoever calls --- */

START_TEST(who_may_not_is_told_the_role_and_the_grant) {
    g_auto(Place) place = place_with_frames();
    g_free(call(&place, "reader", "rules list", 0));
    g_free(call(&place, "reader", "models list", 0));
    g_free(call(&place, "reader", "alerts list", 0));
    g_free(call(&place, "reader", "layout show", 0));
    static const char *const changes[] = {"rules add a --expression mean --bound 1",
                                          "models add a --score mean",
                                          "alerts close 1",
                                          "layout load --plate P --format 96",
                                          "layout drop --plate P",
                                          "what-if mean focus"};
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++)
        expect_refusal(&place, "reader", changes[i],
                       "role reader may not do this; its owner lets it by: grant "
                       "scopestream_scientist to reader");
    expect_refusal(&place, "stranger", "rules list", "scopestream_reader");
}
END_TEST

START_TEST(what_a_verb_does_not_take_is_wrong_use) {
    g_auto(Place) place = place_with_frames();
    expect_refusal(&place, "reader", "rules", "say what to do: list, show NAME");
    expect_refusal(&place, "reader", "rules lits", "rules lits: expected one of list");
    expect_refusal(&place, "reader", "rules list --bound 3", "rules list does not take --bound");
    expect_refusal(&place, "reader", "rules show", "expected NAME");
    expect_refusal(&place, "reader", "alerts list 3", "takes no argument '3'");
    expect_refusal(&place, "reader", "models list --format csv", "--format csv: expected table");
}
END_TEST

SUITE_WITH("commands", cluster_start, cluster_stop, a_rule_is_written_changed_switched_and_dropped,
           a_rule_that_cannot_be_is_refused_with_the_reason, a_rule_tells_what_it_would_have_found,
           an_alert_is_listed_acknowledged_and_closed_with_a_note, a_name_may_have_any_letters,
           a_model_written_again_is_its_next_version, stored_frames_are_scored_by_a_model,
           rescoring_that_is_stopped_can_be_gone_on_with,
           two_models_are_compared_and_nothing_is_stored, a_layout_is_loaded_shown_and_dropped,
           a_layout_with_a_wrong_line_changes_nothing, who_may_not_is_told_the_role_and_the_grant,
           what_a_verb_does_not_take_is_wrong_use)
