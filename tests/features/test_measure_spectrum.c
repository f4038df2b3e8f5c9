/* What CellProfiler and numpy say of the spectrum of the same pixels. */
#include "features/measure.h"
#include "features/power_rings.h"
#include "tests/features/golden.h"
#include "tests/suite.h"

/* ------------------------------------------------------------------ power slope --- */

/* CellProfiler 5 development, commit 5b9c361, with centrosome e6ecee9. */
static const Golden golden_cellprofiler[] = {
    {"plls",
     1e-6,
     {-1.7605270529902937, -1.6540719843333858, -1.9020444191056052, 1.028609775798073,
      -2.198618930554547, 0, 0, -1.553771545494308, -1.8408834190262557, -2.0636522743376,
      -2.6263024811987385, -0.9272430736690029}},
};

START_TEST(power_slopes_are_cellprofilers) {
    golden_check(golden_cellprofiler, G_N_ELEMENTS(golden_cellprofiler));
}
END_TEST

/* The sums over rings straight from the definition: power of every frequency, one by one. */
static void power_rings_slowly(const Plane *plane, guint32 rings, double *ret_power) {
    guint32 width = plane->width, height = plane->height;
    g_autofree double *row = g_new(double, width);
    memset(ret_power, 0, rings * sizeof *ret_power);
    for (guint32 i = 0; i < height; i++)
        for (guint32 j = 0; j < width; j++) {
            guint32 down = MIN(i, height - 1 - i), across = MIN(j, width - 1 - j);
            guint32 ring = (guint32)sqrt((double)(down * down + across * across)) + 1;
            if (ring >= rings)
                continue;
            double real = 0, imaginary = 0;
            for (guint32 y = 0; y < height; y++) {
                plane_row_doubles(plane, y, row);
                for (guint32 x = 0; x < width; x++) {
                    double turns =
                        (double)(i * y % height) / height + (double)(j * x % width) / width;
                    real += row[x] * cos(2 * G_PI * turns);
                    imaginary += row[x] * sin(2 * G_PI * turns);
                }
            }
            ret_power[ring] += i + j > 0 ? real * real + imaginary * imaginary : 0;
        }
}

/* Even, odd and prime sides, square or not: the frame is made smaller by factors that are whole or
 * not, and by other factors in the two directions. */
START_TEST(rings_hold_the_power_that_the_definition_gives_them_for_any_sides) {
    static const struct {
        int width, height;
    } sizes[] = {{32, 32}, {48, 48}, {37, 41}, {40, 97}, {97, 40}, {61, 33}};
    for (gsize size = 0; size < G_N_ELEMENTS(sizes); size++) {
        int width = sizes[size].width, height = sizes[size].height;
        g_autoptr(Plane) plane = image_plane(PLANE_U16, width, height,
                                             image_cells(width, height, 9, 2, 5, 9000, 600, 3));
        g_autoptr(Scan) scan = scan_plane(plane, NULL);
        guint32 rings = (guint32)MIN(width, height) / 8;
        g_autofree double *expected = g_new(double, rings), *power = g_new(double, rings);
        power_rings_slowly(plane, rings, expected);
        ck_assert(power_rings(scan, rings, power));
        for (guint32 ring = 1; ring < rings; ring++)
            ck_assert_double_eq_tol(power[ring] / power[1] / (expected[ring] / expected[1]), 1,
                                    2e-5);
    }
}
END_TEST

/* White noise, and strong power at high frequencies only, which must not fold into the low ones. */
START_TEST(stripes_a_few_rows_wide_do_not_reach_the_low_frequencies) {
    enum { SIDE = 330 };
    double slopes[2];
    for (int stripes = 0; stripes < 2; stripes++) {
        gint64 *pixels = g_new(gint64, SIDE * SIDE);
        for (int i = 0; i < SIDE * SIDE; i++)
            pixels[i] = 100 + image_noise((guint32)i, 4) + stripes * 5000 * (i / SIDE % 5 % 2);
        g_autoptr(Plane) plane = image_plane(PLANE_U16, SIDE, SIDE, pixels);
        slopes[stripes] = measure_one(plane, "plls");
    }
    ck_assert_double_eq_tol(slopes[0], 1, 0.05);
    ck_assert_double_eq_tol(slopes[1], slopes[0], 1e-3);
}
END_TEST

START_TEST(an_image_below_32_pixels_a_side_has_the_slope_0) {
    for (int side = 31; side <= 32; side++) {
        g_autoptr(Plane) plane =
            image_plane(PLANE_U16, 50, side, image_cells(50, side, 9, 2, 5, 9000, 600, 3));
        ck_assert_msg((measure_one(plane, "plls") != 0) == (side >= 32), "%d rows", side);
    }
}
END_TEST

/* CellProfiler divides by the median distance from the mean, which is 0 here. */
START_TEST(an_image_that_is_mostly_its_mean_has_the_slope_0) {
    gint64 *pixels = g_new(gint64, 64 * 64);
    for (int i = 0; i < 64 * 64; i++)
        pixels[i] = i < 50 ? 600 : i < 100 ? 400 : 500;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 64, 64, pixels);
    ck_assert_double_eq(measure_one(plane, "mean"), 500 / 65535.);
    ck_assert_double_eq(measure_one(plane, "plls"), 0);
}
END_TEST

static Plane *odd_floats(PlaneType type) {
    return image_plane(type, 301, 257, image_cells(301, 257, 25, 5, 14, 12000, 400, 2));
}

START_TEST(a_pixel_that_is_not_finite_counts_as_the_mean) {
    for (PlaneType type = PLANE_F32; type <= PLANE_F64; type++) {
        g_autoptr(Plane) plane = odd_floats(type), filled = odd_floats(type);
        double mean = 0;
        for (int i = 0; i < 301 * 257; i++)
            if (i != 1000)
                mean += type == PLANE_F32 ? ((const float *)plane->pixels)[i]
                                          : ((const double *)plane->pixels)[i];
        mean /= 301 * 257 - 1;
        for (int hole = 0; hole < 2; hole++) {
            void *pixels = (void *)(hole ? plane : filled)->pixels;
            if (type == PLANE_F32)
                ((float *)pixels)[1000] = hole ? NAN : (float)mean;
            else
                ((double *)pixels)[1000] = hole ? INFINITY : mean;
        }
        ck_assert_double_eq_tol(measure_one(plane, "plls"), measure_one(filled, "plls"), 1e-6);
    }
}
END_TEST

SUITE("measure_spectrum", power_slopes_are_cellprofilers,
      rings_hold_the_power_that_the_definition_gives_them_for_any_sides,
      stripes_a_few_rows_wide_do_not_reach_the_low_frequencies,
      an_image_below_32_pixels_a_side_has_the_slope_0,
      an_image_that_is_mostly_its_mean_has_the_slope_0,
      a_pixel_that_is_not_finite_counts_as_the_mean)
