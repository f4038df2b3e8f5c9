/* What is told outside: messages for NATS, posts for webhooks. */
#include "tests/store/scene.h"
#include "tests/suite.h"

#define RULES                                                                                      \
    "select scopestream_data.announce_measures('{\"measures\":[{\"name\":\"focus\"}]}');"          \
    "insert into scopestream_data.rule (name, expression, bound, action, enabled) values "         \
    "('blurred', 'focus', 3, 'image_again', false);"                                               \
    "delete from scopestream_data.model"

static Place place_with_scene(void) {
    return scene_make(RULES);
}

/* The same database once more, as the role the store has. postgres_free it. */
static Postgres *another_store(Place *place) {
    g_autofree char *name = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(name);
    g_autofree char *as_store = cluster_as(address, "storing");
    return cluster_connect(as_store);
}

static const char say[] =
    "insert into scopestream_data.message (kind, source, body) select 'alert', 'scope', "
    "jsonb_build_object('n', n) from generate_series(1, 5) n";

static const char take[] = "select string_agg(body ->> 'n', ' ' order by message_id) from "
                           "scopestream_data.take_messages(%d)";

static void expect_taken(Postgres *postgres, int most, const char *expected) {
    g_autofree char *sql = g_strdup_printf(take, most);
    cluster_expect(postgres, sql, expected);
}

START_TEST(a_message_is_there_when_the_transaction_it_tells_of_is) {
    g_auto(Place) place = place_with_scene();
    static const char count[] = "select count(*) from scopestream_data.take_messages()";
    scene_run(place.admin, "begin; select scene.frame('P1', 'A01', 1, 'DAPI', '{blurred}')");
    cluster_expect(place.store, count, "0");
    scene_run(place.admin, "rollback");
    cluster_expect(place.store, count, "0");
    scene_run(place.admin, "select scene.frame('P1', 'A01', 1, 'DAPI', '{blurred}')");
    cluster_expect(place.store, count, "1");
}
END_TEST

START_TEST(two_stores_never_hold_the_same_message) {
    g_auto(Place) place = place_with_scene();
    g_autoptr(Postgres) other = another_store(&place);
    scene_run(place.admin, say);
    scene_run(place.store, "begin");
    expect_taken(place.store, 2, "1 2");
    scene_run(other, "begin");
    expect_taken(other, 9, "3 4 5");
    scene_run(other, "select scopestream_data.drop_messages(array(select message_id from "
                     "scopestream_data.take_messages())); commit");
    scene_run(place.store, "rollback"); /* it died before it told */
    expect_taken(other, 9, "1 2");
}
END_TEST

START_TEST(a_decision_tells_every_field_the_page_says) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scene.frame('P1', 'A01', 1, 'DAPI', '{blurred}'), "
                           "scopestream.decide('scope', null, null, null, 'skip', 'a fire')");
    cluster_expect(
        place.admin,
        "select string_agg((select string_agg(key, ' ' order by key) from "
        "jsonb_object_keys(body) key), '; ' order by message_id) from scopestream_data.message",
        "action attempt channels decided_at decided_by decision_id expires_at frame_id kind plate "
        "reason rule site source state well; "
        "action attempt decided_at decided_by decision_id expires_at kind reason source state");
    cluster_expect(place.admin,
                   "select string_agg(body ->> key, ' ' order by key) from "
                   "scopestream_data.message, unnest('{kind,source,plate,well,site,channels,"
                   "action,attempt,rule,state,decided_by,decided_at,expires_at}'::text[]) key "
                   "where message_id = 1",
                   "image_again 1 [\"DAPI\"] 2026-03-02T12:00:00.000000Z rule "
                   "2026-03-02T13:00:00.000000Z decision P1 blurred 1 scope open A01");
}
END_TEST

#define MODEL                                                                                      \
    "insert into scopestream_data.policy (name, tiers, bounds) values ('halves', '{low,high}', "   \
    "'{0.5}') on conflict do nothing;"                                                             \
    "insert into scopestream_data.model (name, score, policy, is_default) values ('sharp', "       \
    "'focus', 'halves', true);"                                                                    \
    "insert into scopestream_data.model (name, score, policy) values ('dull', 'focus', 'halves');" \
    "create function scene.scored(keys scopestream_data.row_key[]) returns void language sql as "  \
    "$$ insert into scopestream_data.priority (frame_id, acquired_at, pipeline_id, model_id, "     \
    "score, tier, known) select frame_id, acquired_at, pipeline_id, model_id, 0.75, 'high', true " \
    "from unnest(keys), scopestream_data.model where name in ('sharp', 'dull');"                   \
    "select scopestream_data.tell_priorities(keys) $$"

