/* Only frequencies below an eighth of the lesser side are asked for, so the frame is made smaller
 * first, in both directions, and only the rest is transformed: of 2160 x 2160 pixels 720 x 720.
 *
 * The frame is periodic to its DFT. Being smoothed by a kernel h and looked at in M places a period
 * in place of N, its coefficient X(k) becomes X(k) * H(k / N) * M / N, plus what folds in from
 * k + M, k - M, ... H is known in closed form, so what lies in the asked-for band is put right
 * exactly; what folds in is at most 1e-5 of what it was (KERNEL_PLACES and KERNEL_SHARPNESS). M is
 * free, so that every N ends at a length for which the transform is fast.
 *
 * The kernel is the sinh window of Potts and Tasche, "Continuous window functions for NFFT", 2021:
 * sinh(b sqrt(1 - z^2)) for |z| < 1, whose Fourier transform is a Bessel function I1. */
#include "features/measures/power_rings.h"
#include "features/measures/spectrum.h"
#include "features/measures/transform.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

#define KERNEL_PLACES    9.0       /* width, in places */
#define KERNEL_SHARPNESS 0.58      /* b / (pi * KERNEL_PLACES) */
#define LEAST_PLACES     (8 / 3.0) /* for each frequency asked for */
#define TAPS_AT_ONCE     4
#define LANES            TRANSFORM_LANES
#define STRIP            64 /* columns whose pixels of some rows stay in the first cache */

/* One direction of the frame. */
typedef struct {
    guint32 size;    /* N, pixels */
    guint32 places;  /* M */
    guint32 highest; /* frequency asked for */
    guint32 taps;    /* pixels under the kernel, up to a multiple of TAPS_AT_ONCE */
    gint64 *starts;  /* of each place: its first pixel, which may lie beyond the frame */
    float *weights;  /* of each place: taps of them */
    double *gains;   /* 1 / (H(k / N) * M / N)^2 for k up to highest */
} Axis;

typedef struct {
    SpectrumPixels pixels;
    Axis across, down;
    float *rows;             /* those below which the places of LANES lines lie, row_floats each */
    gint64 first, end;       /* the rows that are there */
    gsize row_floats;        /* the frame's width and what the kernel wants before and beyond it */
    float *lines;            /* LANES of them, made smaller downwards */
    float *lanes;            /* the same, pixel by pixel: LANES values each */
    TransformPoint *places;  /* made smaller across, too: LANES lines as real parts, and LANES
                                as imaginary ones */
    TransformPoint *columns; /* of each LANES frequencies across: column_points, one of each line */
    gsize column_points;
    double *power; /* of one frequency across, from -highest to highest */
    Transform *transform_across, *transform_down;
} Work;

/* --- an axis --- */

static double kernel(double sharpness, double z) {
    return z * z < 1 ? sinh(sharpness * sqrt(1 - z * z)) / sinh(sharpness) : 0;
}

/* Its Fourier transform over |z| < 1 at angular frequency xi < sharpness: the power series of
 * pi * b * I1(u) / u, u^2 = b^2 - xi^2. */
static double kernel_response(double sharpness, double xi) {
    double quarter = (sharpness * sharpness - xi * xi) / 4, term = 0.5, sum = 0;
    for (int k = 1; term > sum * 1e-17; k++) {
        sum += term;
        term *= quarter / k / (k + 1);
    }
    return G_PI * sharpness * sum / sinh(sharpness);
}

/* The weights of a place depend only on how it lies between two pixels, which for whole shrinking
 * factors is the same everywhere. */
