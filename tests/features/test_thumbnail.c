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

SUITE("thumbnail", the_longer_side_fits_and_the_range_is_told, a_small_frame_keeps_its_size,
      dark_is_black_and_bright_is_white, every_type_of_plane_looks_the_same,
      awkward_frames_have_thumbnails_too, noise_does_not_make_it_large)
