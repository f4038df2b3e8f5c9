/* objects: how many bright things there are, how large, and whether they clump together. A quick
 * count to steer by, no segmentation: what touches is one object. It looks at the pixels itself,
 * for objects are places. */
#include "features/measure.h"
#include "features/measures/label.h"
#include "features/measures/ranks.h"
#include "features/processor.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define OBJECTS                                                                                    \
    "objects: 8-connected regions of at least 32 px^2 where s > t; s: means of 2 x 2 pixels, "     \
    "smoothed by {1 2 1} / 4 along both axes where it fits (a block with a pixel that is not "     \
    "finite counts as the plane's lower median); t: the larger of Otsu's threshold of s and "      \
    "b + 5 * 3/16 noise_sigma; Otsu's: of the edges of 16384 equal bins from least to largest s "  \
    "the one with most variance between both sides; b: mean of s below that edge"

static const MeasureNumber numbers[] = {
    {"n_objects", "1", "how many " OBJECTS, "own; Otsu 1979",
     "empty wells, lost cells, growth; a field of noise has none", NULL, "labels", 1},
    {"obj_area_median", "px^2", "median area of the objects (see n_objects)", "own",
     "debris (small), clumps (large), wrong magnification", NULL, "labels", 1},
    {"obj_area_cv", "1",
     "standard deviation (population) / mean of the objects' areas (see n_objects)", "own",
     "clumps, debris among cells", NULL, "labels", 1},
    {"obj_area_median_um2", "um^2", "obj_area_median * pixel_size_um^2; NULL without a pixel size",
     "own", "debris (small), clumps (large)", NULL, "labels", 1, .needs_pixel_size = true},
    {"obj_largest_fraction", "1", "area of the largest object / area of all (see n_objects)", "own",
     "one clump, a fibre; near 1 where a gradient of light has been taken for an object", NULL,
     "labels", 1},
    {"obj_border_fraction", "1",
     "share of the objects (see n_objects) that touch the edge of where s is known", "own",
     "colonies cut by the field, objects too large for the magnification", NULL, "labels", 1},
    {NULL},
};

#define SHRINK     2
#define LEAST_AREA (32 / (SHRINK * SHRINK)) /* places */
#define LEAST_SIDE 32
#define BINS       16384
#define TABLES     4 /* of counts */
/* Pixels of weight 1 in each place: 2 * 2 of the block times 4 * 4 of the smoothing. */
#define WEIGHT (SHRINK * SHRINK * 16.f)
/* Standard deviation of s for that of independent pixels: 1/2 by the block, 6/16 by smoothing. */
#define SMOOTHED   (3 / 16.)
#define STANDS_OUT 5 /* standard deviations of s */

/* --- the shrunk and smoothed picture --- */

/* Values in the plane's units, less its pivot: floats hold whole numbers of 16 bits exactly. */
typedef struct {
    guint32 width, height;
    float *values;
    float least, largest;
} Picture;

FOR_EACH_PROCESSOR
static void shrink_rows(const float *upper, const float *lower, gsize count, float pivots,
                        float *ret_row) {
#pragma omp simd
    for (gsize i = 0; i < count; i++) {
        float sum = (upper[2 * i] + upper[2 * i + 1]) + (lower[2 * i] + lower[2 * i + 1]) - pivots;
        ret_row[i] = fabsf(sum) <= FLT_MAX ? sum : 0;
    }
}

FOR_EACH_PROCESSOR
static void less_pivots(const gint32 *restrict sums, gsize count, gint32 pivots,
                        float *restrict ret_row) {
    for (gsize i = 0; i < count; i++)
        ret_row[i] = (float)(sums[i] - pivots);
}

/* Row y of the shrunk picture; room for two rows of pixels. */
static void shrink(const Scan *scan, guint32 y, float *room, float *ret_row) {
    const Plane *plane = scan->plane;
    gsize count = plane->width / SHRINK;
    double pivots = SHRINK * SHRINK * scan->pivot;
    if (plane_is_integer(plane)) {
        gint32 *fours = (gint32 *)(void *)room;
        plane_sum_fours(plane, y, fours);
        less_pivots(fours, count, (gint32)pivots, ret_row);
        return;
    }
    float *upper = room, *lower = room + plane->width;
    plane_row_floats(plane, SHRINK * y, upper);
    plane_row_floats(plane, SHRINK * y + 1, lower);
    shrink_rows(upper, lower, count, (float)pivots, ret_row);
}