START_TEST(priorities_are_one_message_a_batch_and_source) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, MODEL);
    scene_run(place.admin,
              "select scene.scored(array[scene.store('P1', 'A01', 1, 'DAPI', z => 3), "
              "scene.store('P1', 'A02', 1, 'GFP', at => scene.now() - interval '1 s'), "
              "scene.store(null, null, null, null, source => 'other')])");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s %s %s: %s', kind, source, body ->> 'model', "
        "body ->> 'version', (select string_agg(concat_ws(' ', f ->> 'plate', f ->> 'well', "
        "f ->> 'site', f ->> 'channel', f ->> 'z', f ->> 'score', f ->> 'tier', f ->> 'model', "
        "f ->> 'known'), ', ') from jsonb_array_elements(body -> 'frames') f)), '; ' order by "
        "source) from scopestream_data.message",
        "priority other sharp 1: 0.75 high sharp true; priority scope sharp 1: "
        "P1 A02 1 GFP 0.75 high sharp true, P1 A01 1 DAPI 3 0.75 high sharp true");
    cluster_expect(place.admin,
                   "select string_agg(key, ' ' order by key) from scopestream_data.message, "
                   "jsonb_object_keys(body #> '{frames,1}') key",
                   "acquired_at channel frame_id known model path plate score site tier version "
                   "well z");
}
END_TEST

START_TEST(a_large_batch_is_told_in_several_messages) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, MODEL);
    scene_run(place.admin, "select scene.scored(array(select scene.store('P1', 'A01', n, 'DAPI') "
                           "from generate_series(1, 1200) n))");
    cluster_expect(place.admin,
                   "select string_agg(jsonb_array_length(body -> 'frames')::text, ' ' order by "
                   "message_id) || ' ' || bool_and(length(body::text) < 900000) "
                   "from scopestream_data.message",
                   "1000 200 true");
}
END_TEST

START_TEST(without_a_default_model_there_are_no_priorities_to_tell) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "select scopestream_data.tell_priorities(array["
                           "scene.store('P1', 'A01', 1, 'DAPI')])");
    cluster_expect(place.admin, "select count(*) from scopestream_data.message", "0");
}
END_TEST

START_TEST(each_webhook_gets_what_it_wants) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.store,
              "select scopestream_data.register_webhooks('[{\"name\": \"chat\"}, "
              "{\"name\": \"pager\", \"least_severity\": \"critical\"}, {\"name\": \"robot\", "
              "\"kinds\": [\"decision\", \"alert\"], \"least_severity\": \"info\"}]')");
    scene_run(place.admin,
              "insert into scopestream_data.message (kind, source, body) select 'alert', 'scope', "
              "jsonb_build_object('kind', 'alert', 'title', s, 'severity', s) from "
              "unnest('{info,warning,critical}'::text[]) s;"
              "insert into scopestream_data.message (kind, source, body) values "
              "('decision', 'scope', '{\"kind\": \"decision\", \"reason\": \"dust\"}'), "
              "('priority', 'scope', '{}')");
    cluster_expect(place.admin,
                   "select string_agg(webhook || ' ' || about, ', ' order by webhook, post_id) "
                   "from scopestream.webhook_posts",
                   "chat warning, chat critical, pager critical, robot info, robot warning, "
                   "robot critical, robot dust");
    scene_run(place.store, "select scopestream_data.register_webhooks('[{\"name\": \"pager\"}]')");
    cluster_expect(place.admin,
                   "select string_agg(webhook || ' ' || least_severity, ', ') from "
                   "scopestream.webhook_posts join scopestream_data.webhook on name = webhook",
                   "pager warning");
}
END_TEST

/* One webhook with one post, written when the test's clock began. */
static void make_post(Place *place) {
    scene_run(place->admin,
              "select scopestream_data.register_webhooks('[{\"name\": \"chat\"}]');"
              "insert into scopestream_data.message (kind, source, body) values ('alert', 'scope', "
              "'{\"severity\": \"critical\"}');"
              "update scopestream_data.webhook_post set written_at = scene.now(), "
              "next_at = scene.now()");
}

