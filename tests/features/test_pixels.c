#include "features/pixels.h"
#include "features/vips_start.h"
#include "tests/features/image_files.h"
#include "tests/suite.h"
#include <math.h>

static double pixel_of(const Plane *plane, gsize index) {
    switch (plane->type) {
    case PLANE_U8: return ((const guint8 *)plane->pixels)[index];
    case PLANE_U16: return ((const guint16 *)plane->pixels)[index];
    case PLANE_F32: return ((const float *)plane->pixels)[index];
    default: return ((const double *)plane->pixels)[index];
    }
}

static Plane *decode(GBytes *bytes, guint32 page) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    Plane *plane = pixels_decode(bytes, page, settings, &error);
    ck_assert_msg(plane != NULL, "%s", error != NULL ? error->message : "no error");
    ck_assert_ptr_null(error);
    return plane;
}

static void assert_pixels(const Plane *plane, const double *expected) {
    for (gsize i = 0; i < plane_pixels(plane); i++) {
        double got = pixel_of(plane, i);
        ck_assert_msg(got == expected[i] || (isnan(got) && isnan(expected[i])),
                      "pixel %" G_GSIZE_FORMAT " is %g, not %g", i, got, expected[i]);
    }
}

/* Decodes a one-page file of one page and compares. */
static Plane *assert_page(const PageSpec *page, const double *expected) {
    g_autoptr(GBytes) bytes = tiff_file("w", page, 1);
    Plane *plane = decode(bytes, 0);
    ck_assert_uint_eq(plane->width, page->width);
    ck_assert_uint_eq(plane->height, page->height);
    assert_pixels(plane, expected);
    return plane;
}

static void assert_broken(GBytes *bytes, guint32 page, const char *words) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Plane) plane = pixels_decode(bytes, page, settings, &error);
    ck_assert_ptr_null(plane);
    ck_assert_msg(fault_is(error, FAULT_BROKEN), "%s", error ? error->message : "no error");
    ck_assert_msg(strstr(error->message, words) != NULL, "\"%s\" does not say \"%s\"",
                  error->message, words);
}

/* ------------------------------------------------------------------ kinds of samples --- */

static const guint16 words[6] = {0, 1, 255, 256, 4095, 65535};
static const double words_as_they_are[6] = {0, 1, 255, 256, 4095, 65535};

START_TEST(plain_pixels_are_measured_where_they_lie) {
    const PageSpec page = {.width = 3, .height = 2, .bits = 16, .photometric = 1, .data = words};
    g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
    g_autoptr(Plane) plane = decode(bytes, 0);
    ck_assert(plane->in_place);
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    const guint8 *pixels = plane->pixels;
    ck_assert(pixels >= data && pixels + 12 <= data + length);
    assert_pixels(plane, words_as_they_are);
    ck_assert_int_eq(plane->type, PLANE_U16);
    ck_assert(plane->whole);
    ck_assert_double_eq(plane->scale, 65535);
}
END_TEST

START_TEST(a_plane_in_place_keeps_the_file_alive) {
    const PageSpec page = {.width = 3, .height = 2, .bits = 16, .photometric = 1, .data = words};
    GBytes *bytes = tiff_file("w", &page, 1);
    g_autoptr(Plane) plane = decode(bytes, 0);
    g_bytes_unref(bytes);
    assert_pixels(plane, words_as_they_are);
}
END_TEST

START_TEST(consecutive_strips_are_one_piece) {
    const PageSpec page = {
        .width = 2, .height = 3, .bits = 16, .photometric = 1, .rows_per_strip = 1, .data = words};
    g_autoptr(Plane) plane = assert_page(&page, words_as_they_are);
    ck_assert(plane->in_place);
}
END_TEST

