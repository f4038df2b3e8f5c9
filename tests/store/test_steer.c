/* What storing rows leads to, in the same transaction; and that it costs no row. */
#include "tests/store/place.h"
#include "tests/suite.h"
#include <sys/wait.h>

#define CATALOGUE                                                                                  \
    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":[{\"name\":\"x\"}]}"

static void run(Postgres *postgres, const char *statements) {
    g_autoptr(GError) error = NULL;
    bool ran = postgres_run(postgres, statements, &error);
    ck_assert_msg(ran, "%s: %s", statements, error != NULL ? error->message : "");
}

/* With one rule and one model of its own. */
static Place place_with_rule(void) {
    Place place = place_make();
    ck_assert_int_eq(store_one(&place, g_strdup(CATALOGUE)), DOCUMENT_STORED);
    run(place.admin, "delete from scopestream_data.rule; "
                     "insert into scopestream.policies (name, tiers, bounds) "
                     "values ('ours', '{low,high}', '{0.5}'); "
                     "insert into scopestream.models (name, score, policy) "
                     "values ('ours', 'x / 10', 'ours'); "
                     "insert into scopestream.rules (name, expression, bound) "
                     "values ('much', 'x', 5)");
    return place;
}

static void store(Place *place, int n, const char *status, const char *values) {
    ck_assert_int_eq(store_one(place, documents_result(n, status, values)), DOCUMENT_STORED);
}

/* Frames of the sites from first to last, in one batch; x of the bad one is 666, of all others 6.
 * Another definition is another pipeline, and another folder of files. */
static void store_by(Postgres *postgres, const char *definition, int first, int last, int bad) {
    g_autoptr(Batch) batch = batch_new();
    for (int n = first; n <= last; n++) {
        g_autoptr(Frame) frame = documents_frame(n);
        g_autofree char *path = g_strdup_printf("%s/%d.tif", definition, n);
        frame_set_text(&frame->path, path);
        frame_identify(frame);
        g_autofree char *text =
            documents_result_of(frame, "ok", n == bad ? "{\"x\": 666}" : "{\"x\": 6}");
        add(batch, documents_replace(text, "0123456789abcdef", definition));
    }
    expect_stored(batch, postgres);
}

static void store_many(Place *place, int first, int last, int bad) {
    store_by(place->store, "0123456789abcdef", first, last, bad);
}

#define STEERED                                                                                    \
    "select format('%s rows, %s scored, %s found', "                                               \
    "(select count(*) from scopestream.features), "                                                \
    "(select count(*) from scopestream_data.priority p join scopestream_data.model m "             \
    "using (model_id) where m.name = 'ours'), "                                                    \
    "(select count(*) from scopestream.findings))"
#define PUT_OFF                                                                                    \
    "select string_agg(format('%s after %s%s', frames, attempts, case when next_at is null then "  \
    "': given up' end), ', ' order by since) from scopestream.unsteered"

/* Whatever goes wrong: here one of steering's functions is not there. */
#define BREAK "alter function scopestream_data.apply_rules rename to mislaid_rules"
#define MEND  "alter function scopestream_data.mislaid_rules rename to apply_rules"

START_TEST(a_new_row_is_steered_and_a_repeated_one_is_not) {
    g_auto(Place) place = place_with_rule();
    for (int again = 0; again < 3; again++)
        store(&place, 1, "ok", "{\"x\": 6}");
    store(&place, 1, "ok", "{\"x\": 7}"); /* the first ok stands */
    cluster_expect(place.admin, STEERED, "1 rows, 1 scored, 1 found");
    cluster_expect(place.admin,
                   "select format('%s %s', value, (select p.score from scopestream_data.priority p "
                   "join scopestream_data.model m using (model_id) where m.name = 'ours')) "
                   "from scopestream.findings",
                   "6 0.6");
}
END_TEST

START_TEST(a_frame_is_steered_once_it_has_numbers) {
    g_auto(Place) place = place_with_rule();
    store(&place, 1, "vanished", "{}");
    store(&place, 1, "broken", "{}");
    run(place.admin, BREAK); /* steering anything would fail */
    store(&place, 2, "poison", "{}");
    cluster_expect(place.admin, PUT_OFF, "");
    run(place.admin, MEND);
    cluster_expect(place.admin, STEERED, "0 rows, 0 scored, 0 found");
    store(&place, 1, "ok", "{\"x\": 6}"); /* replaces what was broken */
    store(&place, 1, "broken", "{}");
    cluster_expect(place.admin, STEERED, "1 rows, 1 scored, 1 found");
}
END_TEST

