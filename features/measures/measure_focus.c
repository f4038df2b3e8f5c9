/* focus: how much of the structure is fine detail, with the camera's noise taken out.
 *
 * Noise differs from pixel to pixel: it makes pixels one apart as unlike as pixels two apart. A
 * structure makes those two apart more unlike. So the difference of the two tells the structure
 * alone, however much noise lies over it; and in means of 2, 4, ... 32 pixels a side it tells that
 * of two to 32 times the size. Blur takes more from each size than from the next larger one, and so
 * the share of the smallest falls; exposure, gain and the count of cells multiply all alike.
 *
 * What is left of the noise has a known standard error. Where detail does not stand well above it,
 * a size is given no more than the smoothest structure would have there: a quarter of the next
 * larger size's. So noise is never taken for detail, and a frame without structure has no value.
 *
 * It looks at the pixels itself: the scan knows differences of pixels, not those of means. */
#include "features/measure.h"
#include "features/processor.h"
#include <float.h>
#include <math.h>

#define SIZES      6                  /* 1, 2, ... 32 pixels */
#define LEAST_SIDE (4 << (SIZES - 1)) /* so that there are four means a side of the largest */
#define CERTAIN    5.0                /* standard errors at which detail begins to count */
#define LEAST_SNR  20.0

static const MeasureNumber numbers[] = {
    {"focus", "1",
     "F(0) / sum of F(k), k = 0 .. 5; F(k) = F(k+1) / 4 + max(D - (5 s)^2 / D, 0) where D = E(k) - "
     "F(k+1) / 4 is above 0, else F(k+1) / 4; F(6) = 0; E(k) = half of (mean squared difference of "
     "means of 2^k x 2^k pixels two steps apart - the same one step apart), along rows and columns "
     "together; s = e / 2^k, e = half the mean squared difference of neighbouring pixels / "
     "sqrt(n); no value where focus_snr < 20",
     "own", "blur, whatever the noise, the exposure and the count of cells: falls with defocus",
     NULL, "pass", 1},
    {"focus_snr", "1", "sum of F(k) / e, see focus", "own",
     "nothing to focus on: 0 for noise alone; below about 200 fine detail can hide in the noise",
     NULL, "pass", 1},
    {NULL},
};

/* --- one size --- */

/* Squared differences of means one or two steps apart. */
typedef struct {
    double sum, n;
} Differences;

typedef struct {
    guint32 width;   /* means in a row */
    double *rows[3]; /* the last three, row y in y % 3; NaN: no pixel of it is finite */
    guint32 count;   /* rows seen */
    Differences one, two;
} Size;

FOR_EACH_PROCESSOR
static void add_differences(Differences *differences, const double *first, const double *second,
                            gsize count) {
    double sum = 0, n = 0;
#pragma omp simd reduction(+ : sum, n)
    for (gsize i = 0; i < count; i++) {
        double difference = second[i] - first[i];
        bool known = difference == difference;
        sum += known ? difference * difference : 0;
        n += known;
    }
    differences->sum += sum;
    differences->n += n;
}

static void add_row_in_part(Size *size, const double *row, const double *above,
                            const double *above2) {
    gsize width = size->width;
    add_differences(&size->one, row, row + 1, width - 1);
    add_differences(&size->two, row, row + 2, width - 2);
    if (size->count >= 1)
        add_differences(&size->one, above, row, width);
    if (size->count >= 2)
        add_differences(&size->two, above2, row, width);
}

/* Squared differences of a row's means with the next, the next but one, that above, and the one
 * above that. */
typedef struct {
    double right, right2, down, down2;
} RowSums;

static inline double squared(double value) {
    return value * value;
}

/* Where all are known. Four sums at once, for one would be waited for at every step. */
FOR_EACH_PROCESSOR
static RowSums sum_row(const double *row, const double *above, const double *above2, gsize width) {
    double right = 0, right2 = 0, down = 0, down2 = 0;
#pragma omp simd reduction(+ : right, right2, down, down2)
    for (gsize i = 0; i < width - 2; i++) {
        right += squared(row[i + 1] - row[i]);
        right2 += squared(row[i + 2] - row[i]);
        down += squared(row[i] - above[i]);
        down2 += squared(row[i] - above2[i]);
    }
    right += squared(row[width - 1] - row[width - 2]);
    for (gsize i = width - 2; i < width; i++) {
        down += squared(row[i] - above[i]);
        down2 += squared(row[i] - above2[i]);
    }
    return (RowSums){right, right2, down, down2};
}

static void add_whole_row(Size *size, const double *row, const double *above,
                          const double *above2) {
    guint32 width = size->width;
    RowSums sums = sum_row(row, above, above2, width);
    size->one.sum += sums.right;
    size->one.sum += sums.down;
    size->two.sum += sums.right2;
    size->two.sum += sums.down2;
    size->one.n += width - 1 + (size->count >= 1 ? width : 0);
    size->two.n += width - 2 + (size->count >= 2 ? width : 0);
}

/* Takes in the row that was written where its place is. What is not there above is the row itself,
 * from which nothing differs. */
