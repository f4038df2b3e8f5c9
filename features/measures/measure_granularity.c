/* granularity: how much of the brightness lies in grains of each size, as CellProfiler's
 * MeasureGranularity gives it with its own settings: every fourth pixel, the background taken out,
 * then sixteen erosions, each undone as far as a reconstruction can.
 *
 * It looks at the pixels itself: grains have shapes, and no sum of the scan knows of them. Pixels
 * that are not finite are masked as CellProfiler masks: dark for the shapes, in no mean. */
#include "features/measure.h"
#include "features/measures/component_tree.h"
#include "features/processor.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define SIZES  16
#define STEP   4  /* pixels to one of the small plane, and of those to one of the background */
#define RADIUS 10 /* of the disk the background is opened with */

#define NUMBER(size, before)                                                                       \
    {                                                                                              \
        "granularity_" #size, "%",                                                                 \
            "100 (M(" #before ") - M(" #size ")) / M(0); M(0): mean of I, I: every 4th pixel of "  \
            "every 4th row less its background, not below 0; the background: every 4th of these "  \
            "along both axes, opened by a disk of radius 10 and interpolated linearly; M(k): the " \
            "mean of the reconstruction, by dilation below I, of I after k erosions, both by a "   \
            "cross of 5 pixels",                                                                   \
            "Ravkin & Temov 1988; CellProfiler MeasureGranularity",                                \
            "grains of that size: debris, clumps, cells that round up",                            \
            "Granularity_" #size "_{channel}", "slow", 1                                           \
    }

static const MeasureNumber numbers[] = {
    NUMBER(1, 0),   NUMBER(2, 1),   NUMBER(3, 2),   NUMBER(4, 3),   NUMBER(5, 4),   NUMBER(6, 5),
    NUMBER(7, 6),   NUMBER(8, 7),   NUMBER(9, 8),   NUMBER(10, 9),  NUMBER(11, 10), NUMBER(12, 11),
    NUMBER(13, 12), NUMBER(14, 13), NUMBER(15, 14), NUMBER(16, 15), {NULL},
};

/* width * height floats, row by row. */
typedef struct {
    float *pixels;
    guint32 width, height;
} Small;

typedef struct {
    const Scan *scan;
    Small image;      /* without the background */
    guint8 *masked;   /* 1 for pixels of it that are not finite; NULL: all are */
    Small eroded;     /* so far */
    Small next;       /* once more */
    Small background; /* and room for it to be opened */
    Small opened;
    void *tree; /* memory for it */
} Work;

/* --- the planes --- */

static gsize bytes_of(const Small *small) {
    return (gsize)small->width * small->height * sizeof *small->pixels;
}

static bool make_small(const Scan *scan, guint32 width, guint32 height, Small *small) {
    *small = (Small){.width = width, .height = height};
    small->pixels = scan_scratch(scan, bytes_of(small));
    return small->pixels != NULL;
}

static bool make_all(Work *work) {
    const Plane *plane = work->scan->plane;
    guint32 width = (plane->width + STEP - 1) / STEP, height = (plane->height + STEP - 1) / STEP;
    guint32 columns = (width + STEP - 1) / STEP, rows = (height + STEP - 1) / STEP;
    work->tree = scan_scratch(work->scan, component_tree_bytes((gsize)width * height));
    if (work->scan->n_nonfinite > 0)
        work->masked = scan_scratch(work->scan, (gsize)width * height);
    return work->tree != NULL && (work->masked != NULL) == (work->scan->n_nonfinite > 0) &&
           make_small(work->scan, width, height, &work->image) &&
           make_small(work->scan, width, height, &work->eroded) &&
           make_small(work->scan, width, height, &work->next) &&
           make_small(work->scan, columns, rows, &work->background) &&
           make_small(work->scan, columns, rows, &work->opened);
}

/* Every fourth pixel of every fourth row: where bilinear sampling by 0.25 falls. row: room. */
static void take_pixels(Work *work, float *row) {
    const Plane *plane = work->scan->plane;
    float *pixel = work->image.pixels;
    for (guint32 y = 0; y < plane->height; y += STEP) {
        plane_row_floats(plane, y, row);
        for (guint32 x = 0; x < plane->width; x += STEP, pixel++) {
            bool finite = isfinite(row[x]);
            *pixel = finite ? row[x] : 0;
            if (work->masked != NULL)
                work->masked[pixel - work->image.pixels] = !finite;
        }
    }
}

/* --- the background --- */

static void take_background(const Work *work) {
    const Small *image = &work->image;
    float *pixel = work->background.pixels;
    for (guint32 y = 0; y < image->height; y += STEP)
        for (guint32 x = 0; x < image->width; x += STEP)
            *pixel++ = image->pixels[(gsize)y * image->width + x];
}

/* The opening is dark where pixels are masked. */
static void mask_background(const Work *work, float *pixels) {
    if (work->masked == NULL)
        return;
    for (guint32 y = 0; y < work->image.height; y += STEP)
        for (guint32 x = 0; x < work->image.width; x += STEP, pixels++)
            if (work->masked[(gsize)y * work->image.width + x])
                *pixels = 0;
}

FOR_EACH_PROCESSOR
static void lower_row(float *row, const float *other, gsize count) {
#pragma omp simd
    for (gsize x = 0; x < count; x++)
        row[x] = MIN(row[x], other[x]);
}

