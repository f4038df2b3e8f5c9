#include "tests/features/golden.h"
#include "tests/suite.h"

/* What is measured of the frame's tiles and lines: tiles, illumination, focus_tiles, tile_content,
 * stripes. */

#define SIDE  16
#define TILES (SIDE * SIDE)

/* ------------------------------------------------------------------- known answers --- */

/* Computed with numpy 1.24 and scipy 1.10 from the formulas: numpy.linalg.lstsq for the fits,
 * scipy.ndimage.convolve for Laplacian and noise. */
static const Golden golden_numpy[] = {
    {"illum_cv",
     1e-9,
     {0.5031094117, 1.015898947, 1.207605387, 0.1482605073, 0.4493101027, 0, NAN, 1.268011264,
      0.5098367169, 0.5102303508, 0.523805572, 0.04672218783}},
    {"illum_corner_center",
     1e-9,
     {0.9839684468, 1.179891175, 1.140671655, 1.01133713, 1, 1, NAN, 0.8816199377, 0.9742685725,
      0.9878044254, 0.9960485158, 0.869496815}},
    {"illum_tilt_x",
     1e-9,
     {0.1842318669, -0.1900306558, 0.3928666777, -0.03010038686, 1.447963801, 0, NAN,
      -0.002625496533, 0.1720633222, 0.1747399083, 0.1868472127, 0.006536851629},
     1e-12},
    {"illum_tilt_y",
     1e-9,
     {0.1801667203, 0.01289586673, -0.1662656191, -0.02898080641, 0.5791855204, 0, NAN,
      0.03682098796, 0.1867728701, 0.1909307461, 0.216810548, 0.001720643887},
     1e-12},
    {"illum_quad",
     1e-9,
     {0.3416236755, 0.743706264, 1.084027212, 0.05576950605, 1.900452489, 0, NAN, 0.4802071455,
      0.3413208515, 0.3455842417, 0.382444411, 0.1963540085},
     1e-12},
    {"illum_resid",
     1e-9,
     {0.4964135524, 1.008689753, 1.188626939, 0.1476533514, 0, 0, NAN, 1.263408234, 0.5031483215,
      0.5031356669, 0.5147794365, 0.01177784473},
     1e-12},
    {"focus_tile_med",
     1e-9,
     {0.0001035798091, 0.0001058713181, 0.0001044339219, 0.006507764561, 0, 0, 0, 0.0001294993935,
      2.112944467e-06, 3.419942686e-08, 1.37888776e-09, 0.001655928909}},
    {"focus_tile_min",
     1e-9,
     {0.8726669529, 0.7647888898, 0.8713297815, 0.7594184779, NAN, NAN, NAN, 0.7336963441,
      0.8351463477, 0.6297424782, 0.4850118595, 0.8674947542}},
    {"focus_tile_max",
     1e-9,
     {1.728390043, 5.40582905, 7.471186062, 1.327039534, NAN, NAN, NAN, 25.95467388, 12.19696357,
      300.8510944, 1951.436527, 4.803463514}},
    {"tile_occupied",
     1e-9,
     {0.3359375, 0.2421875, 0.234375, 0, 1, 0, 0, 0.29296875, 1, 1, 1, 0.0625}},
    {"bright_tile_share",
     1e-9,
     {0.1200127025, 0.1303730406, 0.1617935857, 0.01478519124, 0.02873113073, NAN, NAN, 0.152331457,
      0.1304856152, 0.1304931863, 0.1274980259, 0.0233014036}},
    {"row_stripe",
     1e-9,
     {1.317609571, 1.892206598, 2.632000246, 1.093066343, NAN, NAN, NAN, 4.920473455, 8.895571766,
      103.8677731, 112.214791, 1.458830275}},
    {"col_stripe",
     1e-9,
     {1.656748322, 2.273465117, 1.877265907, 1.093991886, NAN, NAN, NAN, 4.412025672, 10.54882707,
      131.3909524, 132.4876888, 1.570694635}},
};

START_TEST(tiles_and_lines_have_the_values_of_their_formulas) {
    golden_check(golden_numpy, G_N_ELEMENTS(golden_numpy));
}
END_TEST

