#include "ingest/format.h"
#include "tests/ingest/image_file.h"
#include "tests/suite.h"

/* --- what is said of a file --- */

static Structure *structure_of(int fd) {
    GError *error = NULL;
    Structure *structure = format_structure(fd, image_file_size(fd), &error);
    ck_assert_msg(structure != NULL, "%s", error != NULL ? error->message : "no error");
    return structure;
}

/* The file is not complete, and the words why hold these. Closes fd. */
static void expect_incomplete(int fd, const char *words) {
    g_autoptr(GError) error = NULL;
    Structure *structure = format_structure(fd, image_file_size(fd), &error);
    ck_assert_msg(structure == NULL, "complete, although it should say '%s'", words);
    ck_assert(fault_is(error, FAULT_AGAIN));
    ck_assert_msg(strstr(error->message, words) != NULL, "'%s' does not hold '%s'", error->message,
                  words);
    close(fd);
}

/* --- files put together by hand: little-endian, classic --- */

typedef struct {
    guint16 tag, type;
    guint32 count, value;
} Entry;

static void put_number(GByteArray *file, guint32 number, guint width) {
    for (guint i = 0; i < width; i++)
        g_byte_array_append(file, &(guint8){(guint8)(number >> 8 * i)}, 1);
}

static GByteArray *header_new(guint32 first) {
    GByteArray *file = g_byte_array_new();
    g_byte_array_append(file, (const guint8 *)"II*\0", 4);
    put_number(file, first, 4);
    return file;
}

static void put_directory(GByteArray *file, const Entry entries[], guint count, guint32 next) {
    put_number(file, count, 2);
    for (guint i = 0; i < count; i++) {
        put_number(file, entries[i].tag, 2);
        put_number(file, entries[i].type, 2);
        put_number(file, entries[i].count, 4);
        put_number(file, entries[i].value, 4);
    }
    put_number(file, next, 4);
}

/* A file of one directory at byte 8, and behind it zeros up to length. */
static int file_of(const Entry entries[], guint count, guint32 next, guint length) {
    g_autoptr(GByteArray) file = header_new(8);
    put_directory(file, entries, count, next);
    guint written = file->len;
    g_byte_array_set_size(file, MAX(length, written));
    memset(file->data + written, 0, file->len - written);
    return image_file_from(file->data, file->len);
}

#define SHORT 3
#define LONG  4

/* 10 x 10 pixels of 8 bits in one strip of 100 bytes at byte 200. */
#define SMALL_IMAGE                                                                                \
    {256, SHORT, 1, 10}, {257, SHORT, 1, 10}, {258, SHORT, 1, 8}, {273, LONG, 1, 200}, {           \
        279, LONG, 1, 100                                                                          \
    }

/* --- completeness --- */

START_TEST(an_empty_file_is_not_complete) {
    expect_incomplete(image_file_new(), "is empty");
}
END_TEST

START_TEST(a_preallocated_file_of_zeros_is_not_complete) {
    int fd = image_file_new();
    ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
    expect_incomplete(fd, "begins with 00 00 00 00: neither tiff nor png");
}
END_TEST

START_TEST(a_file_of_one_byte_is_not_complete) {
    expect_incomplete(image_file_from("I", 1), "begins with 49: neither");
}
END_TEST

START_TEST(a_header_that_names_no_directory_is_not_complete) {
    expect_incomplete(image_file_from("II*\0\0\0\0\0", 8), "has no directory yet");
}
END_TEST

START_TEST(a_directory_beyond_the_end_is_not_complete) {
    expect_incomplete(image_file_from("II*\0\0\0\1\0", 8), "ends at byte 65538, the file has 8");
}
END_TEST

START_TEST(a_complete_file_tells_its_pages_and_their_shape) {
    for (guint i = 0; i < G_N_ELEMENTS(image_kinds); i++) {
        const ImageKind *kind = &image_kinds[i];
        int fd = image_stack_new(kind);
        g_autoptr(Structure) structure = structure_of(fd);
        ck_assert_str_eq(structure->format, "tiff");
        ck_assert_uint_eq(structure->pages->len, kind->pages);
        for (guint page = 0; page < kind->pages; page++) {
            const FormatPage *told = &g_array_index(structure->pages, FormatPage, page);
            ck_assert_uint_eq(told->width, IMAGE_WIDTH);
            ck_assert_uint_eq(told->height, IMAGE_HEIGHT);
            ck_assert_uint_eq(told->bits, kind->bits);
            ck_assert_uint_eq(told->samples, kind->samples);
        }
        close(fd);
    }
}
END_TEST

