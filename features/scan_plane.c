#include "features/scan_plane.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

/* Totals of a whole plane: 400 million squares of 18 bits do not fit 64. */
typedef __int128 Exact;

/* ------------------------------------------------- whole numbers of 8 and 16 bits, exactly --- */

/* Several tables, so that equal neighbours do not wait for each other's count. */
#define TABLES 4

typedef struct {
    Exact right, right2, down, down2; /* squared differences */
    Exact vollath;
    Exact laplacian, laplacian_squared, sobel_squared, noise;
} WholeSums;

FOR_EACH_PROCESSOR
static guint64 sum_squared_differences(const guint16 *a, const guint16 *b, guint32 count) {
    guint64 sum = 0;
#pragma omp simd reduction(+ : sum)
    for (guint32 i = 0; i < count; i++) {
        guint32 d = (guint32)((gint32)b[i] - (gint32)a[i]);
        sum += d * d; /* below 2^32, whichever sign d had */
    }
    return sum;
}

FOR_EACH_PROCESSOR
static gint64 sum_vollath(const guint16 *a, const guint16 *b, const guint16 *c, guint32 count) {
    gint64 sum = 0;
#pragma omp simd reduction(+ : sum)
    for (guint32 i = 0; i < count; i++)
        sum += (gint64)(gint32)a[i] * ((gint32)b[i] - (gint32)c[i]);
    return sum;
}

typedef struct {
    gint64 laplacian;
    guint64 laplacian_squared, sobel_squared, noise;
} RowSums;

/* Columns 1 to width - 2 of row c between its neighbours n and s. */
FOR_EACH_PROCESSOR
static RowSums sum_around(const guint16 *n, const guint16 *c, const guint16 *s, guint32 width) {
    gint64 laplacian = 0, laplacian_squared = 0, sobel_squared = 0, noise = 0;
#pragma omp simd reduction(+ : laplacian, laplacian_squared, sobel_squared, noise)
    for (guint32 i = 1; i < width - 1; i++) {
        gint32 nw = n[i - 1], nn = n[i], ne = n[i + 1];
        gint32 w = c[i - 1], cc = c[i], e = c[i + 1];
        gint32 sw = s[i - 1], ss = s[i], se = s[i + 1];

        gint32 l = 4 * cc - nn - ss - e - w;
        gint32 gx = (ne - nw) + 2 * (e - w) + (se - sw);
        gint32 gy = (sw - nw) + 2 * (ss - nn) + (se - ne);
        gint32 diagonals = nw + ne + sw + se;
        gint32 z = diagonals - 2 * (nn + ss + e + w) + 4 * cc;

        laplacian += l;
        laplacian_squared += (gint64)l * l;
        sobel_squared += (gint64)gx * gx + (gint64)gy * gy;
        noise += z < 0 ? -z : z;
    }
    return (RowSums){laplacian, laplacian_squared, sobel_squared, noise};
}

static void count_row(const guint16 *row, guint32 width, guint32 *tables, gsize bins) {
    guint32 x = 0;
    for (; x + TABLES <= width; x += TABLES) {
        tables[row[x]]++;
        tables[bins + row[x + 1]]++;
        tables[2 * bins + row[x + 2]]++;
        tables[3 * bins + row[x + 3]]++;
    }
    for (; x < width; x++)
        tables[row[x]]++;
}

/* Row y as 16 bits: where it lies, or unpacked into its place among three rows of buffer. */
static const guint16 *whole_row(const Plane *plane, guint32 y, guint16 *buffer) {
    gsize start = (gsize)y * plane->width;
    if (plane->type == PLANE_U16)
        return (const guint16 *)plane->pixels + start;
    const guint8 *bytes = (const guint8 *)plane->pixels + start;
    guint16 *row = buffer + (gsize)(y % 3) * plane->width;
    for (guint32 x = 0; x < plane->width; x++)
        row[x] = bytes[x];
    return row;
}