START_TEST(misaligned_pixels_are_copied) {
    const PageSpec page = {.width = 3, .height = 2, .bits = 16, .photometric = 1, .data = words};
    g_autoptr(GBytes) file = tiff_file("w", &page, 1);
    gsize length;
    const guint8 *data = g_bytes_get_data(file, &length);
    guint8 *odd = g_malloc(length + 1);
    memcpy(odd + 1, data, length);
    g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(odd + 1, length, g_free, odd);
    g_autoptr(Plane) plane = decode(bytes, 0);
    ck_assert(!plane->in_place);
    assert_pixels(plane, words_as_they_are);
}
END_TEST

START_TEST(the_other_byte_order_and_bigtiff_decode_the_same) {
    static const char *const modes[] = {"wb", "wl", "w8", "wb8"};
    const PageSpec page = {.width = 3, .height = 2, .bits = 16, .photometric = 1, .data = words};
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autoptr(GBytes) bytes = tiff_file(modes[i], &page, 1);
        g_autoptr(Plane) plane = decode(bytes, 0);
        assert_pixels(plane, words_as_they_are);
    }
}
END_TEST

START_TEST(every_compression_gives_the_same_pixels) {
    static const struct {
        guint16 compression, predictor;
    } cases[] = {{COMPRESSION_LZW, 0},           {COMPRESSION_LZW, 2},
                 {COMPRESSION_ADOBE_DEFLATE, 0}, {COMPRESSION_ADOBE_DEFLATE, 2},
                 {COMPRESSION_ZSTD, 0},          {COMPRESSION_PACKBITS, 0},
                 {COMPRESSION_LZMA, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PageSpec page = {.width = 3,
                               .height = 2,
                               .bits = 16,
                               .photometric = 1,
                               .compression = cases[i].compression,
                               .predictor = cases[i].predictor,
                               .data = words};
        g_autoptr(Plane) plane = assert_page(&page, words_as_they_are);
        ck_assert(!plane->in_place);
    }
}
END_TEST

START_TEST(tiles_are_put_together_without_their_margins) {
    guint16 pixels[20 * 35];
    double expected[20 * 35];
    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++)
        expected[i] = pixels[i] = (guint16)(i * 97);
    const PageSpec page = {
        .width = 20, .height = 35, .bits = 16, .photometric = 1, .tile_side = 16, .data = pixels};
    g_autoptr(Plane) plane = assert_page(&page, expected);
}
END_TEST

START_TEST(signed_numbers_begin_with_zero_and_say_their_offset) {
    const gint16 shorts[4] = {-32768, -1, 0, 32767};
    const PageSpec page = {.width = 4,
                           .height = 1,
                           .bits = 16,
                           .format = SAMPLEFORMAT_INT,
                           .photometric = 1,
                           .data = shorts};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){0, 32767, 32768, 65535});
    ck_assert_double_eq(plane->offset, -32768);
    ck_assert_double_eq(plane->scale, 65535);

    const gint8 chars[3] = {-128, 0, 127};
    const PageSpec bytes = {.width = 3,
                            .height = 1,
                            .bits = 8,
                            .format = SAMPLEFORMAT_INT,
                            .photometric = 1,
                            .data = chars};
    g_autoptr(Plane) small = assert_page(&bytes, (double[]){0, 128, 255});
    ck_assert_double_eq(small->offset, -128);
    ck_assert_int_eq(small->type, PLANE_U8);
}
END_TEST

START_TEST(numbers_of_32_and_64_bits_keep_their_value) {
    const guint32 numbers[3] = {0, 16777217, 4294967295u};
    const PageSpec page = {.width = 3, .height = 1, .bits = 32, .photometric = 1, .data = numbers};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){0, 16777217, 4294967295.0});
    ck_assert(plane->whole);
    ck_assert_double_eq(plane->scale, 4294967295.0);

    const gint32 negative[2] = {G_MININT32, -1};
    const PageSpec ints = {.width = 2,
                           .height = 1,
                           .bits = 32,
                           .format = SAMPLEFORMAT_INT,
                           .photometric = 1,
                           .data = negative};
    g_autoptr(Plane) shifted = assert_page(&ints, (double[]){0, 2147483647});
    ck_assert_double_eq(shifted->offset, -2147483648.0);

    const guint64 large[2] = {5000000000, 3};
    const PageSpec longs = {.width = 2, .height = 1, .bits = 64, .photometric = 1, .data = large};
    g_autoptr(Plane) doubles = assert_page(&longs, (double[]){5e9, 3});
}
END_TEST