START_TEST(a_file_cut_short_anywhere_is_not_complete) {
    for (guint i = 0; i < G_N_ELEMENTS(image_kinds); i++) {
        int fd = image_stack_new(&image_kinds[i]);
        guint64 size_bytes = image_file_size(fd);
        guint step = size_bytes > 4000 ? 13 : 1;
        for (guint64 end = size_bytes - 1; end > step; end -= step) {
            g_autoptr(GError) error = NULL;
            ck_assert_int_eq(ftruncate(fd, (off_t)end), 0);
            Structure *structure = format_structure(fd, end, &error);
            ck_assert_msg(structure == NULL, "%s: complete with %u of %u bytes",
                          image_kinds[i].name, (guint)end, (guint)size_bytes);
            ck_assert(fault_is(error, FAULT_AGAIN));
        }
        close(fd);
    }
}
END_TEST

START_TEST(a_file_that_is_shorter_than_it_was_said_to_be_is_not_complete) {
    int fd = image_stack_new(&image_kinds[0]);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(ftruncate(fd, 100), 0);
    ck_assert_ptr_null(format_structure(fd, 10000, &error));
    ck_assert(fault_is(error, FAULT_AGAIN));
    close(fd);
}
END_TEST

START_TEST(a_strip_beyond_the_end_is_told_by_its_number) {
    const Entry entries[] = {SMALL_IMAGE};
    expect_incomplete(file_of(entries, 5, 0, 299),
                      "page 0: strip 1 of 1 ends at byte 300, the file has 299");
    int fd = file_of(entries, 5, 0, 300);
    g_autoptr(Structure) structure = structure_of(fd);
    ck_assert_uint_eq(structure->pages->len, 1);
    close(fd);
}
END_TEST

START_TEST(a_strip_that_is_not_written_is_told) {
    const Entry nowhere[] = {{256, SHORT, 1, 10},
                             {257, SHORT, 1, 10},
                             {258, SHORT, 1, 8},
                             {273, LONG, 1, 0},
                             {279, LONG, 1, 0}};
    const Entry empty[] = {{256, SHORT, 1, 10},
                           {257, SHORT, 1, 10},
                           {258, SHORT, 1, 8},
                           {273, LONG, 1, 200},
                           {279, LONG, 1, 0}};
    expect_incomplete(file_of(nowhere, 5, 0, 400), "strip 1 of 1 is not written");
    const Entry compressed[] = {{256, SHORT, 1, 10}, {257, SHORT, 1, 10}, {258, SHORT, 1, 8},
                                {259, SHORT, 1, 5},  {273, LONG, 1, 0},   {279, LONG, 1, 0}};
    expect_incomplete(file_of(empty, 5, 0, 400), "strip 1 of 1 is not written");
    expect_incomplete(file_of(compressed, 6, 0, 400), "strip 1 of 1 is not written");
}
END_TEST

START_TEST(an_uncompressed_strip_with_too_few_bytes_is_told) {
    const Entry entries[] = {{256, SHORT, 1, 10},
                             {257, SHORT, 1, 10},
                             {258, SHORT, 1, 16},
                             {273, LONG, 1, 200},
                             {279, LONG, 1, 100}};
    expect_incomplete(file_of(entries, 5, 0, 400), "has 100 bytes, its pixels need 200");
}
END_TEST

START_TEST(fewer_strips_than_the_height_needs_are_told) {
    const Entry entries[] = {{256, SHORT, 1, 10}, {257, SHORT, 1, 10}, {258, SHORT, 1, 8},
                             {273, LONG, 1, 200}, {278, SHORT, 1, 5},  {279, LONG, 1, 50}};
    expect_incomplete(file_of(entries, 6, 0, 400), "has places for 1 of 2 strips");
}
END_TEST

START_TEST(a_missing_width_or_table_is_told) {
    const Entry no_width[] = {{257, SHORT, 1, 10}, {273, LONG, 1, 200}, {279, LONG, 1, 100}};
    const Entry no_table[] = {{256, SHORT, 1, 10}, {257, SHORT, 1, 10}};
    expect_incomplete(file_of(no_width, 3, 0, 400), "has no width");
    expect_incomplete(file_of(no_table, 2, 0, 400), "does not say where its strips are");
}
END_TEST