/* Everything row y takes part in together with the two rows above it. */
static void add_whole_row(WholeSums *sums, const guint16 *above2, const guint16 *above,
                          const guint16 *row, guint32 width) {
    if (width > 1)
        sums->right += sum_squared_differences(row, row + 1, width - 1);
    if (width > 2)
        sums->right2 += sum_squared_differences(row, row + 2, width - 2);
    if (above != NULL)
        sums->down += sum_squared_differences(above, row, width);
    if (above2 == NULL)
        return;
    sums->down2 += sum_squared_differences(above2, row, width);
    sums->vollath += sum_vollath(above2, above, row, width);
    if (width < 3)
        return;
    RowSums around = sum_around(above2, above, row, width);
    sums->laplacian += around.laplacian;
    sums->laplacian_squared += around.laplacian_squared;
    sums->sobel_squared += around.sobel_squared;
    sums->noise += around.noise;
}

static WholeSums add_whole_rows(const Plane *plane, guint32 *tables, gsize bins) {
    g_autofree guint16 *buffer =
        plane->type == PLANE_U8 ? g_new(guint16, 3 * (gsize)plane->width) : NULL;
    WholeSums sums = {0};
    const guint16 *above = NULL, *above2 = NULL;
    for (guint32 y = 0; y < plane->height; y++) {
        const guint16 *row = whole_row(plane, y, buffer);
        count_row(row, plane->width, tables, bins);
        add_whole_row(&sums, above2, above, row, plane->width);
        above2 = above;
        above = row;
    }
    return sums;
}

static Levels *levels_of_tables(guint32 *tables, gsize bins) {
    for (gsize table = 1; table < TABLES; table++)
        for (gsize bin = 0; bin < bins; bin++)
            tables[bin] += tables[table * bins + bin];
    return levels_from_histogram(tables, bins);
}

/* Count, sum and sum of squares of pixels, counted from the pivot. */
typedef struct {
    Exact n, sum, squares;
} Part;

static Part part_of_levels(const Levels *levels, gint64 pivot) {
    Part part = {0};
    for (gsize i = 0; i < levels->count; i++) {
        Exact value = (gint64)levels->values[i] - pivot, pixels = levels_pixels(levels, i);
        part.n += pixels;
        part.sum += pixels * value;
        part.squares += pixels * value * value;
    }
    return part;
}

static Part part_of_rectangle(const Plane *plane, guint32 left, guint32 top, guint32 width,
                              guint32 height, gint64 pivot) {
    Part part = {.n = (Exact)width * height};
    const guint8 *bytes = plane->pixels;
    const guint16 *words = plane->pixels;
    for (guint32 y = top; y < top + height; y++)
        for (guint32 x = left; x < left + width; x++) {
            gsize at = (gsize)y * plane->width + x;
            gint64 value = (plane->type == PLANE_U8 ? bytes[at] : words[at]) - pivot;
            part.sum += value;
            part.squares += value * value;
        }
    return part;
}

/* All pixels but a rectangle are the first, or the second, of a pair. */
static ScanPairs whole_pairs(Part all, Part not_first, Part not_second, Exact differences) {
    return (ScanPairs){.n = (double)(all.n - not_first.n),
                       .sum_a = (double)(all.sum - not_first.sum),
                       .sum_b = (double)(all.sum - not_second.sum),
                       .sum_aa = (double)(all.squares - not_first.squares),
                       .sum_bb = (double)(all.squares - not_second.squares),
                       .sum_dd = (double)differences};
}

static ScanPairs pairs_right(const Scan *scan, Part all, guint32 step, Exact differences) {
    const Plane *p = scan->plane;
    if (p->width <= step)
        return (ScanPairs){0};
    gint64 pivot = (gint64)scan->pivot;
    return whole_pairs(all, part_of_rectangle(p, p->width - step, 0, step, p->height, pivot),
                       part_of_rectangle(p, 0, 0, step, p->height, pivot), differences);
}

static ScanPairs pairs_down(const Scan *scan, Part all, guint32 step, Exact differences) {
    const Plane *p = scan->plane;
    if (p->height <= step)
        return (ScanPairs){0};
    gint64 pivot = (gint64)scan->pivot;
    return whole_pairs(all, part_of_rectangle(p, 0, p->height - step, p->width, step, pivot),
                       part_of_rectangle(p, 0, 0, p->width, step, pivot), differences);
}

