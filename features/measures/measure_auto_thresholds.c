/* auto_thresholds: the thresholds that scikit-image and ImageJ offer, a choice for each assay. */
#include "features/measure.h"
#include "features/measures/bins.h"
#include <math.h>

#define A_BIN "; a bin is a value for 8 and 16 bits, 1/256 of min to max for floats and more bits"

static const MeasureNumber numbers[] = {
    {"thr_li", "x",
     "t = (a - b) / (ln a - ln b), a and b the means of x - min up to t and above it, from the "
     "mean on, until t moves no more than half a grey value (floats: half the least distance of "
     "two values); plus min; x itself where all are one",
     "Li and Tam 1998; scikit-image's threshold_li", "staining level of sparse objects", NULL,
     "histogram", 1},
    {"thr_triangle", "x",
     "the bin farthest below the line from the fullest bin's top to the farther end of the "
     "histogram; NULL where all pixels are equal" A_BIN,
     "Zack 1977; scikit-image's threshold_triangle", "staining level of sparse objects", NULL,
     "histogram", 1},
    {"thr_yen", "x",
     "the bin with the largest (p (1 - p))^2 / (sum of p_i^2 up to it * sum above it), p the "
     "share of pixels up to it, p_i of a bin; x itself where all are one" A_BIN,
     "Yen 1995; scikit-image's threshold_yen", "staining level of sparse objects", NULL,
     "histogram", 1},
    {"thr_isodata", "x",
     "the lowest bin that lies less than a bin below the middle of the means up to it and above "
     "it; x itself where all are one" A_BIN,
     "Ridler and Calvard 1978; scikit-image's threshold_isodata", "staining level", NULL,
     "histogram", 1},
    {"thr_maxentropy", "x",
     "the bin with the largest entropy of the pixels up to it plus entropy of those above it, the "
     "first if several have it" A_BIN,
     "Kapur 1985; ImageJ's MaxEntropy, with all bins of the image",
     "staining level of sparse objects", NULL, "histogram", 1},
    {NULL},
};

enum { LI, TRIANGLE, YEN, ISODATA, MAXENTROPY };

/* --- Li: over the exact levels --- */

static double half_the_least_distance(const Levels *levels) {
    double least = INFINITY;
    for (gsize i = 1; i < levels->count; i++)
        least = MIN(least, levels->values[i] - levels->values[i - 1]);
    return least / 2;
}

/* The index of the last level with value - least <= t. */
static gsize level_up_to(const Levels *levels, double t) {
    gsize low = 0, high = levels->count - 1;
    while (low < high) {
        gsize half = low + (high - low + 1) / 2;
        if (levels->values[half] - levels->values[0] <= t)
            low = half;
        else
            high = half - 1;
    }
    return low;
}

/* sums[i] of value - least over the pixels below level i. The next t, or NaN if a side is empty. */
static double li_next(const Levels *levels, const double *sums, double t) {
    gsize split = level_up_to(levels, t) + 1;
    double below = (double)levels->below[split], n = (double)levels_total(levels);
    double dark = sums[split] / below, bright = (sums[levels->count] - sums[split]) / (n - below);
    return (dark - bright) / (log(dark) - log(bright));
}

static double li(const Scan *scan) {
    const Levels *levels = scan->levels;
    double *sums = scan_scratch(scan, (levels->count + 1) * sizeof *sums);
    if (sums == NULL)
        return NAN;
    sums[0] = 0;
    for (gsize i = 0; i < levels->count; i++)
        sums[i + 1] =
            sums[i] + (double)levels_pixels(levels, i) * (levels->values[i] - levels->values[0]);
    double tolerance = scan->plane->whole ? 0.5 : half_the_least_distance(levels);
    double before = -INFINITY, t = sums[levels->count] / (double)scan->n;
    /* t moves in one direction only: it can rest at each level once */
    for (gsize i = 0; i <= levels->count && fabs(t - before) > tolerance; i++) {
        before = t;
        t = li_next(levels, sums, t);
    }
    return t + levels->values[0];
}

/* --- the others: over bins --- */

/* Bins with a pixel at least, ascending: the first at place 0. */
typedef struct {
    double start, width; /* the bin at a place stands for start + place * width */
    double n;            /* pixels */
    gsize count;
    guint32 *place;
    double *pixels;
} Filled;

static bool filled_take(Filled *filled, const Scan *scan, gsize room) {
    filled->n = (double)scan->n;
    filled->place = scan_scratch(scan, room * sizeof *filled->place);
    filled->pixels = scan_scratch(scan, room * sizeof *filled->pixels);
    return filled->place != NULL && filled->pixels != NULL;
}

static double filled_value(const Filled *filled, gsize index) {
    return filled->start + filled->place[index] * filled->width;
}

static bool fill_from_values(Filled *filled, const Scan *scan) {
    const Levels *levels = scan->levels;
    *filled = (Filled){.start = levels->values[0], .width = 1, .count = levels->count};
    if (!filled_take(filled, scan, levels->count))
        return false;
    for (gsize i = 0; i < levels->count; i++) {
        filled->place[i] = (guint32)(levels->values[i] - levels->values[0]);
        filled->pixels[i] = (double)levels_pixels(levels, i);
    }
    return true;
}

#define FLOAT_BINS 256