START_TEST(without_a_table_of_lengths_an_uncompressed_strip_has_its_pixels_length) {
    const Entry entries[] = {
        {256, SHORT, 1, 10}, {257, SHORT, 1, 10}, {258, SHORT, 1, 8}, {273, LONG, 1, 200}};
    expect_incomplete(file_of(entries, 4, 0, 299), "ends at byte 300");
    int fd = file_of(entries, 4, 0, 300);
    g_autoptr(Structure) structure = structure_of(fd);
    ck_assert_uint_eq(structure->pages->len, 1);
    close(fd);
}
END_TEST

START_TEST(a_tag_whose_value_is_not_there_yet_is_told) {
    const Entry entries[] = {SMALL_IMAGE, {700, 1, 5000, 300}};
    expect_incomplete(file_of(entries, 6, 0, 400),
                      "the value of tag 700 ends at byte 5300, the file has 400");
}
END_TEST

START_TEST(a_chain_that_returns_ends_with_a_reason) {
    const Entry entries[] = {SMALL_IMAGE};
    expect_incomplete(file_of(entries, 5, 8, 400), "the chain of directories returns to byte 8");
}
END_TEST

START_TEST(more_pages_than_the_limit_end_with_a_reason) {
    const Entry entries[] = {SMALL_IMAGE};
    const guint directory_bytes = 2 + 5 * 12 + 4, first = 400;
    g_autoptr(GByteArray) file = header_new(first);
    g_byte_array_set_size(file, first);
    for (guint page = 0; page <= FORMAT_PAGES_MAX; page++)
        put_directory(file, entries, 5, first + (page + 1) * directory_bytes);
    put_directory(file, entries, 5, 0);
    expect_incomplete(image_file_from(file->data, file->len), "has more than 100000 pages");
}
END_TEST

START_TEST(a_giant_table_costs_no_memory) {
    const Entry entries[] = {{256, LONG, 1, 4000000000u}, {257, LONG, 1, 4000000000u},
                             {258, SHORT, 1, 8},          {273, LONG, 1u << 30, 0},
                             {278, LONG, 1, 1},           {279, LONG, 1u << 30, 0},
                             {65000, 12, 0x20000000u, 0}};
    expect_incomplete(file_of(entries, 7, 0, 4096), "the value of tag 273 ends at byte 4294967296");
}
END_TEST

/* Every page points to one table as long as the file: without a bound that is a day of reading. */
START_TEST(one_table_shared_by_thousands_of_pages_ends_soon) {
    const guint chunks = 250000, tables = 1000, first = tables + chunks * 4, pages = 2000;
    const guint directory_bytes = 2 + 6 * 12 + 4;
    const Entry entries[] = {{256, LONG, 1, 1},  {257, LONG, 1, chunks},
                             {258, SHORT, 1, 8}, {273, LONG, chunks, 1000},
                             {278, LONG, 1, 1},  {279, LONG, chunks, 1000}};
    g_autoptr(GByteArray) file = header_new(first);
    g_byte_array_set_size(file, tables);
    for (guint i = 0; i < chunks; i++)
        put_number(file, 100, 4);
    for (guint page = 0; page < pages; page++)
        put_directory(file, entries, 6,
                      page + 1 < pages ? first + (page + 1) * directory_bytes : 0);
    expect_incomplete(image_file_from(file->data, file->len), "together are larger than the file");
}
END_TEST

START_TEST(directories_below_a_page_are_not_pages) {
    int fd = image_file_new();
    TIFF *tiff = image_file_tiff(fd, "wl");
    ImageKind kind = image_kinds[0];
    toff_t places[1] = {0};
    TIFFSetField(tiff, TIFFTAG_SUBIFD, 1, places);
    image_write_page(tiff, &kind, 0);
    image_write_page(tiff, &kind, 1); /* the one below */
    image_write_page(tiff, &kind, 2);
    TIFFClose(tiff);
    g_autoptr(Structure) structure = structure_of(fd);
    ck_assert_uint_eq(structure->pages->len, 2);
    close(fd);
}
END_TEST

