#include "tests/features/golden.h"
#include "tests/suite.h"

/* What CellProfiler says, from 32-bit sums where ours are exact. */
static const Golden golden_cellprofiler[] = {
    {"local_focus_10",
     1e-05,
     {0.05272965373, 0.2441448628, 1.121096718, 7.272992196e-05, 0.0002257429675, 0, 0, 8.182687811,
      0.4323686043, 1.40242664, 3.080826341, 0.003388778245}},
    {"local_focus_20",
     1e-05,
     {0.2221915165, 0.8547300126, 4.62962577, 1.743053022e-05, 0.0006232336433, 0, 0, 27.9094765,
      1.823698235, 5.650136214, 10.57143719, 0.002970584219}},
    {"local_focus_50",
     1e-05,
     {0.1148889095, 0.03407578174, 15.77964939, 2.832682811e-06, 0.001883704311, 0, 0, 0.1387178566,
      0.1410117983, 0.1295873339, 0.08387458467, 0.001032259169}},
    {"correlation_10",
     1e-06,
     {0.4340074227, 0.2924079645, 0.5217755919, 0.001420554269, 0.9764513818, 0, 0, 0.3318575599,
      0.4344454494, 0.4410687526, 0.4881206238, 0.5932403713}},
    {"correlation_20",
     1e-06,
     {0.02599028484, 0.03636728869, 0.09470124707, -0.0003896595617, 0.9609157222, 0, 0,
      0.004840174205, 0.02450114734, 0.02419396291, 0.03670535333, 0.5464904951}},
    {"correlation_50",
     1e-06,
     {-0.04590719849, -0.005695870752, 0.02606256205, -0.00230232394, 0.9812297209, 0, 0,
      -0.04054668186, -0.04617794421, -0.04593641732, -0.04856150431, 0.4755055226}},
};

START_TEST(what_cellprofiler_says_at_three_scales) {
    golden_check_in("local_focus:10,20,50 correlation:10,20,50", golden_cellprofiler,
                    G_N_ELEMENTS(golden_cellprofiler));
}
END_TEST

/* --- one number of one plane --- */

static double number_of(const Plane *plane, const char *words, const char *name) {
    Pipeline *pipeline = measuring_pipeline(words);
    g_autoptr(Measurement) measured = pipeline_measure(pipeline, plane, NULL);
    int index = pipeline_column_find(pipeline, name);
    return measured->values[pipeline_column(pipeline, (guint)index)->place];
}

static guint64 hash_of(const Plane *plane, const char *name) {
    g_autoptr(Measurement) measured = pipeline_measure(measuring_pipeline(name), plane, NULL);
    ck_assert(!isnan(measured->values[0]) && !isnan(measured->values[1]));
    return measure_hash_get(measured->values);
}

static Plane *hashed_plane(PlaneType type, int width, int height, guint32 largest) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = image_hash((guint32)i + 5) % (largest + 1);
    return image_plane(type, width, height, pixels);
}

/* --- correlation --- */

/* Level by level as it is defined, without thresholds. */
static double slow_correlation(const Plane *plane, guint32 step) {
    g_autofree double *row = g_new(double, plane->width);
    g_autofree float *x = g_new(float, plane_pixels(plane));
    float low = INFINITY, high = -INFINITY;
    for (guint32 y = 0; y < plane->height; y++) {
        plane_row_doubles(plane, y, row);
        for (guint32 i = 0; i < plane->width; i++) {
            float value = x[y * plane->width + i] = (float)(row[i] / plane->scale);
            if (isfinite(value)) {
                low = MIN(low, value);
                high = MAX(high, value);
            }
        }
    }
    double n = 0, sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (guint32 y = 0; y < plane->height; y++)
        for (guint32 i = 0; i + step < plane->width; i++) {
            float first = x[y * plane->width + i], second = x[y * plane->width + i + step];
            if (!isfinite(first) || !isfinite(second))
                continue;
            double range = (float)(high - low);
            double a = MIN(floor((double)(float)(first - low) / range / 0.125), 7);
            double b = MIN(floor((double)(float)(second - low) / range / 0.125), 7);
            n++;
            sa += a;
            sb += b;
            saa += a * a;
            sbb += b * b;
            sab += a * b;
        }
    return (sab - sa * sb / n) / sqrt(saa - sa * sa / n) / sqrt(sbb - sb * sb / n);
}

