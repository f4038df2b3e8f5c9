#include "features/thumbnail.h"
#include "features/vips_start.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <math.h>
#include <vips/vips.h>

/* The thumbnail's pixels again. Only TIFF and PNG loaders are open in this program, on purpose. */
static guint8 *shown_pixels(const Thumbnail *thumbnail) {
    vips_operation_block_set("VipsForeignLoadJpeg", FALSE);
    gsize length;
    const void *data = g_bytes_get_data(thumbnail->bytes, &length);
    VipsImage *image = NULL;
    ck_assert_int_eq(vips_jpegload_buffer((void *)data, length, &image, NULL), 0);
    ck_assert_int_eq(image->Xsize, (int)thumbnail->width);
    ck_assert_int_eq(image->Ysize, (int)thumbnail->height);
    ck_assert_int_eq(image->Bands, 1);
    guint8 *pixels = vips_image_write_to_memory(image, &length);
    g_object_unref(image);
    return pixels;
}

static Thumbnail *make(const Plane *plane, guint32 side) {
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    g_autoptr(GError) error = NULL;
    Thumbnail *thumbnail = thumbnail_make(scan, side, &error);
    ck_assert_msg(thumbnail != NULL, "%s", error ? error->message : "");
    return thumbnail;
}

START_TEST(the_longer_side_fits_and_the_range_is_told) {
    g_autoptr(Plane) plane = image_cells16(); /* 512 x 384 */
    g_autoptr(Thumbnail) thumbnail = make(plane, 192);
    ck_assert_uint_eq(thumbnail->width, 171); /* shrunk by 3, the last box is narrower */
    ck_assert_uint_eq(thumbnail->height, 128);
    ck_assert_double_eq_tol(thumbnail->low, 0.009216449225604639, 1e-12);
    ck_assert_double_eq_tol(thumbnail->high, 0.14917492942702423, 1e-12);
    ck_assert_str_eq(thumbnail->mime, "image/jpeg");
    ck_assert_uint_le(g_bytes_get_size(thumbnail->bytes), THUMBNAIL_BYTES_LIMIT);
}
END_TEST

START_TEST(a_small_frame_keeps_its_size) {
    g_autoptr(Plane) plane = image_constant(PLANE_U8, 20, 10, 7);
    g_autoptr(Thumbnail) thumbnail = make(plane, 192);
    ck_assert_uint_eq(thumbnail->width, 20);
    ck_assert_uint_eq(thumbnail->height, 10);
}
END_TEST

START_TEST(dark_is_black_and_bright_is_white) {
    gint64 *pixels = g_new(gint64, 128 * 128);
    for (int i = 0; i < 128 * 128; i++)
        pixels[i] = i % 128 < 64 ? 1000 : 3000;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 128, 128, pixels);
    g_autoptr(Thumbnail) thumbnail = make(plane, 64);
    g_autofree guint8 *shown = shown_pixels(thumbnail);
    ck_assert_int_le(shown[32 * 64 + 8], 3);
    ck_assert_int_ge(shown[32 * 64 + 56], 252);
}
END_TEST

START_TEST(every_type_of_plane_looks_the_same) {
    g_autofree guint8 *first = NULL;
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        gint64 *pixels = g_new(gint64, 90 * 70);
        for (int i = 0; i < 90 * 70; i++)
            pixels[i] = i % 90 + i / 90;
        g_autoptr(Plane) plane = image_plane(type, 90, 70, pixels);
        g_autoptr(Thumbnail) thumbnail = make(plane, 45);
        guint8 *shown = shown_pixels(thumbnail);
        if (first != NULL)
            ck_assert_mem_eq(first, shown, 45 * 35);
        g_free(first);
        first = shown;
    }
}
END_TEST

START_TEST(awkward_frames_have_thumbnails_too) {
    const double none[4] = {NAN, NAN, NAN, INFINITY}, some[4] = {NAN, 1, 2, -INFINITY};
    g_autoptr(Plane) dot = image_constant(PLANE_U16, 1, 1, 5);
    g_autoptr(Plane) nothing = image_floats(2, 2, none);
    g_autoptr(Plane) something = image_floats(2, 2, some);
    g_autoptr(Plane) line = image_constant(PLANE_U8, 1, 5000, 5);
    const Plane *all[] = {dot, nothing, something, line};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(Thumbnail) thumbnail = make(all[i], 192);
        ck_assert_uint_gt(g_bytes_get_size(thumbnail->bytes), 0);
        ck_assert(isfinite(thumbnail->low) && isfinite(thumbnail->high));
    }
}
END_TEST