static const struct {
    const char *name;
    guint tile;
    double values[GOLDEN_IMAGES];
} golden_tiles[] = {
    {"tile_mean",
     0,
     {0.0130695112, 0.009849391564, 0.07432291905, 0.04555771725, 0.02021820401, 0.01882963302, 0,
      0.03262745098, 0.01305286138, 0.0130226215, 0.01292613998, 0.383330517}},
    {"tile_mean",
     100,
     {0.01318246373, 0.009886340365, 0.05319529005, 0.04702449073, 0.2155336843, 0.01882963302, 0,
      0.2982208462, 0.01325623554, 0.01342938967, 0.01391712205, 0.4621851933}},
    {"tile_mean",
     255,
     {0.01979409063, 0.01029666082, 0.0115251901, 0.04571412222, 0.6610971237, 0.01882963302, 0,
      0.04173420479, 0.01983037054, 0.01988010144, 0.02008907851, 0.3935105049}},
    {"tile_lap",
     0,
     {9.571527966e-05, 0.0001034220671, 0.0003602297128, 0.006136364606, 0, 0, 0, 0.0001098580318,
      1.954288279e-06, 2.848188046e-08, 1.109531286e-09, 0.003232244621}},
    {"tile_lap",
     100,
     {0.0001004857466, 0.0001012113569, 0.0006590624815, 0.005741422131, 0, 0, 0, 0.001265190371,
      3.199301218e-06, 3.882404981e-07, 6.024202065e-08, 0.001573666409}},
    {"tile_lap",
     255,
     {9.485286423e-05, 0.000119215947, 0.0001003582532, 0.007053674655, 0, 0, 0, 0.0002938478842,
      2.641531674e-06, 3.493169098e-07, 1.077804017e-07, 0.001581371565}},
};

START_TEST(each_tile_has_its_place_in_the_array) {
    for (gsize image = 0; image < GOLDEN_IMAGES; image++) {
        g_autoptr(Plane) plane = golden_images[image].make();
        g_autofree double *values = measure_plane(plane, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(golden_tiles); i++) {
            double expected = golden_tiles[i].values[image];
            double got = values[measure_place(golden_tiles[i].name) + golden_tiles[i].tile];
            ck_assert_msg(fabs(got - expected) <= 1e-9 * expected, "%s[%u] of %s",
                          golden_tiles[i].name, golden_tiles[i].tile, golden_images[image].name);
        }
    }
}
END_TEST

/* -------------------------------------------------------------------------- by hand --- */

#define EXPECT(values, name, expected)                                                             \
    ck_assert_double_eq_tol(value_of(values, name), expected, 1e-12)

/* A plane whose pixel (x, y) is value(x, y). */
static Plane *plane_of(PlaneType type, int width, int height, gint64 (*value)(int x, int y)) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = value(i % width, i / width);
    return image_plane(type, width, height, pixels);
}

static gint64 rising_to_the_right(int x, int y) {
    return 1000 + 3 * x;
}

/* Tiles are 20 pixels wide; of 0, 4, 8, 12, 16 the median is 8, and of all tiles the mean 158. */
START_TEST(a_tilted_plane_gives_its_tilt) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 320, 256, rising_to_the_right);
    g_autofree double *values = measure_plane(plane, NULL);
    const double mean = 1000 + 3 * 158, over_width = 3 * 320;
    EXPECT(values, "illum_tilt_x", over_width / mean);
    EXPECT(values, "illum_tilt_y", 0);
    EXPECT(values, "illum_quad", over_width * 15 / 16 / mean);
    EXPECT(values, "illum_resid", 0);
    EXPECT(values, "illum_cv", over_width / 16 * sqrt((TILES - 1) / 12.) / mean);
    EXPECT(values, "illum_corner_center", 1);
}
END_TEST

static gint64 darker_to_the_bottom(int x, int y) {
    return 1000 - 2 * y;
}

START_TEST(light_that_falls_to_the_bottom_tilts_down) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 256, 320, darker_to_the_bottom);
    g_autofree double *values = measure_plane(plane, NULL);
    EXPECT(values, "illum_tilt_x", 0);
    EXPECT(values, "illum_tilt_y", -2 * 320 / (1000 - 2 * 158.));
}
END_TEST

/* 10000 - 16 (u^2 + v^2), u and v tiles from the centre; u^2 is 21.25 in the mean. */
static gint64 vignetted(int x, int y) {
    int u = 2 * (x / 8) - 15, v = 2 * (y / 8) - 15;
    return 10000 - 4 * (u * u + v * v);
}

START_TEST(a_vignette_gives_its_depth) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 128, 128, vignetted);
    g_autofree double *values = measure_plane(plane, NULL);
    const double mean = 10000 - 16 * 2 * 21.25;
    const double corner = 10000 - 16 * 2 * (56.25 + 42.25 + 30.25) / 3;
    EXPECT(values, "illum_corner_center", corner / (10000 - 16 * 2 * 1.25));
    EXPECT(values, "illum_quad", 16 * 2 * (56.25 - 0.25) / mean);
    EXPECT(values, "illum_tilt_x", 0);
    EXPECT(values, "illum_tilt_y", 0);
    EXPECT(values, "illum_resid", 0);
}
END_TEST