START_TEST(a_post_that_fails_is_tried_less_and_less_often_for_a_day) {
    g_auto(Place) place = place_with_scene();
    make_post(&place);
    scene_run(place.admin,
              "create function scene.fail() returns text language plpgsql as $$ "
              "declare waits text := ''; before timestamptz; begin loop "
              "select next_at into before from scopestream_data.webhook_post; "
              "perform from scopestream_data.take_posts(now => before); if not found then "
              "return waits; end if;"
              "perform scopestream_data.post_failed(1, 'HTTP 503', before);"
              "waits := waits || ' ' || extract(epoch from (select next_at - before from "
              "scopestream_data.webhook_post))::integer; end loop; end $$");
    cluster_expect(place.admin, "select scene.fail()",
                   " 1 2 4 8 16 32 64 128 256 512 1024 2048 3600 3600 3600 3600 3600 3600 3600 "
                   "3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 3600 "
                   "3600 3600");
    cluster_expect(place.admin,
                   "select concat_ws(' ', webhook, attempts, last_error, next_at, given_up) "
                   "from scopestream.webhook_posts",
                   "chat 36 HTTP 503 t");
    scene_run(place.admin, "select scopestream_data.watch_time(scene.now() + interval '31 days')");
    cluster_expect(place.admin, "select count(*) from scopestream.webhook_posts", "0");
}
END_TEST

START_TEST(a_post_that_was_taken_is_due_again_when_its_sender_died) {
    g_auto(Place) place = place_with_scene();
    make_post(&place);
    static const char taken[] = "select count(*) from scopestream_data.take_posts(now => "
                                "timestamptz '2026-03-02 12:00:00+00' + interval '%d s')";
    static const int times[][2] = {{0, 1}, {0, 0}, {59, 0}, {60, 1}, {119, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *sql = g_strdup_printf(taken, times[i][0]);
        g_autofree char *expected = g_strdup_printf("%d", times[i][1]);
        cluster_expect(place.store, sql, expected);
    }
    scene_run(place.store, "select scopestream_data.post_done(1)");
    cluster_expect(place.admin, "select count(*) from scopestream.webhook_posts", "0");
}
END_TEST

START_TEST(an_alert_that_ends_by_itself_is_told_too) {
    g_auto(Place) place = place_with_scene();
    scene_run(place.admin, "insert into scopestream_data.rule (name, kind) values "
                           "('missing', 'missing');"
                           "select scene.image('P1', scene.wells(1, 6), but => '{A02 1 DAPI}');"
                           "select scene.wait(20), scene.frame('P1', 'A02', 1, 'DAPI'), "
                           "scene.wait(1)");
    cluster_expect(place.admin,
                   "select string_agg(concat_ws(' ', body ->> 'kind', body ->> 'change', "
                   "body ->> 'state', body ->> 'plate', body ->> 'closed_by'), '; ' "
                   "order by message_id) from scopestream_data.message",
                   "alert opened open P1; alert closed closed P1 rule");
}
END_TEST

START_TEST(the_store_may_tell_and_nobody_else) {
    g_auto(Place) place = place_with_scene();
    static const char *const calls[] = {"select scopestream_data.watch_time()",
                                        "select scopestream_data.take_messages()",
                                        "select scopestream_data.drop_messages(null)",
                                        "select scopestream_data.take_posts()",
                                        "select scopestream_data.post_done(1)",
                                        "select scopestream_data.post_failed(1, 'x')",
                                        "select scopestream_data.open_decisions()"};
    static const char *const inner[] = {
        "select scopestream_data.decide('{}')", "select scopestream_data.tell_priorities('{}')",
        "select scopestream_data.judge_round(1, now())",
        "insert into scopestream_data.message (kind, source, body) values ('alert', 'x', '{}')"};
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        scene_run(place.store, calls[i]);
    for (guint i = 0; i < G_N_ELEMENTS(inner); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert(!postgres_run(place.store, inner[i], &error));
        ck_assert_msg(strstr(error->message, "permission denied") != NULL, "%s", error->message);
    }
    scene_run(place.admin, "set role scopestream_reader");
    for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
        ck_assert(!postgres_run(place.admin, calls[i], NULL));
}
END_TEST

SUITE_WITH("messages", cluster_start, cluster_stop,
           a_message_is_there_when_the_transaction_it_tells_of_is,
           two_stores_never_hold_the_same_message, a_decision_tells_every_field_the_page_says,
           priorities_are_one_message_a_batch_and_source, a_large_batch_is_told_in_several_messages,
           without_a_default_model_there_are_no_priorities_to_tell, each_webhook_gets_what_it_wants,
           a_post_that_fails_is_tried_less_and_less_often_for_a_day,
           a_post_that_was_taken_is_due_again_when_its_sender_died,
           an_alert_that_ends_by_itself_is_told_too, the_store_may_tell_and_nobody_else)
