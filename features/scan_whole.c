/* scan_whole: the look at whole numbers of 8 and 16 bits. All its sums are whole numbers, and
 * exact: neither the order nor the instruction set matters.
 *
 * How large they get: a pixel is below 2^16, a difference of two within +-2^16, |L| of the
 * Laplacian and |G| of the Sobel operators below 2^18, |z| of the noise operator below 2^19. Over a
 * segment of 2^12 columns that makes 2^44 for differences squared, 2^49 for Sobel's and 2^31 for
 * z. Columns add up 2^12 rows at most, before they are emptied: 2^28 for pixels, 2^30 for L.
 * Totals have 128 bits. */
#include "features/processor.h"
#include "features/scan_private.h"
#include <math.h>
#include <string.h>

/* Two tables, so that equal neighbours do not wait for each other's count; of more, less would be
 * in the cache. */
#define TABLES 2

#define ROWS_LIMIT 4096 /* that columns add up */

/* What columns add up for themselves until a row of tiles ends; NULL what is not needed. */
typedef struct {
    guint32 *sum;
    guint64 *squares;
    gint32 *laplacian;
    guint64 *laplacian_squared;
    guint32 rows; /* since they were emptied */
} Columns;

/* Of one tile. */
typedef struct {
    guint64 sum;
    ScanExact squares;
    gint64 laplacian;
    ScanExact laplacian_squared;
} TileSums;

typedef struct {
    Scan *scan;
    const Plane *plane;
    guint16 *buffer; /* three rows, where they do not lie as 16 bits */
    guint32 *tables;
    gsize bins;
    Columns columns;
    TileSums **tiles;                     /* of each grid */
    guint64 *column_sums;                 /* NULL: not needed */
    ScanExact right, right2, down, down2; /* squared differences */
    ScanExact down_last;                  /* of the last two rows only */
    ScanExact laplacian, laplacian_squared, sobel_squared, noise;
} Whole;

/* --- inner loops, over a segment at most --- */

typedef struct {
    guint64 right, right2, down, down2;
} PairSums;

/* A sum of squares of 32 bits in two sums of 32 bits, for lanes of 64 bits are half as many: all of
 * it, which may overflow, and its upper halves. What they leave over, the sum of lower halves, fits
 * 32 bits for 2^16 squares: so it is known although the first sum has overflown. */
static inline guint64 sum_of_squares(guint32 overflown, guint32 upper) {
    return ((guint64)upper << 16) + (guint32)(overflown - (upper << 16));
}

/* Row c between n and s; differences of the rows are 0 where one of them is given for the other.
 * Reads two columns more of c. */
FOR_EACH_PROCESSOR
static PairSums sum_pairs(const guint16 *n, const guint16 *c, const guint16 *s, gsize count) {
    guint32 right = 0, right2 = 0, down = 0, down2 = 0;
    guint32 right_upper = 0, right2_upper = 0, down_upper = 0, down2_upper = 0;
    for (gsize i = 0; i < count; i++) {
        guint32 r = (guint32)c[i + 1] - c[i], r2 = (guint32)c[i + 2] - c[i];
        guint32 d = (guint32)s[i] - c[i], d2 = (guint32)s[i] - n[i];
        right += r * r;
        right2 += r2 * r2;
        down += d * d;
        down2 += d2 * d2;
        right_upper += r * r >> 16;
        right2_upper += r2 * r2 >> 16;
        down_upper += d * d >> 16;
        down2_upper += d2 * d2 >> 16;
    }
    return (PairSums){sum_of_squares(right, right_upper), sum_of_squares(right2, right2_upper),
                      sum_of_squares(down, down_upper), sum_of_squares(down2, down2_upper)};
}

FOR_EACH_PROCESSOR
static guint64 sum_squared_differences(const guint16 *a, const guint16 *b, gsize count) {
    guint64 sum = 0;
    for (gsize i = 0; i < count; i++) {
        gint32 d = b[i] - a[i];
        sum += (guint64)((gint64)d * d);
    }
    return sum;
}

typedef struct {
    guint64 sobel_squared;
    guint32 noise;
} AroundSums;

/* Reads a column more on both sides of all three rows. Along its diagonals Sobel's operator is p =
 * (gx + gy) / 2 and q = (gx - gy) / 2, so gx^2 + gy^2 = 2 (p^2 + q^2). */
