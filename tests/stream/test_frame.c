#include "stream/fault.h"
#include "stream/frame.h"
#include "tests/suite.h"
#include <string.h>

static Frame *sample_frame(void) {
    Frame *frame = frame_new();
    frame->source = g_strdup("scope1");
    frame->path = g_strdup("P1/TimePoint_1/P1_B02_s1_w1.tif");
    frame->size_bytes = 9331200;
    frame->mtime_ns = G_GINT64_CONSTANT(1790000000123456789);
    frame->closed_us = G_GINT64_CONSTANT(1790000000200000);
    frame->naming = g_strdup("metaxpress");
    frame->plate = g_strdup("P1");
    frame->well = g_strdup("B02");
    frame->channel = g_strdup("DAPI \"blue\"");
    frame->site = 1;
    frame->pixel_size_um = 0.325;
    frame_identify(frame);
    return frame;
}

static Frame *through_json(const Frame *frame, GError **error) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    frame_to_json(frame, builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, FALSE);
    g_autoptr(JsonNode) read = json_from_string(text, NULL);
    return frame_from_json(json_node_get_object(read), error);
}

START_TEST(an_id_is_the_same_on_every_machine) {
    char text[FRAME_ID_TEXT_LENGTH + 1];
    FrameId id = frame_id_make("scope1", "a/b.tif", 100, 5, 0);
    /* printf 'scope1\0a/b.tif\0100/5/0\0' | sha256sum, version and variant set */
    ck_assert_str_eq(frame_id_text(&id, text), "e10f84d7-cc81-8937-b460-a9246f01c3d1");
}
END_TEST

START_TEST(an_id_changes_with_each_of_its_parts) {
    FrameId ids[] = {frame_id_make("s", "p", 1, 1, 0),  frame_id_make("t", "p", 1, 1, 0),
                     frame_id_make("s", "q", 1, 1, 0),  frame_id_make("s", "p", 2, 1, 0),
                     frame_id_make("s", "p", 1, 2, 0),  frame_id_make("s", "p", 1, 1, 1),
                     frame_id_make("sp", "", 1, 1, 0),  frame_id_make("s", "p1", 1, 1, 0),
                     frame_id_make("s", "p", 11, 1, 0), frame_id_make("s", "p", 1, -1, 0)};
    for (guint a = 0; a < G_N_ELEMENTS(ids); a++)
        for (guint b = 0; b < a; b++)
            ck_assert(!frame_id_equal(&ids[a], &ids[b]));
}
END_TEST

START_TEST(an_id_survives_its_text) {
    char text[FRAME_ID_TEXT_LENGTH + 1];
    FrameId id = frame_id_make("s", "p", 1, 1, 0), read;
    ck_assert(frame_id_parse(frame_id_text(&id, text), &read, NULL));
    ck_assert(frame_id_equal(&id, &read));
}
END_TEST

START_TEST(text_that_is_no_id_is_refused) {
    const char *wrong[] = {"",
                           "x",
                           "0123",
                           "01234567-89ab-8def-8123-456789abcde",
                           "01234567-89ab-8def-8123-456789abcdef0",
                           "01234567089ab-8def-8123-456789abcdef",
                           "g1234567-89ab-8def-8123-456789abcdef"};
    for (guint index = 0; index < G_N_ELEMENTS(wrong); index++) {
        FrameId id;
        g_autoptr(GError) error = NULL;
        ck_assert(!frame_id_parse(wrong[index], &id, &error));
        ck_assert(fault_is(error, FAULT_BROKEN));
    }
}
END_TEST

START_TEST(a_frame_survives_its_json) {
    g_autoptr(Frame) frame = sample_frame();
    g_autoptr(Frame) read = through_json(frame, NULL);
    ck_assert_ptr_nonnull(read);
    ck_assert(frame_id_equal(&frame->id, &read->id));
    ck_assert_str_eq(read->channel, "DAPI \"blue\"");
    ck_assert_int_eq(read->mtime_ns, frame->mtime_ns);
    ck_assert_int_eq(read->acquired_us, frame->mtime_ns / 1000);
    ck_assert_int_eq(read->closed_us, frame->closed_us);
    ck_assert_int_eq(read->site, 1);
    ck_assert_int_eq(read->z, FRAME_UNKNOWN);
    ck_assert_ptr_null(read->experiment);
    ck_assert_double_eq(read->pixel_size_um, 0.325);
}
END_TEST