FOR_EACH_PROCESSOR
static void smooth_across(const float *row, gsize count, float *ret_row) {
#pragma omp simd
    for (gsize i = 0; i < count; i++)
        ret_row[i] = row[i] + 2 * row[i + 1] + row[i + 2];
}

FOR_EACH_PROCESSOR
static void smooth_down(const float *a, const float *b, const float *c, Picture *picture,
                        float *ret_row) {
    float least = picture->least, largest = picture->largest;
    gsize count = picture->width;
#pragma omp simd reduction(min : least) reduction(max : largest)
    for (gsize i = 0; i < count; i++) {
        float value = (a[i] + 2 * b[i] + c[i]) / WEIGHT;
        ret_row[i] = value;
        least = value < least ? value : least;
        largest = value > largest ? value : largest;
    }
    picture->least = least;
    picture->largest = largest;
}

static Picture picture_of(const Scan *scan) {
    const Plane *plane = scan->plane;
    gsize wide = plane->width / SHRINK, high = plane->height / SHRINK;
    Picture picture = {.width = (guint32)wide - 2,
                       .height = (guint32)high - 2,
                       .values = scan_scratch(scan, (wide - 2) * (high - 2) * sizeof(float)),
                       .least = INFINITY,
                       .largest = -INFINITY};
    float *room = scan_scratch(scan, 2 * (gsize)plane->width * sizeof *room);
    float *shrunk = scan_scratch(scan, 4 * wide * sizeof *shrunk);
    if (picture.values == NULL || room == NULL || shrunk == NULL)
        return (Picture){0};
    float *smooth = shrunk + wide;
    for (guint32 y = 0; y < high; y++) {
        plane_call_for(plane, SHRINK * y + 2);
        plane_call_for(plane, SHRINK * y + 3);
        shrink(scan, y, room, shrunk);
        smooth_across(shrunk, picture.width, smooth + y % 3 * wide);
        if (y < 2)
            continue;
        float *row = picture.values + (gsize)(y - 2) * picture.width;
        smooth_down(smooth + (y - 2) % 3 * wide, smooth + (y - 1) % 3 * wide, smooth + y % 3 * wide,
                    &picture, row);
        processor_call_for(row + picture.width, picture.width * sizeof *row);
    }
    return picture;
}

static inline gsize picture_places(const Picture *picture) {
    return (gsize)picture->width * picture->height;
}

/* --- what belongs to an object --- */

#define AT_ONCE 1024

FOR_EACH_PROCESSOR
static void find_bins(const float *values, gsize count, float least, float bins_per_unit,
                      guint16 *restrict ret_bins) {
    for (gsize i = 0; i < count; i++) {
        gint32 bin = (gint32)((values[i] - least) * bins_per_unit);
        ret_bins[i] = (guint16)MIN(bin, BINS - 1);
    }
}

/* Places in several tables in turn, so that equal neighbours do not wait for each other's count. */
static void add_to_tables(const guint16 *bins, gsize count, guint32 *tables) {
    gsize i = 0;
    for (; i + TABLES <= count; i += TABLES)
#pragma GCC unroll 4
        for (gsize table = 0; table < TABLES; table++)
            tables[table * BINS + bins[i + table]]++;
    for (; i < count; i++)
        tables[bins[i]]++;
}

/* counts: room for TABLES tables, of which the first becomes the sum. */
static void count_bins(const Picture *picture, float bins_per_unit, guint32 *counts) {
    guint16 bins[AT_ONCE];
    memset(counts, 0, TABLES * BINS * sizeof *counts);
    for (gsize start = 0; start < picture_places(picture); start += AT_ONCE) {
        const float *values = picture->values + start;
        gsize count = MIN(picture_places(picture) - start, AT_ONCE);
        processor_call_for(values + count, AT_ONCE * sizeof *values);
        find_bins(values, count, picture->least, bins_per_unit, bins);
        add_to_tables(bins, count, counts);
    }
    for (gsize i = BINS; i < TABLES * BINS; i++)
        counts[i % BINS] += counts[i];
}

/* In bins from the least value on: where Otsu's edge lies, and the mean of what is below it. The
 * first bin and the last hold the least and the largest value, so no side is empty. */
typedef struct {
    double edge, mean_below;
} Split;

