/* scan_reals: the look at floats, and at whole numbers of more than 16 bits. Sums are doubles and
 * count from the pivot; each row is summed by itself first. What is not finite is in no sum: it is
 * NaN in the rows that are looked at, and so is whatever touches it. */
#include "features/processor.h"
#include "features/scan_private.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* What columns add up for themselves until a row of tiles ends; NULL what is not needed. */
typedef struct {
    double *n, *sum, *squares; /* of pixels, from the pivot */
    double *laplacian_n, *laplacian, *laplacian_squared;
} Columns;

/* Of one tile, the same. */
typedef struct {
    double n, sum, squares;
    double laplacian_n, laplacian, laplacian_squared;
} TileSums;

typedef struct {
    Scan *scan;
    const Plane *plane;
    double *buffer; /* three rows, less the pivot */
    Columns columns;
    TileSums **tiles;               /* of each grid */
    double *column_n, *column_sums; /* NULL: not needed */
} Reals;

/* --- inner loops --- */

FOR_EACH_PROCESSOR
static void less_pivot(double *row, gsize count, double pivot) {
    for (gsize i = 0; i < count; i++)
        row[i] = fabs(row[i]) <= DBL_MAX ? row[i] - pivot : NAN;
}

FOR_EACH_PROCESSOR
static void add_pairs_of(ScanPairs *pairs, const double *a, const double *b, gsize count) {
    double n = 0, sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_dd = 0;
#pragma omp simd reduction(+ : n, sum_a, sum_b, sum_aa, sum_bb, sum_dd)
    for (gsize i = 0; i < count; i++) {
        double d = b[i] - a[i];
        bool known = d == d;
        double first = known ? a[i] : 0, second = known ? b[i] : 0;
        d = known ? d : 0;
        n += known ? 1 : 0;
        sum_a += first;
        sum_b += second;
        sum_aa += first * first;
        sum_bb += second * second;
        sum_dd += d * d;
    }
    pairs->n += n;
    pairs->sum_a += sum_a;
    pairs->sum_b += sum_b;
    pairs->sum_aa += sum_aa;
    pairs->sum_bb += sum_bb;
    pairs->sum_dd += sum_dd;
}

FOR_EACH_PROCESSOR
static void add_triples_of(ScanTriples *triples, double pivot, const double *a, const double *b,
                           const double *c, gsize count) {
    double n = 0, vollath = 0;
#pragma omp simd reduction(+ : n, vollath)
    for (gsize i = 0; i < count; i++) {
        double term = (a[i] + pivot) * (b[i] - c[i]);
        bool known = term == term;
        n += known ? 1 : 0;
        vollath += known ? term : 0;
    }
    triples->n += n;
    triples->vollath += vollath;
}

/* Reads a column more on both sides of all three rows. Laplacians go to the columns; `around` gets
 * the rest. */
FOR_EACH_PROCESSOR
static void add_around_of(ScanNeighbourhood *around, const double *n, const double *c,
                          const double *s, gsize count, double *restrict laplacian_n,
                          double *restrict laplacian, double *restrict laplacian_squared) {
    double sobel_squared = 0, noise = 0;
#pragma omp simd reduction(+ : sobel_squared, noise)
    for (gsize i = 0; i < count; i++) {
        const double *above = n + i, *here = c + i, *below = s + i;
        double cross = above[0] + below[0] + here[-1] + here[1];
        double z = above[-1] + above[1] + below[-1] + below[1] - 2 * cross + 4 * here[0];
        double l = 4 * here[0] - cross;
        double falling = below[1] - above[-1], rising = above[1] - below[-1];
        double gx = falling + rising + 2 * (here[1] - here[-1]);
        double gy = falling - rising + 2 * (below[0] - above[0]);
        bool known = z == z; /* it touches all nine */
        l = known ? l : 0;
        laplacian_n[i] += known ? 1 : 0;
        laplacian[i] += l;
        laplacian_squared[i] += l * l;
        sobel_squared += known ? gx * gx + gy * gy : 0;
        noise += known ? fabs(z) : 0;
    }
    around->sobel_squared += sobel_squared;
    around->noise += noise;
}