static void scan_whole(Scan *scan) {
    const Plane *plane = scan->plane;
    gsize bins = plane->type == PLANE_U8 ? 256 : 65536;
    g_autofree guint32 *tables = g_new0(guint32, TABLES * bins);
    WholeSums sums = add_whole_rows(plane, tables, bins);

    scan->levels = levels_of_tables(tables, bins);
    scan->n = plane_pixels(plane);
    scan->pivot = scan->levels->values[levels_at_rank(scan->levels, (scan->n - 1) / 2)];

    Part all = part_of_levels(scan->levels, (gint64)scan->pivot);
    scan->right = pairs_right(scan, all, 1, sums.right);
    scan->right2 = pairs_right(scan, all, 2, sums.right2);
    scan->down = pairs_down(scan, all, 1, sums.down);
    scan->down2 = pairs_down(scan, all, 2, sums.down2);
    if (plane->height > 2)
        scan->column = (ScanTriples){.n = (double)(plane->height - 2) * plane->width,
                                     .vollath = (double)sums.vollath};
    if (plane->width > 2 && plane->height > 2)
        scan->around = (ScanNeighbourhood){
            .n = (double)(plane->width - 2) * (plane->height - 2),
            .laplacian = (double)sums.laplacian,
            .laplacian_squared = (double)sums.laplacian_squared,
            .sobel_squared = (double)sums.sobel_squared,
            .noise = (double)sums.noise,
        };
}

/* ----------------------------------------------- floats, and whole numbers of more than 16 bits */

/* Row y less the pivot; what is not finite becomes NaN, so that every sum it would enter tells. */
static void real_row(const Plane *plane, guint32 y, double pivot, double *ret_row) {
    gsize start = (gsize)y * plane->width;
    const float *floats = (const float *)plane->pixels + start;
    const double *doubles = (const double *)plane->pixels + start;
    for (guint32 x = 0; x < plane->width; x++) {
        double value = plane->type == PLANE_F32 ? floats[x] : doubles[x];
        ret_row[x] = isfinite(value) ? value - pivot : NAN;
    }
}

static void add_real_pairs(ScanPairs *pairs, const double *a, const double *b, guint32 count) {
    for (guint32 i = 0; i < count; i++) {
        double d = b[i] - a[i];
        if (isnan(d))
            continue;
        pairs->n += 1;
        pairs->sum_a += a[i];
        pairs->sum_b += b[i];
        pairs->sum_aa += a[i] * a[i];
        pairs->sum_bb += b[i] * b[i];
        pairs->sum_dd += d * d;
    }
}

static void add_real_triples(ScanTriples *triples, double pivot, const double *a, const double *b,
                             const double *c, guint32 count) {
    for (guint32 i = 0; i < count; i++) {
        double term = (a[i] + pivot) * (b[i] - c[i]);
        if (isnan(term))
            continue;
        triples->n += 1;
        triples->vollath += term;
    }
}

static void add_real_around(ScanNeighbourhood *around, const double *n, const double *c,
                            const double *s, guint32 width) {
    for (guint32 i = 1; i + 1 < width; i++) {
        double cross = n[i] + s[i] + c[i - 1] + c[i + 1];
        double z = n[i - 1] + n[i + 1] + s[i - 1] + s[i + 1] - 2 * cross + 4 * c[i];
        if (isnan(z)) /* any of the nine */
            continue;
        double l = 4 * c[i] - cross;
        double gx = (n[i + 1] - n[i - 1]) + 2 * (c[i + 1] - c[i - 1]) + (s[i + 1] - s[i - 1]);
        double gy = (s[i - 1] - n[i - 1]) + 2 * (s[i] - n[i]) + (s[i + 1] - n[i + 1]);
        around->n += 1;
        around->laplacian += l;
        around->laplacian_squared += l * l;
        around->sobel_squared += gx * gx + gy * gy;
        around->noise += fabs(z);
    }
}

