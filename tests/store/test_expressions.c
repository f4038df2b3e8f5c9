/* Expressions: what they are worth, what is refused and in which words, and that nothing else gets
 * through. */
#include "tests/store/place.h"
#include "tests/suite.h"

#define CATALOGUE                                                                                  \
    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["                   \
    "{\"name\":\"mean\"},{\"name\":\"plls\"},{\"name\":\"focus\"},{\"name\":\"order\"},"           \
    "{\"name\":\"log\"},{\"name\":\"tile_mean\",\"kind\":\"array\",\"length\":4},"                 \
    "{\"name\":\"pixel_hash\",\"kind\":\"hash\"}]}"

#define ALL_KEYS                                                                                   \
    "array(select row(frame_id, acquired_at, pipeline_id)::scopestream_data.row_key "              \
    "from scopestream_data.result order by acquired_at)"

static Place place_with_catalogue(void) {
    Place place = place_make();
    ck_assert_int_eq(store_one(&place, g_strdup(CATALOGUE)), DOCUMENT_STORED);
    return place;
}

/* The n-th frame of site 1, one a second; what is usual takes it into account. */
static void store_frame(Place *place, int n, const char *values) {
    g_autoptr(Frame) frame = documents_frame(n);
    frame_set_text(&frame->naming, "some");
    frame->site = 1;
    frame->t = n;
    ck_assert_int_eq(store_one(place, documents_result_of(frame, "ok", values)), DOCUMENT_STORED);
}

static void track(Place *place) {
    g_free(cluster_answer(place->admin, "select scopestream_data.track_frames(" ALL_KEYS
                                        "), scopestream_data.refresh_baselines(100)"));
}

/* What an expression is worth for the newest frame. g_free it. */
static char *worth(Place *place, const char *expression) {
    g_autofree char *sql = g_strdup_printf(
        "select coalesce(trim_scale(round(e.\"values\"[1]::numeric, 9))::text, 'unknown') "
        "from scopestream_data.evaluate(scopestream_data.evaluation_sql(array[$e$%s$e$], "
        "array['plate']), (" ALL_KEYS ")[(select count(*) from scopestream_data.result):]) e",
        expression);
    return cluster_answer(place->admin, sql);
}

static void expect_worth(Place *place, const char *expression, const char *expected) {
    g_autofree char *value = worth(place, expression);
    ck_assert_msg(g_str_equal(value, expected), "%s is %s, expected %s", expression, value,
                  expected);
}

/* Compiles an expression and returns why it is refused, NULL if it is not. g_free it. */
static char *refusal(Place *place, const char *expression, const char *parts) {
    const char *parameters[] = {expression, parts};
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows =
        postgres_ask(place->admin, "select scopestream_data.compile_expression($1, $2::jsonb)",
                     parameters, 2, &error);
    if (rows != NULL)
        return NULL;
    ck_assert_msg(g_str_equal(postgres_sqlstate(place->admin), "22023"), "%s: %s", expression,
                  error->message);
    return g_strdup(error->message);
}

static void expect_refused(Place *place, const char *expression, const char *expected) {
    g_autofree char *reason = refusal(place, expression, "{}");
    ck_assert_msg(reason != NULL, "%s is not refused", expression);
    ck_assert_msg(strstr(reason, expected) != NULL, "%s: %s, expected %s", expression, reason,
                  expected);
}

START_TEST(arithmetic_is_what_it_is_at_school) {
    static const struct {
        const char *expression, *value;
    } sums[] = {{"1 + 2 * 3 - 4 / 5", "6.2"},
                {"(1 + 2) * 3", "9"},
                {"10 - 4 - 3", "3"},
                {"- -2 - -(3)", "5"},
                {"1--2", "3"},
                {"-mean*-2", "6"},
                {".5e1 + 5. + 1E2", "110"},
                {"MEAN + Plls", "1"},
                {"abs(-2) + sign(-9) + floor(1.7) + ceil(1.2) + round(2.5)", "6"},
                {"sqrt(16) + power(2, 10) + exp(0) + log(1000) + ln(exp(2))", "1034"},
                {"power(-2, 3) + power(0, 0) + power(4, -0.5)", "-6.5"},
                {"least(3, mean, plls) + greatest(1, 2, 3)", "1"},
                {"coalesce(focus, null, 7) + coalesce(nullif(3, 3), 2)", "9"},
                {"logistic(-3, 1, -3)", "0.5"},
                {"logistic(0, -4.5, -1.4)", "0.001832939"},
                {"logistic(1e300, 1e300, 0) + logistic(-1e300, 1e300, 0)", "1"},
                {"clamp(5, 0, 1) + clamp(-5, 0, 1) + clamp(0.25, 0, 1)", "1.25"},
                {"case when mean > 3 then 1 when mean >= 3 then 2 else 3 end", "2"},
                {"case when mean between 1 and 3 and not plls > 0 then 4 end", "4"},
                {"case when mean in (1, 2 + 1) then 5 else 6 end", "5"},
                {"mean not in (1, 2) and mean not between 4 and 5 or 1 = 2", "1"},
                {"true and not false", "1"},
                {"1 <> 1 or mean != mean", "0"},
                {"width / height + site + t", "3"},
                {"well_row + well_column", "2"},
                {"\"order\"", NULL},
                {"order + log + log(log)", "24"}};
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3, \"plls\": -2, \"order\": 13, \"log\": 10}");
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
        if (sums[i].value != NULL)
            expect_worth(&place, sums[i].expression, sums[i].value);
        else
            expect_refused(&place, sums[i].expression, "has no meaning here");
}
END_TEST

START_TEST(what_is_not_known_stays_unknown) {
    static const struct {
        const char *expression, *value;
    } sums[] = {{"focus", "unknown"},
                {"focus + 1", "unknown"},
                {"0 * focus", "unknown"},
                {"focus > 1", "unknown"},
                {"not focus > 1", "unknown"},
                {"focus > 1 or true", "1"},
                {"focus > 1 and false", "0"},
                {"focus is null", "1"},
                {"mean is not null", "1"},
                {"case when focus > 1 then 1 else 2 end", "2"},
                {"case when focus > 1 then 1 end", "unknown"},
                {"logistic(focus, 1, 0)", "unknown"},
                {"clamp(focus, 0, 1)", "unknown"},
                {"exp(focus)", "unknown"},
                {"log(focus)", "unknown"},
                {"sqrt(focus)", "unknown"},
                {"power(focus, 2)", "unknown"},
                {"least(focus, 3)", "3"},
                {"greatest(focus, null)", "unknown"},
                {"1 / 0", "unknown"},
                {"1 / (mean - 3)", "unknown"},
                {"log(0)", "unknown"},
                {"ln(-1)", "unknown"},
                {"sqrt(-1e-300)", "unknown"},
                {"power(-1, 0.5)", "unknown"},
                {"power(0, -1)", "unknown"},
                {"power(10, 400)", "unknown"},
                {"exp(710)", "unknown"},
                {"exp(-5000)", "0"},
                {"1e308 * 10", "unknown"},
                {"mean * 1e308", "unknown"},
                {"coalesce(1e200 * (mean * 1e200), 1)", "unknown"},
                {"z(mean)", "unknown"},
                {"n(mean)", "0"},
                {"before(mean)", "unknown"},
                {"tau(mean)", "unknown"},
                {"change", "unknown"},
                {"same_pixels", "unknown"},
                {"score", "unknown"}};
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3, \"focus\": null}");
    g_free(cluster_answer(place.admin, "delete from scopestream_data.priority"));
    for (size_t i = 0; i < G_N_ELEMENTS(sums); i++)
        expect_worth(&place, sums[i].expression, sums[i].value);
}
END_TEST

