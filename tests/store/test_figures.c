#include "store/status/figures.h"
#include "stream/json_read.h"
#include "tests/suite.h"
#include <string.h>

static void take(Figures *figures, const char *answer) {
    figures_take_answer(figures, answer, strlen(answer));
}

static const char two_sources[] =
    "{\"program\":\"ingest\",\"host\":\"scope-pc\",\"pid\":7,\"holding\":\"the queue is full\","
    "\"sources\":["
    "{\"name\":\"a\",\"folder\":\"/a\",\"state\":\"watching\",\"unsettled\":2,\"waiting\":10,"
    "\"offered\":3,\"stored\":5,\"unfinished\":1,"
    "\"oldest_unstored_at\":\"2026-03-01T00:00:05.000000Z\","
    "\"files\":[{\"path\":\"x.tif\",\"reason\":\"strip 3 is missing\"}]},"
    "{\"name\":\"b\",\"state\":\"away\",\"unsettled\":1,\"waiting\":0,\"offered\":0,"
    "\"oldest_unstored_at\":\"2026-03-01T00:00:04.000000Z\"}]}";

START_TEST(what_nobody_told_is_unknown_and_not_zero) {
    g_autoptr(Figures) figures = figures_new();
    g_autofree char *json = figures_json(figures);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *object = json_read_object(parser, json, strlen(json), NULL);
    static const char *const names[] = {"stored",         "ok",
                                        "broken",         "vanished",
                                        "poison",         "rejected",
                                        "unsettled",      "waiting",
                                        "queued",         "measuring",
                                        "results_queued", "unfinished",
                                        "rate_per_s",     "latency_p50_s",
                                        "latency_p95_s",  "latency_p99_s",
                                        "workers",        "oldest_unstored_at"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_msg(json_object_has_member(object, names[i]) &&
                          json_object_get_null_member(object, names[i]),
                      "%s", names[i]);
    g_autofree char *text = figures_text(figures);
    ck_assert_ptr_nonnull(strstr(text, "stored                               ?"));
}
END_TEST

static const char two_pipelines[] =
    "{\"program\":\"ingest\",\"sources\":[{\"name\":\"a\",\"waiting\":7,\"pipelines\":["
    "{\"name\":\"quality\",\"waiting\":3},{\"name\":\"deep\",\"waiting\":4},{\"name\":\"a b\"},5]},"
    "{\"name\":\"b\",\"waiting\":1,\"pipelines\":[{\"name\":\"deep\",\"waiting\":1}]}]}";

START_TEST(pipelines_are_told_apart_where_there_are_several) {
    g_autoptr(Figures) figures = figures_new();
    figures->nats_reached = true;
    take(figures, two_pipelines);
    take(figures, "{\"program\":\"features\",\"pipeline\":\"deep\"}");
    ck_assert_int_eq(figures->waiting, 8);
    g_autofree char *text = figures_text(figures);
    ck_assert_ptr_nonnull(strstr(text, "quality          3 not yet queued, ? queued"));
    ck_assert_ptr_nonnull(strstr(text, "deep             5 not yet queued"));
    ck_assert_ptr_nonnull(strstr(text, "being measured by 1 workers"));
    ck_assert_ptr_null(strstr(text, "a b"));
    g_autofree char *json = figures_json(figures);
    ck_assert_ptr_nonnull(strstr(
        json,
        "{\"name\":\"deep\",\"waiting\":5,\"queued\":null,\"measuring\":null,\"workers\":1}"));
}
END_TEST

START_TEST(answers_of_several_programs_are_summed) {
    g_autoptr(Figures) figures = figures_new();
    figures->nats_reached = true;
    take(figures, two_sources);
    take(figures, "{\"program\":\"features\",\"job\":0}");
    take(figures, "{\"program\":\"features\",\"job\":1}");
    take(figures, "{\"program\":\"store\"}");
    ck_assert_int_eq(figures->unsettled, 3);
    ck_assert_int_eq(figures->waiting, 10);
    ck_assert_int_eq(figures->unfinished, 1);
    ck_assert_int_eq(figures->workers, 2);
    ck_assert_int_eq(figures->stores, 1);
    ck_assert_str_eq(figures->oldest_unstored_at, "2026-03-01T00:00:04.000000Z");
    g_autofree char *text = figures_text(figures);
    ck_assert_ptr_nonnull(strstr(text, "x.tif: strip 3 is missing"));
    ck_assert_ptr_nonnull(strstr(text, "the queue is full"));
    ck_assert_ptr_nonnull(strstr(text, "by 2 workers"));
}
END_TEST

START_TEST(answers_that_are_none_are_passed_over) {
    static const char *const answers[] = {
        "",
        "nonsense",
        "{}",
        "{\"program\":3}",
        "{\"program\":\"ingest\"}",
        "{\"program\":\"ingest\",\"sources\":[3,null,{}]}",
        "{\"program\":\"ingest\",\"sources\":[{\"waiting\":-5,\"files\":[1,{}]}]}",
        "{\"program\":\"ingest\",\"sources\":[{\"name\":7,\"waiting\":\"many\"}]}"};
    g_autoptr(Figures) figures = figures_new();
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        take(figures, answers[i]);
    ck_assert_int_eq(figures->waiting, 0);
    g_free(figures_text(figures));
    g_free(figures_json(figures));
}
END_TEST

START_TEST(an_answer_cannot_write_on_the_terminal) {
    g_autoptr(Figures) figures = figures_new();
    take(figures,
         "{\"program\":\"ingest\",\"holding\":\"\\u001b[2J\",\"sources\":[{\"name\":"
         "\"a\\u001b[31m\",\"folder\":\"/a\\nqueued 0\",\"state\":\"\\u009b31m\",\"files\":"
         "[{\"path\":\"x\\r\\ny\",\"reason\":\"\\u0007\"}]}]}");
    g_autofree char *text = figures_text(figures);
    ck_assert_ptr_null(strpbrk(text, "\x1b\r\a"));
    ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
    ck_assert_ptr_null(strstr(text, "\nqueued 0"));
}
END_TEST

SUITE("figures", what_nobody_told_is_unknown_and_not_zero,
      pipelines_are_told_apart_where_there_are_several, answers_of_several_programs_are_summed,
      answers_that_are_none_are_passed_over, an_answer_cannot_write_on_the_terminal)