static void axis_fill(Axis *axis, double span, double sharpness) {
    double offset_before = NAN;
    for (guint32 place = 0; place < axis->places; place++) {
        double centre = (double)place * axis->size / axis->places;
        double start = ceil(centre - span / 2), offset = start - centre;
        float *weights = axis->weights + (gsize)place * axis->taps;
        axis->starts[place] = (gint64)start;
        if (offset == offset_before)
            memcpy(weights, weights - axis->taps, axis->taps * sizeof *weights);
        else
            for (guint32 tap = 0; tap < axis->taps; tap++)
                weights[tap] = (float)kernel(sharpness, (offset + tap) / (span / 2));
        offset_before = offset;
    }
    for (guint32 k = 0; k <= axis->highest; k++) {
        double response = kernel_response(sharpness, G_PI * span * k / axis->size) * span / 2 *
                          axis->places / axis->size;
        axis->gains[k] = 1 / (response * response);
    }
}

static bool axis_make(Axis *axis, const Scan *scan, guint32 size, guint32 highest) {
    guint32 places = transform_length((guint32)ceil(LEAST_PLACES * highest));
    double span = KERNEL_PLACES * size / places;
    *axis = (Axis){.size = size,
                   .places = places,
                   .highest = highest,
                   .taps = ((guint32)span / TAPS_AT_ONCE + 1) * TAPS_AT_ONCE};
    axis->starts = scan_scratch(scan, places * sizeof *axis->starts);
    axis->weights = scan_scratch(scan, (gsize)places * axis->taps * sizeof *axis->weights);
    axis->gains = scan_scratch(scan, (highest + 1) * sizeof *axis->gains);
    if (axis->starts == NULL || axis->weights == NULL || axis->gains == NULL)
        return false;
    axis_fill(axis, span, G_PI * KERNEL_PLACES * KERNEL_SHARPNESS);
    return true;
}

/* Pixels between the first of some places' and the end of the last's. */
static gsize axis_reach(const Axis *axis, guint32 places) {
    return (gsize)ceil((double)(places - 1) * axis->size / axis->places) + axis->taps + 1;
}

/* --- making it smaller --- */

static guint32 wrapped(gint64 index, guint32 size) {
    gint64 rest = index % size;
    return (guint32)(rest < 0 ? rest + size : rest);
}

/* As far before and beyond the frame as the kernel reaches. */
static void take_row(const Work *work, guint32 y, float *ret_pixels) {
    guint32 width = work->across.size;
    gsize before = (gsize)-work->across.starts[0];
    spectrum_row(&work->pixels, 0, y, width, ret_pixels + before);
    for (gsize i = before; i-- > 0;)
        ret_pixels[i] = ret_pixels[i + width];
    for (gsize i = before + width; i < work->row_floats; i++)
        ret_pixels[i] = ret_pixels[i - width];
}

/* Has the rows below the places of some lines at hand; those that the lines before left stay. */
static void take_rows(Work *work, gint64 first, gint64 end) {
    gint64 kept = MAX(work->end - first, 0);
    if (kept > 0)
        memmove(work->rows, work->rows + (first - work->first) * (gint64)work->row_floats,
                (gsize)kept * work->row_floats * sizeof(float));
    for (gint64 row = first + kept; row < end; row++) {
        plane_call_for(work->pixels.plane, wrapped(row + 2, work->down.size));
        take_row(work, wrapped(row, work->down.size),
                 work->rows + (row - first) * (gint64)work->row_floats);
    }
    work->first = first;
    work->end = end;
}

/* width values, each the sum by weights of taps values that are stride apart. */
static inline void weigh(const float *values, gsize stride, const float *weights, guint32 taps,
                         guint32 width, float *restrict ret_sums) {
    for (guint32 i = 0; i < width; i++)
        ret_sums[i] = 0;
    for (guint32 tap = 0; tap < taps; tap += TAPS_AT_ONCE) {
        const float *a = values + tap * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        const float *w = weights + tap;
#pragma omp simd
        for (guint32 i = 0; i < width; i++)
            ret_sums[i] += w[0] * a[i] + w[1] * b[i] + w[2] * c[i] + w[3] * d[i];
    }
}

