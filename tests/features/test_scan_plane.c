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

/* --- tiles and lines, slowly --- */

typedef struct {
    double n, sum, squares;
} SlowPart;

static void slow_add(SlowPart *part, double value) {
    if (!isfinite(value))
        return;
    part->n++;
    part->sum += value;
    part->squares += value * value;
}

static double slow_mean(const SlowPart *part) {
    return part->n > 0 ? part->sum / part->n : NAN;
}

/* About the mean: a second pass. */
static double slow_variance(const double *values, gsize count) {
    double mean = 0, sum = 0;
    for (gsize i = 0; i < count; i++)
        mean += values[i] / (double)count;
    for (gsize i = 0; i < count; i++)
        sum += (values[i] - mean) * (values[i] - mean);
    return count > 0 ? sum / (double)count : NAN;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double slow_median(double *values, gsize count) {
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

/* What of a tile's pixels counts: all, the Laplacian at them, or every fourth in x and y. */
typedef enum { PIXELS, LAPLACIANS, SAMPLES } Kind;

static gsize slow_tile(const Plane *p, const ScanGrid *grid, guint32 column, guint32 row, Kind kind,
                       double *ret_values) {
    static const int laplacian[9] = {0, -1, 0, -1, 4, -1, 0, -1, 0};
    gsize count = 0;
    for (guint32 y = 0; y < p->height; y++)
        for (guint32 x = 0; x < p->width; x++) {
            if ((guint64)x * grid->columns / p->width != column ||
                (guint64)y * grid->rows / p->height != row)
                continue;
            bool inside = x > 0 && y > 0 && x + 1 < p->width && y + 1 < p->height;
            if ((kind == LAPLACIANS && !inside) || (kind == SAMPLES && (x % 4 > 0 || y % 4 > 0)))
                continue;
            double value = kind == LAPLACIANS ? slow_kernel(p, x, y, laplacian) : pixel_at(p, x, y);
            if (isfinite(value))
                ret_values[count++] = value;
        }
    return count;
}

static void assert_close(double got, double expected, double tolerance) {
    if (isnan(expected))
        ck_assert_double_nan(got);
    else
        ck_assert_double_le(fabs(got - expected), tolerance * MAX(1, fabs(expected)));
}

static void assert_grid(const Scan *scan, const ScanGrid *grid, double tolerance) {
    const Plane *p = scan->plane;
    g_autofree double *values = g_new(double, plane_pixels(p));
    for (guint32 row = 0; row < grid->rows; row++)
        for (guint32 column = 0; column < grid->columns; column++) {
            gsize index = row * grid->columns + column;
            gsize count = slow_tile(p, grid, column, row, PIXELS, values);
            SlowPart part = {0};
            for (gsize i = 0; i < count; i++)
                slow_add(&part, values[i]);
            ck_assert_double_eq(grid->tiles[index].n, part.n);
            assert_close(grid->tiles[index].mean, slow_mean(&part), tolerance);
            assert_close(grid->tiles[index].variance, slow_variance(values, count), tolerance);
            if (grid->scale != 0)
                continue;
            count = slow_tile(p, grid, column, row, LAPLACIANS, values);
            assert_close(grid->laplacian_variance[index], slow_variance(values, count), tolerance);
            count = slow_tile(p, grid, column, row, SAMPLES, values);
            assert_close(grid->median[index], slow_median(values, count), 0);
        }
}

static void assert_lines(const Scan *scan, double tolerance) {
    const Plane *p = scan->plane;
    for (guint32 y = 0; y < p->height; y++) {
        SlowPart part = {0};
        for (guint32 x = 0; x < p->width; x++)
            slow_add(&part, pixel_at(p, x, y));
        assert_close(scan->row_means[y], slow_mean(&part), tolerance);
    }
    for (guint32 x = 0; x < p->width; x++) {
        SlowPart part = {0};
        for (guint32 y = 0; y < p->height; y++)
            slow_add(&part, pixel_at(p, x, y));
        assert_close(scan->column_means[x], slow_mean(&part), tolerance);
    }
}

static void assert_near(const double *got, const double *expected, gsize count, double tolerance) {
    for (gsize i = 0; i < count; i++)
        ck_assert_double_le(fabs(got[i] - expected[i]), tolerance * MAX(1, fabs(expected[i])));
}

static const guint32 scales[] = {20, 7, 1, 1000, 0};

static void assert_grids(const Scan *scan, double tolerance) {
    const Plane *p = scan->plane;
    ck_assert_uint_eq(scan->tiles->columns, 16);
    ck_assert_uint_eq(scan->tiles->rows, 16);
    assert_grid(scan, scan->tiles, MAX(tolerance, 1e-12)); /* variances are divided */
    for (const guint32 *scale = scales; *scale != 0; scale++) {
        const ScanGrid *grid = scan_grid(scan, *scale);
        ck_assert_uint_eq(grid->columns, (p->width + *scale - 1) / *scale);
        ck_assert_uint_eq(grid->rows, (p->height + *scale - 1) / *scale);
        if (*scale > 1)
            assert_grid(scan, grid, MAX(tolerance, 1e-12));
    }
}

/* Whole numbers must agree to the last bit. */
static void assert_scan_of(const Scan *scan, double tolerance) {
    const Plane *plane = scan->plane;
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
    assert_lines(scan, MAX(tolerance, 1e-15));
    assert_grids(scan, tolerance);
}

static Scan *scan_all(void) {
    return scan_new(&(ScanPlan){.needs = SCAN_ALL, .grid_scales = scales});
}

static void assert_scan(const Plane *plane, double tolerance) {
    g_autoptr(Scan) scan = scan_all();
    ck_assert(scan_look(scan, plane, NULL));
    assert_scan_of(scan, tolerance);
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
    } cases[] = {{PLANE_U16, 67, 41, 65535}, {PLANE_U16, 64, 3, 1},   {PLANE_U8, 33, 29, 255},
                 {PLANE_U16, 3, 3, 65535},   {PLANE_U8, 2, 2, 255},   {PLANE_U16, 1, 9, 65535},
                 {PLANE_U16, 9, 1, 65535},   {PLANE_U8, 1, 1, 255},   {PLANE_U8, 2, 5, 3},
                 {PLANE_U16, 5, 2, 4095},    {PLANE_U8, 15, 16, 255}, {PLANE_U16, 16, 15, 9},
                 {PLANE_U16, 17, 130, 999},  {PLANE_U8, 131, 18, 255}};
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

/* Wider than the inner loops' segments: sums of 32 bits are as full as they get. All of it is
 * whole, and below 2^53, so the slow sums are exact. */
START_TEST(full_segments_of_extreme_values_are_summed_exactly) {
    enum { WIDTH = 4096 + 40, HEIGHT = 6, KINDS = 6 };
    for (int kind = 0; kind < KINDS; kind++) {
        gint64 *pixels = g_new(gint64, WIDTH * HEIGHT);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            guint32 x = (guint32)i % WIDTH, y = (guint32)i / WIDTH, chance = image_hash((guint32)i);
            const gint64 kinds[KINDS] = {
                x % 2 * 65535,     y % 2 * 65535,      (x + y) % 2 * 65535,
                x / 2 % 2 * 65535, chance % 2 * 65535, chance % 65536,
            };
            pixels[i] = kinds[kind];
        }
        g_autoptr(Plane) plane = image_plane(PLANE_U16, WIDTH, HEIGHT, pixels);
        assert_scan(plane, 0);
    }
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

/* Twelve thousand columns of it are three segments of the inner loops. */
START_TEST(a_wide_plane_of_largest_values_does_not_overflow) {
    gint64 *pixels = g_new(gint64, 12000 * 3);
    for (int i = 0; i < 12000 * 3; i++)
        pixels[i] = (i % 12000 + i / 12000) % 2 * 65535;
    g_autoptr(Plane) board = image_plane(PLANE_U16, 12000, 3, pixels);
    g_autoptr(Scan) scan = scan_plane(board, NULL);
    double largest = 65535, places = 11998;
    ck_assert_double_eq(scan->right.sum_dd, 3 * 11999 * largest * largest);
    ck_assert_double_eq(scan->right2.sum_dd, 0);
    ck_assert_double_eq(scan->down.sum_dd, 2 * 12000 * largest * largest);
    ck_assert_double_eq(scan->around.laplacian_squared, places * 16 * largest * largest);
    ck_assert_double_eq(scan->around.noise, places * 8 * largest);
    ck_assert_double_eq(scan->around.sobel_squared, 0);
    ck_assert_double_eq(scan->column_means[1], 65535 * 2 / 3.0);

    g_autoptr(Plane) white = image_constant(PLANE_U16, 12000, 3, 65535);
    g_autoptr(Scan) bright = scan_plane(white, NULL);
    ck_assert_double_eq(bright->moments.mean, 65535);
    ck_assert_double_eq(bright->row_means[1], 65535);
    ck_assert_double_eq(bright->tiles->tiles[0].mean, 65535);
    ck_assert_double_eq(bright->tiles->tiles[0].variance, 0);
    ck_assert_double_eq(bright->right.sum_dd, 0);
}
END_TEST

/* Columns are emptied before rows are so many that 32 bits do not hold them, also where no tile
 * ends before that. */
START_TEST(a_high_plane_of_largest_values_does_not_overflow) {
    gint64 *pixels = g_new(gint64, 3 * 70000);
    for (int i = 0; i < 3 * 70000; i++)
        pixels[i] = i % 3 == 1 ? 65535 : 0;
    g_autoptr(Plane) line = image_plane(PLANE_U16, 3, 70000, pixels);
    g_autoptr(Scan) scan = scan_new(&(ScanPlan){.needs = SCAN_STENCILS | SCAN_LINES,
                                                .grid_scales = (const guint32[]){100000, 0}});
    ck_assert(scan_look(scan, line, NULL));
    double places = 69998, l = 2 * 65535;
    ck_assert_double_eq(scan->around.laplacian, places * l);
    ck_assert_double_eq(scan->around.laplacian_squared, places * l * l);
    ck_assert_double_eq(scan->column_means[1], 65535);
    const ScanTile *all = scan_grid(scan, 100000)->tiles;
    ck_assert_double_eq(all->mean, 21845);
    ck_assert_double_eq_tol(all->variance, 2.0 / 9 * 65535 * 65535, 1e-3);
}
END_TEST

static void assert_same_bits(const Scan *a, const Scan *b) {
    ck_assert_mem_eq(&a->moments, &b->moments, sizeof a->moments);
    ck_assert_mem_eq(&a->right, &b->right, sizeof a->right);
    ck_assert_mem_eq(&a->down2, &b->down2, sizeof a->down2);
    ck_assert_mem_eq(&a->column, &b->column, sizeof a->column);
    ck_assert_mem_eq(&a->around, &b->around, sizeof a->around);
    ck_assert_uint_eq(a->levels->count, b->levels->count);
    ck_assert_mem_eq(a->levels->values, b->levels->values, a->levels->count * sizeof(double));
    ck_assert_mem_eq(a->levels->below, b->levels->below, a->levels->count * sizeof(guint64));
    ck_assert_mem_eq(a->row_means, b->row_means, a->plane->height * sizeof(double));
    ck_assert_mem_eq(a->column_means, b->column_means, a->plane->width * sizeof(double));
    ck_assert_mem_eq(a->tiles->tiles, b->tiles->tiles, 256 * sizeof(ScanTile));
    ck_assert_mem_eq(a->tiles->median, b->tiles->median, 256 * sizeof(double));
    ck_assert_mem_eq(a->tiles->laplacian_variance, b->tiles->laplacian_variance,
                     256 * sizeof(double));
}

START_TEST(a_scan_that_has_looked_elsewhere_sees_the_same) {
    static const PlaneType types[] = {PLANE_U8, PLANE_U16, PLANE_F32, PLANE_F64};
    g_autoptr(Scan) used = scan_all();
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(Plane) plane = random_plane(types[i], 61, 47, 255);
        g_autoptr(Scan) fresh = scan_all();
        ck_assert(scan_look(fresh, plane, NULL) && scan_look(used, plane, NULL));
        assert_same_bits(used, fresh);

        g_autoptr(Plane) larger = random_plane(types[(i + 1) % 4], 90, 120, 200);
        g_autoptr(Plane) smaller = random_plane(types[(i + 2) % 4], 3, 200, 200);
        ck_assert(scan_look(used, larger, NULL) && scan_look(used, smaller, NULL));
        ck_assert(scan_look(used, plane, NULL));
        assert_same_bits(used, fresh);
    }
}
END_TEST

START_TEST(what_was_not_asked_for_is_not_there) {
    g_autoptr(Plane) plane = image_cells16();
    g_autoptr(Scan) all = scan_all();
    ck_assert(scan_look(all, plane, NULL));

    g_autoptr(Scan) levels = scan_new(&(ScanPlan){0});
    ck_assert(scan_look(levels, plane, NULL));
    ck_assert_ptr_null(levels->tiles);
    ck_assert_ptr_null(levels->row_means);
    ck_assert_ptr_null(scan_grid(levels, 20));
    ck_assert_double_eq(levels->around.n, 0);
    ck_assert_double_eq(levels->right.sum_dd, 0);
    ck_assert_double_eq(levels->median, all->median);

    g_autoptr(Scan) tiles = scan_new(&(ScanPlan){.needs = SCAN_TILES});
    ck_assert(scan_look(tiles, plane, NULL));
    ck_assert_double_eq(tiles->around.n, 0);
    ck_assert_double_eq(tiles->around.sobel_squared, 0);
    ck_assert_mem_eq(tiles->tiles->laplacian_variance, all->tiles->laplacian_variance,
                     256 * sizeof(double));

    g_autoptr(Scan) stencils = scan_new(&(ScanPlan){.needs = SCAN_STENCILS});
    ck_assert(scan_look(stencils, plane, NULL));
    ck_assert_ptr_null(stencils->column_means);
    ck_assert_mem_eq(&stencils->around, &all->around, sizeof all->around);

    g_autoptr(Scan) grid = scan_new(&(ScanPlan){.grid_scales = (const guint32[]){20, 20, 0}});
    ck_assert(scan_look(grid, plane, NULL));
    ck_assert_ptr_null(grid->tiles);
    ck_assert_ptr_null(scan_grid(grid, 0));
    ck_assert_mem_eq(scan_grid(grid, 20)->tiles, scan_grid(all, 20)->tiles,
                     26 * 20 * sizeof(ScanTile));
}
END_TEST

START_TEST(floats_of_all_kinds_have_exact_levels) {
    enum { COUNT = 5000 };
    static const double factors[] = {1, 1 / 3.0, -1e-30, 1e30};
    for (gsize f = 0; f < G_N_ELEMENTS(factors); f++) {
        g_autoptr(Plane) plane = random_plane(PLANE_F32, 100, 50, 3000);
        float *pixels = (float *)plane->pixels;
        g_autofree double *sorted = g_new(double, COUNT);
        for (int i = 0; i < COUNT; i++)
            sorted[i] = pixels[i] = (float)((pixels[i] - 1500) * factors[f]);
        qsort(sorted, COUNT, sizeof *sorted, by_value);
        g_autoptr(Scan) scan = scan_plane(plane, NULL);
        ck_assert_uint_eq(levels_total(scan->levels), COUNT);
        for (guint64 rank = 0; rank < COUNT; rank++)
            ck_assert_double_eq(scan->levels->values[levels_at_rank(scan->levels, rank)],
                                sorted[rank]);
    }
}
END_TEST

/* Lets the sanitizer refuse memory as a system does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

START_TEST(a_plane_that_memory_does_not_suffice_for_is_told) {
    static const double pixel = 0;
    g_autoptr(Plane) huge =
        plane_new(PLANE_F64, 1u << 24, 1u << 24, &pixel, g_bytes_new_static(&pixel, sizeof pixel));
    g_autoptr(Plane) plane = random_plane(PLANE_F64, 30, 20, 1000);
    g_autoptr(Scan) scan = scan_all();
    g_autoptr(GError) error = NULL;
    ck_assert(!scan_look(scan, huge, &error));
    ck_assert(fault_is(error, FAULT_BROKEN));
    ck_assert(scan_look(scan, plane, NULL));
    assert_scan_of(scan, 1e-12);
}
END_TEST

SUITE("scan_plane", whole_numbers_are_summed_exactly,
      the_largest_possible_differences_do_not_overflow,
      a_wide_plane_of_largest_values_does_not_overflow,
      a_high_plane_of_largest_values_does_not_overflow,
      full_segments_of_extreme_values_are_summed_exactly, floats_are_summed_as_defined,
      places_that_touch_a_nan_are_left_out, nothing_but_nan_gives_an_empty_scan,
      the_same_numbers_as_floats_give_the_same_scan, a_scan_that_has_looked_elsewhere_sees_the_same,
      what_was_not_asked_for_is_not_there, floats_of_all_kinds_have_exact_levels,
      a_plane_that_memory_does_not_suffice_for_is_told)
