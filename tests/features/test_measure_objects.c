#include "tests/features/golden.h"
#include "tests/suite.h"

/* Computed with numpy 1.24 and scipy 1.10: scipy.ndimage.label with ones((3, 3)). */
static const Golden golden_scipy[] = {
    {"n_objects", 1e-9, {35, 22, 28, 0, 1, 0, 0, 28, 35, 34, 33, 10}},
    {"obj_area_median", 1e-9, {284, 122, 332, NAN, 39816, NAN, NAN, 188, 284, 280, 300, 118}},
    {"obj_area_cv",
     1e-9,
     {0.7918914623, 0.6887440261, 0.5514858949, NAN, 0, NAN, NAN, 0.6284639841, 0.7910077038,
      0.8318090048, 0.8677810285, 2.973350751}},
    {"obj_largest_fraction",
     1e-9,
     {0.1260217984, 0.09990205681, 0.08864985163, NAN, 1, NAN, NAN, 0.08434504792, 0.1258053577,
      0.1268456376, 0.1262075413, 0.9920028893}},
    {"obj_border_fraction",
     1e-9,
     {0.1142857143, 0.1363636364, 0.1071428571, NAN, 1, NAN, NAN, 0.25, 0.1142857143, 0.1176470588,
      0.1212121212, 0.3}},
};

START_TEST(objects_are_those_that_scipy_labels) {
    golden_check(golden_scipy, G_N_ELEMENTS(golden_scipy));
}
END_TEST

/* ------------------------------------------------------------------ drawn by hand --- */

typedef struct {
    int x, y, radius;
} Disc;

#define BACKGROUND 100

/* Discs of equal height over noise of the given width (0 to 255). */
static gint64 *discs(int side, const Disc *discs_, gsize count, gint64 height, guint32 noise) {
    gint64 *pixels = g_new(gint64, side * side);
    for (int i = 0; i < side * side; i++) {
        pixels[i] = BACKGROUND + image_noise((guint32)i, 7) * noise / 255;
        for (gsize disc = 0; disc < count; disc++) {
            int dx = i % side - discs_[disc].x, dy = i / side - discs_[disc].y;
            if (dx * dx + dy * dy <= discs_[disc].radius * discs_[disc].radius) {
                pixels[i] += height;
                break;
            }
        }
    }
    return pixels;
}

static const Disc twelve[] = {{50, 50, 20},  {150, 60, 20},  {250, 50, 20},  {350, 70, 20},
                              {50, 160, 20}, {150, 150, 20}, {250, 170, 20}, {350, 160, 20},
                              {60, 300, 20}, {160, 310, 20}, {250, 300, 20}, {350, 320, 20}};

/* Pixels with x^2 + y^2 <= r^2. */
static double disc_area(int radius) {
    double area = 0;
    for (int y = -radius; y <= radius; y++)
        for (int x = -radius; x <= radius; x++)
            area += x * x + y * y <= radius * radius ? 1 : 0;
    return area;
}

START_TEST(twelve_discs_are_twelve_objects_of_their_area_whatever_the_type) {
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        g_autoptr(Plane) plane =
            image_plane(type, 400, 400, discs(400, twelve, G_N_ELEMENTS(twelve), 100, 40));
        plane->pixel_size_um = 0.5;
        g_autofree double *values = measure_plane(plane, NULL);
        double median = value_of(values, "obj_area_median");
        ck_assert_double_eq(value_of(values, "n_objects"), 12);
        ck_assert_double_eq_tol(median / disc_area(20), 1, 0.02);
        ck_assert_double_eq_tol(value_of(values, "obj_area_median_um2"), median / 4, 1e-9);
        ck_assert_double_lt(value_of(values, "obj_area_cv"), 0.02);
        ck_assert_double_eq_tol(value_of(values, "obj_largest_fraction"), 1 / 12., 0.003);
        ck_assert_double_eq(value_of(values, "obj_border_fraction"), 0);
    }
}
END_TEST

START_TEST(discs_that_touch_are_one_clump) {
    static const Disc touching[] = {
        {50, 50, 20}, {90, 50, 20}, {130, 50, 20}, {300, 50, 20}, {300, 200, 20}};
    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, 400, 400, discs(400, touching, G_N_ELEMENTS(touching), 3000, 40));
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq(value_of(values, "n_objects"), 3);
    ck_assert_double_eq_tol(value_of(values, "obj_largest_fraction"), 0.6, 0.01);
    ck_assert_double_eq_tol(value_of(values, "obj_area_median") / disc_area(20), 1, 0.02);
    ck_assert_double_eq_tol(value_of(values, "obj_area_cv"), sqrt(8) / 5, 0.01);
}
END_TEST

