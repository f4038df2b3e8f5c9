#include "tests/features/golden.h"
#include "tests/suite.h"

/* What is measured of pixels and their neighbours: laplacian_energy, vollath_f5, edges, defects. */

/* Computed with numpy 1.24 and scipy 1.10: scipy.ndimage.convolve and sobel on the interior. */
static const Golden golden_numpy[] = {
    {"lap_energy",
     1e-9,
     {0.0001058948241, 0.0001218556568, 0.0001411300247, 0.00651934892, 0, 0, 0, 0.0003020333263,
      3.583137655e-06, 7.985768146e-07, 2.600560411e-07, 0.002024613723}},
    {"vollath_f5",
     1e-9,
     {0.0003389593872, 0.0007159614657, 0.003684307615, -1.07023889e-06, 0.02292302194, 0, 0,
      0.009647118853, 0.0003317480523, 0.0003122821985, 0.0002589525246, 0.0005490296704},
     1e-12},
    {"sml",
     1e-9,
     {0.009254390632, 0.009646397209, 0.009714681078, 0.07291360276, 0, 0, 0, 0.01175640672,
      0.001637176112, 0.0004470131326, 0.0002344297844, 0.03879789167}},
    {"edge_density",
     1e-9,
     {0.0921517298, 0.09664896059, 0.05757728781, 0, 1, 0, 0, 0.09978584196, 0.7765527153,
      0.9956729289, 0.9852889847, 0.02996155325}},
    {"hot_pixels", 1e-9, {0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 1}},
    {"dead_pixels", 1e-9, {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0}},
};

START_TEST(neighbours_have_the_values_of_their_formulas) {
    golden_check(golden_numpy, G_N_ELEMENTS(golden_numpy));
}
END_TEST

/* A bright pixel of 7 in a dark frame: 4 a in its place, a in four others. */
START_TEST(one_speck_gives_what_a_pencil_says) {
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        gint64 *pixels = g_new0(gint64, 12 * 10);
        pixels[5 * 12 + 6] = 7;
        g_autoptr(Plane) plane = image_plane(type, 12, 10, pixels);
        plane->scale = 255;
        g_autofree double *values = measure_plane(plane, NULL);
        const double x = 7 / 255., n = 10 * 8;
        ck_assert_double_eq_tol(value_of(values, "sml"), 8 * x / n, 1e-15);
        ck_assert_double_eq_tol(value_of(values, "lap_energy"), 20 * x * x / n, 1e-15);
        ck_assert_double_eq_tol(value_of(values, "vollath_f5"), -(x / 120) * (x / 120), 1e-15);
    }
}
END_TEST

/* A step along a column is no noise at all, and two columns of slopes. */
START_TEST(a_straight_step_is_an_edge_two_pixels_wide) {
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        gint64 *pixels = g_new(gint64, 42 * 20);
        for (int i = 0; i < 42 * 20; i++)
            pixels[i] = i % 42 < 21 ? 10 : 11;
        g_autoptr(Plane) plane = image_plane(type, 42, 20, pixels);
        ck_assert_double_eq(measure_one(plane, "edge_density"), 2 / 40.);
    }
}
END_TEST

/* Black and white by chance: the limit's square is too large for 32 bits. */
START_TEST(noise_of_the_whole_range_is_measured_the_same_in_floats) {
    g_autofree gint64 *pixels = g_new(gint64, 200 * 100);
    for (guint32 i = 0; i < 200 * 100; i++)
        pixels[i] = i % 200 < 100 && image_noise(i, 8) < 128 ? 65535 : 0;
    gsize bytes = 200 * 100 * sizeof *pixels;
    g_autoptr(Plane) whole = image_plane(PLANE_U16, 200, 100, g_memdup2(pixels, bytes));
    g_autoptr(Plane) floats = image_plane(PLANE_F32, 200, 100, g_memdup2(pixels, bytes));
    floats->scale = 65535;
    g_autofree double *a = measure_plane(whole, NULL), *b = measure_plane(floats, NULL);
    static const char *const names[] = {"sml", "edge_density", "hot_pixels", "dead_pixels"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        ck_assert_double_eq_tol(value_of(a, names[i]), value_of(b, names[i]), 1e-12);
    ck_assert_double_gt(value_of(a, "noise_sigma"), 0.2);
}
END_TEST

/* The limit for an edge at 13.9 sigma, where whole numbers take two ways. */
START_TEST(much_noise_changes_the_way_of_computing_but_no_number) {
    for (gint64 height = 9000; height < 13000; height += 500) {
        gint64 *pixels = g_new(gint64, 100 * 100), *same = g_new(gint64, 100 * 100);
        for (guint32 i = 0; i < 100 * 100; i++) {
            pixels[i] = height * image_noise(i, 5) / 255 + (i % 100 > 50 ? 40000 : 0);
            same[i] = pixels[i];
        }
        g_autoptr(Plane) whole = image_plane(PLANE_U16, 100, 100, pixels);
        g_autoptr(Plane) doubles = image_plane(PLANE_F64, 100, 100, same);
        doubles->scale = 65535;
        g_autofree double *a = measure_plane(whole, NULL), *b = measure_plane(doubles, NULL);
        ck_assert_double_eq(value_of(a, "edge_density"), value_of(b, "edge_density"));
        ck_assert_double_gt(value_of(a, "edge_density"), 0);
        ck_assert_double_eq_tol(value_of(a, "sml"), value_of(b, "sml"), 1e-12);
    }
}
END_TEST

/* Columns of black and white: no noise, and as large a sum as there can be without any. */
START_TEST(a_row_of_more_pixels_than_are_summed_at_once_is_summed_whole) {
    enum { WIDTH = 40000, HEIGHT = 3 };
    gint64 *pixels = g_new(gint64, WIDTH * HEIGHT);
    for (int i = 0; i < WIDTH * HEIGHT; i++)
        pixels[i] = i % 2 == 0 ? 65535 : 0;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, WIDTH, HEIGHT, pixels);
    ck_assert_double_eq(measure_one(plane, "sml"), 2);
}
END_TEST