START_TEST(floats_and_doubles_stay_what_they_are) {
    const float floats[3] = {-1.5f, 0.25f, NAN};
    const PageSpec single = {.width = 3,
                             .height = 1,
                             .bits = 32,
                             .format = SAMPLEFORMAT_IEEEFP,
                             .photometric = 1,
                             .data = floats};
    g_autoptr(Plane) a = assert_page(&single, (double[]){-1.5, 0.25, NAN});
    ck_assert_int_eq(a->type, PLANE_F32);
    ck_assert(!a->whole);
    ck_assert_double_eq(a->scale, 1);

    const double doubles[2] = {1e300, -0.1};
    const PageSpec page = {.width = 2,
                           .height = 1,
                           .bits = 64,
                           .format = SAMPLEFORMAT_IEEEFP,
                           .photometric = 1,
                           .data = doubles};
    g_autoptr(Plane) b = assert_page(&page, doubles);
    ck_assert_int_eq(b->type, PLANE_F64);

    const guint16 halves[5] = {0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00};
    const PageSpec half = {.width = 5,
                           .height = 1,
                           .bits = 16,
                           .format = SAMPLEFORMAT_IEEEFP,
                           .photometric = 1,
                           .data = halves};
    g_autoptr(Plane) c = assert_page(&half, (double[]){1, -2, 0x1p-24, INFINITY, NAN});
    ck_assert_int_eq(c->type, PLANE_F32);
}
END_TEST

START_TEST(packed_bits_are_unpacked_and_scaled_by_their_own_range) {
    static const struct {
        guint16 bits;
        guint8 data[8];
        double expected[3], scale;
    } cases[] = {
        {1, {0xa0}, {1, 0, 1}, 1},
        {2, {0x6c}, {1, 2, 3}, 3},
        {4, {0x1f, 0x80}, {1, 15, 8}, 15},
        {10, {0x00, 0x7f, 0xe0, 0x04}, {1, 1022, 1}, 1023},
        {12, {0x00, 0x1f, 0xff, 0x80, 0x00}, {1, 4095, 2048}, 4095},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const PageSpec page = {.width = 3,
                               .height = 1,
                               .bits = cases[i].bits,
                               .photometric = 1,
                               .data = cases[i].data};
        g_autoptr(Plane) plane = assert_page(&page, cases[i].expected);
        ck_assert_double_eq(plane->scale, cases[i].scale);
    }
}
END_TEST

/* --------------------------------------------------------------------- photometrics --- */

START_TEST(min_is_white_is_inverted) {
    const PageSpec page = {.width = 3, .height = 2, .bits = 16, .photometric = 0, .data = words};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){65535, 65534, 65280, 65279, 61440, 0});
    const gint8 chars[3] = {-128, 0, 127};
    const PageSpec inverted = {.width = 3,
                               .height = 1,
                               .bits = 8,
                               .format = SAMPLEFORMAT_INT,
                               .photometric = 0,
                               .data = chars};
    g_autoptr(Plane) small = assert_page(&inverted, (double[]){255, 127, 0});
    const guint8 bits = 0xa0;
    const PageSpec fax = {.width = 3, .height = 1, .bits = 1, .photometric = 0, .data = &bits};
    g_autoptr(Plane) black = assert_page(&fax, (double[]){0, 1, 0});
}
END_TEST