START_TEST(the_pixel_size_is_told_where_it_can_be_one_of_a_microscope) {
    const struct {
        float resolution;
        guint16 unit;
        double size_um;
    } cases[] = {{30769.2f, RESUNIT_CENTIMETER, 0.325},
                 {10000, RESUNIT_CENTIMETER, 1},
                 {78154, RESUNIT_INCH, 0.325},
                 {72, RESUNIT_INCH, 0},
                 {600, RESUNIT_INCH, 0},
                 {3937, RESUNIT_INCH, 0}, /* 6.45 um, of the camera's chip */
                 {1, RESUNIT_NONE, 0},
                 {0, RESUNIT_CENTIMETER, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        ImageKind kind = image_kinds[1];
        int fd = image_file_new();
        TIFF *tiff = image_file_tiff(fd, "wl");
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, cases[i].resolution);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, cases[i].unit);
        image_write_page(tiff, &kind, 0);
        TIFFClose(tiff);
        g_autoptr(Structure) structure = structure_of(fd);
        const FormatPage *page = &g_array_index(structure->pages, FormatPage, 0);
        ck_assert_double_eq_tol(page->pixel_size_um, cases[i].size_um, 1e-4);
        close(fd);
    }
}
END_TEST

/* --- pages cut out --- */

/* The cut's bytes as a file of their own. */
static int cut_file(int fd, guint32 page) {
    GError *error = NULL;
    g_autoptr(FrameBytes) bytes =
        format_cut(dup(fd), image_file_size(fd), image_file_mtime_ns(fd), page, &error);
    ck_assert_msg(bytes != NULL, "%s", error != NULL ? error->message : "no error");
    guint64 total = frame_bytes_total(bytes);
    g_autofree guint8 *data = g_malloc(total);
    ck_assert(frame_bytes_read(bytes, 0, data, total, NULL));
    return image_file_from(data, total);
}

static GBytes *chunk_decode(TIFF *tiff, guint32 chunk) {
    bool tiled = TIFFIsTiled(tiff);
    tmsize_t room = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    guint8 *data = g_malloc0((gsize)room);
    tmsize_t length = tiled ? TIFFReadEncodedTile(tiff, chunk, data, room)
                            : TIFFReadEncodedStrip(tiff, chunk, data, room);
    ck_assert_int_gt(length, 0);
    return g_bytes_new_take(data, (gsize)length);
}

static void expect_same_tags(TIFF *a, TIFF *b) {
    static const guint32 shorts[] = {TIFFTAG_BITSPERSAMPLE, TIFFTAG_SAMPLESPERPIXEL,
                                     TIFFTAG_COMPRESSION,   TIFFTAG_PHOTOMETRIC,
                                     TIFFTAG_PLANARCONFIG,  TIFFTAG_ORIENTATION};
    for (guint i = 0; i < G_N_ELEMENTS(shorts); i++) {
        guint16 in_a = 0, in_b = 0;
        TIFFGetFieldDefaulted(a, shorts[i], &in_a);
        TIFFGetFieldDefaulted(b, shorts[i], &in_b);
        ck_assert_uint_eq(in_a, in_b);
    }
    char *text_a = NULL, *text_b = NULL;
    TIFFGetField(a, TIFFTAG_IMAGEDESCRIPTION, &text_a);
    TIFFGetField(b, TIFFTAG_IMAGEDESCRIPTION, &text_b);
    ck_assert_pstr_eq(text_a, text_b);
    guint32 length_a = 0, length_b = 0;
    void *profile_a = NULL, *profile_b = NULL;
    TIFFGetField(a, TIFFTAG_ICCPROFILE, &length_a, &profile_a);
    TIFFGetField(b, TIFFTAG_ICCPROFILE, &length_b, &profile_b);
    ck_assert_uint_eq(length_a, length_b);
    ck_assert_int_eq(
        memcmp(profile_a != NULL ? profile_a : "", profile_b != NULL ? profile_b : "", length_a),
        0);
}

/* That the first page of cut is page of whole, by libtiff's eyes. */
static void expect_same_page(int whole, guint32 page, int cut) {
    TIFF *a = image_file_tiff(whole, "r"), *b = image_file_tiff(cut, "r");
    ck_assert(TIFFSetDirectory(a, (tdir_t)page));
    expect_same_tags(a, b);
    guint32 chunks = TIFFIsTiled(a) ? TIFFNumberOfTiles(a) : TIFFNumberOfStrips(a);
    ck_assert_uint_eq(chunks, TIFFIsTiled(b) ? TIFFNumberOfTiles(b) : TIFFNumberOfStrips(b));
    for (guint32 chunk = 0; chunk < chunks; chunk++) {
        g_autoptr(GBytes) in_a = chunk_decode(a, chunk);
        g_autoptr(GBytes) in_b = chunk_decode(b, chunk);
        ck_assert(g_bytes_equal(in_a, in_b));
    }
    TIFFClose(a);
    TIFFClose(b);
}