FOR_EACH_PROCESSOR
static void raise_row(float *row, const float *other, gsize count) {
#pragma omp simd
    for (gsize x = 0; x < count; x++)
        row[x] = MAX(row[x], other[x]);
}

typedef void CombineRows(float *row, const float *other, gsize count);

/* Row y of to with what lies `right` places beside it in from's row `down` below. */
static void combine_shifted(const Small *from, Small *to, gint64 y, gint64 down, gint64 right,
                            CombineRows *combine) {
    gint64 first = MAX(0, -right), count = (gint64)from->width - ABS(right);
    if (count > 0)
        combine(to->pixels + y * from->width + first,
                from->pixels + (y + down) * from->width + first + right, (gsize)count);
}

/* The least or largest value in a disk around each pixel, as far as it lies in the plane. */
static void combine_disk(const Small *from, Small *to, CombineRows *combine) {
    memcpy(to->pixels, from->pixels, bytes_of(from));
    for (gint64 y = 0; y < from->height; y++)
        for (gint64 down = MAX(-RADIUS, -y); down <= RADIUS && y + down < from->height; down++) {
            gint64 reach = (gint64)floor(sqrt(RADIUS * RADIUS - (double)(down * down)));
            for (gint64 right = -reach; right <= reach; right++)
                combine_shifted(from, to, y, down, right, combine);
        }
}

/* Where a row or column of the image lies in the background. CellProfiler takes the sizes as they
 * are before they are rounded up; the last still lies inside. */
static double position(guint32 index, guint32 pixels) {
    double size = pixels / (double)STEP;
    return index * ((size / STEP - 1) / (size - 1));
}

static double background_at(const Small *background, double y, double x) {
    guint32 left = (guint32)x, top = (guint32)y;
    guint32 right = MIN(left + 1, background->width - 1);
    guint32 below = MIN(top + 1, background->height - 1);
    const float *upper = background->pixels + (gsize)top * background->width;
    const float *lower = background->pixels + (gsize)below * background->width;
    double fx = x - left, fy = y - top;
    return (1 - fy) * ((1 - fx) * upper[left] + fx * upper[right]) +
           fy * ((1 - fx) * lower[left] + fx * lower[right]);
}

static void subtract_background(Work *work) {
    const Plane *plane = work->scan->plane;
    float *pixel = work->image.pixels;
    for (guint32 y = 0; y < work->image.height; y++)
        for (guint32 x = 0; x < work->image.width; x++, pixel++) {
            double background = background_at(&work->background, position(y, plane->height),
                                              position(x, plane->width));
            float above = *pixel - (float)background;
            *pixel = above > 0 ? above : 0; /* never a negative zero */
        }
}

static void remove_background(Work *work) {
    take_background(work);
    combine_disk(&work->background, &work->opened, lower_row);
    mask_background(work, work->opened.pixels);
    combine_disk(&work->opened, &work->background, raise_row);
    subtract_background(work);
}

/* --- the spectrum --- */

/* The least of each pixel and its four neighbours. */
static void erode(const Small *from, Small *to) {
    memcpy(to->pixels, from->pixels, bytes_of(from));
    for (gint64 y = 0; y < from->height; y++) {
        combine_shifted(from, to, y, 0, -1, lower_row);
        combine_shifted(from, to, y, 0, 1, lower_row);
        if (y > 0)
            combine_shifted(from, to, y, -1, 0, lower_row);
        if (y + 1 < from->height)
            combine_shifted(from, to, y, 1, 0, lower_row);
    }
}

static double sum_of(const Small *small, const guint8 *masked) {
    gsize count = (gsize)small->width * small->height;
    double sum = 0;
    for (gsize i = 0; i < count; i++)
        sum += masked != NULL && masked[i] ? 0 : small->pixels[i];
    return sum;
}

/* What each erosion takes away for good. The next begins where the last ended, before what was
 * reconstructed. All means are of as many pixels: sums do. */
static void measure_sizes(Work *work, double values[]) {
    const Small *image = &work->image;
    ComponentTree tree =
        component_tree_build(image->pixels, image->width, image->height, work->masked, work->tree);
    guint32 pixels = tree.counts[tree.pixels - 1];
    if (pixels == 0)
        return;
    double before = sum_of(image, work->masked);
    /* as CellProfiler has it */
    double whole = MAX(before, DBL_EPSILON * work->scan->plane->scale * pixels);
    Small eroded = work->eroded, next = work->next;
    memcpy(eroded.pixels, image->pixels, bytes_of(image));
    for (int size = 0; size < SIZES; size++) {
        erode(&eroded, &next);
        double after = component_tree_reconstructed_sum(&tree, next.pixels);
        values[size] = 100 * (before - after) / whole;
        before = after;
        Small last = eroded;
        eroded = next;
        next = last;
    }
}

static void compute(const Scan *scan, double values[]) {
    Work work = {.scan = scan};
    float *row = scan_scratch(scan, scan->plane->width * sizeof *row);
    if (MIN(scan->plane->width, scan->plane->height) < STEP * STEP || row == NULL ||
        !make_all(&work))
        return;
    take_pixels(&work, row);
    remove_background(&work);
    measure_sizes(&work, values);
}

const Measure measure_granularity = {"granularity", numbers, compute, .slow = true,
                                     .least_side = STEP * STEP};