/* The second attempt, which looks for what failed, costs many times the first. */
START_TEST(a_sum_without_an_answer_needs_no_second_attempt) {
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3}");
    cluster_expect(place.admin,
                   "select \"values\" from scopestream_data.run_evaluation("
                   "scopestream_data.evaluation_sql(array['1 / (mean - 3)', 'log(mean - 3)', "
                   "'ln(-mean)', 'sqrt(-mean)', 'power(-mean, 0.5)', 'power(mean - 3, -1)', "
                   "'power(mean, 1e5)', 'exp(mean * 1000)', 'logistic(mean, 1e308, -1e308)'], "
                   "array_fill('plate'::text, array[9])), " ALL_KEYS ", '{}')",
                   "{NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1}");
}
END_TEST

START_TEST(what_is_wrong_is_refused_with_place_and_reason) {
    static const struct {
        const char *expression, *reason;
    } wrong[] = {
        {"", "an expression is empty"},
        {" \n\t ", "an expression is empty"},
        {"1 + maen", "unknown word 'maen' ('mean'?), at character 5"},
        {"lgo(mean)", "unknown word 'lgo' ('log'?), at character 1"},
        {"brightness_of_it_all", "unknown word 'brightness_of_it_all', at character 1"},
        {"tile_mean", "'tile_mean' is of kind array: only single numbers can be computed with"},
        {"z", "'z' is written z(e), at character 1"},
        {"mean(3)", "'mean' is a number and no function, at character 1"},
        {"site(3)", "'site' is written site, at character 1"},
        {"logistic(mean)", "logistic(x, k, x0) takes 3 numbers, not 1, at character 1"},
        {"abs(1, 2)", "abs(x) takes 1 number, not 2, at character 1"},
        {"least()", "least(x, y, ...) takes 1 to 100 numbers, not 0"},
        {"log(mean", "expected ')', found the end, at character 9"},
        {"log(mean,)", "expected a number, a measure or a function, found ')', at character 10"},
        {"mean +", "expected a number, a measure or a function, found the end"},
        {"mean plls", "expected an operator or the end, found 'plls', at character 6"},
        {"1.2.3", "expected an operator or the end, found '.3', at character 4"},
        {"1 < mean < 3", "before '<' stands a condition: expected a number"},
        {"1 + (mean > 3)", "after '+' stands a condition: expected a number"},
        {"mean and true", "before 'and' stands a number: expected a condition"},
        {"case when mean then 1 end", "after 'when' stands a number: expected a condition"},
        {"case mean when 1 then 2 end", "expected 'when', found 'mean', at character 6"},
        {"case when true then 1 then 2 end", "expected 'end', found 'then'"},
        {"case when true then 1 else 2 else 3 end", "expected 'end', found 'else'"},
        {"case when true then 1", "expected 'end', found the end"},
        {"mean is mean", "expected 'null', found 'mean'"},
        {"mean in ()", "expected a number, a measure or a function, found ')'"},
        {"mean between 1", "expected 'and', found the end"},
        {"mean ^ 2", "'^' has no meaning here: x to the power of y is power(x, y), at character 6"},
        {"m\xc3\xa9\xc3\xa9n",
         "character U+00E9 is none that expressions are written in, at character 2"},
        {"1e999", "1e999 is too large or too small a number, at character 1"},
        {"z(z(mean))", "z() takes measures and what is computed of them, not what looks beyond"},
        {"rank(before(mean))", "rank() takes measures and what is computed of them"},
        {"tau(score)", "tau() takes measures and what is computed of them, not something without"},
        {"median(t)", "median() takes measures and what is computed of them"},
        {"z(3)", "z() takes measures and what is computed of them, not something without"},
        {"z(mean > 3)", "in z() stands a condition: expected a number"}};
    g_auto(Place) place = place_with_catalogue();
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        expect_refused(&place, wrong[i].expression, wrong[i].reason);
}
END_TEST

