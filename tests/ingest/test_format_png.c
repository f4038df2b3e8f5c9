#include "ingest/format.h"
#include "tests/ingest/image_file.h"
#include "tests/suite.h"

static void put_chunk(GByteArray *file, const char *type, const void *data, guint32 length) {
    guint32 big_endian = GUINT32_TO_BE(length);
    static const guint8 crc[4]; /* left to the decoder */
    g_byte_array_append(file, (const guint8 *)&big_endian, 4);
    g_byte_array_append(file, (const guint8 *)type, 4);
    g_byte_array_append(file, data, length);
    g_byte_array_append(file, crc, 4);
}

static GByteArray *png_new(guint32 width, guint32 height, guint8 bits, guint8 colour_type) {
    GByteArray *file = g_byte_array_new();
    guint8 header[13] = {0};
    guint32 sides[2] = {GUINT32_TO_BE(width), GUINT32_TO_BE(height)};
    memcpy(header, sides, 8);
    header[8] = bits;
    header[9] = colour_type;
    g_byte_array_append(file, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
    put_chunk(file, "IHDR", header, sizeof header);
    return file;
}

static Structure *structure_of(const GByteArray *file, GError **error) {
    int fd = image_file_from(file->data, file->len);
    Structure *structure = format_structure(fd, file->len, error);
    close(fd);
    return structure;
}

static void expect_incomplete(const GByteArray *file, const char *words) {
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(structure_of(file, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' does not hold '%s'", error->message,
                  words);
}

START_TEST(a_complete_file_tells_its_shape) {
    const struct {
        guint8 bits, colour_type;
        guint32 samples;
    } cases[] = {{16, 0, 1}, {8, 2, 3}, {4, 3, 1}, {8, 4, 2}, {16, 6, 4}, {8, 1, 0}, {8, 200, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GByteArray) file = png_new(1392, 1040, cases[i].bits, cases[i].colour_type);
        put_chunk(file, "IDAT", "pixels", 6);
        put_chunk(file, "IEND", "", 0);
        g_autoptr(Structure) structure = structure_of(file, NULL);
        ck_assert_ptr_nonnull(structure);
        ck_assert_str_eq(structure->format, "png");
        ck_assert_uint_eq(structure->pages->len, 1);
        const FormatPage *page = &g_array_index(structure->pages, FormatPage, 0);
        ck_assert_uint_eq(page->width, 1392);
        ck_assert_uint_eq(page->height, 1040);
        ck_assert_uint_eq(page->bits, cases[i].bits);
        ck_assert_uint_eq(page->samples, cases[i].samples);
    }
}
END_TEST

START_TEST(a_file_cut_short_anywhere_is_not_complete) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    put_chunk(file, "IDAT", "0123456789", 10);
    put_chunk(file, "IEND", "", 0);
    while (file->len > 0) {
        g_byte_array_set_size(file, file->len - 1);
        expect_incomplete(file, "");
    }
}
END_TEST

START_TEST(a_file_without_its_end_says_so) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    put_chunk(file, "IDAT", "0123456789", 10);
    expect_incomplete(file, "without IEND");
}
END_TEST

START_TEST(bytes_behind_the_end_do_no_harm) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    put_chunk(file, "IEND", "", 0);
    g_byte_array_append(file, (const guint8 *)"anything", 8);
    g_autoptr(Structure) structure = structure_of(file, NULL);
    ck_assert_ptr_nonnull(structure);
}
END_TEST

START_TEST(a_chunk_longer_than_the_file_is_told) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    g_byte_array_append(file, (const guint8 *)"\x3f\xff\xff\xffIDAT", 8);
    expect_incomplete(file, "chunk IDAT ends at byte 1073741868, the file has 41");
}
END_TEST

START_TEST(a_preallocated_file_whose_rest_is_zero_is_not_complete) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    guint written = file->len;
    g_byte_array_set_size(file, 4096);
    memset(file->data + written, 0, file->len - written);
    expect_incomplete(file, "has no chunk at byte 33");
}
END_TEST

START_TEST(a_file_that_does_not_begin_with_its_header_is_not_complete) {
    g_autoptr(GByteArray) file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *)"\x89PNG\r\n\x1a\n", 8);
    put_chunk(file, "IEND", "", 0);
    expect_incomplete(file, "begins with chunk IEND of 0 bytes, not IHDR of 13");
}
END_TEST

START_TEST(a_million_empty_chunks_end_with_a_reason) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    for (guint i = 0; i < (1 << 20) + 1; i++)
        put_chunk(file, "IDAT", "", 0);
    put_chunk(file, "IEND", "", 0);
    expect_incomplete(file, "has no IEND among its first 1048576 chunks");
}
END_TEST

START_TEST(its_page_is_the_whole_file_and_there_is_no_other) {
    g_autoptr(GByteArray) file = png_new(10, 10, 8, 0);
    put_chunk(file, "IEND", "", 0);
    int fd = image_file_from(file->data, file->len);
    gint64 mtime_ns = image_file_mtime_ns(fd);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(format_cut(dup(fd), file->len, mtime_ns, 1, &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    g_autoptr(FrameBytes) bytes = format_cut(fd, file->len, mtime_ns, 0, NULL);
    ck_assert_uint_eq(frame_bytes_total(bytes), file->len);
}
END_TEST

SUITE("format_png", a_complete_file_tells_its_shape, a_file_cut_short_anywhere_is_not_complete,
      a_file_without_its_end_says_so, bytes_behind_the_end_do_no_harm,
      a_chunk_longer_than_the_file_is_told, a_preallocated_file_whose_rest_is_zero_is_not_complete,
      a_file_that_does_not_begin_with_its_header_is_not_complete,
      a_million_empty_chunks_end_with_a_reason, its_page_is_the_whole_file_and_there_is_no_other)