FOR_EACH_PROCESSOR
static void add_to_columns(const double *row, gsize count, double *restrict n, double *restrict sum,
                           double *restrict squares) {
    for (gsize i = 0; i < count; i++) {
        bool known = row[i] == row[i];
        double value = known ? row[i] : 0;
        n[i] += known ? 1 : 0;
        sum[i] += value;
        squares[i] += value * value;
    }
}

FOR_EACH_PROCESSOR
static double total_of(const double *values, gsize count) {
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (gsize i = 0; i < count; i++)
        total += values[i];
    return total;
}

/* Mean of a row that counts from the pivot. */
FOR_EACH_PROCESSOR
static double mean_of(const double *row, gsize count, double pivot) {
    double n = 0, sum = 0;
#pragma omp simd reduction(+ : n, sum)
    for (gsize i = 0; i < count; i++) {
        bool known = row[i] == row[i];
        n += known ? 1 : 0;
        sum += known ? row[i] : 0;
    }
    return n > 0 ? pivot + sum / n : NAN;
}

/* --- one row after the other --- */

static double *row_at(const Reals *reals, guint32 y) {
    return reals->buffer + (gsize)(y % 3) * reals->plane->width;
}

/* Row y can be asked for from now on, row y - 3 no more. */
static void bring_row(const Reals *reals, guint32 y) {
    if (y >= reals->plane->height)
        return;
    plane_row_doubles(reals->plane, y, row_at(reals, y));
    less_pivot(row_at(reals, y), reals->plane->width, reals->scan->pivot);
}

static void add_pairs(const Reals *reals, guint32 y) {
    Scan *scan = reals->scan;
    guint32 width = reals->plane->width, height = reals->plane->height;
    const double *c = row_at(reals, y), *s = row_at(reals, y + 1), *n = row_at(reals, y + 2);
    add_pairs_of(&scan->right, c, c + 1, width - 1);
    if (width > 2)
        add_pairs_of(&scan->right2, c, c + 2, width - 2);
    if (y + 1 < height)
        add_pairs_of(&scan->down, c, s, width);
    if (y == 0 || y + 1 >= height)
        return;
    add_pairs_of(&scan->down2, n, s, width); /* row y - 1 lies where y + 2 will */
    add_triples_of(&scan->column, scan->pivot, n, c, s, width);
}

static void add_around(const Reals *reals, guint32 y) {
    guint32 width = reals->plane->width;
    const Columns *columns = &reals->columns;
    if (y == 0 || y + 1 >= reals->plane->height || width < 3)
        return;
    const double *n = row_at(reals, y - 1), *c = row_at(reals, y), *s = row_at(reals, y + 1);
    add_around_of(&reals->scan->around, n + 1, c + 1, s + 1, width - 2, columns->laplacian_n + 1,
                  columns->laplacian + 1, columns->laplacian_squared + 1);
}

static void add_columns(const Reals *reals, guint32 y) {
    gsize width = reals->plane->width;
    const Columns *columns = &reals->columns;
    Scan *scan = reals->scan;
    add_to_columns(row_at(reals, y), width, columns->n, columns->sum, columns->squares);
    if (scan->row_means != NULL)
        scan->row_means[y] = mean_of(row_at(reals, y), width, scan->pivot);
}

/* --- columns into tiles --- */