/* Strip by strip, so that the rows' pixels are in the first cache for all places of the lines. */
FOR_EACH_PROCESSOR
static void weigh_rows(const Axis *axis, guint32 place, guint32 count, const float *rows,
                       gsize row_floats, float *restrict ret_lines) {
    for (gsize x = 0; x < row_floats; x += STRIP)
        for (guint32 lane = 0; lane < count; lane++) {
            gsize row = (gsize)(axis->starts[place + lane] - axis->starts[place]);
            const float *weights = axis->weights + (gsize)(place + lane) * axis->taps;
            weigh(rows + row * row_floats + x, row_floats, weights, axis->taps, STRIP,
                  ret_lines + lane * row_floats + x);
        }
}

static void shrink_downwards(Work *work, guint32 place, guint32 count) {
    const Axis *axis = &work->down;
    take_rows(work, axis->starts[place], axis->starts[place + count - 1] + axis->taps);
    weigh_rows(axis, place, count, work->rows, work->row_floats, work->lines);
}

/* parts: the real or the imaginary ones of points. */
FOR_EACH_PROCESSOR
static void weigh_lanes(const float *lanes, const Axis *axis, float *restrict ret_parts) {
    for (guint32 place = 0; place < axis->places; place++)
        weigh(lanes + (axis->starts[place] - axis->starts[0]) * LANES, LANES,
              axis->weights + (gsize)place * axis->taps, axis->taps, LANES,
              ret_parts + place * (sizeof(TransformPoint) / sizeof(float)));
}

static void shrink_across(Work *work, float *ret_parts) {
    for (gsize x = 0; x < work->row_floats; x += LANES)
        transform_turn_lines(work->lines + x, work->row_floats, work->lanes + x * LANES);
    weigh_lanes(work->lanes, &work->across, ret_parts);
}

/* LANES lines, fewer at the frame's end, from place on. */
static void shrink(Work *work, guint32 place, float *ret_parts) {
    shrink_downwards(work, place, MIN(LANES, work->down.places - place));
    shrink_across(work, ret_parts);
}

/* --- transforming it --- */

/* The transforms, times 2, of two real lines that were the parts of one complex line, at k:
 * mirrored is that at -k. */
FOR_EACH_PROCESSOR
static void take_apart(const TransformPoint *at, const TransformPoint *mirrored,
                       TransformPoint *restrict ret_real, TransformPoint *restrict ret_imaginary) {
#pragma omp simd
    for (guint lane = 0; lane < LANES; lane++) {
        ret_real->re[lane] = at->re[lane] + mirrored->re[lane];
        ret_real->im[lane] = at->im[lane] - mirrored->im[lane];
        ret_imaginary->re[lane] = at->im[lane] + mirrored->im[lane];
        ret_imaginary->im[lane] = mirrored->re[lane] - at->re[lane];
    }
}

static void transform_lines(Work *work, guint32 place) {
    guint32 length = work->across.places, highest = work->across.highest;
    const TransformPoint *waves = transform_lanes(work->transform_across, work->places);
    TransformPoint first[LANES] = {{{0}}}, second[LANES] = {{{0}}};
    for (guint32 across = 0; across <= highest; across++) {
        guint lane = across % LANES;
        take_apart(&waves[across], &waves[across == 0 ? 0 : length - across], &first[lane],
                   &second[lane]);
        if (lane < LANES - 1 && across < highest)
            continue;
        TransformPoint *column = work->columns + across / LANES * work->column_points + place;
        transform_turn(first, column);
        transform_turn(second, column + LANES);
    }
}

/* --- the rings --- */

/* |X(across, down)|^2 for down from -highest to highest; ret_power is that of down = 0. */
static void column_power(const Work *work, guint32 across, const TransformPoint *waves,
                         double *ret_power) {
    const Axis *axis = &work->down;
    guint lane = across % LANES;
    for (gint64 down = -(gint64)axis->highest; down <= axis->highest; down++) {
        const TransformPoint *wave = &waves[down < 0 ? down + axis->places : down];
        double re = wave->re[lane], im = wave->im[lane];
        ret_power[down] = (re * re + im * im) * work->across.gains[across] * axis->gains[ABS(down)];
    }
}

