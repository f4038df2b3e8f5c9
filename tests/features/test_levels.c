#include "features/levels.h"
#include "tests/suite.h"
#include <math.h>

static Levels *levels_of(const double *values, gsize count) {
    g_autofree double *sorted = g_memdup2(values, count * sizeof *values);
    g_autofree double *scratch = g_new(double, count);
    return levels_from_doubles(sorted, scratch, count);
}

START_TEST(a_histogram_keeps_only_the_values_that_occur) {
    const guint32 histogram[] = {0, 3, 0, 0, 2, 1};
    g_autoptr(Levels) levels = levels_from_histogram(histogram, G_N_ELEMENTS(histogram));
    ck_assert_uint_eq(levels->count, 3);
    ck_assert_double_eq(levels->values[1], 4);
    ck_assert_uint_eq(levels_total(levels), 6);
    ck_assert_uint_eq(levels_pixels(levels, 0), 3);
    ck_assert_uint_eq(levels_pixels_at(levels, 4), 2);
    ck_assert_uint_eq(levels_pixels_at(levels, 3), 0);
    ck_assert_uint_eq(levels_pixels_at(levels, 99), 0);
}
END_TEST

START_TEST(an_empty_histogram_has_no_pixel) {
    const guint32 histogram[] = {0, 0};
    g_autoptr(Levels) levels = levels_from_histogram(histogram, 2);
    ck_assert_uint_eq(levels->count, 0);
    ck_assert_uint_eq(levels_total(levels), 0);
}
END_TEST

START_TEST(numbers_of_both_signs_and_all_sizes_are_sorted) {
    const double values[] = {1.5, -2e300, 0.0, 1e-300, -1e-300, 1.5, 7e12, -3, 1.5 + 1e-15};
    const double sorted[] = {-2e300, -3, -1e-300, 0, 1e-300, 1.5, 1.5 + 1e-15, 7e12};
    g_autoptr(Levels) levels = levels_of(values, G_N_ELEMENTS(values));
    ck_assert_uint_eq(levels->count, G_N_ELEMENTS(sorted));
    for (gsize i = 0; i < levels->count; i++)
        ck_assert_double_eq(levels->values[i], sorted[i]);
    ck_assert_uint_eq(levels_pixels_at(levels, 1.5), 2);
}
END_TEST

START_TEST(many_random_numbers_come_out_in_order) {
    enum { COUNT = 20000 };
    g_autofree double *values = g_new(double, COUNT);
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int i = 0; i < COUNT; i++)
        values[i] = g_rand_double_range(random, -1e6, 1e6);
    g_autoptr(Levels) levels = levels_of(values, COUNT);
    ck_assert_uint_eq(levels_total(levels), COUNT);
    for (gsize i = 1; i < levels->count; i++)
        ck_assert_double_lt(levels->values[i - 1], levels->values[i]);
    for (int i = 0; i < COUNT; i++)
        ck_assert_uint_ge(levels_pixels_at(levels, values[i]), 1);
}
END_TEST

/* numpy: percentile([0, 10, ..., 80, 1000], 90) is 172 */
START_TEST(a_quantile_lies_between_neighbours_as_in_numpy) {
    double values[10];
    for (int i = 0; i < 9; i++)
        values[i] = 10 * i;
    values[9] = 1000;
    g_autoptr(Levels) levels = levels_of(values, 10);
    ck_assert_double_eq_tol(levels_quantile(levels, 0.9), 172, 1e-9);
    ck_assert_double_eq(levels_quantile(levels, 0), 0);
    ck_assert_double_eq(levels_quantile(levels, 1), 1000);
    ck_assert_double_eq(levels_quantile(levels, 0.5), 45);
}
END_TEST

START_TEST(a_rank_finds_its_value) {
    const guint32 histogram[] = {2, 0, 3, 1};
    const double ranked[] = {0, 0, 2, 2, 2, 3};
    g_autoptr(Levels) levels = levels_from_histogram(histogram, 4);
    for (guint64 rank = 0; rank < 6; rank++)
        ck_assert_double_eq(levels->values[levels_at_rank(levels, rank)], ranked[rank]);
}
END_TEST

/* An image of 60000 and 60001 must keep its standard deviation of 0.5. */
START_TEST(a_bright_flat_image_keeps_its_variance) {
    const double values[] = {60000, 60001, 60000, 60001};
    g_autoptr(Levels) levels = levels_of(values, 4);
    LevelsMoments moments = levels_moments(levels);
    ck_assert_double_eq(moments.mean, 60000.5);
    ck_assert_double_eq(moments.m2, 0.25);
    ck_assert_double_eq(moments.m3, 0);
    ck_assert_double_eq(moments.m4, 0.0625);
}
END_TEST

START_TEST(the_median_deviation_is_numpys) {
    static const struct {
        double values[6];
        gsize count;
        double mad;
    } cases[] = {
        {{1}, 1, 0},
        {{1, 2}, 2, 0.5},
        {{1, 2, 4}, 3, 1},
        {{1, 2, 4, 8}, 4, 1.5},
        {{0, 0, 0, 10, 20}, 5, 0},
        {{1, 1, 2, 3, 5, 8}, 6, 1.5},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Levels) levels = levels_of(cases[i].values, cases[i].count);
        ck_assert_double_eq_tol(levels_mad(levels, levels->count), cases[i].mad, 1e-12);
    }
}
END_TEST

START_TEST(the_median_deviation_of_the_dark_part_ignores_the_rest) {
    const double values[] = {1, 2, 4, 1000, 2000};
    g_autoptr(Levels) levels = levels_of(values, 5);
    ck_assert_double_eq(levels_mad(levels, 3), 1);
}
END_TEST

START_TEST(values_of_opposite_extremes_do_not_lead_astray) {
    const double values[] = {-1.7e308, 1.7e308};
    g_autoptr(Levels) levels = levels_of(values, 2);
    levels_mad(levels, 2);
    levels_quantile(levels, 0.3);
    ck_assert_uint_eq(levels->count, 2);
}
END_TEST

START_TEST(twelve_bits_shifted_by_four_step_by_sixteen) {
    const guint32 histogram[49] = {[16] = 1, [32] = 1, [48] = 5};
    g_autoptr(Levels) levels = levels_from_histogram(histogram, 49);
    ck_assert_uint_eq(levels_step(levels), 16);
    const guint32 one[2] = {0, 4};
    g_autoptr(Levels) constant = levels_from_histogram(one, 2);
    ck_assert_uint_eq(levels_step(constant), 0);
}
END_TEST

SUITE("levels", a_histogram_keeps_only_the_values_that_occur, an_empty_histogram_has_no_pixel,
      numbers_of_both_signs_and_all_sizes_are_sorted, many_random_numbers_come_out_in_order,
      a_quantile_lies_between_neighbours_as_in_numpy, a_rank_finds_its_value,
      a_bright_flat_image_keeps_its_variance, the_median_deviation_is_numpys,
      the_median_deviation_of_the_dark_part_ignores_the_rest,
      values_of_opposite_extremes_do_not_lead_astray, twelve_bits_shifted_by_four_step_by_sixteen)
