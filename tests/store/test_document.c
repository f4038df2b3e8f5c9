#include "store/document.h"
#include "tests/store/documents.h"
#include "tests/suite.h"
#include <string.h>

static Document *read_text(const char *text) {
    return document_new("scopestream.result.quality.scope", "reply", text, strlen(text));
}

static void expect_refusal(const char *text, gsize length, const char *words) {
    g_autoptr(Document) document = document_new("subject", "reply", text, length);
    ck_assert_ptr_nonnull(document->refusal);
    ck_assert_msg(strstr(document->refusal, words) != NULL, "'%s' should say '%s'",
                  document->refusal, words);
    ck_assert(g_utf8_validate(document->text, -1, NULL));
}

START_TEST(a_result_tells_its_frame_source_and_pipeline) {
    g_autofree char *text = documents_result(1, "ok", "{\"focus_score\": 1.5, \"mean\": null}");
    g_autoptr(Document) document = read_text(text);
    ck_assert_ptr_null(document->refusal);
    ck_assert_int_eq(document->kind, DOCUMENT_RESULT);
    ck_assert_str_eq(document->source, "scope");
    ck_assert_str_eq(document->pipeline, "quality");
    g_autoptr(Frame) frame = documents_frame(1);
    char id[FRAME_ID_TEXT_LENGTH + 1];
    ck_assert_str_eq(document->frame_id, frame_id_text(&frame->id, id));
    ck_assert_str_eq(document->text, text);
    ck_assert_str_eq(document->reply, "reply");
}
END_TEST

START_TEST(events_and_catalogues_are_known) {
    g_autoptr(Document) event = read_text("{\"kind\": \"event\"}");
    g_autoptr(Document) catalogue = read_text("{\"kind\": \"catalogue\"}");
    ck_assert_ptr_null(event->refusal);
    ck_assert_int_eq(event->kind, DOCUMENT_EVENT);
    ck_assert_int_eq(catalogue->kind, DOCUMENT_CATALOGUE);
    ck_assert_ptr_null(catalogue->frame_id);
}
END_TEST

START_TEST(what_is_no_document_is_refused_with_the_reason) {
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "not a JSON object"},
        {"not json", "not JSON"},
        {"[1, 2]", "not a JSON object"},
        {"{\"kind\": \"result\"", "not JSON"},
        {"{}", "of kind ''"},
        {"{\"kind\": \"gossip\"}", "of kind 'gossip'"},
        {"{\"kind\": 3}", "of kind ''"},
        {"{\"kind\": \"result\"}", "without a frame"},
        {"{\"kind\": \"result\", \"frame\": 5}", "without a frame"},
        {"\xff\xfe", "not UTF-8"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        expect_refusal(rows[i].text, strlen(rows[i].text), rows[i].words);
    expect_refusal("{\"a\0b\": 1}", 10, "not UTF-8");
}
END_TEST

START_TEST(a_megabyte_of_brackets_is_refused_and_does_not_end_the_process) {
    g_autofree char *deep = g_strnfill(1 << 20, '[');
    expect_refusal(deep, 1 << 20, "nested deeper");
}
END_TEST

START_TEST(brackets_within_text_are_no_nesting) {
    g_autofree char *brackets = g_strnfill(100, '[');
    g_autofree char *text =
        g_strdup_printf("{\"kind\": \"event\", \"detail\": \"\\\"%s\"}", brackets);
    g_autoptr(Document) document = read_text(text);
    ck_assert_ptr_null(document->refusal);
}
END_TEST

/* acquired_at is part of the key: two times would be two rows of one frame. */
START_TEST(a_frame_under_another_time_or_id_is_refused) {
    g_autofree char *text = documents_result(1, "ok", "{}");
    g_autofree char *other_time =
        documents_replace(text, "2026-03-01T00:00:01", "2026-03-02T00:00:01");
    expect_refusal(other_time, strlen(other_time), "'acquired_at'");
    g_autofree char *other_path = documents_replace(text, "A01_1.tif", "A01_7.tif");
    expect_refusal(other_path, strlen(other_path), "frame id");
}
END_TEST

