#include "features/measures/ranks.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <math.h>

START_TEST(values_come_in_order_and_nan_not_at_all) {
    for (guint32 count = 0; count < 60; count++) {
        double values[60], sorted[60];
        guint32 nans = 0;
        for (guint32 i = 0; i < count; i++) {
            values[i] = image_noise(i, count) % 40 == 0 ? NAN : (double)image_noise(i, count) - 99;
            nans += isnan(values[i]);
        }
        gsize kept = ranks_sort(values, count, sorted);
        ck_assert_uint_eq(kept, count - nans);
        for (gsize i = 1; i < kept; i++)
            ck_assert_double_le(sorted[i - 1], sorted[i]);
        double sum = 0;
        for (gsize i = 0; i < count; i++)
            sum += isnan(values[i]) ? 0 : values[i];
        for (gsize i = 0; i < kept; i++)
            sum -= sorted[i];
        ck_assert_double_eq(sum, 0);
    }
}
END_TEST

START_TEST(a_quantile_lies_between_its_neighbours_as_in_numpy) {
    const double sorted[] = {1, 2, 4, 8};
    static const struct {
        double q, value;
    } cases[] = {{0, 1}, {1, 8}, {0.5, 3}, {0.1, 1.3}, {0.9, 6.8}, {1 / 3., 2}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        ck_assert_double_eq_tol(ranks_quantile(sorted, 4, cases[i].q), cases[i].value, 1e-12);
    ck_assert_double_eq(ranks_quantile(sorted, 1, 0.7), 1);
}
END_TEST

START_TEST(a_median_is_that_of_the_sorted_values) {
    for (guint32 kind = 0; kind < 3; kind++) /* many alike, some, hardly any */
        for (guint32 count = 0; count < 300; count++) {
            static const guint32 different[] = {2, 40, 1u << 31};
            double values[300], sorted[300];
            for (guint32 i = 0; i < count; i++) {
                guint32 chance = image_hash(i * 301 + count);
                values[i] = chance % 50 == 0 ? NAN : (double)(chance % different[kind]);
            }
            gsize kept = ranks_sort(values, count, sorted);
            double expected = kept > 0 ? ranks_quantile(sorted, kept, 0.5) : NAN;
            double got = ranks_median(values, count);
            ck_assert(isnan(got) == isnan(expected));
            if (kept > 0)
                ck_assert_double_eq(got, expected);
        }
}
END_TEST

SUITE("ranks", values_come_in_order_and_nan_not_at_all,
      a_quantile_lies_between_its_neighbours_as_in_numpy, a_median_is_that_of_the_sorted_values)