START_TEST(a_word_waits_for_the_measure_it_needs) {
    g_auto(Place) place = place_make();
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"mean\"}]}"));
    expect_refused(&place, "change_z",
                   "'change_z' needs the measure tile_mean, which no worker has announced");
    expect_refused(&place, "same_pixels", "'same_pixels' needs the measure pixel_hash");
    store_one(&place, g_strdup(CATALOGUE));
    g_autofree char *reason = refusal(&place, "change_z + same_pixels", "{}");
    ck_assert_ptr_null(reason);
}
END_TEST

START_TEST(nothing_but_computing_gets_through) {
    static const char *const attacks[] = {"mean; drop table scopestream_data.model",
                                          "mean) from scopestream_data.result; --",
                                          "mean -- comment",
                                          "mean /* comment */ + 1",
                                          "mean /*/**/*/ + 1",
                                          "(select 1)",
                                          "(select count(*) from pg_class)",
                                          "exists(select 1)",
                                          "array(mean)",
                                          "mean::text",
                                          "mean::regclass",
                                          "cast(mean as text)",
                                          "'1'",
                                          "'pg_class'::regclass",
                                          "E'\\\\x41'",
                                          "U&'\\0041'",
                                          "$$1$$",
                                          "$1",
                                          "$e1$",
                                          ":mean",
                                          ":'mean'",
                                          "\"mean\"",
                                          "v.mean",
                                          "f.path",
                                          "b.medians[1]",
                                          "medians",
                                          "path",
                                          "plate",
                                          "frame_id",
                                          "status",
                                          "stored_at",
                                          "other_values",
                                          "pixel_hash",
                                          "pg_catalog.abs(1)",
                                          "scopestream_data.evaluate(1)",
                                          "mean.abs",
                                          "mean[1]",
                                          "{fn abs(1)}",
                                          "row(mean)",
                                          "current_user",
                                          "session_user",
                                          "now()",
                                          "current_setting(1)",
                                          "pg_sleep(10)",
                                          "pg_read_file(1)",
                                          "random()",
                                          "setval(1, 2)",
                                          "nextval(1)",
                                          "lo_import(1)",
                                          "version()",
                                          "generate_series(1, 1000000000)",
                                          "sum(mean)",
                                          "max(mean)",
                                          "count(*)",
                                          "abs(*)",
                                          "abs(distinct mean)",
                                          "abs(all mean)",
                                          "abs(variadic mean)",
                                          "abs(mean order by mean)",
                                          "sum(mean) over ()",
                                          "mean over ()",
                                          "mean collate c",
                                          "mean at time",
                                          "mean operator(pg_catalog.+) 1",
                                          "mean || plls",
                                          "mean @ 1",
                                          "@ mean",
                                          "!! 5",
                                          "|/ mean",
                                          "mean ~ plls",
                                          "mean like plls",
                                          "mean similar to plls",
                                          "mean % 2",
                                          "mean & 1",
                                          "mean is distinct from 1",
                                          "mean is of (text)",
                                          "mean isnull",
                                          "mean in (select 1)",
                                          "mean = any (1)",
                                          "interval 1",
                                          "date 1",
                                          "float8 1",
                                          "null::int",
                                          "default",
                                          "0x41",
                                          "1_000",
                                          "0b1",
                                          "nan",
                                          "infinity",
                                          "1e",
                                          "1..2",
                                          "mean\\g",
                                          "\\! id",
                                          "mean\x01",
                                          "mean\x7f",
                                          "m\xc3\xa9"
                                          "an",
                                          "\xd0\xbc"
                                          "ean",                  /* a Cyrillic letter */
                                          "mean\xe2\x80\x8b",     /* no width */
                                          "mean\xc2\xa0+ 1",      /* a space that does not break */
                                          "\xef\xbd\x8cog(mean)", /* as wide as Chinese */
                                          "mean \xe2\x88\x92 1",  /* a minus that is none */
                                          "\xef\xbc\x87", /* quotes that some turn into quotes */
                                          "\xca\xbc; drop table scopestream_data.model",
                                          "mean\xf0\x9f\x94\xac",
                                          "\xe2\x84\xaa"};
    g_auto(Place) place = place_with_catalogue();
    for (size_t i = 0; i < G_N_ELEMENTS(attacks); i++) {
        g_autofree char *reason = refusal(&place, attacks[i], "{}");
        ck_assert_msg(reason != NULL, "'%s' got through", attacks[i]);
        ck_assert_msg(strchr(reason, '\n') == NULL, "%s", reason);
    }
}
END_TEST