/* The columns' sums belong to the row of tiles that row y of the plane lies in. */
static void add_to_tiles(const Reals *reals, const ScanGrid *grid, TileSums *tiles, guint32 y) {
    const Columns *columns = &reals->columns;
    guint32 width = reals->plane->width;
    tiles += (gsize)scan_tile_of(y, grid->rows, reals->plane->height) * grid->columns;
    for (guint32 i = 0; i < grid->columns; i++) {
        guint32 start = scan_tile_start(i, grid->columns, width);
        gsize count = scan_tile_start(i + 1, grid->columns, width) - start;
        tiles[i].n += total_of(columns->n + start, count);
        tiles[i].sum += total_of(columns->sum + start, count);
        tiles[i].squares += total_of(columns->squares + start, count);
        if (grid->laplacian_variance == NULL)
            continue;
        tiles[i].laplacian_n += total_of(columns->laplacian_n + start, count);
        tiles[i].laplacian += total_of(columns->laplacian + start, count);
        tiles[i].laplacian_squared += total_of(columns->laplacian_squared + start, count);
    }
}

static void add_to_lines(const Reals *reals) {
    for (gsize x = 0; reals->column_sums != NULL && x < reals->plane->width; x++) {
        reals->column_n[x] += reals->columns.n[x];
        reals->column_sums[x] += reals->columns.sum[x];
    }
}

static void add_to_around(const Reals *reals) {
    const Columns *columns = &reals->columns;
    ScanNeighbourhood *around = &reals->scan->around;
    gsize width = reals->plane->width;
    if (columns->laplacian == NULL)
        return;
    around->n += total_of(columns->laplacian_n, width);
    around->laplacian += total_of(columns->laplacian, width);
    around->laplacian_squared += total_of(columns->laplacian_squared, width);
}

static void empty_columns(const Columns *columns, gsize width) {
    double *const all[] = {columns->n,           columns->sum,       columns->squares,
                           columns->laplacian_n, columns->laplacian, columns->laplacian_squared};
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i] != NULL)
            memset(all[i], 0, width * sizeof *all[i]);
}

/* Row y was the last that columns added up. */
static void pass_columns_on(Reals *reals, guint32 y) {
    const struct ScanPrivate *private = reals->scan->private;
    for (guint i = 0; i < private->grids_count; i++)
        add_to_tiles(reals, &private->grids[i], reals->tiles[i], y);
    add_to_lines(reals);
    add_to_around(reals);
    empty_columns(&reals->columns, reals->plane->width);
}

static void add_rows(Reals *reals) {
    const Scan *scan = reals->scan;
    bool stencils = scan->private->needs & SCAN_STENCILS;
    bool columns = scan_needs_columns(scan), laplacians = scan_needs_laplacians(scan);
    bring_row(reals, 0);
    for (guint32 y = 0; y < reals->plane->height; y++) {
        bring_row(reals, y + 1);
        if (stencils)
            add_pairs(reals, y);
        if (laplacians)
            add_around(reals, y);
        if (columns)
            add_columns(reals, y);
        scan_sample_row(scan, y);
        if (columns || laplacians) /* at once: sums must not depend on where other tiles end */
            pass_columns_on(reals, y);
    }
}

/* --- the memory --- */

static void prepare_tiles(Reals *reals) {
    Scan *scan = reals->scan;
    reals->tiles = scan_take(scan, scan->private->grids_count, sizeof *reals->tiles);
    for (guint i = 0; reals->tiles != NULL && i < scan->private->grids_count; i++) {
        const ScanGrid *grid = &scan->private->grids[i];
        reals->tiles[i] =
            scan_take_zeroed(scan, (gsize)grid->columns * grid->rows, sizeof *reals->tiles[i]);
    }
}

static void prepare_columns(Reals *reals) {
    Scan *scan = reals->scan;
    Columns *columns = &reals->columns;
    gsize width = reals->plane->width;
    if (scan_needs_columns(scan)) {
        columns->n = scan_take_zeroed(scan, width, sizeof(double));
        columns->sum = scan_take_zeroed(scan, width, sizeof(double));
        columns->squares = scan_take_zeroed(scan, width, sizeof(double));
    }
    if (scan_needs_laplacians(scan)) {
        columns->laplacian_n = scan_take_zeroed(scan, width, sizeof(double));
        columns->laplacian = scan_take_zeroed(scan, width, sizeof(double));
        columns->laplacian_squared = scan_take_zeroed(scan, width, sizeof(double));
    }
    if (scan->column_means != NULL) {
        reals->column_n = scan_take_zeroed(scan, width, sizeof(double));
        reals->column_sums = scan_take_zeroed(scan, width, sizeof(double));
    }
}