START_TEST(rgb_is_measured_as_its_luma) {
    const guint8 pixels[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    /* 0.2125, 0.7154, 0.0721 of 255, rounded */
    const double luma[4] = {54, 182, 18, 255};
    const PageSpec page = {
        .width = 4, .height = 1, .bits = 8, .samples = 3, .photometric = 2, .data = pixels};
    g_autoptr(Plane) plane = assert_page(&page, luma);
    ck_assert_int_eq(plane->type, PLANE_U8);

    const guint8 planes[12] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255};
    const PageSpec separate = {.width = 4,
                               .height = 1,
                               .bits = 8,
                               .samples = 3,
                               .photometric = 2,
                               .planar = PLANARCONFIG_SEPARATE,
                               .data = planes};
    g_autoptr(Plane) same = assert_page(&separate, luma);
}
END_TEST

START_TEST(grey_in_all_three_colours_keeps_its_value) {
    guint16 pixels[256 * 3];
    double expected[256];
    for (guint i = 0; i < 256; i++) {
        pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = (guint16)(i * 257);
        expected[i] = i * 257;
    }
    const PageSpec page = {
        .width = 256, .height = 1, .bits = 16, .samples = 3, .photometric = 2, .data = pixels};
    g_autoptr(Plane) plane = assert_page(&page, expected);
}
END_TEST

START_TEST(tiles_of_separate_planes_are_read_which_libvips_does_not) {
    guint8 planes[3 * 40 * 20];
    double expected[40 * 20];
    for (guint i = 0; i < 40 * 20; i++) {
        planes[i] = planes[i + 800] = planes[i + 1600] = (guint8)i;
        expected[i] = (guint8)i;
    }
    const PageSpec page = {.width = 40,
                           .height = 20,
                           .bits = 8,
                           .samples = 3,
                           .photometric = 2,
                           .planar = PLANARCONFIG_SEPARATE,
                           .tile_side = 16,
                           .data = planes};
    g_autoptr(Plane) plane = assert_page(&page, expected);
}
END_TEST

START_TEST(alpha_is_dropped) {
    const guint8 grey[4] = {10, 255, 20, 0};
    const PageSpec page = {
        .width = 2, .height = 1, .bits = 8, .samples = 2, .photometric = 1, .data = grey};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){10, 20});
    const guint8 rgba[8] = {7, 7, 7, 0, 9, 9, 9, 255};
    const PageSpec colour = {
        .width = 2, .height = 1, .bits = 8, .samples = 4, .photometric = 2, .data = rgba};
    g_autoptr(Plane) luma = assert_page(&colour, (double[]){7, 9});
}
END_TEST

START_TEST(a_palette_gives_its_greys_or_its_luma) {
    guint16 red[16], green[16], blue[16];
    for (guint16 i = 0; i < 16; i++)
        red[i] = green[i] = blue[i] = (guint16)(65535 - i * 4369); /* white to black */
    red[1] = 65535;
    green[1] = blue[1] = 0;
    const guint8 indices[2] = {0x0f, 0x12};
    const PageSpec page = {.width = 4,
                           .height = 1,
                           .bits = 4,
                           .photometric = 3,
                           .palette = {red, green, blue},
                           .data = indices};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){255, 0, 54, 221});
    ck_assert_double_eq(plane->scale, 255);
}
END_TEST

/* Cellomics writes its 8-bit frames so: 255 is saturated, and has to stay it. */
START_TEST(a_grey_palette_in_steps_of_256_keeps_its_levels) {
    guint16 grey[256];
    for (guint i = 0; i < 256; i++)
        grey[i] = (guint16)(256 * i);
    const guint8 indices[5] = {0, 1, 128, 129, 255};
    const PageSpec page = {.width = 5,
                           .height = 1,
                           .bits = 8,
                           .photometric = 3,
                           .palette = {grey, grey, grey},
                           .data = indices};
    g_autoptr(Plane) plane = assert_page(&page, (double[]){0, 1, 128, 129, 255});
    ck_assert_double_eq(plane->scale, 255);
}
END_TEST