/* Wider than what edges and blur_effect sum at once in 32 bits; doubles have no such limit. */
START_TEST(extreme_pixels_are_measured_the_same_in_doubles) {
    enum { WIDTH = 8192 + 40, HEIGHT = 16, KINDS = 5 };
    Pipeline *pipeline = measuring_pipeline("edges defects blur_effect");
    for (int kind = 0; kind < KINDS; kind++) {
        gint64 *pixels = g_new(gint64, WIDTH * HEIGHT);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            guint32 x = (guint32)i % WIDTH, y = (guint32)i / WIDTH, chance = image_hash((guint32)i);
            const gint64 kinds[KINDS] = {x / 2 % 2 * 65535, y / 2 % 2 * 65535, (x + y) % 2 * 65535,
                                         chance % 2 * 65535, chance % 65536};
            pixels[i] = kinds[kind];
        }
        gint64 *same = g_memdup2(pixels, WIDTH * HEIGHT * sizeof *pixels);
        g_autoptr(Plane) whole = image_plane(PLANE_U16, WIDTH, HEIGHT, pixels);
        g_autoptr(Plane) doubles = image_plane(PLANE_F64, WIDTH, HEIGHT, same);
        doubles->scale = 65535;
        g_autoptr(Measurement) a = pipeline_measure(pipeline, whole, NULL);
        g_autoptr(Measurement) b = pipeline_measure(pipeline, doubles, NULL);
        for (guint i = 0; i < pipeline_places(pipeline); i++)
            if (!isnan(a->values[i]) || !isnan(b->values[i]))
                ck_assert_double_eq_tol(a->values[i], b->values[i], 1e-12);
    }
}
END_TEST

/* --- hot and dead pixels --- */

#define SIDE 60

/* Noise of standard deviation 4.6 around 1000, and what is put at places of it. */
typedef struct {
    int x, y;
    gint64 value;
} Spot;

static Plane *spotted(PlaneType type, const Spot *spots, gsize count) {
    gint64 *pixels = g_new(gint64, SIDE * SIDE);
    for (guint32 i = 0; i < SIDE * SIDE; i++)
        pixels[i] = 93 + image_noise(i, 6) / 16;
    for (gsize i = 0; i < count; i++)
        pixels[spots[i].y * SIDE + spots[i].x] = spots[i].value;
    return image_plane(type, SIDE, SIDE, pixels);
}

static void expect_defects(const Spot *spots, gsize count, double hot, double dead) {
    for (PlaneType type = PLANE_U8; type <= PLANE_F64; type++) {
        g_autoptr(Plane) plane = spotted(type, spots, count);
        g_autofree double *values = measure_plane(plane, NULL);
        ck_assert_double_eq(value_of(values, "hot_pixels"), hot);
        ck_assert_double_eq(value_of(values, "dead_pixels"), dead);
    }
}

START_TEST(single_pixels_far_off_are_counted) {
    static const Spot spots[] = {
        {10, 10, 200}, {20, 31, 255}, {40, 7, 0}, {1, 1, 250}, {58, 58, 1}};
    expect_defects(spots, G_N_ELEMENTS(spots), 3, 2);
}
END_TEST

START_TEST(noise_holds_no_defects) {
    expect_defects(NULL, 0, 0, 0);
}
END_TEST

START_TEST(pixels_at_the_edge_have_no_eight_neighbours) {
    static const Spot spots[] = {{0, 10, 255}, {59, 30, 255}, {15, 0, 0}, {30, 59, 0}};
    expect_defects(spots, G_N_ELEMENTS(spots), 0, 0);
}
END_TEST

START_TEST(a_spot_of_two_pixels_is_no_defect_of_one) {
    static const Spot spots[] = {{10, 10, 200}, {11, 11, 200}, {40, 40, 0}, {41, 40, 0}};
    expect_defects(spots, G_N_ELEMENTS(spots), 0, 0);
}
END_TEST