START_TEST(noise_does_not_make_it_large) {
    gint64 *pixels = g_new(gint64, 512 * 512);
    for (guint32 i = 0; i < 512 * 512; i++)
        pixels[i] = image_hash(i) & 0xffff;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 512, 512, pixels);
    g_autoptr(Thumbnail) thumbnail = make(plane, 256);
    ck_assert_uint_le(g_bytes_get_size(thumbnail->bytes), THUMBNAIL_BYTES_LIMIT);
}
END_TEST

/* Cells, and so many of their pixels at the end of the scale. */
static Plane *cells_with_hot_pixels(int hot) {
    gint64 *pixels = image_cells(512, 384, 40, 6, 18, 9000, 600, 1);
    for (int i = 0; i < hot; i++)
        pixels[(i * 7919 + 4001) % (512 * 384)] = 65535;
    return image_plane(PLANE_U16, 512, 384, pixels);
}

START_TEST(hot_pixels_do_not_make_the_others_dark) {
    g_autoptr(Plane) clean = cells_with_hot_pixels(0), one = cells_with_hot_pixels(1),
                     many = cells_with_hot_pixels(20); /* 1 in 10000 */
    g_autoptr(Thumbnail) without = make(clean, 512), with_one = make(one, 512),
                         with_many = make(many, 512);
    ck_assert_double_lt(without->high, 0.16);
    ck_assert_double_eq_tol(with_one->low, without->low, 1e-6);
    ck_assert_double_eq_tol(with_one->high, without->high, 0.01 * without->high);
    ck_assert_double_lt(with_many->high, 1.05 * without->high);
    g_autofree guint8 *shown = shown_pixels(without), *hot = shown_pixels(with_many);
    double sum = 0, hot_sum = 0;
    for (int i = 0; i < 512 * 384; i++) {
        sum += shown[i];
        hot_sum += hot[i];
    }
    ck_assert_double_gt(hot_sum, 0.9 * sum);
}
END_TEST

START_TEST(the_range_tells_which_of_two_wells_is_brighter) {
    gint64 *dim = g_new(gint64, 64 * 64), *bright = g_new(gint64, 64 * 64);
    for (int i = 0; i < 64 * 64; i++) {
        dim[i] = 500 + 10 * (i % 64);
        bright[i] = 8 * dim[i];
    }
    g_autoptr(Plane) one = image_plane(PLANE_U16, 64, 64, dim);
    g_autoptr(Plane) other = image_plane(PLANE_U16, 64, 64, bright);
    g_autoptr(Thumbnail) of_one = make(one, 64), of_other = make(other, 64);
    g_autofree guint8 *shown = shown_pixels(of_one), *shown_other = shown_pixels(of_other);
    ck_assert_mem_eq(shown, shown_other, 64 * 64); /* alike to the eye */
    for (int x = 4; x < 60; x += 5) {
        double value = of_one->low + shown[x] / 255.0 * (of_one->high - of_one->low);
        double value_other = of_other->low + shown[x] / 255.0 * (of_other->high - of_other->low);
        ck_assert_double_eq_tol(value * 65535, 500 + 10 * x, 12);
        ck_assert_double_eq_tol(value_other * 65535, 8 * (500 + 10 * x), 96);
    }
}
END_TEST

START_TEST(one_in_so_many_frames_has_one_and_always_the_same) {
    int wanted = 0;
    for (int n = 0; n < 4000; n++) {
        FrameId id = frame_id_make("scope", "P1/A01.tif", (guint64)n, 7, 0);
        ck_assert(thumbnail_is_wanted(&id, 1));
        ck_assert(!thumbnail_is_wanted(&id, 0));
        ck_assert(thumbnail_is_wanted(&id, 8) == thumbnail_is_wanted(&id, 8));
        ck_assert(!thumbnail_is_wanted(&id, 8) || thumbnail_is_wanted(&id, 4));
        wanted += thumbnail_is_wanted(&id, 8);
    }
    ck_assert_int_gt(wanted, 400);
    ck_assert_int_lt(wanted, 600);
}
END_TEST

SUITE("thumbnail", the_longer_side_fits_and_the_range_is_told, a_small_frame_keeps_its_size,
      dark_is_black_and_bright_is_white, every_type_of_plane_looks_the_same,
      awkward_frames_have_thumbnails_too, noise_does_not_make_it_large,
      hot_pixels_do_not_make_the_others_dark, the_range_tells_which_of_two_wells_is_brighter,
      one_in_so_many_frames_has_one_and_always_the_same)