START_TEST(jpeg_within_tiff_is_read) {
    guint8 pixels[64 * 64];
    memset(pixels, 77, sizeof pixels);
    const PageSpec page = {.width = 64,
                           .height = 64,
                           .bits = 8,
                           .photometric = 1,
                           .compression = COMPRESSION_JPEG,
                           .data = pixels};
    g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
    g_autoptr(Plane) plane = decode(bytes, 0);
    ck_assert_double_eq_tol(pixel_of(plane, 2000), 77, 1);
}
END_TEST

START_TEST(colour_spaces_of_their_own_go_through_libvips) {
    guint8 lab[3 * 16 * 16];
    for (guint i = 0; i < 16 * 16; i++) {
        lab[3 * i] = 128;
        lab[3 * i + 1] = lab[3 * i + 2] = 0;
    }
    const PageSpec page = {.width = 16,
                           .height = 16,
                           .bits = 8,
                           .samples = 3,
                           .photometric = PHOTOMETRIC_CIELAB,
                           .data = lab};
    g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
    g_autoptr(Plane) plane = decode(bytes, 0);
    ck_assert_uint_eq(plane->width, 16);
    ck_assert_double_eq_tol(pixel_of(plane, 0), 119, 3); /* L = 50: a middle grey */
}
END_TEST

/* ------------------------------------------------------------------------------ PNG --- */

START_TEST(png_is_read_with_all_its_bits) {
    ck_assert(vips_start(NULL));
    g_autoptr(GBytes) grey = png_file(3, 2, 1, 16, words);
    g_autoptr(Plane) plane = decode(grey, 0);
    assert_pixels(plane, words_as_they_are);
    ck_assert_double_eq(plane->scale, 65535);

    const guint8 rgba[8] = {255, 0, 0, 9, 50, 50, 50, 9};
    g_autoptr(GBytes) colour = png_file(2, 1, 4, 8, rgba);
    g_autoptr(Plane) luma = decode(colour, 0);
    assert_pixels(luma, (double[]){54, 50});
    ck_assert_uint_eq(pixels_pages(colour, NULL), 1);
}
END_TEST

START_TEST(a_png_cut_anywhere_is_broken) {
    ck_assert(vips_start(NULL));
    guint16 pixels[64 * 64];
    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint16)(i * i * 31);
    g_autoptr(GBytes) whole = png_file(64, 64, 1, 16, pixels);
    for (gsize length = 0; length < g_bytes_get_size(whole); length += 61) {
        g_autoptr(GBytes) cut = cut_file(whole, length);
        assert_broken(cut, 0, "");
    }
}
END_TEST

START_TEST(a_png_with_a_wrong_checksum_is_broken) {
    ck_assert(vips_start(NULL));
    guint8 pixels[32 * 32] = {1, 2, 3};
    g_autoptr(GBytes) whole = png_file(32, 32, 1, 8, pixels);
    gsize length;
    guint8 *data = g_memdup2(g_bytes_get_data(whole, &length), g_bytes_get_size(whole));
    data[length - 12 - 2] ^= 0xff; /* in the checksum of the chunk before IEND */
    g_autoptr(GBytes) wrong = g_bytes_new_take(data, length);
    assert_broken(wrong, 0, "CRC");
}
END_TEST

/* ---------------------------------------------------------------------------- pages --- */

START_TEST(the_page_that_is_asked_for_is_decoded) {
    const guint8 first[2] = {1, 2}, second[3] = {3, 4, 5};
    const PageSpec pages[] = {
        {.width = 2, .height = 1, .bits = 8, .photometric = 1, .data = first},
        {.width = 3, .height = 1, .bits = 8, .photometric = 1, .data = second},
    };
    g_autoptr(GBytes) bytes = tiff_file("w", pages, 2);
    g_autoptr(Plane) plane = decode(bytes, 1);
    ck_assert_uint_eq(plane->width, 3);
    assert_pixels(plane, (double[]){3, 4, 5});
    ck_assert_uint_eq(pixels_pages(bytes, NULL), 2);
    assert_broken(bytes, 2, "no page 2");
}
END_TEST

