/* What CellProfiler and numpy say of the spectrum of the same pixels. */
#include "features/measure.h"
#include "features/measures/periodogram.h"
#include "features/measures/power_rings.h"
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

/* ----------------------------------------------------------------- periodogram --- */

/* The formulas, computed with numpy 1.24 in double precision. */
static const Golden golden_numpy[] = {
    {"psd_slope_mean",
     1e-4,
     {-3.261268411, -3.532145277, -4.017608068, 0.03211233982, -7.294713273, NAN, NAN, -4.005433919,
      -4.141105829, -6.083634936, -7.306257073, -0.9436328547}},
    {"psd_aniso",
     1e-4,
     {1.05341561, 1.083921847, 1.052875309, 1.071367295, 4, NAN, NAN, 1.06615512, 1.053825085,
      1.057071848, 1.032704641, 1.061118709},
     0.001}, /* the ramp's power falls below what 32-bit floats can tell */
};

static const struct {
    Plane *(*make)(void);
    struct {
        guint element;
        double value;
    } profile[6];
} known_profiles[] = {
    {image_cells16,
     {{0, 2.593267109},
      {1, 2.593267109},
      {7, 2.338443924},
      {40, 0.3175841101},
      {120, -1.690561187},
      {255, -1.89062363}}},
    {image_odd16,
     {{0, 2.554516287},
      {1, 2.554516287},
      {7, 2.273563368},
      {40, 0.0970335092},
      {120, -1.920098475},
      {255, -2.023639343}}},
    {image_cells8,
     {{0, 2.278789692},
      {1, 2.278789692},
      {7, 2.479419064},
      {40, 0.3918106519},
      {120, -1.970415973},
      {255, -2.951843332}}},
};

START_TEST(spectra_are_those_numpy_finds) {
    golden_check(golden_numpy, G_N_ELEMENTS(golden_numpy));
    for (gsize i = 0; i < G_N_ELEMENTS(known_profiles); i++) {
        g_autoptr(Plane) plane = known_profiles[i].make();
        g_autofree double *values = measure_plane(plane, NULL);
        const double *profile = values + measure_place("spectrum_profile");
        for (gsize k = 0; k < G_N_ELEMENTS(known_profiles[i].profile); k++)
            ck_assert_double_eq_tol(profile[known_profiles[i].profile[k].element],
                                    known_profiles[i].profile[k].value, 1e-5);
    }
}
END_TEST

enum { WAVES = 300, WAVES_SIDE = 192 };

/* Plane waves of one strength, as many in each octave as in any other, in all directions: their
 * power falls with the square of the frequency. */
static Plane *waves(void) {
    double *pixels = g_new0(double, WAVES_SIDE *WAVES_SIDE);
    for (int wave = 0; wave < WAVES; wave++) {
        double angle = wave * 2.399963, phase = wave * 1.7;
        double frequency = 0.5 * exp2(-5.0 * (wave + 0.5) / WAVES);
        for (int i = 0; i < WAVES_SIDE * WAVES_SIDE; i++)
            pixels[i] += cos(2 * G_PI * frequency *
                                 (i % WAVES_SIDE * cos(angle) + i / WAVES_SIDE * sin(angle)) +
                             phase);
    }
    Plane *plane = image_floats(WAVES_SIDE, WAVES_SIDE, pixels);
    g_free(pixels);
    return plane;
}

START_TEST(an_image_whose_amplitude_falls_as_1_over_f_has_the_slope_minus_2) {
    g_autoptr(Plane) plane = waves();
    ck_assert_double_eq_tol(measure_one(plane, "psd_slope_mean"), -2, 0.1);
}
END_TEST

START_TEST(white_noise_is_level_and_has_no_direction) {
    enum { SIDE = 800 };
    gint64 *pixels = g_new(gint64, SIDE * SIDE);
    for (guint32 i = 0; i < SIDE * SIDE; i++)
        pixels[i] = image_noise(i, 8);
    g_autoptr(Plane) plane = image_plane(PLANE_U8, SIDE, SIDE, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq_tol(value_of(values, "psd_slope_mean"), 0, 0.02);
    ck_assert_double_eq_tol(value_of(values, "psd_aniso"), 1, 0.05);
    const double *profile = values + measure_place("spectrum_profile");
    for (guint i = 16; i < 256; i++)
        ck_assert_double_eq_tol(profile[i], 0, 0.15);
}
END_TEST

/* Noise, smeared over nine pixels along a line. */
static Plane *smeared(int step_x, int step_y) {
    enum { SIDE = 300 };
    gint64 *pixels = g_new0(gint64, SIDE * SIDE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int step = 0; step < 9; step++) {
                int from_x = x + step * step_x + SIDE, from_y = y + step * step_y + SIDE;
                pixels[y * SIDE + x] +=
                    image_noise((guint32)(from_y % SIDE * SIDE + from_x % SIDE), 8);
            }
    return image_plane(PLANE_U16, SIDE, SIDE, pixels);
}

START_TEST(a_smear_has_a_direction_whichever_it_is) {
    static const int steps[][2] = {{1, 0}, {0, 1}, {1, 1}, {1, -1}};
    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(Plane) plane = smeared(steps[i][0], steps[i][1]);
        ck_assert_double_gt(measure_one(plane, "psd_aniso"), 4);
    }
}
END_TEST