START_TEST(long_and_deep_texts_are_refused_at_once) {
    g_auto(Place) place = place_with_catalogue();
    cluster_expect(place.admin,
                   "select length((scopestream_data.compile_expression('mean' || repeat('+mean', "
                   "499))).sql) < 30000",
                   "t");
    g_autofree char *chain = cluster_answer(place.admin, "select '0' || repeat('+mean', 499)");
    store_frame(&place, 1, "{\"mean\": 2}");
    expect_worth(&place, chain, "998");
    static const char *const texts[] = {"'mean' || repeat('+mean', 500)",
                                        "repeat('(', 1999) || 'mean' || repeat(')', 1999)",
                                        "repeat('-', 3990) || 'mean'",
                                        "repeat('not ', 990) || 'true'",
                                        "repeat('abs(', 990)",
                                        "repeat('case when ', 390)",
                                        "repeat('a', 4000)",
                                        "repeat('1', 4000)",
                                        "repeat(' ', 4000) || '1'",
                                        "repeat('z(', 450) || 'mean'",
                                        "repeat('mean,', 450)",
                                        "'mean in (' || repeat('1,', 450)",
                                        "repeat('x', 1000000)"};
    gint64 start_us = g_get_monotonic_time();
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *sql = g_strdup_printf("select %s", texts[i]);
        g_autofree char *expression = cluster_answer(place.admin, sql);
        g_autofree char *reason = refusal(&place, expression, "{}");
        ck_assert_msg(reason != NULL, "%s got through", texts[i]);
        ck_assert_msg(strlen(reason) < 200, "%s", reason);
    }
    ck_assert_int_lt(g_get_monotonic_time() - start_us, 20 * G_USEC_PER_SEC);
}
END_TEST

/* A text of words that may follow each other or not. g_free it. */
static char *random_text(GRand *random) {
    static const char *const words[] = {
        "mean", "plls", "order",   "log",     "1",      "2.5",  "1e3",  "+",    "-",
        "*",    "/",    "(",       ")",       "(",      ")",    ",",    "<",    ">=",
        "=",    "<>",   "and",     "or",      "not",    "is",   "null", "case", "when",
        "then", "else", "end",     "between", "in",     "true", "abs(", "z(",   "least(",
        "log(", "n(",   "before(", "site",    "change", "p",    "'",    ";"};
    g_autoptr(GString) text = g_string_new(NULL);
    for (int n = g_rand_int_range(random, 1, 9); n > 0; n--)
        g_string_append_printf(text, "%s%s", n % 3 == 0 ? "" : " ",
                               words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))]);
    return g_strdup(text->str);
}