/* ------------------------------------------------------------------------ bad input --- */

START_TEST(a_tiff_cut_anywhere_is_broken_and_never_zeros) {
    static const guint16 compressions[] = {COMPRESSION_NONE, COMPRESSION_LZW,
                                           COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS,
                                           COMPRESSION_JPEG};
    guint8 pixels[48 * 48];
    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint8)(1 + i * i % 255);
    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        const PageSpec page = {.width = 48,
                               .height = 48,
                               .bits = 8,
                               .photometric = 1,
                               .compression = compressions[i],
                               .data = pixels};
        g_autoptr(GBytes) whole = tiff_file("w", &page, 1);
        for (gsize length = 0; length < g_bytes_get_size(whole); length += 53) {
            g_autoptr(GBytes) cut = cut_file(whole, length);
            assert_broken(cut, 0, "");
        }
    }
}
END_TEST

/* The file keeps its length and its directory, but the second half of the pixels was never written.
 * libjpeg would make up the rest of a JPEG, and only warn. */
START_TEST(compressed_pixels_that_were_never_written_are_broken) {
    guint8 pixels[64 * 64];
    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint8)(1 + i * i % 255);
    static const guint16 compressions[] = {COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                           COMPRESSION_JPEG};
    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++) {
        const PageSpec page = {.width = 64,
                               .height = 64,
                               .bits = 8,
                               .photometric = 1,
                               .compression = compressions[i],
                               .data = pixels};
        g_autoptr(GBytes) whole = tiff_file("wl", &page, 1);
        gsize length = g_bytes_get_size(whole);
        guint8 *torn = g_memdup2(g_bytes_get_data(whole, NULL), length);
        guint32 directory = tiff_directory(torn);
        memset(torn + directory / 2, 0, directory - directory / 2);
        g_autoptr(GBytes) bytes = g_bytes_new_take(torn, length);
        assert_broken(bytes, 0, "");
    }
}
END_TEST

START_TEST(what_is_no_image_is_broken) {
    static const char *const contents[] = {
        "", "I", "II*", "hello, world", "\x89PNG\r\n\x1a\n", "GIF89a..........."};
    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autoptr(GBytes) bytes = g_bytes_new_static(contents[i], strlen(contents[i]));
        assert_broken(bytes, 0, "");
        g_autoptr(GError) error = NULL;
        if (!g_str_has_prefix(contents[i], "\x89PNG"))
            ck_assert_uint_eq(pixels_pages(bytes, &error), 0);
    }
}
END_TEST

START_TEST(more_pixels_than_the_limit_are_refused_before_memory_is_taken) {
    const guint8 row[4] = {1, 2, 3, 4};
    const PageSpec page = {.width = 4, .height = 1, .bits = 8, .photometric = 1, .data = row};
    g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
    g_autoptr(Settings) settings = settings_new();
    settings->pixel_limit = 3;
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(pixels_decode(bytes, 0, settings, &error));
    ck_assert(fault_is(error, FAULT_BROKEN));
    ck_assert_ptr_nonnull(strstr(error->message, "pixel-limit"));
}
END_TEST

/* A header of 100000 x 4000 pixels without any: libtiff and we must not take 400 MB and say zeros.
 */