static void add_row(Size *size, bool all_known) {
    guint32 y = size->count;
    const double *row = size->rows[y % 3];
    const double *above = y >= 1 ? size->rows[(y - 1) % 3] : row;
    const double *above2 = y >= 2 ? size->rows[(y - 2) % 3] : row;
    if (all_known)
        add_whole_row(size, row, above, above2);
    else
        add_row_in_part(size, row, above, above2);
    size->count++;
}

/* Means of two by two that are finite. */
FOR_EACH_PROCESSOR
static void halve(const double *upper, const double *lower, gsize count, double *restrict ret_row) {
#pragma omp simd
    for (gsize i = 0; i < count; i++) {
        double a = upper[2 * i], b = upper[2 * i + 1], c = lower[2 * i], d = lower[2 * i + 1];
        bool a_is = fabs(a) <= DBL_MAX, b_is = fabs(b) <= DBL_MAX;
        bool c_is = fabs(c) <= DBL_MAX, d_is = fabs(d) <= DBL_MAX;
        double sum = ((a_is ? a : 0) + (b_is ? b : 0)) + ((c_is ? c : 0) + (d_is ? d : 0));
        ret_row[i] = sum / (a_is + b_is + c_is + d_is);
    }
}

FOR_EACH_PROCESSOR
static void quarter(const gint32 *restrict sums, gsize count, double *restrict ret_means) {
    for (gsize i = 0; i < count; i++)
        ret_means[i] = sums[i] / 4.;
}

/* --- all sizes --- */

static bool prepare_sizes(const Scan *scan, Size sizes[SIZES]) {
    guint32 width = scan->plane->width;
    for (guint k = 0; k < SIZES; k++, width /= 2) {
        sizes[k] = (Size){.width = width};
        for (guint i = 0; i < 3; i++)
            if ((sizes[k].rows[i] = scan_scratch(scan, width * sizeof(double))) == NULL)
                return false;
    }
    return true;
}

static double *next_row(const Size *size) {
    return size->rows[size->count % 3];
}

/* The row of size 1 that every second row of pixels completes. Of whole numbers it is made at once,
 * for their sums need no floats. */
static void bring_means(const Plane *plane, guint32 y, Size sizes[SIZES], gint32 *fours) {
    if (fours != NULL) {
        plane_sum_fours(plane, y, fours);
        quarter(fours, sizes[1].width, next_row(&sizes[1]));
        return;
    }
    plane_row_doubles(plane, 2 * y, sizes[0].rows[0]);
    plane_row_doubles(plane, 2 * y + 1, sizes[0].rows[1]);
    halve(sizes[0].rows[0], sizes[0].rows[1], sizes[1].width, next_row(&sizes[1]));
}

/* Every second row of a size completes one of the next; the pixels' own differences are the
 * scan's. fours is NULL where pixels are not whole. */
static void look(const Scan *scan, Size sizes[SIZES], gint32 *fours) {
    bool all_known = scan->n_nonfinite == 0;
    for (guint32 y = 0; y < scan->plane->height / 2; y++) {
        plane_call_for(scan->plane, 2 * y + 2);
        plane_call_for(scan->plane, 2 * y + 3);
        bring_means(scan->plane, y, sizes, fours);
        add_row(&sizes[1], all_known);
        for (guint k = 2; k < SIZES && sizes[k - 1].count % 2 == 0; k++) {
            guint32 last = sizes[k - 1].count - 1;
            halve(sizes[k - 1].rows[(last - 1) % 3], sizes[k - 1].rows[last % 3], sizes[k].width,
                  next_row(&sizes[k]));
            add_row(&sizes[k], all_known);
        }
    }
}

static void take_from_scan(const Scan *scan, Size *size) {
    size->one.sum = scan->right.sum_dd + scan->down.sum_dd;
    size->one.n = scan->right.n + scan->down.n;
    size->two.sum = scan->right2.sum_dd + scan->down2.sum_dd;
    size->two.n = scan->right2.n + scan->down2.n;
}

static double half_mean(const Differences *differences) {
    return differences->sum / differences->n / 2;
}

static double structure_of(const Size *size) {
    return half_mean(&size->two) - half_mean(&size->one);
}

/* What is certain of a structure, if smooth is the least that there can be. */
static double certain_structure(double structure, double smooth, double error) {
    double detail = structure - smooth, limit = CERTAIN * error;
    return smooth + (detail > limit ? detail - limit * limit / detail : 0);
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    Size sizes[SIZES];
    if (MIN(plane->width, plane->height) < LEAST_SIDE || !prepare_sizes(scan, sizes))
        return;
    look(scan, sizes, plane_is_integer(plane) ? (gint32 *)(void *)sizes[0].rows[0] : NULL);
    take_from_scan(scan, &sizes[0]);
    double error = half_mean(&sizes[0].one) / sqrt((double)scan->n);
    double certain = 0, all = 0;
    for (int k = SIZES - 1; k >= 0; k--) {
        certain = certain_structure(structure_of(&sizes[k]), certain / 4, ldexp(error, -k));
        all += certain;
    }
    if (!(error > 0) || !isfinite(all))
        return;
    values[1] = all / error;
    if (values[1] >= LEAST_SNR)
        values[0] = certain / all;
}

const Measure measure_focus = {"focus", numbers, compute, .needs = SCAN_STENCILS,
                               .least_side = LEAST_SIDE};