/* One that follows the grammar. g_free it. */
static char *random_sentence(GRand *random, int deep) {
    static const char *const forms[] = {"mean",
                                        "plls",
                                        "-1.5",
                                        "t",
                                        "p",
                                        "\1 + \1",
                                        "\1 - -\1",
                                        "\1 / \1",
                                        "(\1) * \1",
                                        "abs(\1)",
                                        "least(\1, \1)",
                                        "exp(\1)",
                                        "power(\1, \1)",
                                        "logistic(\1, \1, \1)",
                                        "log(\1)",
                                        "z(log(mean))",
                                        "case when \1 > \1 or not \1 <= 0 then \1 else \1 end",
                                        "case when \1 is null and true then \1 end",
                                        "case when \1 not between \1 and \1 then \1 end",
                                        "case when \1 in (\1, \1) then \1 end"};
    const char *form = forms[g_rand_int_range(random, 0, deep > 0 ? (int)G_N_ELEMENTS(forms) : 5)];
    g_autoptr(GString) text = g_string_new(NULL);
    for (; *form != '\0'; form++) {
        g_autofree char *inner = *form == '\1' ? random_sentence(random, deep - 1) : NULL;
        if (inner != NULL)
            g_string_append(text, inner);
        else
            g_string_append_c(text, *form);
    }
    return g_strdup(text->str);
}

/* Whatever is written is refused in words of ours, or is SQL that runs. */
START_TEST(any_text_is_refused_or_computes) {
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3, \"plls\": -2}");
    g_autoptr(GRand) random = g_rand_new_with_seed(4);
    int computed = 0;
    for (int i = 0; i < 600; i++) {
        g_autofree char *text = i % 2 == 0 ? random_text(random) : random_sentence(random, 3);
        g_autofree char *reason = refusal(&place, text, "{\"p\": \"plls + log\"}");
        if (strlen(text) > 4000 || (i % 2 == 0 && reason != NULL))
            continue;
        ck_assert_msg(reason == NULL, "%s: %s", text, reason);
        g_autofree char *sql = g_strdup_printf(
            "select count(*) from scopestream_data.evaluate(scopestream_data.evaluation_sql("
            "array[$e$%s$e$], array['plate'], array['{\"p\": \"plls + log\"}'::jsonb]), " ALL_KEYS
            ")",
            text);
        cluster_expect(place.admin, sql, "1");
        computed++;
    }
    ck_assert_int_gt(computed, 300);
}
END_TEST

START_TEST(parts_are_names_for_expressions) {
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3, \"plls\": -2}");
    cluster_expect(place.admin,
                   "select \"values\" from scopestream_data.evaluate("
                   "scopestream_data.evaluation_sql('{a * 2,mean,B}', '{plate,plate,plate}', "
                   "array['{\"a\": \"b - 1\", \"b\": \"mean + plls\"}', null, "
                   "'{\"b\": \"mean > 1\"}']::jsonb[]), " ALL_KEYS ")",
                   "{0,3,1}");
    static const struct {
        const char *expression, *parts, *reason;
    } wrong[] = {
        {"a", "{\"a\": \"a + 1\"}", "part 'a' is made of itself"},
        {"b", "{\"a\": \"b + 1\", \"b\": \"2 * a\"}", "part 'a' is made of itself"},
        {"b", "{\"a\": \"maen\", \"b\": \"2 * a\"}", "part 'a': unknown word 'maen' ('mean'?)"},
        {"shrap", "{\"sharp\": \"mean\"}", "unknown word 'shrap' ('sharp'?)"},
        {"a(1)", "{\"a\": \"mean\"}", "'a' is a number and no function"},
        {"z(a)", "{\"a\": \"z(mean)\"}", "z() takes measures and what is computed of them"},
        {"a + 1", "{\"a\": \"mean > 1\"}", "before '+' stands a condition"},
        {"1", "{\"score\": \"1\"}", "a part cannot be 'score'"},
        {"1", "{\"A\": \"1\"}", "a part cannot be 'A'"},
        {"1", "{\"a b\": \"1\"}", "a part cannot be 'a b'"},
        {"1", "{\"a\": 1}", "a part cannot be 'a'"},
        {"1", "{\"a\": null}", "a part cannot be 'a'"},
        {"1", "[1]", "parts are an object of at most 32 names"},
        {"a", "{\"a\": \"1); drop table x\"}", "part 'a': ';' has no meaning here"},
        {"a", "{\"a\": \"1) + (1\"}", "part 'a': expected an operator or the end, found ')'"}};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *reason = refusal(&place, wrong[i].expression, wrong[i].parts);
        ck_assert_msg(reason != NULL && strstr(reason, wrong[i].reason) != NULL, "%s: %s",
                      wrong[i].parts, reason);
    }
}
END_TEST

START_TEST(parts_that_double_are_refused_and_a_long_chain_is_not) {
    g_auto(Place) place = place_with_catalogue();
    cluster_expect(place.admin,
                   "select (scopestream_data.compile_expression('a0', '{\"a31\": \"mean\"}' || ("
                   "select jsonb_object_agg('a' || i, 'a' || i + 1) from generate_series(0, 30) i)"
                   ")).sql",
                   "v.mean");
    g_autofree char *doubling = cluster_answer(
        place.admin, "select '{\"a31\": \"mean\"}' || (select jsonb_object_agg('a' || i, "
                     "format('a%s + a%s', i + 1, i + 1)) from generate_series(0, 30) i)");
    g_autofree char *reason = refusal(&place, "a0", doubling);
    ck_assert_ptr_nonnull(reason);
    ck_assert_ptr_nonnull(strstr(reason, "more than 30000 characters"));
}
END_TEST