static bool fill_from_range(Filled *filled, const Scan *scan) {
    const Levels *levels = scan->levels;
    double least = levels->values[0], range = levels->values[levels->count - 1] - least;
    Bins bins = {least, range / FLOAT_BINS, FLOAT_BINS};
    if (!isfinite(range) || !(bins.width > 0))
        return false;
    *filled = (Filled){.start = bins_middle(&bins, 0), .width = bins.width};
    if (!filled_take(filled, scan, FLOAT_BINS))
        return false;
    for (gsize i = 0; i < levels->count; i++) {
        guint32 place = (guint32)bins_place(&bins, levels->values[i]);
        if (filled->count == 0 || place != filled->place[filled->count - 1]) {
            filled->place[filled->count] = place;
            filled->pixels[filled->count++] = 0;
        }
        filled->pixels[filled->count - 1] += (double)levels_pixels(levels, i);
    }
    return true;
}

static bool fill(Filled *filled, const Scan *scan) {
    return plane_is_integer(scan->plane) ? fill_from_values(filled, scan)
                                         : fill_from_range(filled, scan);
}

/* The line goes from (0, 0) at the far end to (width, height) at the fullest bin's top. Between two
 * filled bins the one next to the nearer to the top is the farthest of the empty ones. */
static double triangle(const Filled *filled) {
    gsize peak = 0, last = filled->count - 1;
    for (gsize i = 1; i <= last; i++)
        if (filled->pixels[i] > filled->pixels[peak])
            peak = i;
    double end = filled->place[last], top = filled->place[peak];
    bool from_right = top < end - top;
    double width = from_right ? end - top : top, most = -INFINITY, best = 0;
    for (gsize i = from_right ? last : 0; i != peak; i += from_right ? -1 : 1) {
        gsize next = from_right ? i - 1 : i + 1;
        double x = fabs(filled->place[i] - (from_right ? end : 0));
        double gap = fabs((double)filled->place[next] - filled->place[i]) - 1;
        double here = filled->pixels[peak] * x - width * filled->pixels[i];
        double empty = gap > 0 ? filled->pixels[peak] * (x + gap) : -INFINITY;
        if (MAX(here, empty) > most) {
            most = MAX(here, empty);
            best = here >= empty ? x : x + gap;
        }
    }
    return filled->start + (from_right ? end - best : best) * filled->width;
}

static double yen(const Filled *filled) {
    double all = 0, squares = 0, below = 0, most = -INFINITY;
    gsize best = 0;
    for (gsize i = 0; i < filled->count; i++)
        all += filled->pixels[i] * filled->pixels[i];
    for (gsize i = 0; i + 1 < filled->count; i++) {
        below += filled->pixels[i];
        squares += filled->pixels[i] * filled->pixels[i];
        double sides = below * (filled->n - below);
        double criterion = sides / squares * (sides / (all - squares));
        if (criterion > most) {
            most = criterion;
            best = i;
        }
    }
    return filled_value(filled, best);
}

/* Empty bins after a filled one share its means, so each filled one asks for the bin just below the
 * middle of the means and looks whether it is one of these. */
static double isodata(const Filled *filled) {
    double all = 0, below = 0, sum = 0;
    for (gsize i = 0; i < filled->count; i++)
        all += filled->pixels[i] * filled_value(filled, i);
    for (gsize i = 0; i + 1 < filled->count; i++) {
        below += filled->pixels[i];
        sum += filled->pixels[i] * filled_value(filled, i);
        double middle = (sum / below + (all - sum) / (filled->n - below)) / 2;
        double place = floor((middle - filled->start) / filled->width);
        if (place >= filled->place[i] && place < filled->place[i + 1])
            return filled->start + place * filled->width;
    }
    return NAN;
}

/* The entropy of n pixels is ln n - (sum of c ln c) / n, c the pixels of a bin. */
static double maxentropy(const Filled *filled, const Scan *scan) {
    double *terms = scan_scratch(scan, filled->count * sizeof *terms);
    if (terms == NULL)
        return NAN;
    double all = 0, below = 0, sum = 0, most = -INFINITY;
    for (gsize i = 0; i < filled->count; i++)
        all += terms[i] = filled->pixels[i] * log(filled->pixels[i]);
    gsize best = 0;
    for (gsize i = 0; i + 1 < filled->count; i++) {
        below += filled->pixels[i];
        sum += terms[i];
        double above = filled->n - below;
        double entropy = log(below * above) - sum / below - (all - sum) / above;
        if (entropy > most) {
            most = entropy;
            best = i;
        }
    }
    return filled_value(filled, best);
}

static void compute(const Scan *scan, double values[]) {
    double scale = scan->plane->scale;
    Filled filled;
    if (scan->levels->count == 1) {
        values[LI] = values[YEN] = values[ISODATA] = scan->levels->values[0] / scale;
        return;
    }
    values[LI] = li(scan) / scale;
    if (!fill(&filled, scan))
        return;
    values[TRIANGLE] = triangle(&filled) / scale;
    values[YEN] = yen(&filled) / scale;
    values[ISODATA] = isodata(&filled) / scale;
    values[MAXENTROPY] = maxentropy(&filled, scan) / scale;
}

const Measure measure_auto_thresholds = {"auto_thresholds", numbers, compute};