START_TEST(a_value_that_is_no_number_is_refused) {
    g_autofree char *nan = documents_result(1, "ok", "{\"mean\": \"NaN\"}");
    expect_refusal(nan, strlen(nan), "value 'mean' is not a number");
    g_autofree char *list = documents_result(1, "ok", "[1, 2]");
    expect_refusal(list, strlen(list), "'values' is not an object");
}
END_TEST

START_TEST(arrays_of_numbers_go_to_sql_as_sql_writes_them) {
    static const struct {
        const char *values, *sql;
    } rows[] = {
        {"{\"a\":[1,-2.5e-3,null]}", "{\"a\":\"{1,-2.5e-3,null}\"}"},
        {"{\"a\":[ ],\"b\":[1]}", "{\"a\":\"{ }\",\"b\":\"{1}\"}"},
        {"{\"[1,2]\":[3,4]}", "{\"[1,2]\":\"{3,4}\"}"},
        {"{\"a\\\"[1]\":[3]}", "{\"a\\\"[1]\":\"{3}\"}"},
        {"{\"a\\\\\":[3]}", "{\"a\\\\\":\"{3}\"}"},
        {"{\"a\":[\n1]}", "{\"a\":[\n1]}"},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = documents_result(1, "ok", rows[i].values);
        g_autofree char *sql = documents_result(1, "ok", rows[i].sql);
        g_autoptr(Document) document = read_text(text);
        ck_assert_msg(document->refusal == NULL, "%s: %s", rows[i].values, document->refusal);
        ck_assert_str_eq(document->sql, sql);
        ck_assert_str_eq(document->text, text);
    }
}
END_TEST

START_TEST(what_is_no_array_of_numbers_is_refused) {
    static const char *const values[] = {"{\"a\":[\"1\"]}",   "{\"a\":[[1]]}",    "{\"a\":[true]}",
                                         "{\"a\":\"{1,x}\"}", "{\"a\":\"{1}}\"}", "{\"a\":\"1\"}",
                                         "{\"a\":{}}",        "{\"a\":[{}]}"};
    for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = documents_result(1, "ok", values[i]);
        expect_refusal(text, strlen(text), "value 'a' is not a number, nor an array of numbers");
    }
}
END_TEST

/* Whatever comes is looked at without reading beyond its end. */
START_TEST(any_bytes_are_a_document_or_none) {
    static const char letters[] = "[]{}\",:\\ 0123456789.-+eEnulx";
    g_autoptr(GRand) dice = g_rand_new_with_seed(7);
    for (int n = 0; n < 20000; n++) {
        char text[40];
        gint32 length = g_rand_int_range(dice, 0, sizeof text);
        for (gint32 i = 0; i < length; i++)
            text[i] = letters[g_rand_int_range(dice, 0, sizeof letters - 1)];
        g_autoptr(Document) document = document_new("subject", "reply", text, (gsize)length);
        ck_assert_ptr_nonnull(document->refusal);
        ck_assert_ptr_nonnull(document->sql);
    }
}
END_TEST

START_TEST(a_stand_in_keeps_the_frame_and_says_broken) {
    g_autofree char *text = documents_result(1, "ok", "{\"mean\": \"NaN\"}");
    g_autoptr(Document) document = read_text(text);
    g_autoptr(Document) stand_in = document_stand_in(document, "no \"number\"");
    ck_assert_ptr_nonnull(stand_in);
    ck_assert_ptr_null(stand_in->refusal);
    ck_assert_str_eq(stand_in->frame_id, document->frame_id);
    ck_assert_ptr_nonnull(strstr(stand_in->text, "\"status\":\"broken\""));
    ck_assert_ptr_null(strstr(stand_in->text, "NaN"));

    g_autoptr(Document) frameless = read_text("{\"kind\": \"result\"}");
    ck_assert_ptr_null(document_stand_in(frameless, "x"));
}
END_TEST

SUITE("document", a_result_tells_its_frame_source_and_pipeline, events_and_catalogues_are_known,
      what_is_no_document_is_refused_with_the_reason,
      a_megabyte_of_brackets_is_refused_and_does_not_end_the_process,
      brackets_within_text_are_no_nesting, a_frame_under_another_time_or_id_is_refused,
      a_value_that_is_no_number_is_refused, arrays_of_numbers_go_to_sql_as_sql_writes_them,
      what_is_no_array_of_numbers_is_refused, any_bytes_are_a_document_or_none,
      a_stand_in_keeps_the_frame_and_says_broken)