START_TEST(an_error_of_arithmetic_costs_only_its_own_number) {
    g_auto(Place) place = place_with_catalogue();
    for (int n = 1; n <= 5; n++)
        store_frame(&place, n, "{\"mean\": 3}");
    cluster_expect(place.admin,
                   "select string_agg(\"values\"::text, ' ' order by stored_order) "
                   "from scopestream_data.evaluate(scopestream_data.evaluation_sql(array["
                   "'t', '1e308 * (t - 2)', '1 / (t - 3)', '1e308 * 10', '-t'], "
                   "array_fill('plate'::text, array[5])), " ALL_KEYS ")",
                   "{1,-1e+308,-0.5,NULL,-1} {2,0,-1,NULL,-2} {3,1e+308,NULL,NULL,-3} "
                   "{4,NULL,1,NULL,-4} {5,NULL,0.5,NULL,-5}");
}
END_TEST

START_TEST(rows_keep_the_order_and_the_place_of_their_keys) {
    g_auto(Place) place = place_with_catalogue();
    for (int n = 1; n <= 3; n++)
        store_frame(&place, n, "{\"mean\": 3}");
    g_autoptr(Frame) broken = documents_frame(9);
    store_one(&place, documents_result_of(broken, "broken", "null"));
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s %s', stored_order, source, well, t, "
                   "\"values\"[1]), ', ') from scopestream_data.evaluate("
                   "scopestream_data.evaluation_sql('{t * 2}', '{plate}'), array(select row("
                   "frame_id, acquired_at, pipeline_id)::scopestream_data.row_key "
                   "from scopestream_data.result order by acquired_at desc))",
                   "2 scope A01 3 6, 3 scope A01 2 4, 4 scope A01 1 2");
    cluster_expect(place.admin,
                   "select count(*) from scopestream_data.evaluate("
                   "scopestream_data.evaluation_sql('{t * 2}', '{plate}'), '{}')",
                   "0");
}
END_TEST

/* 25 frames with the means 1 to 25: median 13, MAD 6, eighths at 1, 4, 7, ... 25. */
START_TEST(a_frame_is_compared_with_what_is_usual) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *reason = refusal(&place, "z(mean) + z(10 - mean)", "{}");
    ck_assert_ptr_null(reason);
    for (int n = 1; n <= 25; n++) {
        g_autofree char *values = g_strdup_printf("{\"mean\": %d, \"plls\": 5}", n);
        store_frame(&place, n, values);
    }
    track(&place);
    expect_worth(&place, "z(mean) * 1.4826", "2");
    expect_worth(&place, "z(10 - mean) * 1.4826", "-2");
    expect_worth(&place, "median(mean) + mad(mean) / 100 + n(mean) / 10000", "13.0625");
    expect_worth(&place, "rank(mean)", "1");
    expect_worth(&place, "z(plls)", "unknown"); /* MAD 0 */
    cluster_expect(place.admin,
                   "select string_agg(distinct o, ', ') from scopestream_data.evaluate("
                   "scopestream_data.evaluation_sql('{mean,z(mean),mean,z(mean)}', "
                   "'{plate,plate,plate,controls}'), " ALL_KEYS ") e, unnest(e.origins) o",
                   "plate");
    cluster_expect(place.admin,
                   "select regexp_count(s, 'baseline_for') || ' ' || regexp_count(s, 'site_hist') "
                   "from scopestream_data.evaluation_sql('{mean,z(mean),rank(plls),n(mean)}', "
                   "'{plate,plate,plate,controls}') s",
                   "2 0");
}
END_TEST

START_TEST(a_frame_is_compared_with_those_before_at_its_site) {
    g_auto(Place) place = place_with_catalogue();
    for (int n = 1; n <= 9; n++) {
        g_autofree char *values = g_strdup_printf(
            "{\"mean\": %d, \"plls\": 1, \"tile_mean\": [1, 2, 3, %d], \"pixel_hash\": %d}", n * n,
            4 + n % 3 * n, n);
        store_frame(&place, n, values);
    }
    track(&place);
    expect_worth(&place, "before(mean)", "64");
    expect_worth(&place, "tau(mean)", "unknown");
    store_frame(&place, 10, "{\"mean\": 0, \"tile_mean\": [4, 3, 2, 1], \"pixel_hash\": 3}");
    track(&place);
    expect_worth(&place, "tau(mean)", "0.6"); /* 36 pairs up, 9 down */
    expect_worth(&place, "tau(plls)", "unknown");
    expect_worth(&place, "mean - before(mean)", "-81");
    expect_worth(&place, "before(log(mean)) - log(81)", "0");
    expect_worth(&place, "same_pixels", "1");
    expect_worth(&place, "case when change > 1.5 and change_z > 3 then 1 else 0 end", "1");
}
END_TEST