FOR_EACH_PROCESSOR
static AroundSums sum_around(const guint16 *n, const guint16 *c, const guint16 *s, gsize count,
                             gint32 *restrict laplacian, guint64 *restrict laplacian_squared) {
    guint64 half_sobel_squared = 0;
    guint32 noise = 0;
    for (gsize i = 0; i < count; i++) {
        gint32 nw = n[(gssize)i - 1], nn = n[i], ne = n[i + 1];
        gint32 w = c[(gssize)i - 1], cc = c[i], e = c[i + 1];
        gint32 sw = s[(gssize)i - 1], ss = s[i], se = s[i + 1];

        gint32 cross = nn + ss + e + w, falling = se - nw, rising = ne - sw;
        gint32 l = 4 * cc - cross;
        gint32 right = e - w, down = ss - nn;
        gint32 p = falling + (right + down), q = rising + (right - down);
        gint32 z = (nw + ne) + (sw + se) - 2 * cross + 4 * cc;

        laplacian[i] += l;
        laplacian_squared[i] += (guint64)((gint64)l * l);
        half_sobel_squared += (guint64)((gint64)p * p + (gint64)q * q);
        noise += (guint32)(z < 0 ? -z : z);
    }
    return (AroundSums){2 * half_sobel_squared, noise};
}

/* Returns the sum of the row. */
FOR_EACH_PROCESSOR
static guint32 add_to_columns(const guint16 *row, gsize count, guint32 *restrict sum,
                              guint64 *restrict squares) {
    guint32 total = 0;
    for (gsize i = 0; i < count; i++) {
        guint32 value = row[i];
        total += value;
        sum[i] += value;
        squares[i] += (guint64)value * value;
    }
    return total;
}

FOR_EACH_PROCESSOR
static guint64 total_of_32(const guint32 *values, gsize count) {
    guint64 total = 0;
    for (gsize i = 0; i < count; i++)
        total += values[i];
    return total;
}

FOR_EACH_PROCESSOR
static gint64 total_of_signed_32(const gint32 *values, gsize count) {
    gint64 total = 0;
    for (gsize i = 0; i < count; i++)
        total += values[i];
    return total;
}

FOR_EACH_PROCESSOR
static guint64 total_of_64(const guint64 *values, gsize count) {
    guint64 total = 0;
    for (gsize i = 0; i < count; i++)
        total += values[i];
    return total;
}

/* A column is below 2^48, ROWS_LIMIT squares of 2^36: a segment of them fits 64 bits. */
static ScanExact exact_total(const guint64 *values, gsize count) {
    ScanExact total = 0;
    for (gsize i = 0; i < count; i += SCAN_SEGMENT)
        total += total_of_64(values + i, MIN(count - i, SCAN_SEGMENT));
    return total;
}

static void count_row(const guint16 *row, gsize width, guint32 *tables, gsize bins) {
    guint32 *second = tables + bins;
    gsize x = 0;
#pragma GCC unroll 4
    for (; x + TABLES <= width; x += TABLES) {
        tables[row[x]]++;
        second[row[x + 1]]++;
    }
    for (; x < width; x++)
        tables[row[x]]++;
}

/* --- one row after the other --- */

static const guint16 *row_at(const Whole *whole, guint32 y) {
    gsize width = whole->plane->width;
    if (whole->buffer != NULL)
        return whole->buffer + y % 3 * width;
    return (const guint16 *)whole->plane->pixels + y * width;
}

FOR_EACH_PROCESSOR
static void unpack(const guint8 *bytes, gsize count, guint16 *restrict ret_row) {
    for (gsize i = 0; i < count; i++)
        ret_row[i] = bytes[i];
}

/* Row y can be asked for from now on, row y - 3 no more. */
static void bring_row(const Whole *whole, guint32 y) {
    gsize width = whole->plane->width;
    if (whole->buffer != NULL && y < whole->plane->height)
        unpack((const guint8 *)whole->plane->pixels + y * width, width,
               whole->buffer + y % 3 * width);
}

/* The last two columns of row c have no pixel two to the right. */
static void add_last_pairs(Whole *whole, const guint16 *n, const guint16 *c, const guint16 *s) {
    guint32 width = whole->plane->width, x = width > 2 ? width - 2 : 0;
    whole->right += sum_squared_differences(c + x, c + x + 1, width - x - 1);
    whole->down += sum_squared_differences(c + x, s + x, width - x);
    whole->down2 += sum_squared_differences(n + x, s + x, width - x);
}