static Split split_of(const guint32 counts[BINS]) {
    double n = 0, sum = 0, below = 0, sum_below = 0, best = -1;
    Split split = {0};
    for (gsize bin = 0; bin < BINS; bin++) {
        n += counts[bin];
        sum += counts[bin] * (double)bin;
    }
    for (gsize bin = 0; bin + 1 < BINS; bin++) {
        below += counts[bin];
        sum_below += counts[bin] * (double)bin;
        double distance = sum / n - sum_below / below;
        double between = distance * distance * below / (n - below);
        if (!(between > best))
            continue;
        best = between;
        split = (Split){(double)bin + 1, sum_below / below + 0.5};
    }
    return split;
}

/* The value beyond which a place belongs to an object; NaN if floats do not hold the range. */
static float threshold_of(const Scan *scan, const Picture *picture, guint32 *counts) {
    float bins_per_unit = BINS / (picture->largest - picture->least);
    if (!(bins_per_unit > 0 && bins_per_unit <= FLT_MAX))
        return NAN;
    count_bins(picture, bins_per_unit, counts);
    Split split = split_of(counts);
    double noise = SMOOTHED * scan_noise_sigma(scan) * scan->plane->scale;
    double otsu = picture->least + split.edge / bins_per_unit;
    double background = picture->least + split.mean_below / bins_per_unit;
    return (float)fmax(otsu, background + STANDS_OUT * noise);
}

FOR_EACH_PROCESSOR
static void mark_above(const float *values, gsize count, float threshold, guint8 *ret_mask) {
#pragma omp simd
    for (gsize i = 0; i < count; i++)
        ret_mask[i] = values[i] > threshold;
}

/* --- what there is to say of them --- */

/* Areas of the objects in places, and how many of them touch the border. */
typedef struct {
    gsize count, at_border;
    double *areas;
} Objects;

static Objects objects_above(const Scan *scan, const Picture *picture, float threshold) {
    guint8 *mask = scan_scratch(scan, picture_places(picture));
    void *room = scan_scratch(scan, label_room_bytes(picture->width, picture->height));
    if (mask == NULL || room == NULL)
        return (Objects){0};
    mark_above(picture->values, picture_places(picture), threshold, mask);
    LabelRegion *regions;
    guint32 count = label_regions(mask, picture->width, picture->height, room, &regions);
    Objects objects = {.areas = scan_scratch(scan, 2 * (gsize)count * sizeof(double))};
    for (guint32 i = 0; objects.areas != NULL && i < count; i++) {
        if (regions[i].area < LEAST_AREA)
            continue;
        objects.areas[objects.count++] = regions[i].area;
        objects.at_border += regions[i].at_border;
    }
    return objects;
}

static void describe(const Objects *objects, const Plane *plane, double values[]) {
    double n = (double)objects->count, sum = 0, squares = 0;
    double *sorted = objects->areas + objects->count;
    ranks_sort(objects->areas, objects->count, sorted);
    for (gsize i = 0; i < objects->count; i++)
        sum += sorted[i];
    for (gsize i = 0; i < objects->count; i++)
        squares += (sorted[i] - sum / n) * (sorted[i] - sum / n);
    values[1] = SHRINK * SHRINK * ranks_quantile(sorted, objects->count, 0.5);
    values[2] = sqrt(squares / n) / (sum / n);
    if (plane->pixel_size_um > 0)
        values[3] = values[1] * plane->pixel_size_um * plane->pixel_size_um;
    values[4] = sorted[objects->count - 1] / sum;
    values[5] = (double)objects->at_border / n;
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    guint32 *counts = scan_scratch(scan, TABLES * BINS * sizeof *counts);
    if (counts == NULL || MIN(plane->width, plane->height) < LEAST_SIDE)
        return;
    Picture picture = picture_of(scan);
    if (picture.values == NULL)
        return;
    float threshold =
        picture.largest > picture.least ? threshold_of(scan, &picture, counts) : picture.largest;
    if (isnan(threshold))
        return;
    Objects objects = objects_above(scan, &picture, threshold);
    if (objects.areas == NULL)
        return;
    values[0] = (double)objects.count;
    if (objects.count > 0)
        describe(&objects, plane, values);
}

const Measure measure_objects = {"objects", numbers, compute, .needs = SCAN_STENCILS,
                                 .least_side = LEAST_SIDE};