START_TEST(the_score_is_that_of_the_default_model) {
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "{\"mean\": 3}");
    g_free(cluster_answer(place.admin, "delete from scopestream_data.priority"));
    g_free(cluster_answer(place.admin, "insert into scopestream_data.policy values "
                                       "('halves', '{low,high}', '{0.5}')"));
    g_free(cluster_answer(
        place.admin, "insert into scopestream_data.model (name, score, policy, is_default) "
                     "values ('other', '1', 'halves', false), ('ours', '1', 'halves', false)"));
    g_free(cluster_answer(place.admin,
                          "update scopestream.models set is_default = true where name = 'ours'"));
    g_free(cluster_answer(
        place.admin,
        "insert into scopestream_data.priority (frame_id, acquired_at, pipeline_id, model_id, "
        "score, tier, known) select frame_id, acquired_at, pipeline_id, model_id, "
        "case name when 'ours' then 0.75 else 0.25 end, 'high', true "
        "from scopestream_data.result, scopestream_data.model where name in ('ours', 'other')"));
    expect_worth(&place, "score", "0.75");
    expect_worth(&place, "score > 0.5 and mean = 3", "1");
}
END_TEST

/* One by one: each takes locks. */
static void make_months(Place *place) {
    for (int month = 1; month <= 12; month++) {
        g_autofree char *sql = g_strdup_printf("select scopestream_data.ensure_partitions("
                                               "'2026-%1$02d-01', '2026-%1$02d-01')",
                                               month);
        g_free(cluster_answer(place->admin, sql));
    }
}

/* What is planned for the keys of two frames of March, as text. g_free it. */
static char *plan(Place *place) {
    g_free(cluster_answer(
        place->admin,
        "create function planned(keys scopestream_data.row_key[]) returns text language plpgsql "
        "set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$ "
        "declare line text; whole text := ''; begin "
        "for line in execute 'explain ' || scopestream_data.evaluation_sql('{mean,score}', "
        "'{plate,plate}') using keys, '{}'::integer[], '2026-03-01'::timestamptz, "
        "'2026-03-02'::timestamptz loop whole := whole || line || E'\\n'; end loop; "
        "return whole; end $$"));
    return cluster_answer(place->admin, "select planned(" ALL_KEYS ")");
}

START_TEST(only_the_months_of_the_keys_are_planned_and_rows_are_found_by_key) {
    g_auto(Place) place = place_with_catalogue();
    make_months(&place);
    store_frame(&place, 1, "{\"mean\": 3}");
    store_frame(&place, 2, "{\"mean\": 3}");
    g_autofree char *text = plan(&place);
    ck_assert_msg(strstr(text, "frame_2026_03") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "result_2026_03") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "priority_2026_03") != NULL, "%s", text);
    ck_assert_msg(strstr(text, "_2026_02") == NULL && strstr(text, "_2026_04") == NULL, "%s", text);
    ck_assert_msg(strstr(text, "Seq Scan on result") == NULL, "%s", text);
    ck_assert_msg(strstr(text, "Seq Scan on frame") == NULL, "%s", text);
}
END_TEST

START_TEST(a_hundred_expressions_are_planned_at_once) {
    g_auto(Place) place = place_with_catalogue();
    make_months(&place);
    store_frame(&place, 1, "{\"mean\": 3, \"plls\": -1}");
    g_free(cluster_answer(
        place.admin,
        "create table statement as select scopestream_data.evaluation_sql(array(select "
        "'logistic(log(mean) * 2 + ' || i || ', 1, -3) + case when plls > 0 then z(mean) else 1 "
        "end' from generate_series(1, 100) i), array_fill('plate'::text, array[100])) as sql"));
    gint64 start_us = g_get_monotonic_time();
    for (int i = 0; i < 10; i++)
        cluster_expect(place.admin,
                       "select cardinality(\"values\") from statement, "
                       "scopestream_data.evaluate(sql, " ALL_KEYS ")",
                       "100");
    /* 10 ms each where nothing else runs. */
    ck_assert_int_lt(g_get_monotonic_time() - start_us, 5 * G_USEC_PER_SEC);
}
END_TEST