static void add_real_rows(Scan *scan) {
    const Plane *plane = scan->plane;
    guint32 width = plane->width;
    g_autofree double *buffer = g_new(double, 3 * (gsize)width);
    const double *above = NULL, *above2 = NULL;
    for (guint32 y = 0; y < plane->height; y++) {
        double *row = buffer + (gsize)(y % 3) * width;
        real_row(plane, y, scan->pivot, row);
        add_real_pairs(&scan->right, row, row + 1, width - 1);
        if (width > 2)
            add_real_pairs(&scan->right2, row, row + 2, width - 2);
        if (above != NULL)
            add_real_pairs(&scan->down, above, row, width);
        if (above2 != NULL) {
            add_real_pairs(&scan->down2, above2, row, width);
            add_real_triples(&scan->column, scan->pivot, above2, above, row, width);
            add_real_around(&scan->around, above2, above, row, width);
        }
        above2 = above;
        above = row;
    }
}

/* The finite values of the plane, sorted into levels. */
static Levels *levels_of_reals(const Plane *plane) {
    guint64 pixels = plane_pixels(plane);
    g_autofree double *values = g_try_new(double, pixels);
    g_autofree double *scratch = g_try_new(double, pixels);
    if (values == NULL || scratch == NULL)
        return NULL;
    gsize count = 0;
    for (guint64 i = 0; i < pixels; i++) {
        double value = plane->type == PLANE_F32 ? ((const float *)plane->pixels)[i]
                                                : ((const double *)plane->pixels)[i];
        if (isfinite(value))
            values[count++] = value + 0.0; /* -0 is 0 */
    }
    return levels_from_doubles(values, scratch, count);
}

static bool scan_reals(Scan *scan, GError **error) {
    scan->levels = levels_of_reals(scan->plane);
    if (scan->levels == NULL)
        return fault_set(error, FAULT_BROKEN,
                         "memory does not suffice to sort %" G_GUINT64_FORMAT " pixels",
                         plane_pixels(scan->plane));
    scan->n = levels_total(scan->levels);
    scan->n_nonfinite = plane_pixels(scan->plane) - scan->n;
    if (scan->n == 0)
        return true;
    scan->pivot = scan->levels->values[levels_at_rank(scan->levels, (scan->n - 1) / 2)];
    add_real_rows(scan);
    return true;
}

/* ---------------------------------------------------------------------------- both of them --- */

struct ScanPrivate {
    ScanPlan plan;
    Scratch *scratch;
};

Scan *scan_new(const ScanPlan *plan) {
    Scan *scan = g_new0(Scan, 1);
    scan->private = g_new0(struct ScanPrivate, 1);
    scan->private->plan = *plan;
    scan->private->scratch = scratch_new();
    return scan;
}

bool scan_look(Scan *scan, const Plane *plane, GError **error) {
    levels_free(scan->levels);
    *scan = (Scan){.plane = plane, .private = scan->private};
    if (plane->type == PLANE_U8 || plane->type == PLANE_U16)
        scan_whole(scan);
    else if (!scan_reals(scan, error))
        return false;

    scan->median = NAN;
    scan->moments = (LevelsMoments){NAN, NAN, NAN, NAN};
    if (scan->n > 0) {
        scan->median = levels_quantile(scan->levels, 0.5);
        scan->moments = levels_moments(scan->levels);
    }
    return true;
}

Scan *scan_plane(const Plane *plane, GError **error) {
    g_autoptr(Scan) scan = scan_new(&(ScanPlan){.needs = SCAN_ALL});
    return scan_look(scan, plane, error) ? g_steal_pointer(&scan) : NULL;
}

void scan_free(Scan *scan) {
    if (scan == NULL)
        return;
    levels_free(scan->levels);
    scratch_free(scan->private->scratch);
    g_free(scan->private);
    g_free(scan);
}

const ScanGrid *scan_grid(const Scan *scan, guint32 scale) {
    return NULL;
}

void *scan_scratch(const Scan *scan, gsize size_bytes) {
    return scratch_take(scan->private->scratch, size_bytes);
}

void scan_scratch_reset(const Scan *scan) {
    scratch_reset(scan->private->scratch);
}

double scan_quantile(const Scan *scan, double q) {
    return scan->n > 0 ? levels_quantile(scan->levels, q) / scan->plane->scale : NAN;
}

double scan_noise_sigma(const Scan *scan) {
    return sqrt(G_PI_2) / 6 * scan->around.noise / scan->around.n / scan->plane->scale;
}
