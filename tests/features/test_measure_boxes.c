/* Measures of a frame made smaller: what numpy says of the same boxes. */
#include "features/measures/box_means.h"
#include "tests/features/golden.h"
#include "tests/suite.h"

static const struct {
    Plane *(*make)(void);
    double ice_quantiles[5];
    double contrast_ratio; /* 1.2 angstroms a pixel: boxes of 7 x 7 */
} known[] = {
    {image_cells16, {124.0021589, 129.4897553, 131.1244486, 133.2169126, 1720.96194}, 0.9671719763},
    {image_odd16, {89.56319233, 97.98108608, 100.6150839, 103.9793349, 1937.975709}, 1.451565084},
    {image_cells8, {317.6470588, 324.3697479, 326.6106443, 329.4117647, 8127.170868}, 1.589601216},
    {image_bright16,
     {3595.749303, 4299.01219, 4450.49719, 4592.491925, 4741.091486},
     0.04785920163},
};

START_TEST(means_of_patches_are_those_numpy_finds) {
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        g_autoptr(Plane) plane = known[i].make();
        g_autofree double *values = measure_plane(plane, NULL);
        const double *quantiles = values + measure_place("ice_quantiles");
        for (guint k = 0; k < 5; k++)
            ck_assert_double_eq_tol(quantiles[k] / known[i].ice_quantiles[k], 1, 1e-9);
    }
}
END_TEST

START_TEST(contrast_is_what_numpy_finds) {
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
        g_autoptr(Plane) plane = known[i].make();
        plane->pixel_size_um = 1.2e-4;
        ck_assert_double_eq_tol(measure_one(plane, "contrast_ratio") / known[i].contrast_ratio, 1,
                                1e-9);
    }
}
END_TEST

START_TEST(contrast_needs_pixels_of_a_known_size_of_at_most_8_angstroms) {
    static const struct {
        double pixel_size_um;
        bool is_measured;
    } cases[] = {{0, false},    {8e-4, true}, {8.01e-4, false}, {1e-4, true},
                 {0.65, false}, {1e-7, false} /* a box would be larger than the frame */};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Plane) plane = image_cells16();
        plane->pixel_size_um = cases[i].pixel_size_um;
        ck_assert_msg(isfinite(measure_one(plane, "contrast_ratio")) == cases[i].is_measured,
                      "%g um", cases[i].pixel_size_um);
    }
}
END_TEST

/* One pixel is a box of its own at 8 angstroms. */
START_TEST(contrast_of_single_pixels_is_that_of_the_image) {
    g_autoptr(Plane) plane = image_odd16();
    plane->pixel_size_um = 8e-4;
    ck_assert_double_eq_tol(measure_one(plane, "contrast_ratio"), measure_one(plane, "cv"), 1e-12);
}
END_TEST

START_TEST(a_frame_below_40_pixels_a_side_has_no_patches) {
    for (int side = 39; side <= 40; side++) {
        g_autoptr(Plane) plane = image_constant(PLANE_U8, 50, side, 51);
        double least = measure_one(plane, "ice_quantiles");
        ck_assert(side < 40 ? isnan(least) : fabs(least - 2000) < 1e-9);
    }
}
END_TEST

/* Boxes of 2 x 2: one with a hole, one of holes only; the last column is left over. */
START_TEST(pixels_that_are_not_finite_are_in_no_mean) {
    const double pixels[] = {1, 2,   NAN, INFINITY, 9, /**/
                             3, NAN, NAN, NAN,      9};
    g_autoptr(Plane) plane = image_floats(5, 2, pixels);
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    BoxMeans boxes;
    ck_assert(box_means(scan, 2, 2, &boxes));
    ck_assert_uint_eq(boxes.columns, 2);
    ck_assert_uint_eq(boxes.rows, 1);
    ck_assert_double_eq(boxes.means[0], 2);
    ck_assert_double_nan(boxes.means[1]);
    ck_assert(!box_means(scan, 2, 3, &boxes));
}
END_TEST

SUITE("measure_boxes", means_of_patches_are_those_numpy_finds, contrast_is_what_numpy_finds,
      contrast_needs_pixels_of_a_known_size_of_at_most_8_angstroms,
      contrast_of_single_pixels_is_that_of_the_image, a_frame_below_40_pixels_a_side_has_no_patches,
      pixels_that_are_not_finite_are_in_no_mean)