/* Adds the power at x from the middle and y = 0, 1, ... from it, where step is 1 for down = 0, 1,
 * ... and -1, -2, ..., and -1 for 0, -1, ... and 1, 2, ...: the frequencies below 0 that
 * CellProfiler's code sees one nearer to the middle. From one y to the next a ring ends at most. */
static void add_to_rings(guint64 x, const double *power, int step, const Work *work,
                         double *ret_power) {
    guint64 ring = x + 1;
    for (gint64 y = 0; y < work->down.highest; y++) {
        ring += ring * ring <= x * x + (guint64)(y * y);
        if (ring > work->down.highest)
            return;
        ret_power[ring] += power[step * y] + power[-step * (y + 1)];
    }
}

/* The frame is real: (-across, -down) has the same power as (across, down), and is not transformed.
 */
static void add_columns(Work *work, double *ret_power) {
    double *power = work->power + work->down.highest;
    const TransformPoint *waves = NULL;
    for (guint32 across = 0; across <= work->across.highest; across++) {
        if (across % LANES == 0)
            waves = transform_lanes(work->transform_down,
                                    work->columns + across / LANES * work->column_points);
        column_power(work, across, waves, power);
        add_to_rings(across, power, 1, work, ret_power);
        if (across > 0)
            add_to_rings(across - 1, power, -1, work, ret_power);
    }
}

/* --- all of it --- */

static bool work_make(Work *work, const Scan *scan, guint32 rings) {
    guint32 highest = rings - 1; /* -highest counts as highest - 1: the last ring */
    *work = (Work){.first = 0};
    if (!spectrum_pixels(scan, &work->pixels) ||
        !axis_make(&work->across, scan, scan->plane->width, highest))
        return false;
    work->down = work->across;
    if (work->down.size != scan->plane->height &&
        !axis_make(&work->down, scan, scan->plane->height, highest))
        return false;
    work->first = work->end = work->down.starts[0];
    guint32 places = work->across.places;
    gsize rows = axis_reach(&work->down, MIN(LANES, work->down.places));
    work->row_floats = (axis_reach(&work->across, places) + STRIP - 1) / STRIP * STRIP;
    work->column_points =
        transform_padded(work->down.places) + LANES; /* the last may lack a pair */
    work->rows = scan_scratch(scan, rows * work->row_floats * sizeof(float));
    work->lines = scan_scratch(scan, LANES * work->row_floats * sizeof(float));
    work->lanes = scan_scratch(scan, LANES * work->row_floats * sizeof(float));
    work->places = scan_scratch(scan, transform_padded(places) * sizeof *work->places);
    work->columns = scan_scratch(scan, transform_padded(rings) / LANES * work->column_points *
                                           sizeof *work->columns);
    work->power = scan_scratch(scan, (2 * (gsize)highest + 1) * sizeof *work->power);
    work->transform_across = transform_make(scan, places);
    work->transform_down = transform_make(scan, work->down.places);
    return work->rows != NULL && work->lines != NULL && work->lanes != NULL &&
           work->places != NULL && work->columns != NULL && work->power != NULL &&
           work->transform_across != NULL && work->transform_down != NULL;
}

bool power_rings(const Scan *scan, guint32 rings, double *ret_power) {
    Work work;
    memset(ret_power, 0, rings * sizeof *ret_power);
    if (!work_make(&work, scan, rings))
        return false;
    memset(work.lines, 0, LANES * work.row_floats * sizeof(float)); /* the last ones are fewer */
    memset(work.places, 0, work.across.places * sizeof *work.places);
    for (guint32 place = 0; place < work.down.places; place += 2 * LANES) {
        shrink(&work, place, work.places->re);
        if (place + LANES < work.down.places)
            shrink(&work, place + LANES, work.places->im);
        transform_lines(&work, place);
    }
    add_columns(&work, ret_power);
    return true;
}