START_TEST(a_batch_of_all_kinds_is_steered_by_its_new_rows) {
    g_auto(Place) place = place_with_rule();
    store(&place, 2, "ok", "{\"x\": 6}");
    g_autoptr(Batch) batch = batch_new();
    add(batch, documents_result(1, "ok", "{\"x\": 6}"));
    add(batch, documents_result(1, "ok", "{\"x\": 6}"));
    add(batch, documents_result(2, "ok", "{\"x\": 6}"));
    add(batch, documents_result(3, "poison", "{}"));
    add(batch, documents_result(4, "ok", "{\"x\": [1, 2]}")); /* no number: kept elsewhere */
    add(batch, g_strdup("{\"kind\":\"event\",\"at\":\"2026-03-01T00:00:00Z\",\"source\":\"scope\","
                        "\"level\":\"warning\",\"event\":\"unfinished\",\"detail\":\"d\"}"));
    add(batch, g_strdup(CATALOGUE));
    expect_stored(batch, place.store);
    cluster_expect(place.admin, STEERED, "3 rows, 3 scored, 2 found");
    cluster_expect(place.admin, PUT_OFF, "");
}
END_TEST

static void retry(Place *place, int times) {
    for (int n = 0; n < times; n++)
        run(place->admin, "update scopestream_data.unsteered set next_at = clock_timestamp() "
                          "where next_at is not null; "
                          "select scopestream_data.steer_again('10 s')");
}

/* The tenth of thirty frames is out of the ordinary, which nobody can know until there are 24. */
START_TEST(the_first_frames_of_a_first_plate_are_judged_when_there_is_something_to_compare_with) {
    g_auto(Place) place = place_with_rule();
    run(place.admin,
        "insert into scopestream.rules (name, expression, bound) values ('odd', 'z(x)', 5); "
        "insert into scopestream.models (name, score) values ('oddness', 'z(x) / 100')");
    for (int n = 1; n <= 30; n++) {
        g_autofree char *values = g_strdup_printf("{\"x\": %g}", n == 10 ? 8 : 1 + n % 5 * 0.1);
        store(&place, n, "ok", values);
        if (n == 23)
            cluster_expect(place.admin, "select string_agg(rule, ' ') from scopestream.findings",
                           "much");
    }
    cluster_expect(
        place.admin,
        "select string_agg(rule || ' ' || site, ', ' order by rule) from scopestream.findings",
        "much 10, odd 10");
    cluster_expect(
        place.admin,
        "select count(*) || ' ' || count(*) filter (where known) from scopestream_data.priority p "
        "join scopestream_data.model m using (model_id) where m.name = 'oddness'",
        "30 30");
    cluster_expect(place.admin, "select count(*) from scopestream_data.baseline_begun", "0");
}
END_TEST

START_TEST(an_error_in_steering_loses_no_row_and_is_told_once) {
    g_auto(Place) place = place_with_rule();
    run(place.admin, BREAK);
    store_many(&place, 1, 3, -1);
    store_many(&place, 4, 5, -1);
    cluster_expect(place.admin, STEERED, "5 rows, 0 scored, 0 found"); /* all of it or nothing */
    cluster_expect(place.admin, PUT_OFF, "3 after 1, 2 after 1");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', level, event, detail ~ 'apply_rules'), "
                   "', ') from scopestream.events",
                   "error steering-failed t");
    run(place.admin, MEND);
    store_many(&place, 6, 6, -1); /* those before are not due yet */
    cluster_expect(place.admin, STEERED, "6 rows, 1 scored, 1 found");
    run(place.admin, "update scopestream_data.unsteered set next_at = clock_timestamp() "
                     "where cardinality(keys) = 3");
    store_many(&place, 7, 7, -1); /* takes them along */
    cluster_expect(place.admin, STEERED, "7 rows, 5 scored, 5 found");
    run(place.admin, "update scopestream_data.unsteered set next_at = clock_timestamp(); "
                     "select scopestream_data.watch_time()"); /* as when the stream pauses */
    cluster_expect(place.admin, STEERED, "7 rows, 7 scored, 7 found");
    cluster_expect(place.admin, PUT_OFF, "");
}
END_TEST

START_TEST(the_one_row_that_cannot_be_steered_is_found_and_given_up) {
    g_auto(Place) place = place_with_rule();
    run(place.admin, "alter table scopestream_data.finding add constraint odd "
                     "check (value <> 666)");
    store_many(&place, 0, 39, 23);
    cluster_expect(place.admin, STEERED, "40 rows, 0 scored, 0 found");
    retry(&place, 1);
    cluster_expect(place.admin, PUT_OFF, "40 after 2");
    retry(&place, 1);
    cluster_expect(place.admin, STEERED, "40 rows, 39 scored, 39 found");
    cluster_expect(place.admin, PUT_OFF, "1 after 3");
    retry(&place, 5);
    cluster_expect(place.admin, PUT_OFF, "1 after 8");
    retry(&place, 3);
    cluster_expect(place.admin, PUT_OFF, "1 after 9: given up");
    cluster_expect(place.admin, "select count(*) from scopestream.events", "1");
}
END_TEST