START_TEST(levels_of_grey_are_cut_where_cellprofiler_cuts_them) {
    static const struct {
        PlaneType type;
        int width, height;
        guint32 largest;
    } cases[] = {{PLANE_U8, 31, 40, 255},   {PLANE_U16, 65, 33, 65535},
                 {PLANE_U16, 40, 8, 7},     {PLANE_U16, 2100, 3, 60000},
                 {PLANE_F32, 33, 20, 1000}, {PLANE_F64, 21, 50, 1 << 30},
                 {PLANE_U8, 11, 30, 1}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Plane) plane =
            hashed_plane(cases[i].type, cases[i].width, cases[i].height, cases[i].largest);
        ck_assert_double_eq_tol(number_of(plane, "correlation:10", "correlation_10"),
                                slow_correlation(plane, 10), 1e-12);
    }
}
END_TEST

START_TEST(pairs_that_touch_a_nan_are_left_out) {
    g_autoptr(Plane) plane = hashed_plane(PLANE_F32, 50, 30, 999);
    float *pixels = (float *)plane->pixels;
    pixels[7] = NAN;
    pixels[500] = INFINITY;
    pixels[501] = -INFINITY;
    ck_assert_double_eq_tol(number_of(plane, "correlation:10", "correlation_10"),
                            slow_correlation(plane, 10), 1e-12);
}
END_TEST

START_TEST(a_step_as_wide_as_the_image_correlates_with_nothing) {
    g_autoptr(Plane) plane = hashed_plane(PLANE_U16, 20, 30, 999);
    ck_assert_double_eq(number_of(plane, "correlation:20,21", "correlation_20"), 0);
    ck_assert_double_eq(number_of(plane, "correlation:20,21", "correlation_21"), 0);
    ck_assert_double_ne(number_of(plane, "correlation:19", "correlation_19"), 0);
}
END_TEST

/* Different as doubles, equal as CellProfiler's 32-bit floats. */
START_TEST(values_too_close_for_cellprofiler_are_constant) {
    const double values[4] = {1, 1 + 1e-12, 1, 1 + 1e-12};
    g_autoptr(Plane) plane = image_floats(4, 1, values);
    ck_assert_double_eq(number_of(plane, "correlation:1", "correlation_1"), 0);
}
END_TEST

/* --- local focus --- */

/* CellProfiler's own test: uniform noise with a flat quadrant; the scores are 1/6 and 0. */
START_TEST(a_flat_quadrant_among_noise) {
    const int side = 1000;
    gint64 *pixels = g_new(gint64, side * side);
    for (int i = 0; i < side * side; i++)
        pixels[i] =
            i % side < side / 2 && i / side < side / 2 ? 32768 : image_hash((guint32)i) >> 16;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, side, side, pixels);
    double scores = 1 / 6.0, expected = scores * scores * 3 / 16 / scores;
    ck_assert_double_eq_tol(number_of(plane, "local_focus:500", "local_focus_500"), expected, 1e-3);
}
END_TEST

START_TEST(black_tiles_have_no_score) {
    gint64 *pixels = g_new(gint64, 40 * 20);
    for (int i = 0; i < 40 * 20; i++)
        pixels[i] = i % 40 < 20 ? 0 : 1000 + i % 2;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 40, 20, pixels);
    ck_assert_double_eq(number_of(plane, "local_focus:20", "local_focus_20"), 0); /* one score */
    double two = number_of(plane, "local_focus:10", "local_focus_10");
    ck_assert_double_eq(two, 0); /* equal ones */
}
END_TEST

/* --- hashes --- */

/* Seeded and hashed by xxhash 4.1.0 for Python. */
START_TEST(the_hash_of_pixels_is_xxh3s) {
    static const guint16 words[6] = {1, 2, 3, 4, 500, 65535};
    GBytes *keeper = g_bytes_new_static(words, sizeof words);
    g_autoptr(Plane) plane = plane_new(PLANE_U16, 3, 2, words, keeper);
    ck_assert_uint_eq(hash_of(plane, "pixel_hash"), G_GUINT64_CONSTANT(0xc0c3ab5ac69e3f14));
}
END_TEST

