#include "features/scan_plane.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <math.h>

/* Every sum of the scan, slowly and as it is defined. */
static double pixel_at(const Plane *plane, guint32 x, guint32 y) {
    gsize at = (gsize)y * plane->width + x;
    switch (plane->type) {
    case PLANE_U8: return ((const guint8 *)plane->pixels)[at];
    case PLANE_U16: return ((const guint16 *)plane->pixels)[at];
    case PLANE_F32: return ((const float *)plane->pixels)[at];
    default: return ((const double *)plane->pixels)[at];
    }
}

static ScanPairs slow_pairs(const Scan *scan, guint32 dx, guint32 dy) {
    const Plane *p = scan->plane;
    ScanPairs pairs = {0};
    for (guint32 y = 0; y + dy < p->height; y++)
        for (guint32 x = 0; x + dx < p->width; x++) {
            double a = pixel_at(p, x, y) - scan->pivot;
            double b = pixel_at(p, x + dx, y + dy) - scan->pivot;
            if (!isfinite(a) || !isfinite(b))
                continue;
            pairs.n++;
            pairs.sum_a += a;
            pairs.sum_b += b;
            pairs.sum_aa += a * a;
            pairs.sum_bb += b * b;
            pairs.sum_dd += (b - a) * (b - a);
        }
    return pairs;
}

static double slow_kernel(const Plane *p, guint32 x, guint32 y, const int kernel[9]) {
    double sum = 0;
    for (int i = 0; i < 9; i++)
        sum += kernel[i] == 0 && isfinite(pixel_at(p, x + i % 3 - 1, y + i / 3 - 1))
                   ? 0
                   : kernel[i] * pixel_at(p, x + i % 3 - 1, y + i / 3 - 1);
    return sum;
}

static ScanNeighbourhood slow_around(const Plane *p) {
    static const int laplacian[9] = {0, -1, 0, -1, 4, -1, 0, -1, 0};
    static const int sobel_x[9] = {-1, 0, 1, -2, 0, 2, -1, 0, 1};
    static const int sobel_y[9] = {-1, -2, -1, 0, 0, 0, 1, 2, 1};
    static const int noise[9] = {1, -2, 1, -2, 4, -2, 1, -2, 1};
    ScanNeighbourhood around = {0};
    for (guint32 y = 1; y + 1 < p->height; y++)
        for (guint32 x = 1; x + 1 < p->width; x++) {
            double z = slow_kernel(p, x, y, noise);
            if (!isfinite(z))
                continue;
            double l = slow_kernel(p, x, y, laplacian);
            double gx = slow_kernel(p, x, y, sobel_x), gy = slow_kernel(p, x, y, sobel_y);
            around.n++;
            around.laplacian += l;
            around.laplacian_squared += l * l;
            around.sobel_squared += gx * gx + gy * gy;
            around.noise += fabs(z);
        }
    return around;
}

static ScanTriples slow_column(const Plane *p) {
    ScanTriples column = {0};
    for (guint32 y = 0; y + 2 < p->height; y++)
        for (guint32 x = 0; x < p->width; x++) {
            double term = pixel_at(p, x, y) * (pixel_at(p, x, y + 1) - pixel_at(p, x, y + 2));
            if (!isfinite(term))
                continue;
            column.n++;
            column.vollath += term;
        }
    return column;
}

static void assert_near(const double *got, const double *expected, gsize count, double tolerance) {
    for (gsize i = 0; i < count; i++)
        ck_assert_double_le(fabs(got[i] - expected[i]), tolerance * MAX(1, fabs(expected[i])));
}

/* Whole numbers must agree to the last bit. */
static void assert_scan(const Plane *plane, double tolerance) {
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    ck_assert_ptr_nonnull(scan);
    struct {
        const ScanPairs *got;
        guint32 dx, dy;
    } const pairs[] = {
        {&scan->right, 1, 0}, {&scan->right2, 2, 0}, {&scan->down, 0, 1}, {&scan->down2, 0, 2}};
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        ScanPairs expected = slow_pairs(scan, pairs[i].dx, pairs[i].dy);
        assert_near((const double *)pairs[i].got, (const double *)&expected,
                    sizeof expected / sizeof(double), tolerance);
    }
    ScanNeighbourhood around = slow_around(plane);
    assert_near((const double *)&scan->around, (const double *)&around,
                sizeof around / sizeof(double), tolerance);
    ScanTriples column = slow_column(plane);
    assert_near((const double *)&scan->column, (const double *)&column,
                sizeof column / sizeof(double), tolerance);
}