START_TEST(what_is_asked_of_baselines_is_kept_once) {
    g_auto(Place) place = place_with_catalogue();
    static const char counted[] = "select count(*) from scopestream_data.feature "
                                  "where expression in ('log(plls)', '(plls + 1) * 2')";
    g_free(refusal(&place, "z(log(plls)) + z( LOG( (Plls) ) ) + rank(log(plls))", "{}"));
    cluster_expect(place.admin, counted, "1");
    g_free(refusal(&place, "n((plls+1.0)*2) + n(( plls + 1 ) * 2.00)", "{}"));
    cluster_expect(place.admin, counted, "2");
    g_autofree char *reason = refusal(&place, "z(plls + 17) + (", "{}");
    ck_assert_ptr_nonnull(reason);
    cluster_expect(place.admin,
                   "select count(*) from scopestream_data.feature where expression ~ '17'", "0");
    cluster_expect(place.admin,
                   "select format('%s %s %s', c.measures, cardinality(c.features), c.needs) "
                   "from scopestream_data.compile_expression("
                   "'z(mean) + rank(plls) + tau(order) - before(mean) + score + width') c",
                   "{mean,order,plls} 3 {baseline,history,score}");
    cluster_expect(place.admin,
                   "select c from scopestream_data.compile_expression('log(mean)', '{}', false) c "
                   "where c.needs = '{}'",
                   "(\"log(nullif(greatest((v.mean), 0::float8), 0::float8))\",{mean},{},{})");
}
END_TEST

START_TEST(a_program_is_built_anew_after_what_it_is_built_of_changed) {
    g_auto(Place) place = place_with_catalogue();
    static const char *const changes[] = {
        "update scopestream_data.model set description = description",
        "update scopestream_data.rule set description = description",
        "update scopestream_data.measure set unit = unit",
        "delete from scopestream_data.feature where expression = 'none'"};
    static const char ask[] = "select scopestream_data.program('test', 'public.made')";
    g_free(cluster_answer(place.admin, "create sequence runs"));
    g_free(cluster_answer(place.admin, "create function made() returns text language sql as "
                                       "$$ select nextval('public.runs')::text $$"));
    cluster_expect(place.admin, ask, "1");
    cluster_expect(place.admin, ask, "1");
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *expected = g_strdup_printf("%zu", i + 2);
        g_free(cluster_answer(place.admin, changes[i]));
        cluster_expect(place.admin, ask, expected);
        cluster_expect(place.admin, ask, expected);
    }
}
END_TEST

START_TEST(the_page_tells_every_word) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *file =
        g_build_filename(g_getenv("SCOPESTREAM_SOURCE_DIR"), "docs", "expressions.md", NULL);
    g_autofree char *page = NULL;
    ck_assert(g_file_get_contents(file, &page, NULL, NULL));
    g_autoptr(PostgresRows) rows =
        postgres_ask(place.admin,
                     "select format('| `%s` | %s |', usage, sentence) from "
                     "scopestream.expression_words where kind <> 'measure'",
                     NULL, 0, NULL);
    ck_assert_ptr_nonnull(rows);
    ck_assert_int_gt(PQntuples(rows), 40);
    for (int i = 0; i < PQntuples(rows); i++)
        ck_assert_msg(strstr(page, postgres_text(rows, i, 0)) != NULL,
                      "docs/expressions.md does not tell %s", postgres_text(rows, i, 0));
}
END_TEST

START_TEST(a_reader_sees_the_words_and_runs_nothing) {
    g_auto(Place) place = place_with_catalogue();
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('looking') is null then "
                                       "create role looking login in role scopestream_reader; "
                                       "end if; end $$"));
    g_free(cluster_answer(place.admin, "set role looking"));
    cluster_expect(place.admin,
                   "select string_agg(kind, ', ') from scopestream.expression_words "
                   "where word in ('plls', 'abs', 'z')",
                   "function, function over other frames, measure");
    g_autoptr(GError) error = NULL;
    ck_assert(
        !postgres_run(place.admin, "select scopestream_data.compile_expression('1')", &error));
    ck_assert_str_eq(postgres_sqlstate(place.admin), "42501");
}
END_TEST

SUITE_WITH("expressions", cluster_start, cluster_stop, arithmetic_is_what_it_is_at_school,
           what_is_not_known_stays_unknown, a_sum_without_an_answer_needs_no_second_attempt,
           what_is_wrong_is_refused_with_place_and_reason, a_word_waits_for_the_measure_it_needs,
           nothing_but_computing_gets_through, long_and_deep_texts_are_refused_at_once,
           any_text_is_refused_or_computes, parts_are_names_for_expressions,
           parts_that_double_are_refused_and_a_long_chain_is_not,
           an_error_of_arithmetic_costs_only_its_own_number,
           rows_keep_the_order_and_the_place_of_their_keys, a_frame_is_compared_with_what_is_usual,
           a_frame_is_compared_with_those_before_at_its_site,
           the_score_is_that_of_the_default_model,
           only_the_months_of_the_keys_are_planned_and_rows_are_found_by_key,
           a_hundred_expressions_are_planned_at_once, what_is_asked_of_baselines_is_kept_once,
           a_program_is_built_anew_after_what_it_is_built_of_changed, the_page_tells_every_word,
           a_reader_sees_the_words_and_runs_nothing)
