/* What scikit-image says of the blur of the same pixels. */
#include "features/measure.h"
#include "tests/features/golden.h"
#include "tests/suite.h"

/* scikit-image 0.19.3's measure.blur_effect(image, h_size=11). */
static const Golden golden_skimage[] = {
    {"blur_effect",
     1e-12,
     {0.4064721899672348, 0.4402724460696384, 0.5284195118638741, 0.12004443744169555,
      0.9905362776025202, NAN, NAN, 0.5827399871965826, 0.5814862090765681, 0.7192508408496451,
      0.8338826100848546, 0.15391244755978067}},
};

START_TEST(blur_is_scikit_images) {
    golden_check(golden_skimage, G_N_ELEMENTS(golden_skimage));
}
END_TEST

static double blur_of(PlaneType type, int width, int height) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = image_hash((guint32)i) & 255;
    g_autoptr(Plane) plane = image_plane(type, width, height, pixels);
    return measure_one(plane, "blur_effect");
}

/* The box reaches beyond both edges at once, and is mirrored more than once. Values of
 * scipy.ndimage by scikit-image's formula. */
START_TEST(frames_smaller_than_the_box_are_mirrored_as_often_as_it_takes) {
    static const struct {
        int width, height;
        double value;
    } cases[] = {{4, 4, 0.211598746082},  {9, 4, 0.217786561265},  {20, 5, 0.139723048957},
                 {6, 7, 0.153331962155},  {4, 13, 0.159147025814}, {11, 12, 0.15120012601},
                 {40, 30, 0.119143669516}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++)
            ck_assert_double_eq_tol(blur_of(type, cases[i].width, cases[i].height), cases[i].value,
                                    1e-9);
}
END_TEST

START_TEST(frames_without_an_inner_place_have_no_blur) {
    ck_assert_double_nan(blur_of(PLANE_U16, 3, 40));
    ck_assert_double_nan(blur_of(PLANE_U16, 40, 3));
    ck_assert_double_nan(blur_of(PLANE_U16, 1, 1));
}
END_TEST

/* The largest differences there are, in a row that is longer than what is summed at once. */
START_TEST(sums_do_not_overflow) {
    enum { WIDTH = 5000, HEIGHT = 40 };
    double values[2];
    for (int type = 0; type < 2; type++) {
        gint64 *pixels = g_new(gint64, WIDTH * HEIGHT);
        for (int i = 0; i < WIDTH * HEIGHT; i++)
            pixels[i] = (i % WIDTH / 2 + i / WIDTH / 2) % 2 * 65535;
        g_autoptr(Plane) plane =
            image_plane(type == 0 ? PLANE_U16 : PLANE_F64, WIDTH, HEIGHT, pixels);
        values[type] = measure_one(plane, "blur_effect");
    }
    ck_assert_double_eq(values[0], values[1]);
}
END_TEST

/* An edge beside a hole is not seen; edges far from it are as before. */
START_TEST(places_that_touch_a_pixel_that_is_not_finite_are_left_out) {
    enum { SIDE = 60 };
    double values[2];
    for (int hole = 0; hole < 2; hole++) {
        g_autofree double *pixels = g_new(double, SIDE *SIDE);
        for (int i = 0; i < SIDE * SIDE; i++)
            pixels[i] = image_hash((guint32)i) & 255;
        if (hole)
            pixels[30 * SIDE + 30] = NAN;
        g_autoptr(Plane) plane = image_floats(SIDE, SIDE, pixels);
        values[hole] = measure_one(plane, "blur_effect");
    }
    ck_assert(isfinite(values[1]));
    ck_assert_double_ne(values[1], values[0]);
    ck_assert_double_eq_tol(values[1], values[0], 0.01);
}
END_TEST

START_TEST(an_image_without_edges_along_one_axis_has_no_blur) {
    gint64 *pixels = g_new(gint64, 40 * 40);
    for (int i = 0; i < 40 * 40; i++)
        pixels[i] = i % 40 / 4 % 2 * 1000;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 40, 40, pixels);
    ck_assert_double_nan(measure_one(plane, "blur_effect"));
}
END_TEST

SUITE("measure_blur", blur_is_scikit_images,
      frames_smaller_than_the_box_are_mirrored_as_often_as_it_takes,
      frames_without_an_inner_place_have_no_blur, sums_do_not_overflow,
      places_that_touch_a_pixel_that_is_not_finite_are_left_out,
      an_image_without_edges_along_one_axis_has_no_blur)