START_TEST(a_pixel_a_shape_and_a_type_make_another_hash) {
    g_autoptr(Plane) plane = hashed_plane(PLANE_U16, 40, 20, 200);
    g_autoptr(Plane) same = hashed_plane(PLANE_U16, 40, 20, 200);
    g_autoptr(Plane) turned = hashed_plane(PLANE_U16, 20, 40, 200);
    g_autoptr(Plane) bytes = hashed_plane(PLANE_U8, 40, 20, 200);
    g_autoptr(Plane) is_signed = hashed_plane(PLANE_U16, 40, 20, 200);
    is_signed->offset = -32768;
    guint64 hash = hash_of(plane, "pixel_hash");
    ck_assert_uint_eq(hash_of(same, "pixel_hash"), hash);
    ck_assert_uint_ne(hash_of(turned, "pixel_hash"), hash);
    ck_assert_uint_ne(hash_of(bytes, "pixel_hash"), hash);
    ck_assert_uint_ne(hash_of(is_signed, "pixel_hash"), hash);
    ((guint16 *)same->pixels)[799] ^= 1;
    ck_assert_uint_ne(hash_of(same, "pixel_hash"), hash);
}
END_TEST

static int bits_that_differ(guint64 a, guint64 b) {
    return __builtin_popcountll(a ^ b);
}

START_TEST(nearly_the_same_picture_has_nearly_the_same_bits) {
    gint64 *pixels = image_cells(512, 384, 40, 6, 18, 9000, 600, 1);
    for (int i = 0; i < 512 * 384; i++)
        pixels[i] = pixels[i] * 9 / 8 + 100 + image_noise((guint32)i, 77);
    g_autoptr(Plane) plane = image_cells16(), other = image_odd16();
    g_autoptr(Plane) brighter = image_plane(PLANE_U16, 512, 384, pixels);
    guint64 hash = hash_of(plane, "dhash");
    ck_assert_int_le(bits_that_differ(hash, hash_of(brighter, "dhash")), 3);
    ck_assert_int_ge(bits_that_differ(hash, hash_of(other, "dhash")), 16);
}
END_TEST

START_TEST(brightness_that_rises_to_the_right_is_all_ones) {
    g_autoptr(Plane) ramp = image_ramp16();
    ck_assert_uint_eq(hash_of(ramp, "dhash"), G_MAXUINT64);
    g_autoptr(Plane) constant = image_constant16(); /* 64 x 64, 64 / 9 is no whole number */
    ck_assert_uint_eq(hash_of(constant, "dhash"), 0);
    g_autoptr(Plane) small = hashed_plane(PLANE_U16, 15, 40, 999);
    ck_assert_double_nan(number_of(small, "dhash", "dhash"));
}
END_TEST

/* The upper left tile is dark: only the highest bit of all is set. */
START_TEST(the_first_pair_is_the_highest_bit) {
    gint64 *pixels = g_new(gint64, 144 * 144);
    for (int i = 0; i < 144 * 144; i++)
        pixels[i] = i % 144 < 9 && i / 144 < 9 ? 100 : 900;
    g_autoptr(Plane) plane = image_plane(PLANE_U16, 144, 144, pixels);
    ck_assert_uint_eq(hash_of(plane, "dhash"), G_GUINT64_CONSTANT(1) << 63);
}
END_TEST

SUITE("measure_local", what_cellprofiler_says_at_three_scales,
      levels_of_grey_are_cut_where_cellprofiler_cuts_them, pairs_that_touch_a_nan_are_left_out,
      a_step_as_wide_as_the_image_correlates_with_nothing,
      values_too_close_for_cellprofiler_are_constant, a_flat_quadrant_among_noise,
      black_tiles_have_no_score, the_hash_of_pixels_is_xxh3s,
      a_pixel_a_shape_and_a_type_make_another_hash,
      nearly_the_same_picture_has_nearly_the_same_bits,
      brightness_that_rises_to_the_right_is_all_ones, the_first_pair_is_the_highest_bit)