static bool prepare(Reals *reals) {
    reals->buffer = scan_take(reals->scan, 3 * (gsize)reals->plane->width, sizeof(double));
    prepare_tiles(reals);
    prepare_columns(reals);
    return !reals->scan->private->failed;
}

/* --- levels --- */

static gsize gather_floats(const Plane *plane, guint32 *ret_keys) {
    const float *pixels = plane->pixels;
    gsize count = 0;
    for (guint64 i = 0; i < plane_pixels(plane); i++) {
        ret_keys[count] = levels_key_of_float(pixels[i]);
        count += fabsf(pixels[i]) <= FLT_MAX;
    }
    return count;
}

static gsize gather_doubles(const Plane *plane, guint64 *ret_keys) {
    const double *pixels = plane->pixels;
    gsize count = 0;
    for (guint64 i = 0; i < plane_pixels(plane); i++) {
        ret_keys[count] = levels_key_of_double(pixels[i]);
        count += fabs(pixels[i]) <= DBL_MAX;
    }
    return count;
}

/* All pixels may differ. */
static bool fill_levels(Scan *scan) {
    const Plane *plane = scan->plane;
    Levels *levels = scan->levels;
    gsize pixels = plane_pixels(plane), key_bytes = plane_type_bytes(plane->type);
    levels->values = scan_take(scan, pixels, sizeof *levels->values);
    levels->below = scan_take(scan, pixels + 1, sizeof *levels->below);
    void *keys = scan_take(scan, pixels, key_bytes), *room = scan_take(scan, pixels, key_bytes);
    if (scan->private->failed)
        return false;
    if (plane->type == PLANE_F32)
        levels_fill_floats(levels, keys, room, gather_floats(plane, keys));
    else
        levels_fill_doubles(levels, keys, room, gather_doubles(plane, keys));
    return true;
}

/* --- the results --- */

static double variance_of(double n, double sum, double squares) {
    double mean = sum / n;
    return n > 0 ? MAX(squares / n - mean * mean, 0) : NAN;
}

static void fill_grid(ScanGrid *grid, const TileSums *sums, double pivot) {
    for (gsize i = 0; i < (gsize)grid->columns * grid->rows; i++) {
        const TileSums *tile = &sums[i];
        grid->tiles[i] = (ScanTile){.n = tile->n,
                                    .mean = tile->n > 0 ? pivot + tile->sum / tile->n : NAN,
                                    .variance = variance_of(tile->n, tile->sum, tile->squares)};
        if (grid->laplacian_variance != NULL)
            grid->laplacian_variance[i] =
                variance_of(tile->laplacian_n, tile->laplacian, tile->laplacian_squared);
    }
}

static void fill_column_means(const Reals *reals) {
    Scan *scan = reals->scan;
    for (gsize x = 0; scan->column_means != NULL && x < reals->plane->width; x++) {
        double n = reals->column_n[x];
        scan->column_means[x] = n > 0 ? scan->pivot + reals->column_sums[x] / n : NAN;
    }
}

bool scan_look_reals(Scan *scan) {
    Reals reals = {.scan = scan, .plane = scan->plane};
    if (!prepare(&reals) || !fill_levels(scan))
        return false;
    scan->n = levels_total(scan->levels);
    scan->n_nonfinite = plane_pixels(scan->plane) - scan->n;
    if (scan->n > 0)
        scan->pivot = scan->levels->values[levels_at_rank(scan->levels, (scan->n - 1) / 2)];
    add_rows(&reals);
    for (guint i = 0; i < scan->private->grids_count; i++)
        fill_grid(&scan->private->grids[i], reals.tiles[i], scan->pivot);
    fill_column_means(&reals);
    if (!(scan->private->needs & SCAN_STENCILS))
        scan->around = (ScanNeighbourhood){0};
    return true;
}