/* Tiles of 10 x 10, a bright 6 x 6 in each that is above the middle. */
static gint64 covered_in_part(int x, int y) {
    return y < 80 && x % 10 < 6 && y % 10 < 6 ? 40000 : 500;
}

START_TEST(cells_that_cover_less_than_half_of_a_tile_are_no_unevenness) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 160, 160, covered_in_part);
    g_autofree double *values = measure_plane(plane, NULL);
    EXPECT(values, "illum_cv", 0);
    EXPECT(values, "illum_corner_center", 1);
    EXPECT(values, "illum_tilt_y", 0);
}
END_TEST

/* A speck in the middle of each tile of 16 x 16: 20 a^2 over 256 places. */
static gint64 specks(int x, int y) {
    int tile = y / 16 * 16 + x / 16;
    int a = tile == 100 ? 0 : tile == 200 ? 30 : 10;
    return x % 16 == 8 && y % 16 == 8 ? 100 + a : 100;
}

START_TEST(one_tile_out_of_focus_is_the_least) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 256, 256, specks);
    g_autofree double *values = measure_plane(plane, NULL);
    const double usual = 20 * 10 * 10 / 256. / (65535. * 65535);
    ck_assert_double_eq_tol(value_of(values, "focus_tile_med") / usual, 1, 1e-12);
    EXPECT(values, "focus_tile_min", 0);
    EXPECT(values, "focus_tile_max", 9);
    const double *map = values + measure_place("tile_lap");
    ck_assert_double_eq(map[100], 0);
    ck_assert_double_eq_tol(map[200] / usual, 9, 1e-12);
}
END_TEST

/* A speck of 16 in each tile of 10 x 10, and a fibre that adds 160 in three of them. */
static gint64 fibre(int x, int y) {
    bool bright = y / 10 == 5 && x >= 40 && x < 70;
    return 100 + (x % 10 == 5 && y % 10 == 5 ? bright ? 160 : 16 : 0);
}

START_TEST(a_fibre_outshines_the_cells) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 160, 160, fibre);
    g_autofree double *values = measure_plane(plane, NULL);
    EXPECT(values, "bright_tile_share", 3 * 160 / (3 * 160 + 253 * 16.));
}
END_TEST

/* Noise, and in every fourth tile of 32 x 32 half of it brighter. */
static gint64 quarter_occupied(int x, int y) {
    bool occupied = x / 32 % 2 == 0 && y / 32 % 2 == 0;
    return 1000 + image_noise((guint32)(y * 512 + x), 3) + (occupied && x % 32 < 16 ? 5000 : 0);
}

START_TEST(a_tile_with_more_than_noise_is_occupied) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 512, 512, quarter_occupied);
    g_autofree double *values = measure_plane(plane, NULL);
    EXPECT(values, "tile_occupied", 0.25);
}
END_TEST

/* --- stripes --- */

/* Noise to compare with, which has no stripes itself. */
static gint64 chessboard(int x, int y) {
    return 1000 + ((x + y) % 2 == 0 ? 8 : -8);
}

static gint64 every_other_row(int x, int y) {
    return chessboard(x, y) + (y % 2 == 0 ? 5 : -5);
}

static gint64 pairs_of_columns(int x, int y) {
    return chessboard(x, y) + (x % 4 < 2 ? 5 : -5);
}

static gint64 one_bad_row_and_a_bright_cell(int x, int y) {
    return every_other_row(x, y) + (y == 30 ? 100 : 0) + (x > 30 && x < 40 && y < 10 ? 9000 : 0);
}

static gint64 sloping(int x, int y) {
    return chessboard(x, y) + 3 * x + 7 * y;
}

START_TEST(stripes_of_known_height_are_told_in_noise) {
    static const struct {
        gint64 (*value)(int x, int y);
        double rows, columns; /* how far each line stands out */
    } cases[] = {{chessboard, 0, 0},
                 {every_other_row, 5, 0},
                 {pairs_of_columns, 0, 5},
                 {one_bad_row_and_a_bright_cell, 5, 0},
                 {sloping, 0, 0}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Plane) plane = plane_of(PLANE_U16, 64, 48, cases[i].value);
        g_autofree double *values = measure_plane(plane, NULL);
        double sigma = value_of(values, "noise_sigma") * 65535 / 1.4826;
        ck_assert_double_eq_tol(value_of(values, "row_stripe"), cases[i].rows / (sigma / 8), 1e-9);
        ck_assert_double_eq_tol(value_of(values, "col_stripe"),
                                cases[i].columns / (sigma / sqrt(48)), 1e-9);
    }
}
END_TEST

START_TEST(noise_alone_has_stripes_of_one) {
    g_autoptr(Plane) plane = image_noise16();
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq_tol(value_of(values, "row_stripe"), 1.08, 0.1);
    ck_assert_double_eq_tol(value_of(values, "col_stripe"), 1.08, 0.1);
}
END_TEST