/* Only the middle of each half of a large frame is looked at; the rest must not matter. */
START_TEST(four_places_of_a_large_frame_are_looked_at) {
    enum { SIDE = 1600 };
    double slopes[2];
    for (int dirty = 0; dirty < 2; dirty++) {
        gint64 *pixels = g_new(gint64, SIDE * SIDE);
        for (int i = 0; i < SIDE * SIDE; i++) {
            int x = i % SIDE % 800 - 400, y = i / SIDE % 800 - 400;
            bool is_seen = x >= -192 && x < 192 && y >= -192 && y < 192;
            pixels[i] = is_seen || !dirty    ? image_noise((guint32)i, 8)
                        : i / SIDE % 40 < 20 ? 250
                                             : 0;
        }
        g_autoptr(Plane) plane = image_plane(PLANE_U8, SIDE, SIDE, pixels);
        g_autoptr(Scan) scan = scan_plane(plane, NULL);
        double values[2 + PERIODOGRAM_BINS];
        measure_find("spectrum")->compute(scan, values);
        slopes[dirty] = values[0];
    }
    ck_assert_double_eq_tol(slopes[0], 0, 0.1);
    ck_assert_double_eq_tol(slopes[1], slopes[0], 1e-4);
}
END_TEST

START_TEST(a_frame_below_32_pixels_a_side_has_no_periodogram) {
    for (int side = 31; side <= 32; side++) {
        g_autoptr(Plane) plane =
            image_plane(PLANE_U16, 50, side, image_cells(50, side, 9, 2, 5, 9000, 600, 3));
        g_autofree double *values = measure_plane(plane, NULL);
        ck_assert(isnan(value_of(values, "psd_slope_mean")) == (side < 32));
        ck_assert(isnan(value_of(values, "spectrum_profile")) == (side < 32));
    }
}
END_TEST

/* -------------------------------------------------------------------------- ice --- */

START_TEST(crystalline_ice_is_a_ring_at_3_7_angstroms) {
    enum { SIDE = 256 };
    double ratios[2];
    for (int ice = 0; ice < 2; ice++) {
        g_autofree double *pixels = g_new(double, SIDE *SIDE);
        for (guint32 i = 0; i < SIDE * SIDE; i++)
            pixels[i] = image_noise(i, 8);
        for (int wave = 0; ice && wave < 40; wave++)
            for (int i = 0; i < SIDE * SIDE; i++)
                pixels[i] += 10 * cos(2 * G_PI * 1.2 / 3.7 *
                                      (i % SIDE * cos(wave * 2.4) + i / SIDE * sin(wave * 2.4)));
        g_autoptr(Plane) plane = image_floats(SIDE, SIDE, pixels);
        plane->pixel_size_um = 1.2e-4;
        ratios[ice] = measure_one(plane, "ice_rel");
    }
    ck_assert_double_eq_tol(ratios[0], 1, 0.1);
    ck_assert_double_gt(ratios[1], 3);
}
END_TEST

/* numpy's values, 1.2 angstroms a pixel. */
START_TEST(ice_is_what_numpy_finds) {
    g_autoptr(Plane) cells = image_cells16(), bright = image_bright16();
    cells->pixel_size_um = bright->pixel_size_um = 1.2e-4;
    ck_assert_double_eq_tol(measure_one(cells, "ice_rel"), 0.8697763906, 1e-6);
    ck_assert_double_eq_tol(measure_one(bright, "ice_rel"), 1.012507021, 1e-6);
}
END_TEST

START_TEST(ice_needs_pixels_of_a_known_size_of_at_most_1_7_angstroms) {
    static const struct {
        double pixel_size_um;
        bool is_measured;
    } cases[] = {{0, false}, {1.7e-4, true}, {1.71e-4, false}, {1e-6, true}, {0.1, false}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Plane) plane = image_cells16();
        plane->pixel_size_um = cases[i].pixel_size_um;
        ck_assert_msg(isfinite(measure_one(plane, "ice_rel")) == cases[i].is_measured, "%g um",
                      cases[i].pixel_size_um);
    }
}
END_TEST

SUITE("measure_spectrum", power_slopes_are_cellprofilers,
      rings_hold_the_power_that_the_definition_gives_them_for_any_sides,
      stripes_a_few_rows_wide_do_not_reach_the_low_frequencies,
      an_image_below_32_pixels_a_side_has_the_slope_0,
      an_image_that_is_mostly_its_mean_has_the_slope_0,
      a_pixel_that_is_not_finite_counts_as_the_mean, spectra_are_those_numpy_finds,
      an_image_whose_amplitude_falls_as_1_over_f_has_the_slope_minus_2,
      white_noise_is_level_and_has_no_direction, a_smear_has_a_direction_whichever_it_is,
      four_places_of_a_large_frame_are_looked_at, a_frame_below_32_pixels_a_side_has_no_periodogram,
      crystalline_ice_is_a_ring_at_3_7_angstroms, ice_is_what_numpy_finds,
      ice_needs_pixels_of_a_known_size_of_at_most_1_7_angstroms)
