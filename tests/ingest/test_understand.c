#include "ingest/understand.h"
#include "tests/suite.h"
#include <string.h>

static Structure *structure_new(guint pages) {
    Structure *structure = g_new0(Structure, 1);
    structure->format = "tiff";
    structure->pages = g_array_new(FALSE, TRUE, sizeof(FormatPage));
    for (guint page = 0; page < pages; page++) {
        FormatPage told = {2160, 2161 + page, 16, 1, 0.325};
        g_array_append_val(structure->pages, told);
    }
    return structure;
}

static GPtrArray *frames_of(const char *path, const Structure *structure) {
    static char name[] = "scope1", folder[] = "/data", naming[] = "auto";
    const SourceSettings source = {.name = name, .folder = folder, .naming = naming};
    return understand_frames(&source, path, 9331200, 1700000000123456789, 1700000001000000,
                             structure);
}

START_TEST(every_page_is_a_frame_with_the_id_of_its_page) {
    g_autoptr(Structure) structure = structure_new(3);
    g_autoptr(GPtrArray) frames = frames_of("P1/Plate1_A01_s2_w1.tif", structure);
    ck_assert_uint_eq(frames->len, 3);
    for (guint32 page = 0; page < 3; page++) {
        const Frame *frame = g_ptr_array_index(frames, page);
        FrameId id =
            frame_id_make("scope1", "P1/Plate1_A01_s2_w1.tif", 9331200, 1700000000123456789, page);
        ck_assert(frame_id_equal(&frame->id, &id));
        ck_assert_uint_eq(frame->page, page);
        ck_assert_uint_eq(frame->pages, 3);
        ck_assert_uint_eq(frame->height, 2161 + page);
    }
}
END_TEST

START_TEST(a_frame_tells_all_its_file_tells) {
    g_autoptr(Structure) structure = structure_new(1);
    g_autoptr(GPtrArray) frames = frames_of("P1/Plate1_A01_s2_w1.tif", structure);
    const Frame *frame = g_ptr_array_index(frames, 0);
    ck_assert_str_eq(frame->source, "scope1");
    ck_assert_str_eq(frame->path, "P1/Plate1_A01_s2_w1.tif");
    ck_assert_str_eq(frame->format, "tiff");
    ck_assert_str_eq(frame->naming, "metaxpress");
    ck_assert_str_eq(frame->plate, "Plate1");
    ck_assert_str_eq(frame->well, "A01");
    ck_assert_str_eq(frame->channel, "1");
    ck_assert_int_eq(frame->site, 2);
    ck_assert_int_eq(frame->z, FRAME_UNKNOWN);
    ck_assert_uint_eq(frame->size_bytes, 9331200);
    ck_assert_int_eq(frame->mtime_ns, 1700000000123456789);
    ck_assert_int_eq(frame->acquired_us, 1700000000123456);
    ck_assert_int_eq(frame->closed_us, 1700000001000000);
    ck_assert_uint_eq(frame->width, 2160);
    ck_assert_uint_eq(frame->bits, 16);
    ck_assert_uint_eq(frame->samples, 1);
    ck_assert_double_eq(frame->pixel_size_um, 0.325);
}
END_TEST

START_TEST(a_name_nobody_knows_makes_a_frame_of_unknown_place) {
    g_autoptr(Structure) structure = structure_new(1);
    g_autoptr(GPtrArray) frames = frames_of("whatever.tif", structure);
    const Frame *frame = g_ptr_array_index(frames, 0);
    ck_assert_uint_eq(frames->len, 1);
    ck_assert_ptr_null(frame->naming);
    ck_assert_ptr_null(frame->plate);
    ck_assert_ptr_null(frame->well);
    ck_assert_int_eq(frame->site, FRAME_UNKNOWN);
}
END_TEST

/* A worker refuses what is out of range, and the frame would be offered for ever. */
START_TEST(a_header_that_exaggerates_still_makes_a_frame_that_can_travel) {
    g_autoptr(Structure) structure = structure_new(1);
    FormatPage *page = &g_array_index(structure->pages, FormatPage, 0);
    page->width = page->height = page->bits = page->samples = G_MAXUINT32;
    g_autoptr(GPtrArray) frames = frames_of("whatever.tif", structure);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    frame_to_json(g_ptr_array_index(frames, 0), builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    GError *error = NULL;
    g_autoptr(Frame) arrived = frame_from_json(json_node_get_object(root), &error);
    ck_assert_msg(arrived != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_uint_eq(arrived->width, 0);
}
END_TEST

SUITE("understand", every_page_is_a_frame_with_the_id_of_its_page, a_frame_tells_all_its_file_tells,
      a_name_nobody_knows_makes_a_frame_of_unknown_place,
      a_header_that_exaggerates_still_makes_a_frame_that_can_travel)
