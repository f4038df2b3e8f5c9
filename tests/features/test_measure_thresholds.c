/* Thresholds against scikit-image 0.19.3 and ImageJ over the same pixels: they are grey values, and
 * come out exactly. None of the images has a tie that a rounding could turn. */
#include "features/measures/bins.h"
#include "tests/features/golden.h"
#include "tests/suite.h"

/* 0.19.3: filters.threshold_*, measure.shannon_entropy. A constant image makes threshold_triangle
 * fail. */
static const Golden golden_skimage[] = {
    {"thr_otsu",
     0,
     {3211 / 65535., 4327 / 65535., 10925 / 65535., 3032 / 65535., 22300 / 65535., 1234 / 65535., 0,
      59 / 255., 3189 / 65535., 3119 / 65535., 2851 / 65535., 28719 / 65535.}},
    {"thr_triangle",
     0,
     {923 / 65535., 453 / 65535., 29999 / 65535., 4855 / 65535., 12701 / 65535., NAN, NAN,
      10 / 255., 1018 / 65535., 962 / 65535., 927 / 65535., 26722 / 65535.}},
    {"thr_yen",
     0,
     {1110 / 65535., 910 / 65535., 1010 / 65535., 3032 / 65535., 22300 / 65535., 1234 / 65535., 0,
      9 / 255., 1206 / 65535., 1325 / 65535., 1643 / 65535., 27081 / 65535.}},
    {"thr_isodata",
     0,
     {3211 / 65535., 4326 / 65535., 10925 / 65535., 3043 / 65535., 22298 / 65535., 1234 / 65535., 0,
      59 / 255., 3189 / 65535., 3118 / 65535., 2851 / 65535., 28718 / 65535.}},
    {"thr_li",
     1e-12,
     {2048.7195314036244 / 65535., 2339.9660913304779 / 65535., 4586.2875428260177 / 65535.,
      2634.0833355767422 / 65535., 19852.059008673226 / 65535., 1234 / 65535., 0,
      27.509469831735391 / 255., 1975.0202759051947 / 65535., 1795.507748183245 / 65535.,
      1564.7205909795098 / 65535., 28467.049458404319 / 65535.}},
    {"entropy",
     1e-12,
     {8.8647485946320774, 8.748558635345459, 8.5462301848415123, 7.9970843998602366,
      9.6104210967025558, 0, 0, 2.2757475415341744, 8.6402437879348923, 7.9407232951571318,
      7.5361724042653124, 12.634834502727847}},
};

/* The formula with numpy 1.24.2, one bin a value: no sum shared between two candidates. */
static const Golden golden_maxentropy[] = {
    {"thr_maxentropy",
     0,
     {1110 / 65535., 910 / 65535., 1010 / 65535., 3032 / 65535., 22300 / 65535., NAN, NAN, 9 / 255.,
      1392 / 65535., 1763 / 65535., 2383 / 65535., 27081 / 65535.}},
};

START_TEST(thresholds_are_scikit_images) {
    golden_check(golden_skimage, G_N_ELEMENTS(golden_skimage));
}
END_TEST

START_TEST(the_maximum_entropy_is_found_at_the_same_value) {
    golden_check(golden_maxentropy, G_N_ELEMENTS(golden_maxentropy));
}
END_TEST

/* --- floats: 256 bins, as scikit-image makes --- */

START_TEST(floats_have_scikit_images_256_bins) {
    static const struct {
        const char *name;
        double value;
    } expected[] = {{"thr_li", 2339.966091330478},
                    {"thr_triangle", 992.1171875},
                    {"thr_yen", 929.7890625},
                    {"thr_isodata", 4295.5078125},
                    {"thr_maxentropy", 929.7890625}};
    g_autoptr(Plane) plane =
        image_plane(PLANE_F64, 301, 257, image_cells(301, 257, 25, 5, 14, 12000, 400, 2));
    g_autofree double *values = measure_plane(plane, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++)
        ck_assert_double_eq_tol(value_of(values, expected[i].name), expected[i].value, 1e-9);
}
END_TEST