/* Pairs of row y with itself, with the row below, and of the rows above and below it. */
static void add_pairs(Whole *whole, guint32 y) {
    guint32 width = whole->plane->width, height = whole->plane->height;
    const guint16 *c = row_at(whole, y), *s = y + 1 < height ? row_at(whole, y + 1) : c;
    const guint16 *n = y > 0 && y + 1 < height ? row_at(whole, y - 1) : s;
    ScanExact down_before = whole->down;
    for (guint32 x = 0; x + 2 < width; x += SCAN_SEGMENT) {
        gsize count = MIN(width - 2 - x, SCAN_SEGMENT);
        PairSums sums = sum_pairs(n + x, c + x, s + x, count);
        whole->right += sums.right;
        whole->right2 += sums.right2;
        whole->down += sums.down;
        whole->down2 += sums.down2;
    }
    add_last_pairs(whole, n, c, s);
    if (y + 2 == height)
        whole->down_last = whole->down - down_before;
}

static void add_around(Whole *whole, guint32 y) {
    guint32 width = whole->plane->width;
    if (y == 0 || y + 1 >= whole->plane->height)
        return;
    const guint16 *n = row_at(whole, y - 1), *c = row_at(whole, y), *s = row_at(whole, y + 1);
    for (guint32 x = 1; x + 1 < width; x += SCAN_SEGMENT) {
        gsize count = MIN(width - 1 - x, SCAN_SEGMENT);
        AroundSums sums = sum_around(n + x, c + x, s + x, count, whole->columns.laplacian + x,
                                     whole->columns.laplacian_squared + x);
        whole->sobel_squared += sums.sobel_squared;
        whole->noise += sums.noise;
    }
}

static void add_columns(Whole *whole, guint32 y) {
    guint32 width = whole->plane->width;
    const guint16 *row = row_at(whole, y);
    guint64 total = 0;
    for (guint32 x = 0; x < width; x += SCAN_SEGMENT)
        total += add_to_columns(row + x, MIN(width - x, SCAN_SEGMENT), whole->columns.sum + x,
                                whole->columns.squares + x);
    if (whole->scan->row_means != NULL)
        whole->scan->row_means[y] = (double)total / width;
}

/* --- columns into tiles --- */

/* The columns' sums belong to the row of tiles that row y of the plane lies in. */
static void add_to_tiles(const Whole *whole, const ScanGrid *grid, TileSums *tiles, guint32 y) {
    const Columns *columns = &whole->columns;
    guint32 width = whole->plane->width;
    tiles += (gsize)scan_tile_of(y, grid->rows, whole->plane->height) * grid->columns;
    for (guint32 i = 0; i < grid->columns; i++) {
        guint32 start = scan_tile_start(i, grid->columns, width);
        gsize count = scan_tile_start(i + 1, grid->columns, width) - start;
        tiles[i].sum += total_of_32(columns->sum + start, count);
        tiles[i].squares += exact_total(columns->squares + start, count);
        if (grid->laplacian_variance == NULL)
            continue;
        tiles[i].laplacian += total_of_signed_32(columns->laplacian + start, count);
        tiles[i].laplacian_squared += exact_total(columns->laplacian_squared + start, count);
    }
}

static void empty_columns(Columns *columns, gsize width) {
    if (columns->sum != NULL) {
        memset(columns->sum, 0, width * sizeof *columns->sum);
        memset(columns->squares, 0, width * sizeof *columns->squares);
    }
    if (columns->laplacian != NULL) {
        memset(columns->laplacian, 0, width * sizeof *columns->laplacian);
        memset(columns->laplacian_squared, 0, width * sizeof *columns->laplacian_squared);
    }
    columns->rows = 0;
}

/* Row y was the last that columns added up. */
static void pass_columns_on(Whole *whole, guint32 y) {
    const struct ScanPrivate *private = whole->scan->private;
    Columns *columns = &whole->columns;
    gsize width = whole->plane->width;
    for (guint i = 0; i < private->grids_count; i++)
        add_to_tiles(whole, &private->grids[i], whole->tiles[i], y);
    for (gsize x = 0; whole->column_sums != NULL && x < width; x++)
        whole->column_sums[x] += columns->sum[x];
    if (columns->laplacian != NULL) {
        whole->laplacian += total_of_signed_32(columns->laplacian, width);
        whole->laplacian_squared += exact_total(columns->laplacian_squared, width);
    }
    empty_columns(columns, width);
}

static void add_rows(Whole *whole) {
    const Scan *scan = whole->scan;
    guint32 height = whole->plane->height;
    bool columns = scan_needs_columns(scan), laplacians = scan_needs_laplacians(scan);
    bring_row(whole, 0);
    for (guint32 y = 0; y < height; y++) {
        plane_call_for(whole->plane, y + 2);
        bring_row(whole, y + 1);
        count_row(row_at(whole, y), whole->plane->width, whole->tables, whole->bins);
        if (scan->private->needs & SCAN_STENCILS)
            add_pairs(whole, y);
        if (laplacians)
            add_around(whole, y);
        if (columns)
            add_columns(whole, y);
        scan_sample_row(scan, y);
        if (++whole->columns.rows == ROWS_LIMIT || scan_tiles_end(scan, y + 1))
            pass_columns_on(whole, y);
    }
}

