#include "stream/descriptor.h"
#include "tests/suite.h"
#include <string.h>

static Descriptor *sample_descriptor(void) {
    Descriptor *descriptor = descriptor_new();
    descriptor->frame = frame_new();
    descriptor->frame->source = g_strdup("scope1");
    descriptor->frame->path = g_strdup("a.tif");
    frame_identify(descriptor->frame);
    descriptor->pipeline = g_strdup("quality");
    descriptor->attempt = 3;
    descriptor->offered_us = G_GINT64_CONSTANT(1790000000123456);
    descriptor->origin = g_strdup("acquisition-pc");
    descriptor->direct_address = g_strdup("host:4333");
    descriptor->direct_key = g_strdup("00112233445566778899aabbccddeeff");
    descriptor->fetch_subject = g_strdup("scopestream.fetch.scope1");
    return descriptor;
}

START_TEST(a_descriptor_survives_its_body) {
    g_autoptr(Descriptor) descriptor = sample_descriptor();
    gsize json_length;
    g_autoptr(GBytes) body = descriptor_to_body(descriptor, &json_length);
    ck_assert_uint_eq(json_length, g_bytes_get_size(body));
    g_autoptr(Descriptor) read = descriptor_from_body(body, json_length, NULL);
    ck_assert(frame_id_equal(&read->frame->id, &descriptor->frame->id));
    ck_assert_str_eq(read->pipeline, "quality");
    ck_assert_uint_eq(read->attempt, 3);
    ck_assert_int_eq(read->offered_us, descriptor->offered_us);
    ck_assert_str_eq(read->origin, "acquisition-pc");
    ck_assert_str_eq(read->direct_address, "host:4333");
    ck_assert_str_eq(read->direct_key, descriptor->direct_key);
    ck_assert_str_eq(read->fetch_subject, "scopestream.fetch.scope1");
    ck_assert_ptr_null(read->inline_bytes);
}
END_TEST

START_TEST(inline_bytes_ride_behind_the_json) {
    g_autoptr(Descriptor) descriptor = sample_descriptor();
    descriptor->inline_bytes = g_bytes_new("\0II*}{", 6);
    gsize json_length;
    g_autoptr(GBytes) body = descriptor_to_body(descriptor, &json_length);
    g_autoptr(Descriptor) read = descriptor_from_body(body, json_length, NULL);
    ck_assert(g_bytes_equal(read->inline_bytes, descriptor->inline_bytes));
}
END_TEST

START_TEST(a_waiting_frame_costs_the_queue_less_than_a_kilobyte) {
    g_autoptr(Descriptor) descriptor = sample_descriptor();
    Frame *frame = descriptor->frame;
    frame_set_text(&frame->path, "2026-11-21/AssayPlate_NUNC_#165305-1/TimePoint_1/ZStep_12/"
                                 "181214-KOday7-40X-H2O2-Glu_B02_s1_w12DE5D0E6-1639-40D4-8654-"
                                 "9A6247B4B8CD.tif");
    frame_set_text(&frame->plate, "181214-KOday7-40X-H2O2-Glu");
    frame_set_text(&frame->well, "B02");
    frame_set_text(&frame->channel, "DAPI");
    frame->site = frame->z = frame->t = 1;
    gsize json_length;
    g_autoptr(GBytes) body = descriptor_to_body(descriptor, &json_length);
    ck_assert_uint_lt(json_length, 900);
}
END_TEST

START_TEST(a_body_that_is_no_descriptor_is_refused) {
    const char *wrong[] = {"",
                           "{",
                           "[]",
                           "5",
                           "{}",
                           "{\"wire\": 2}",
                           "{\"wire\": 1}",
                           "{\"wire\": 1, \"frame\": []}",
                           "{\"wire\": \"1\", \"frame\": {}}"};
    for (guint index = 0; index < G_N_ELEMENTS(wrong); index++) {
        g_autoptr(GBytes) body = g_bytes_new_static(wrong[index], strlen(wrong[index]));
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(descriptor_from_body(body, strlen(wrong[index]), &error));
        ck_assert(fault_is(error, FAULT_BROKEN));
    }
    g_autoptr(GBytes) body = g_bytes_new_static("{}", 2);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(descriptor_from_body(body, 3, &error)); /* longer than the body */
    ck_assert(fault_is(error, FAULT_BROKEN));
}
END_TEST

static bool is_refused(const Descriptor *descriptor) {
    gsize json_length;
    g_autoptr(GBytes) body = descriptor_to_body(descriptor, &json_length);
    g_autoptr(GError) error = NULL;
    g_autoptr(Descriptor) read = descriptor_from_body(body, json_length, &error);
    return read == NULL && fault_is(error, FAULT_BROKEN);
}

START_TEST(a_way_that_says_more_than_an_address_is_refused) {
    const char *wrong[] = {"x\r\nPUB y 0\r\n", "a b", "a.>", "*", ""};
    for (guint index = 0; index < G_N_ELEMENTS(wrong); index++) {
        g_autoptr(Descriptor) descriptor = sample_descriptor();
        frame_set_text(&descriptor->pipeline, wrong[index]);
        if (descriptor->pipeline == NULL)
            descriptor->pipeline = g_strdup("");
        ck_assert_msg(is_refused(descriptor), "pipeline '%s'", wrong[index]);
        frame_set_text(&descriptor->pipeline, "quality");
        g_free(descriptor->fetch_subject);
        descriptor->fetch_subject = g_strconcat("scopestream.fetch.", wrong[index], NULL);
        ck_assert_msg(is_refused(descriptor), "fetch '%s'", wrong[index]);
        frame_set_text(&descriptor->fetch_subject, "$JS.API.STREAM.DELETE.FRAMES");
        ck_assert(is_refused(descriptor));
        frame_set_text(&descriptor->fetch_subject, "scopestream.fetch.scope1");
        ck_assert(!is_refused(descriptor));
        frame_set_text(&descriptor->direct_key, "00\nget 11");
        ck_assert(is_refused(descriptor));
    }
}
END_TEST

/* What json-glib takes beyond JSON must not hide the brackets that would end the process. */
START_TEST(brackets_behind_an_odd_quote_are_refused) {
    const char *begins[] = {
        "{\"a\":", "{'\"':", "{ /* \" */ \"a\":", "{ // \"\n\"a\":", "{ # \"\n"};
    for (guint index = 0; index < G_N_ELEMENTS(begins); index++) {
        g_autoptr(GString) text = g_string_new(begins[index]);
        for (guint depth = 0; depth < 60000; depth++)
            g_string_append_c(text, '[');
        g_autoptr(GBytes) body = g_bytes_new(text->str, text->len);
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(descriptor_from_body(body, text->len, &error));
        ck_assert_msg(strstr(error->message, "nested") != NULL ||
                          strstr(error->message, "no part of it") != NULL,
                      "%s", error->message);
    }
}
END_TEST

SUITE("descriptor", a_descriptor_survives_its_body, inline_bytes_ride_behind_the_json,
      a_waiting_frame_costs_the_queue_less_than_a_kilobyte, a_body_that_is_no_descriptor_is_refused,
      a_way_that_says_more_than_an_address_is_refused, brackets_behind_an_odd_quote_are_refused)