START_TEST(fractions_step_by_their_own_least_distance) {
    static const double pixels[] = {0.5,  0.25, 0.25, 0.75, 1.5, 0.3,
                                    0.31, 0.26, 0.9,  1.45, 1.5, 0.27};
    g_autoptr(Plane) plane = image_floats(4, 3, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq_tol(value_of(values, "thr_li"), 0.5700093383524536, 1e-12);
    ck_assert_double_eq_tol(value_of(values, "thr_triangle"), 0.25732421875, 1e-12);
    ck_assert_double_eq_tol(value_of(values, "thr_yen"), 0.31103515625, 1e-12);
    ck_assert_double_eq_tol(value_of(values, "thr_isodata"), 0.84814453125, 1e-12);
}
END_TEST

START_TEST(a_value_on_an_edge_is_in_the_bin_above_it_and_the_last_edge_in_the_last_bin) {
    const Bins bins = {0.3, 0.01, 100}; /* whose quotients are rounded up and down */
    for (gsize bin = 0; bin < bins.count; bin++) {
        double edge = bins.start + (double)bin * bins.width;
        ck_assert_uint_eq(bins_place(&bins, edge), bin);
        ck_assert_uint_eq(bins_place(&bins, nextafter(edge, 9)), bin);
        if (bin > 0)
            ck_assert_uint_eq(bins_place(&bins, nextafter(edge, 0)), bin - 1);
    }
    ck_assert_uint_eq(bins_place(&bins, bins.start + (double)bins.count * bins.width), 99);
}
END_TEST

/* --- what CellProfiler does with odd images --- */

static const char *const cellprofilers[] = {"thr_otsu_2w",   "thr_otsu_2s", "thr_otsu_3fw",
                                            "thr_otsu_3bw",  "thr_ridler",  "thr_background",
                                            "thr_robust_bg", "thr_mct"};

START_TEST(otsu_leaves_out_what_is_below_zero) {
    static const double negative[] = {-3, 0.1, 0.2, 0.3, 0.9, 0.8, 0.7, -0.5, 0.15};
    static const double positive[] = {0.1, 0.2, 0.3, 0.9, 0.8, 0.7, 0.15};
    g_autoptr(Plane) some = image_floats(3, 3, negative);
    g_autoptr(Plane) none = image_floats(7, 1, positive);
    g_autofree double *a = measure_plane(some, NULL);
    g_autofree double *b = measure_plane(none, NULL);
    for (gsize i = 0; i < 4; i++)
        ck_assert_double_eq(value_of(a, cellprofilers[i]), value_of(b, cellprofilers[i]));
}
END_TEST

START_TEST(a_plane_below_zero_has_no_logarithm_but_a_background) {
    static const double pixels[] = {-3, -2, -1, -2.5};
    g_autoptr(Plane) plane = image_floats(2, 2, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    for (gsize i = 0; i < 5; i++)
        ck_assert_msg(isnan(value_of(values, cellprofilers[i])), "%s", cellprofilers[i]);
    for (gsize i = 5; i < 8; i++)
        ck_assert_msg(isfinite(value_of(values, cellprofilers[i])), "%s", cellprofilers[i]);
}
END_TEST

START_TEST(two_pixels_are_too_few_for_some) {
    static const double pixels[] = {0.25, 0.75};
    g_autoptr(Plane) plane = image_floats(2, 1, pixels);
    ck_assert_double_eq(measure_one(plane, "thr_ridler"), 0);
    ck_assert_double_eq(measure_one(plane, "thr_robust_bg"), 0);
}
END_TEST

START_TEST(pixels_at_the_ends_only_leave_the_background_where_the_ends_are_cut) {
    static const double pixels[] = {0.25, 0.75, 0.25, 0.75};
    g_autoptr(Plane) plane = image_floats(2, 2, pixels);
    ck_assert_double_eq(measure_one(plane, "thr_background"), 0.25 + 0.02 * 0.5);
}
END_TEST

SUITE("measure_thresholds", thresholds_are_scikit_images,
      the_maximum_entropy_is_found_at_the_same_value, floats_have_scikit_images_256_bins,
      fractions_step_by_their_own_least_distance,
      a_value_on_an_edge_is_in_the_bin_above_it_and_the_last_edge_in_the_last_bin,
      otsu_leaves_out_what_is_below_zero, a_plane_below_zero_has_no_logarithm_but_a_background,
      two_pixels_are_too_few_for_some,
      pixels_at_the_ends_only_leave_the_background_where_the_ends_are_cut)