START_TEST(a_frame_with_anothers_id_is_refused) {
    g_autoptr(Frame) frame = sample_frame();
    frame->id.bytes[0] ^= 1;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(through_json(frame, &error));
    ck_assert(fault_is(error, FAULT_BROKEN));
}
END_TEST

START_TEST(a_frame_of_another_shape_is_refused_by_name) {
    const struct {
        const char *json, *word;
    } wrong[] = {
        {"{}", "frame_id"},
        {"{\"frame_id\": 5}", "frame_id"},
        {"{\"frame_id\": \"x\", \"source\": \"\"}", "source"},
        {"{\"frame_id\": \"x\", \"source\": \"a b\", \"path\": \"p\"}", "source"},
        {"{\"frame_id\": \"x\", \"source\": \"a\\r\\nPUB b 0\", \"path\": \"p\"}", "source"},
        {"{\"frame_id\": \"x\", \"source\": \"a.>\", \"path\": \"p\"}", "source"},
        {"{\"frame_id\": \"x\", \"source\": \"s\", \"path\": \"p\", \"size_bytes\": -1}",
         "size_bytes"},
        {"{\"frame_id\": \"x\", \"source\": \"s\", \"path\": \"p\", \"size_bytes\": \"1\"}",
         "size_bytes"},
        {"{\"frame_id\": \"x\", \"source\": \"s\", \"path\": \"p\", \"size_bytes\": 1, "
         "\"mtime_ns\": 1, \"page\": 0, \"closed_at\": \"yesterday\"}",
         "closed_at"},
        {"{\"frame_id\": \"x\", \"source\": \"s\", \"path\": \"p\", \"size_bytes\": 1, "
         "\"mtime_ns\": 1, \"page\": 0, \"pages\": 0}",
         "pages"},
    };
    for (guint index = 0; index < G_N_ELEMENTS(wrong); index++) {
        g_autoptr(JsonNode) node = json_from_string(wrong[index].json, NULL);
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(frame_from_json(json_node_get_object(node), &error));
        ck_assert(fault_is(error, FAULT_BROKEN));
        ck_assert_msg(strstr(error->message, wrong[index].word) != NULL, "%s", error->message);
    }
}
END_TEST

START_TEST(a_clock_that_is_wrong_stays_within_the_partitions) {
    g_autoptr(Frame) frame = sample_frame();
    frame->mtime_ns = -5;
    frame_identify(frame);
    g_autofree char *first = frame_time_text(frame->acquired_us);
    ck_assert_str_eq(first, "2000-01-01T00:00:00.000000Z");
    frame->mtime_ns = G_MAXINT64;
    frame_identify(frame);
    g_autofree char *last = frame_time_text(frame->acquired_us);
    ck_assert_str_eq(last, "2099-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(names_that_are_no_text_survive_being_encoded) {
    const char *raw[] = {"plain.tif", "Zell\xc3\xa4rung.tif",
                         "100%.tif",  "\xff\xfe.tif",
                         "tab\there", "\xc3",
                         "a\nb",      "%41"};
    for (guint index = 0; index < G_N_ELEMENTS(raw); index++) {
        g_autofree char *text = frame_path_encode(raw[index]);
        g_autofree char *back = frame_path_decode(text);
        ck_assert(g_utf8_validate(text, -1, NULL));
        ck_assert_str_eq(back, raw[index]);
    }
    ck_assert_ptr_null(frame_path_decode("a%4"));
    ck_assert_ptr_null(frame_path_decode("a%00b"));
}
END_TEST

SUITE("frame", an_id_is_the_same_on_every_machine, an_id_changes_with_each_of_its_parts,
      an_id_survives_its_text, text_that_is_no_id_is_refused, a_frame_survives_its_json,
      a_frame_with_anothers_id_is_refused, a_frame_of_another_shape_is_refused_by_name,
      a_clock_that_is_wrong_stays_within_the_partitions,
      names_that_are_no_text_survive_being_encoded)