START_TEST(every_page_cut_out_decodes_to_the_same_pixels) {
    for (guint i = 0; i < G_N_ELEMENTS(image_kinds); i++) {
        int fd = image_stack_new(&image_kinds[i]);
        for (guint32 page = 0; page < image_kinds[i].pages; page++) {
            int cut = cut_file(fd, page);
            expect_same_page(fd, page, cut);
            g_autoptr(Structure) structure = structure_of(cut);
            ck_assert_uint_eq(structure->pages->len, 1);
            close(cut);
        }
        close(fd);
    }
}
END_TEST

START_TEST(a_page_cut_out_is_about_as_large_as_its_share) {
    const ImageKind *kind = &image_kinds[0];
    int fd = image_stack_new(kind);
    int cut = cut_file(fd, 1);
    ck_assert_uint_lt(image_file_size(cut), image_file_size(fd) / kind->pages + 100);
    close(cut);
    close(fd);
}
END_TEST

START_TEST(a_file_of_one_page_is_given_whole) {
    int fd = image_stack_new(&image_kinds[1]);
    image_file_put(fd, image_file_size(fd), "and more behind", 15);
    guint64 size_bytes = image_file_size(fd);
    int cut = cut_file(fd, 0);
    g_autofree guint8 *before = g_malloc(size_bytes), *after = g_malloc(size_bytes);
    ck_assert_uint_eq(image_file_size(cut), size_bytes);
    image_file_get(fd, 0, before, size_bytes);
    image_file_get(cut, 0, after, size_bytes);
    ck_assert_int_eq(memcmp(before, after, size_bytes), 0);
    close(cut);
    close(fd);
}
END_TEST

/* The place of the entry of a tag in the page's directory; little-endian, classic. */
static guint32 entry_place(int fd, guint page, guint16 tag) {
    guint32 at;
    image_file_get(fd, 4, &at, 4);
    for (;; page--) {
        guint16 count;
        image_file_get(fd, at, &count, 2);
        for (guint16 i = 0; page == 0 && i < count; i++) {
            guint16 found;
            guint32 place = at + 2 + i * 12u;
            image_file_get(fd, place, &found, 2);
            if (found == tag)
                return place;
        }
        ck_assert_uint_gt(page, 0);
        image_file_get(fd, at + 2 + count * 12u, &at, 4);
    }
}

START_TEST(old_style_jpeg_gets_the_whole_file_behind_a_header_of_its_own) {
    int fd = image_stack_new(&image_kinds[5]);
    guint64 size_bytes = image_file_size(fd);
    guint16 old_jpeg = COMPRESSION_OJPEG;
    for (guint page = 0; page < image_kinds[5].pages; page++)
        image_file_put(fd, entry_place(fd, page, TIFFTAG_COMPRESSION) + 8, &old_jpeg, 2);
    int cut = cut_file(fd, 2);
    ck_assert_uint_eq(image_file_size(cut), size_bytes);
    guint32 description = entry_place(fd, 2, TIFFTAG_IMAGEDESCRIPTION);
    ck_assert_uint_eq(entry_place(cut, 0, TIFFTAG_IMAGEDESCRIPTION), description);
    g_autofree guint8 *before = g_malloc(size_bytes), *after = g_malloc(size_bytes);
    image_file_get(fd, 0, before, size_bytes);
    image_file_get(cut, 0, after, size_bytes);
    ck_assert_int_eq(memcmp(before + 8, after + 8, size_bytes - 8), 0);
    close(cut);
    close(fd);
}
END_TEST

/* Two pages of 1000 strips, all of them the same 1000 bytes: cut out plainly, a megabyte a page. */
START_TEST(strips_that_share_their_bytes_are_not_multiplied) {
    const guint chunks = 1000, offsets = 2000, lengths = offsets + chunks * 4;
    const guint first = lengths + chunks * 4, directory_bytes = 2 + 6 * 12 + 4;
    const Entry entries[] = {{256, LONG, 1, 1000}, {257, LONG, 1, chunks},
                             {258, SHORT, 1, 8},   {273, LONG, chunks, offsets},
                             {278, LONG, 1, 1},    {279, LONG, chunks, lengths}};
    g_autoptr(GByteArray) file = header_new(first);
    g_byte_array_set_size(file, offsets);
    for (guint i = 0; i < chunks; i++)
        put_number(file, 1000, 4);
    for (guint i = 0; i < chunks; i++)
        put_number(file, 1000, 4);
    put_directory(file, entries, 6, first + directory_bytes);
    put_directory(file, entries, 6, 0);
    int fd = image_file_from(file->data, file->len);
    int cut = cut_file(fd, 1);
    ck_assert_uint_le(image_file_size(cut), image_file_size(fd));
    expect_same_page(fd, 1, cut);
    close(cut);
    close(fd);
}
END_TEST