/* ------------------------------------------------------------------ awkward planes --- */

static gint64 small_values(int x, int y) {
    return 20 + x / 2 + (image_hash((guint32)(y * 131 + x)) & 15);
}

START_TEST(every_type_of_plane_gives_the_same) {
    static const char *const names[] = {"illum_cv",       "illum_corner_center", "illum_tilt_x",
                                        "illum_tilt_y",   "illum_quad",          "illum_resid",
                                        "focus_tile_min", "focus_tile_max",      "focus_tile_med",
                                        "tile_occupied",  "bright_tile_share",   "row_stripe",
                                        "col_stripe"};
    g_autofree double *expected = NULL;
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        g_autoptr(Plane) plane = plane_of(type, 131, 97, small_values);
        plane->scale = 255;
        double *values = measure_plane(plane, NULL);
        for (gsize i = 0; expected != NULL && i < G_N_ELEMENTS(names); i++)
            ck_assert_msg(fabs(value_of(values, names[i]) - value_of(expected, names[i])) <=
                              1e-9 * fabs(value_of(expected, names[i])) + 1e-12,
                          "%s of type %d", names[i], type);
        for (guint i = 0; expected != NULL && i < TILES; i++)
            ck_assert_double_eq_tol(values[measure_place("tile_mean") + i],
                                    expected[measure_place("tile_mean") + i], 1e-12);
        g_free(expected);
        expected = values;
    }
}
END_TEST

START_TEST(a_frame_too_small_for_medians_still_has_tiles) {
    g_autoptr(Plane) plane = plane_of(PLANE_U16, 63, 200, small_values);
    g_autofree double *values = measure_plane(plane, NULL);
    static const char *const undefined[] = {
        "illum_cv",    "illum_corner_center", "illum_tilt_x",      "illum_quad",
        "illum_resid", "focus_tile_med",      "bright_tile_share", "tile_occupied"};
    for (gsize i = 0; i < G_N_ELEMENTS(undefined); i++)
        ck_assert_msg(isnan(value_of(values, undefined[i])), "%s", undefined[i]);
    for (guint i = 0; i < TILES; i++)
        ck_assert(isfinite(values[measure_place("tile_mean") + i]));
    ck_assert(isfinite(value_of(values, "row_stripe")));
}
END_TEST

/* Of 2 x 1 pixels one lies in the first column of tiles, one in the ninth. */
START_TEST(tiles_without_a_pixel_are_null) {
    gint64 *pixels = g_new(gint64, 2);
    pixels[0] = 65535;
    pixels[1] = 0;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 2, 1, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    const double *map = values + measure_place("tile_mean");
    for (guint i = 0; i < TILES; i++)
        ck_assert_msg(i == 0 ? map[i] == 1 : i == 8 ? map[i] == 0 : isnan(map[i]), "tile %u", i);
}
END_TEST

START_TEST(a_tile_of_nothing_but_nan_leaves_the_others) {
    g_autofree double *pixels = g_new(double, 128 * 128);
    for (int i = 0; i < 128 * 128; i++)
        pixels[i] = i / 128 < 8 && i % 128 < 8 ? NAN : (double)small_values(i % 128, i / 128);
    g_autoptr(Plane) plane = image_floats(128, 128, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert(isnan(values[measure_place("tile_mean")]));
    ck_assert(isfinite(values[measure_place("tile_mean") + 1]));
    ck_assert(isnan(value_of(values, "illum_tilt_x")));
    static const char *const defined[] = {"focus_tile_min", "tile_occupied", "bright_tile_share",
                                          "row_stripe"};
    for (gsize i = 0; i < G_N_ELEMENTS(defined); i++)
        ck_assert_msg(isfinite(value_of(values, defined[i])), "%s", defined[i]);
}
END_TEST

SUITE("measure_tiles", tiles_and_lines_have_the_values_of_their_formulas,
      each_tile_has_its_place_in_the_array, a_tilted_plane_gives_its_tilt,
      light_that_falls_to_the_bottom_tilts_down, a_vignette_gives_its_depth,
      cells_that_cover_less_than_half_of_a_tile_are_no_unevenness,
      one_tile_out_of_focus_is_the_least, a_fibre_outshines_the_cells,
      a_tile_with_more_than_noise_is_occupied, stripes_of_known_height_are_told_in_noise,
      noise_alone_has_stripes_of_one, every_type_of_plane_gives_the_same,
      a_frame_too_small_for_medians_still_has_tiles, tiles_without_a_pixel_are_null,
      a_tile_of_nothing_but_nan_leaves_the_others)