/* 8 s decide: of 8 equal neighbours the median is 100, and the noise is given by a chessboard. */
START_TEST(a_pixel_just_within_eight_sigma_is_none) {
    for (gint64 off = -60; off <= 60; off += 1) {
        g_autofree gint64 *pixels = g_new(gint64, 400 * 400);
        for (int i = 0; i < 400 * 400; i++)
            pixels[i] = 1000 + (i / 400 < 200 ? 0 : (i % 400 + i / 400) % 2 == 0 ? 2 : -2);
        pixels[100 * 400 + 100] += off;
        g_autoptr(Plane) plane = image_plane(PLANE_U16, 400, 400, g_steal_pointer(&pixels));
        g_autofree double *values = measure_plane(plane, NULL);
        double limit = 8 * value_of(values, "noise_sigma") * 65535;
        ck_assert_double_gt(limit, 20);
        ck_assert_double_lt(limit, 50);
        ck_assert_double_eq(value_of(values, "hot_pixels"), (double)off > limit ? 1 : 0);
        ck_assert_double_eq(value_of(values, "dead_pixels"), -(double)off > limit ? 1 : 0);
    }
}
END_TEST

/* Few photons: most pixels are 0, some are 1, hardly any noise is left to compare with. */
START_TEST(a_single_count_among_zeros_is_no_hot_pixel) {
    gint64 *pixels = g_new(gint64, 200 * 200);
    for (guint32 i = 0; i < 200 * 200; i++)
        pixels[i] = image_noise(i, 21) < 3 ? 1 : 0;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 200, 200, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_lt(value_of(values, "noise_sigma") * 65535 * 8, 1);
    ck_assert_double_eq(value_of(values, "hot_pixels"), 0);
}
END_TEST

/* A pixel beside one that is not finite is no place; the others are. */
START_TEST(places_beside_nan_and_infinity_are_left_out) {
    g_autofree double *pixels = g_new(double, SIDE *SIDE);
    for (guint32 i = 0; i < SIDE * SIDE; i++)
        pixels[i] = 93 + image_noise(i, 6) / 16;
    pixels[10 * SIDE + 10] = 250;
    pixels[9 * SIDE + 11] = NAN;
    pixels[30 * SIDE + 30] = 250;
    pixels[40 * SIDE + 40] = INFINITY;
    pixels[50 * SIDE + 50] = -INFINITY;
    g_autoptr(Plane) plane = image_floats(SIDE, SIDE, pixels);
    g_autofree double *values = measure_plane(plane, NULL);
    ck_assert_double_eq(value_of(values, "hot_pixels"), 1);
    ck_assert_double_eq(value_of(values, "dead_pixels"), 0);
    ck_assert(isfinite(value_of(values, "sml")));
}
END_TEST

/* Of 5 x 4 with a NaN in the upper left, five of the six places are left: all are 2 + 2. */
START_TEST(a_mean_is_over_the_places_that_are_left) {
    double pixels[20];
    for (int i = 0; i < 20; i++)
        pixels[i] = (i % 5 + i / 5) % 2 == 0 ? 1 : 0;
    pixels[0] = NAN;
    g_autoptr(Plane) plane = image_floats(5, 4, pixels);
    ck_assert_double_eq(measure_one(plane, "sml"), 4);
    ck_assert_double_eq(measure_one(plane, "edge_density"), 0);
}
END_TEST

START_TEST(a_frame_without_neighbours_has_no_such_number) {
    static const struct { int width, height; } sizes[] = {{1, 1}, {1, 40}, {2, 40}, {40, 2}};
    static const char *const names[] = {"sml", "edge_density", "hot_pixels", "dead_pixels",
                                        "lap_energy"};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(Plane) plane = image_constant(PLANE_U16, sizes[i].width, sizes[i].height, 9);
        g_autofree double *values = measure_plane(plane, NULL);
        for (gsize name = 0; name < G_N_ELEMENTS(names); name++)
            ck_assert_msg(isnan(value_of(values, names[name])), "%s", names[name]);
    }
}
END_TEST

SUITE("measure_stencils", neighbours_have_the_values_of_their_formulas,
      one_speck_gives_what_a_pencil_says, a_straight_step_is_an_edge_two_pixels_wide,
      noise_of_the_whole_range_is_measured_the_same_in_floats,
      much_noise_changes_the_way_of_computing_but_no_number,
      a_row_of_more_pixels_than_are_summed_at_once_is_summed_whole,
      extreme_pixels_are_measured_the_same_in_doubles, single_pixels_far_off_are_counted,
      noise_holds_no_defects, pixels_at_the_edge_have_no_eight_neighbours,
      a_spot_of_two_pixels_is_no_defect_of_one, a_pixel_just_within_eight_sigma_is_none,
      a_single_count_among_zeros_is_no_hot_pixel, places_beside_nan_and_infinity_are_left_out,
      a_mean_is_over_the_places_that_are_left, a_frame_without_neighbours_has_no_such_number)