START_TEST(a_small_file_that_claims_to_be_huge_is_broken) {
    const guint8 row[4] = {1, 2, 3, 4};
    const PageSpec page = {.width = 4,
                           .height = 1,
                           .bits = 8,
                           .photometric = 1,
                           .compression = COMPRESSION_LZW,
                           .data = row};
    g_autoptr(GBytes) file = tiff_file("wl", &page, 1);
    gsize length;
    guint8 *data = g_memdup2(g_bytes_get_data(file, &length), g_bytes_get_size(file));
    tiff_set_tag(data, TIFFTAG_IMAGEWIDTH, 100000);
    tiff_set_tag(data, TIFFTAG_IMAGELENGTH, 4000);
    tiff_set_tag(data, TIFFTAG_ROWSPERSTRIP, 4000);
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, length);
    assert_broken(bytes, 0, "");
}
END_TEST

START_TEST(complex_numbers_are_told_to_be_no_image) {
    const float pairs[4] = {1, 2, 3, 4};
    const PageSpec page = {.width = 2,
                           .height = 1,
                           .bits = 64,
                           .format = SAMPLEFORMAT_COMPLEXIEEEFP,
                           .photometric = 1,
                           .data = pairs};
    g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
    assert_broken(bytes, 0, "complex");
}
END_TEST

/* Flips and zeroes bytes all over: whatever comes out, it must come out without a crash. */
START_TEST(damaged_bytes_end_in_a_plane_or_an_error) {
    guint16 pixels[40 * 30];
    for (gsize i = 0; i < G_N_ELEMENTS(pixels); i++)
        pixels[i] = (guint16)(i * 131);
    const PageSpec page = {.width = 40,
                           .height = 30,
                           .bits = 16,
                           .photometric = 1,
                           .compression = COMPRESSION_LZW,
                           .predictor = 2,
                           .rows_per_strip = 7,
                           .data = pixels};
    g_autoptr(GBytes) file = tiff_file("w", &page, 1);
    g_autoptr(Settings) settings = settings_new();
    settings->pixel_limit = 1000000;
    gsize length = g_bytes_get_size(file);
    for (gsize at = 0; at < length; at += 3)
        for (int damage = 0; damage < 2; damage++) {
            guint8 *data = g_memdup2(g_bytes_get_data(file, NULL), length);
            data[at] = damage == 0 ? 0 : data[at] ^ 0x81;
            g_autoptr(GBytes) bytes = g_bytes_new_take(data, length);
            g_autoptr(GError) error = NULL;
            g_autoptr(Plane) plane = pixels_decode(bytes, 0, settings, &error);
            ck_assert((plane != NULL) != (error != NULL));
        }
}
END_TEST

SUITE("pixels", plain_pixels_are_measured_where_they_lie, a_plane_in_place_keeps_the_file_alive,
      consecutive_strips_are_one_piece, misaligned_pixels_are_copied,
      the_other_byte_order_and_bigtiff_decode_the_same, every_compression_gives_the_same_pixels,
      tiles_are_put_together_without_their_margins,
      signed_numbers_begin_with_zero_and_say_their_offset,
      numbers_of_32_and_64_bits_keep_their_value, floats_and_doubles_stay_what_they_are,
      packed_bits_are_unpacked_and_scaled_by_their_own_range, min_is_white_is_inverted,
      rgb_is_measured_as_its_luma, grey_in_all_three_colours_keeps_its_value,
      tiles_of_separate_planes_are_read_which_libvips_does_not, alpha_is_dropped,
      a_palette_gives_its_greys_or_its_luma, a_grey_palette_in_steps_of_256_keeps_its_levels,
      jpeg_within_tiff_is_read, colour_spaces_of_their_own_go_through_libvips,
      png_is_read_with_all_its_bits, a_png_cut_anywhere_is_broken,
      a_png_with_a_wrong_checksum_is_broken, the_page_that_is_asked_for_is_decoded,
      a_tiff_cut_anywhere_is_broken_and_never_zeros,
      compressed_pixels_that_were_never_written_are_broken, what_is_no_image_is_broken,
      more_pixels_than_the_limit_are_refused_before_memory_is_taken,
      a_small_file_that_claims_to_be_huge_is_broken, complex_numbers_are_told_to_be_no_image,
      damaged_bytes_end_in_a_plane_or_an_error)