/* --- the memory --- */

static void prepare_tiles(Whole *whole) {
    Scan *scan = whole->scan;
    whole->tiles = scan_take(scan, scan->private->grids_count, sizeof *whole->tiles);
    for (guint i = 0; whole->tiles != NULL && i < scan->private->grids_count; i++) {
        const ScanGrid *grid = &scan->private->grids[i];
        whole->tiles[i] =
            scan_take_zeroed(scan, (gsize)grid->columns * grid->rows, sizeof *whole->tiles[i]);
    }
}

static void prepare_columns(Whole *whole) {
    Scan *scan = whole->scan;
    Columns *columns = &whole->columns;
    gsize width = whole->plane->width;
    if (scan_needs_columns(scan)) {
        columns->sum = scan_take_zeroed(scan, width, sizeof *columns->sum);
        columns->squares = scan_take_zeroed(scan, width, sizeof *columns->squares);
    }
    if (scan_needs_laplacians(scan)) {
        columns->laplacian = scan_take_zeroed(scan, width, sizeof *columns->laplacian);
        columns->laplacian_squared =
            scan_take_zeroed(scan, width, sizeof *columns->laplacian_squared);
    }
    if (scan->column_means != NULL)
        whole->column_sums = scan_take_zeroed(scan, width, sizeof *whole->column_sums);
}

static bool prepare(Whole *whole) {
    Scan *scan = whole->scan;
    Levels *levels = scan->levels;
    bool bytes = whole->plane->type == PLANE_U8;
    whole->bins = bytes ? 256 : 65536;
    whole->tables = scan_take_zeroed(scan, TABLES * whole->bins, sizeof *whole->tables);
    if (bytes)
        whole->buffer = scan_take(scan, 3 * (gsize)whole->plane->width, sizeof *whole->buffer);
    levels->values = scan_take(scan, whole->bins, sizeof *levels->values);
    levels->below = scan_take(scan, whole->bins + 1, sizeof *levels->below);
    prepare_tiles(whole);
    prepare_columns(whole);
    return !scan->private->failed;
}

/* --- the results --- */

static void fill_levels(const Whole *whole) {
    guint32 *tables = whole->tables;
    Scan *scan = whole->scan;
    for (gsize table = 1; table < TABLES; table++)
        for (gsize bin = 0; bin < whole->bins; bin++)
            tables[bin] += tables[table * whole->bins + bin];
    levels_fill_histogram(scan->levels, tables, whole->bins);
    scan->n = plane_pixels(whole->plane);
    scan->pivot = scan->levels->values[levels_at_rank(scan->levels, (scan->n - 1) / 2)];
}

/* Count, sum and sum of squares of pixels, counted from the pivot. */
typedef struct {
    ScanExact n, sum, squares;
} Part;

static Part part_of_levels(const Levels *levels, gint64 pivot) {
    Part part = {0};
    for (gsize i = 0; i < levels->count; i++) {
        ScanExact value = (gint64)levels->values[i] - pivot, pixels = levels_pixels(levels, i);
        part.n += pixels;
        part.sum += pixels * value;
        part.squares += pixels * value * value;
    }
    return part;
}