START_TEST(discs_that_the_field_cuts_are_told) {
    static const Disc cut[] = {{0, 100, 20}, {200, 399, 20}, {100, 100, 20}, {200, 200, 20}};
    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, 400, 400, discs(400, cut, G_N_ELEMENTS(cut), 3000, 40));
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq(value_of(values, "n_objects"), 4);
    ck_assert_double_eq(value_of(values, "obj_border_fraction"), 0.5);
}
END_TEST

START_TEST(specks_smaller_than_32_pixels_are_no_objects) {
    static const Disc specks[] = {{50, 50, 2}, {100, 50, 2}, {150, 50, 12}};
    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, 400, 400, discs(400, specks, G_N_ELEMENTS(specks), 3000, 0));
    ck_assert_double_eq(measure_one(plane, "n_objects"), 1);
}
END_TEST

/* Otsu's threshold cuts such a field's noise into halves; the noise's limit stands low on the
 * slopes of the cell, which makes it larger. */
START_TEST(one_small_cell_in_a_large_field_of_noise_is_one_object) {
    static const Disc alone[] = {{300, 200, 6}};
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 600, 600, discs(600, alone, 1, 200, 255));
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq(value_of(values, "n_objects"), 1);
    ck_assert_double_eq_tol(value_of(values, "obj_area_median") / disc_area(6), 1.2, 0.2);
}
END_TEST

START_TEST(an_empty_field_has_no_objects_and_no_areas) {
    g_autoptr(Plane) noise = image_noise16(), black = image_black16();
    const Plane *const planes[] = {noise, black};
    for (gsize i = 0; i < G_N_ELEMENTS(planes); i++) {
        g_autofree double *values = measure_plane(planes[i], NULL);
        ck_assert_double_eq(value_of(values, "n_objects"), 0);
        ck_assert(isnan(value_of(values, "obj_area_median")));
        ck_assert(isnan(value_of(values, "obj_largest_fraction")));
    }
}
END_TEST

START_TEST(without_a_pixel_size_there_are_no_micrometres) {
    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, 400, 400, discs(400, twelve, G_N_ELEMENTS(twelve), 100, 40));
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert(isnan(value_of(values, "obj_area_median_um2")));
    ck_assert(isfinite(value_of(values, "obj_area_median")));
}
END_TEST

START_TEST(a_frame_below_32_pixels_has_no_count) {
    g_autoptr(Plane) small = image_constant(PLANE_U16, 31, 100, 5);
    g_autoptr(Plane) enough = image_constant(PLANE_U16, 32, 33, 5);
    ck_assert(isnan(measure_one(small, "n_objects")));
    ck_assert_double_eq(measure_one(enough, "n_objects"), 0);
}
END_TEST

START_TEST(pixels_that_are_not_finite_are_background) {
    g_autofree gint64 *whole = discs(400, twelve, G_N_ELEMENTS(twelve), 3000, 40);
    g_autofree double *pixels = g_new(double, 400 * 400);
    for (int i = 0; i < 400 * 400; i++)
        pixels[i] = (double)whole[i];
    for (int i = 0; i < 400 * 110; i++) /* the first row of discs */
        pixels[i] = i < 400 * 50 ? NAN : INFINITY;
    g_autoptr(Plane) plane = image_floats(400, 400, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq(value_of(values, "n_objects"), 8);
    ck_assert_double_eq_tol(value_of(values, "obj_area_median") / disc_area(20), 1, 0.02);
}
END_TEST

SUITE("measure_objects", objects_are_those_that_scipy_labels,
      twelve_discs_are_twelve_objects_of_their_area_whatever_the_type,
      discs_that_touch_are_one_clump, discs_that_the_field_cuts_are_told,
      specks_smaller_than_32_pixels_are_no_objects,
      one_small_cell_in_a_large_field_of_noise_is_one_object,
      an_empty_field_has_no_objects_and_no_areas, without_a_pixel_size_there_are_no_micrometres,
      a_frame_below_32_pixels_has_no_count, pixels_that_are_not_finite_are_background)