static Plane *random_plane(PlaneType type, int width, int height, guint32 largest) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = image_hash((guint32)i + 17) % (largest + 1);
    return image_plane(type, width, height, pixels);
}

START_TEST(whole_numbers_are_summed_exactly) {
    static const struct {
        PlaneType type;
        int width, height;
        guint32 largest;
    } cases[] = {{PLANE_U16, 67, 41, 65535}, {PLANE_U16, 64, 3, 1}, {PLANE_U8, 33, 29, 255},
                 {PLANE_U16, 3, 3, 65535},   {PLANE_U8, 2, 2, 255}, {PLANE_U16, 1, 9, 65535},
                 {PLANE_U16, 9, 1, 65535},   {PLANE_U8, 1, 1, 255}, {PLANE_U8, 2, 5, 3},
                 {PLANE_U16, 5, 2, 4095}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Plane) plane =
            random_plane(cases[i].type, cases[i].width, cases[i].height, cases[i].largest);
        assert_scan(plane, 0);
    }
}
END_TEST

START_TEST(the_largest_possible_differences_do_not_overflow) {
    gint64 *pixels = g_new(gint64, 300 * 200);
    for (int i = 0; i < 300 * 200; i++)
        pixels[i] = (i % 300 + i / 300) % 2 * 65535;
    g_autoptr(Plane) board = image_plane(PLANE_U16, 300, 200, pixels);
    assert_scan(board, 0);

    pixels = g_new(gint64, 300 * 200);
    for (int i = 0; i < 300 * 200; i++)
        pixels[i] = i % 4 / 2 * 65535;
    g_autoptr(Plane) stripes = image_plane(PLANE_U16, 300, 200, pixels);
    assert_scan(stripes, 0);
}
END_TEST

START_TEST(floats_are_summed_as_defined) {
    g_autoptr(Plane) singles = random_plane(PLANE_F32, 31, 23, 100000);
    assert_scan(singles, 1e-12);
    g_autoptr(Plane) doubles = random_plane(PLANE_F64, 23, 31, 100000);
    assert_scan(doubles, 1e-12);
    g_autoptr(Plane) narrow = random_plane(PLANE_F32, 1, 5, 10);
    assert_scan(narrow, 1e-12);
}
END_TEST

START_TEST(places_that_touch_a_nan_are_left_out) {
    g_autoptr(Plane) plane = random_plane(PLANE_F64, 12, 11, 1000);
    double *pixels = (double *)plane->pixels;
    pixels[0] = NAN;
    pixels[5 * 12 + 6] = INFINITY;
    pixels[7 * 12 + 11] = -INFINITY;
    assert_scan(plane, 1e-12);
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    ck_assert_uint_eq(scan->n_nonfinite, 3);
    ck_assert_uint_eq(scan->n, 12 * 11 - 3);
    ck_assert_double_eq(scan->around.n, 10 * 9 - 1 - 9 - 3);
}
END_TEST

START_TEST(nothing_but_nan_gives_an_empty_scan) {
    const double values[4] = {NAN, NAN, INFINITY, NAN};
    g_autoptr(Plane) plane = image_floats(2, 2, values);
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    ck_assert_uint_eq(scan->n, 0);
    ck_assert_uint_eq(scan->n_nonfinite, 4);
    ck_assert(isnan(scan->median));
    ck_assert(isnan(scan_quantile(scan, 0.5)));
}
END_TEST

START_TEST(the_same_numbers_as_floats_give_the_same_scan) {
    g_autoptr(Plane) whole = random_plane(PLANE_U16, 40, 30, 65535);
    g_autoptr(Plane) floats = random_plane(PLANE_F32, 40, 30, 65535);
    g_autoptr(Scan) a = scan_plane(whole, NULL);
    g_autoptr(Scan) b = scan_plane(floats, NULL);
    ck_assert_uint_eq(a->levels->count, b->levels->count);
    ck_assert_double_eq(a->median, b->median);
    ck_assert_double_eq(a->right.sum_dd, b->right.sum_dd);
    ck_assert_double_eq(a->around.laplacian_squared, b->around.laplacian_squared);
}
END_TEST

SUITE("scan_plane", whole_numbers_are_summed_exactly,
      the_largest_possible_differences_do_not_overflow, floats_are_summed_as_defined,
      places_that_touch_a_nan_are_left_out, nothing_but_nan_gives_an_empty_scan,
      the_same_numbers_as_floats_give_the_same_scan)