static Part part_of_rectangle(const Plane *plane, guint32 left, guint32 top, guint32 width,
                              guint32 height, gint64 pivot) {
    Part part = {.n = (ScanExact)width * height};
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
static ScanPairs whole_pairs(Part all, Part not_first, Part not_second, ScanExact differences) {
    return (ScanPairs){.n = (double)(all.n - not_first.n),
                       .sum_a = (double)(all.sum - not_first.sum),
                       .sum_b = (double)(all.sum - not_second.sum),
                       .sum_aa = (double)(all.squares - not_first.squares),
                       .sum_bb = (double)(all.squares - not_second.squares),
                       .sum_dd = (double)differences};
}

static ScanPairs pairs_right(const Whole *whole, Part all, guint32 step, ScanExact differences) {
    const Plane *p = whole->plane;
    if (p->width <= step)
        return (ScanPairs){0};
    gint64 pivot = (gint64)whole->scan->pivot;
    return whole_pairs(all, part_of_rectangle(p, p->width - step, 0, step, p->height, pivot),
                       part_of_rectangle(p, 0, 0, step, p->height, pivot), differences);
}

static ScanPairs pairs_down(const Whole *whole, Part all, guint32 step, ScanExact differences) {
    const Plane *p = whole->plane;
    if (p->height <= step)
        return (ScanPairs){0};
    gint64 pivot = (gint64)whole->scan->pivot;
    return whole_pairs(all, part_of_rectangle(p, 0, p->height - step, p->width, step, pivot),
                       part_of_rectangle(p, 0, 0, p->width, step, pivot), differences);
}

/* Sum of a (b - c) = sum of ab - sum of ac, and 2ab = a^2 + b^2 - (b - a)^2: with the squared
 * differences known, only those of the first rows and of the last ones are left to count. Over all
 * y below height - 2, the sum of b^2 - c^2 is that of row 1 less that of the last row. */
static ScanTriples triples_down(const Whole *whole) {
    const Plane *p = whole->plane;
    if (p->height < 3)
        return (ScanTriples){0};
    Part second = part_of_rectangle(p, 0, 1, p->width, 1, 0);
    Part last = part_of_rectangle(p, 0, p->height - 1, p->width, 1, 0);
    ScanExact differences = whole->down - whole->down_last - whole->down2;
    return (ScanTriples){.n = (double)(p->height - 2) * p->width,
                         .vollath = (double)((second.squares - last.squares - differences) / 2)};
}

static void fill_stencils(const Whole *whole) {
    Scan *scan = whole->scan;
    const Plane *plane = whole->plane;
    Part all = part_of_levels(scan->levels, (gint64)scan->pivot);
    scan->right = pairs_right(whole, all, 1, whole->right);
    scan->right2 = pairs_right(whole, all, 2, whole->right2);
    scan->down = pairs_down(whole, all, 1, whole->down);
    scan->down2 = pairs_down(whole, all, 2, whole->down2);
    scan->column = triples_down(whole);
    if (plane->width > 2 && plane->height > 2)
        scan->around = (ScanNeighbourhood){
            .n = (double)(plane->width - 2) * (plane->height - 2),
            .laplacian = (double)whole->laplacian,
            .laplacian_squared = (double)whole->laplacian_squared,
            .sobel_squared = (double)whole->sobel_squared,
            .noise = (double)whole->noise,
        };
}

static double variance_of(ScanExact n, ScanExact sum, ScanExact squares) {
    return (double)(n * squares - sum * sum) / ((double)n * (double)n);
}

/* Places of start to end - 1 that have neighbours on both sides. */
static guint32 inner_places(guint32 start, guint32 end, guint32 side) {
    start = MAX(start, 1);
    end = MIN(end, side - 1);
    return end > start ? end - start : 0;
}

static void fill_tile(const Whole *whole, ScanGrid *grid, guint32 column, guint32 row,
                      const TileSums *sums) {
    guint32 width = whole->plane->width, height = whole->plane->height;
    guint32 left = scan_tile_start(column, grid->columns, width);
    guint32 right = scan_tile_start(column + 1, grid->columns, width);
    guint32 top = scan_tile_start(row, grid->rows, height);
    guint32 bottom = scan_tile_start(row + 1, grid->rows, height);
    gsize index = (gsize)row * grid->columns + column;

    ScanExact n = (ScanExact)(right - left) * (bottom - top);
    grid->tiles[index] =
        (ScanTile){.n = (double)n,
                   .mean = n > 0 ? (double)sums->sum / (double)n : NAN,
                   .variance = n > 0 ? variance_of(n, sums->sum, sums->squares) : NAN};
    if (grid->laplacian_variance == NULL)
        return;
    n = (ScanExact)inner_places(left, right, width) * inner_places(top, bottom, height);
    grid->laplacian_variance[index] =
        n > 0 ? variance_of(n, sums->laplacian, sums->laplacian_squared) : NAN;
}

static void fill_grids(const Whole *whole) {
    const struct ScanPrivate *private = whole->scan->private;
    for (guint i = 0; i < private->grids_count; i++) {
        ScanGrid *grid = &private->grids[i];
        const TileSums *sums = whole->tiles[i];
        for (guint32 row = 0; row < grid->rows; row++)
            for (guint32 column = 0; column < grid->columns; column++)
                fill_tile(whole, grid, column, row, sums++);
    }
}

bool scan_look_whole(Scan *scan) {
    Whole whole = {.scan = scan, .plane = scan->plane};
    if (!prepare(&whole))
        return false;
    add_rows(&whole);
    fill_levels(&whole);
    if (scan->private->needs & SCAN_STENCILS)
        fill_stencils(&whole);
    fill_grids(&whole);
    for (guint32 x = 0; scan->column_means != NULL && x < scan->plane->width; x++)
        scan->column_means[x] = (double)whole.column_sums[x] / scan->plane->height;
    return true;
}