START_TEST(a_page_without_table_of_lengths_gets_one) {
    int fd = image_stack_new(&image_kinds[5]);
    guint16 private_tag = 65000;
    image_file_put(fd, entry_place(fd, 1, TIFFTAG_STRIPBYTECOUNTS), &private_tag, 2);
    int cut = cut_file(fd, 1);
    guint32 length;
    image_file_get(cut, entry_place(cut, 0, TIFFTAG_STRIPBYTECOUNTS) + 8, &length, 4);
    ck_assert_uint_eq(length, IMAGE_WIDTH * IMAGE_HEIGHT);
    close(cut);
    close(fd);
}
END_TEST

START_TEST(a_page_cut_out_points_to_no_other_directory) {
    int fd = image_file_new();
    TIFF *tiff = image_file_tiff(fd, "wl");
    toff_t places[1] = {0};
    TIFFSetField(tiff, TIFFTAG_SUBIFD, 1, places);
    image_write_page(tiff, &image_kinds[0], 0);
    image_write_page(tiff, &image_kinds[0], 1);
    image_write_page(tiff, &image_kinds[0], 2);
    TIFFClose(tiff);
    int cut = cut_file(fd, 0);
    TIFF *alone = image_file_tiff(cut, "r");
    guint16 count;
    toff_t *below;
    ck_assert(!TIFFGetField(alone, TIFFTAG_SUBIFD, &count, &below));
    ck_assert(TIFFLastDirectory(alone));
    TIFFClose(alone);
    close(cut);
    close(fd);
}
END_TEST

START_TEST(a_page_the_file_does_not_have_has_vanished) {
    int fd = image_stack_new(&image_kinds[0]);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(
        format_cut(dup(fd), image_file_size(fd), image_file_mtime_ns(fd), 3, &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    ck_assert_ptr_nonnull(strstr(error->message, "page 3"));
    close(fd);
}
END_TEST

START_TEST(a_file_rewritten_since_it_was_announced_has_vanished) {
    int fd = image_stack_new(&image_kinds[0]);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(
        format_cut(dup(fd), image_file_size(fd), image_file_mtime_ns(fd) - 1000000000, 0, &error));
    ck_assert(fault_is(error, FAULT_VANISHED));
    close(fd);
}
END_TEST

SUITE("format_tiff", an_empty_file_is_not_complete, a_preallocated_file_of_zeros_is_not_complete,
      a_file_of_one_byte_is_not_complete, a_header_that_names_no_directory_is_not_complete,
      a_directory_beyond_the_end_is_not_complete, a_complete_file_tells_its_pages_and_their_shape,
      a_file_cut_short_anywhere_is_not_complete,
      a_file_that_is_shorter_than_it_was_said_to_be_is_not_complete,
      a_strip_beyond_the_end_is_told_by_its_number, a_strip_that_is_not_written_is_told,
      an_uncompressed_strip_with_too_few_bytes_is_told, fewer_strips_than_the_height_needs_are_told,
      a_missing_width_or_table_is_told,
      without_a_table_of_lengths_an_uncompressed_strip_has_its_pixels_length,
      a_tag_whose_value_is_not_there_yet_is_told, a_chain_that_returns_ends_with_a_reason,
      more_pages_than_the_limit_end_with_a_reason, a_giant_table_costs_no_memory,
      one_table_shared_by_thousands_of_pages_ends_soon, directories_below_a_page_are_not_pages,
      the_pixel_size_is_told_where_it_can_be_one_of_a_microscope,
      every_page_cut_out_decodes_to_the_same_pixels, a_page_cut_out_is_about_as_large_as_its_share,
      a_file_of_one_page_is_given_whole,
      old_style_jpeg_gets_the_whole_file_behind_a_header_of_its_own,
      strips_that_share_their_bytes_are_not_multiplied, a_page_without_table_of_lengths_gets_one,
      a_page_cut_out_points_to_no_other_directory, a_page_the_file_does_not_have_has_vanished,
      a_file_rewritten_since_it_was_announced_has_vanished)