START_TEST(somebodys_open_transaction_holds_up_no_row) {
    g_auto(Place) place = place_with_rule();
    store(&place, 1, "ok", "{\"x\": 6}");
    g_autofree char *database = cluster_answer(place.admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    Postgres *slow = cluster_connect(address);
    run(slow, "begin; select scopestream.acknowledge_alert(1)");
    gint64 before_us = g_get_monotonic_time();
    store(&place, 2, "ok", "{\"x\": 7}");
    ck_assert_int_lt(g_get_monotonic_time() - before_us, 5 * G_USEC_PER_SEC);
    cluster_expect(place.admin, STEERED, "2 rows, 1 scored, 1 found");
    retry(&place, 10); /* to wait in vain is no failure of the row's */
    cluster_expect(place.admin, PUT_OFF, "1 after 1");
    run(slow, "commit");
    postgres_free(slow);
    retry(&place, 1);
    cluster_expect(place.admin, STEERED, "2 rows, 2 scored, 2 found");
}
END_TEST

START_TEST(steering_can_be_switched_off_and_on) {
    g_auto(Place) place = place_with_rule();
    run(place.admin, "select scopestream.switch_steering(false)");
    store_many(&place, 1, 3, -1);
    cluster_expect(place.admin, STEERED, "3 rows, 0 scored, 0 found");
    cluster_expect(place.admin, PUT_OFF, "");
    run(place.admin, "select scopestream.switch_steering(true)");
    store_many(&place, 1, 4, -1);
    cluster_expect(place.admin, STEERED, "4 rows, 1 scored, 1 found");
}
END_TEST

START_TEST(what_was_rolled_back_leads_to_nothing) {
    g_auto(Place) place = place_with_rule();
    g_autofree char *text = documents_result(1, "ok", "{\"x\": 6}");
    const char *parameters[] = {text};
    GError *error = NULL;
    run(place.store, "begin");
    PQclear(postgres_ask(place.store,
                         "select scopestream_data.store_documents(jsonb_build_array($1::jsonb), 1)",
                         parameters, 1, &error));
    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    run(place.store, "rollback");
    cluster_expect(place.admin, STEERED, "0 rows, 0 scored, 0 found");
    cluster_expect(place.admin, "select count(*) from scopestream_data.message", "0");
}
END_TEST

static void wait_until(Place *place, const char *condition) {
    for (int tries = 0; tries < 1000; tries++) {
        g_autofree char *answer = cluster_answer(place->admin, condition);
        if (g_str_equal(answer, "t"))
            return;
        g_usleep(10000);
    }
    ck_abort_msg("never came true: %s", condition);
}

/* The second has frames and a pipeline of its own, so that nothing but steering makes it wait; it
 * must not open the alert the first one is just opening. */
START_TEST(two_stores_at_once_make_one_alert) {
    g_auto(Place) place = place_with_rule();
    run(place.admin, "insert into scopestream_data.pipeline (name, version, definition) "
                     "values ('quality', 2, 'one'), ('quality', 3, 'two')");
    store(&place, 100, "ok", "{\"x\": 1}");
    g_autofree char *database = cluster_answer(place.admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autofree char *as_store = cluster_as(address, "storing");
    run(place.store, "begin");
    store_by(place.store, "one", 1, 3, -1);
    fflush(NULL);
    GPid second = fork();
    if (second == 0) {
        Postgres *store = cluster_connect(as_store);
        store_by(store, "two", 1, 4, -1);
        _exit(0);
    }
    wait_until(&place, "select exists (select from pg_stat_activity where usename = 'storing' "
                       "and datname = current_database() and wait_event_type = 'Lock')");
    run(place.store, "commit");
    int status = -1;
    waitpid(second, &status, 0);
    ck_assert_int_eq(status, 0);
    retry(&place, 1); /* had it waited for longer than a second */
    cluster_expect(place.admin, STEERED, "8 rows, 8 scored, 7 found");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', state, findings), ', ' order by alert_id) "
                   "from scopestream.alerts",
                   "open 7");
}
END_TEST

SUITE_WITH("steer", cluster_start, cluster_stop, a_new_row_is_steered_and_a_repeated_one_is_not,
           a_frame_is_steered_once_it_has_numbers, a_batch_of_all_kinds_is_steered_by_its_new_rows,
           the_first_frames_of_a_first_plate_are_judged_when_there_is_something_to_compare_with,
           an_error_in_steering_loses_no_row_and_is_told_once,
           the_one_row_that_cannot_be_steered_is_found_and_given_up,
           somebodys_open_transaction_holds_up_no_row, steering_can_be_switched_off_and_on,
           what_was_rolled_back_leads_to_nothing, two_stores_at_once_make_one_alert)
