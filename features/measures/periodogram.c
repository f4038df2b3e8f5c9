/* Tiles go two by two, as real and imaginary part of one. Z(k) of both together is A(k) + i B(k),
 * and since A and B belong to real tiles, |Z(k)|^2 + |Z(-k)|^2 is 2 |A(k)|^2 + 2 |B(k)|^2: nothing
 * has to be taken apart. */
#include "features/measures/periodogram.h"
#include "features/measures/spectrum.h"
#include "features/measures/transform.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

#define LANES TRANSFORM_LANES
#define AHEAD 8 /* lines of a tile from that which is taken to that which is called for */

typedef struct {
    SpectrumPixels pixels;
    guint32 side;
    gsize padded;           /* side, up to whole lanes; what lies there is of no account */
    float *window;          /* one direction */
    float *tile;            /* side lines of padded pixels */
    TransformPoint *pair;   /* of each LANES columns: padded points, one of each line */
    TransformPoint *halves; /* of each LANES frequencies down: padded points, one of each column */
    float *power;           /* of each frequency across: padded values, |Z|^2 summed over pairs */
    float *folded;          /* of those up to side / 2: side values, that of -k added */
    Transform *transform;
} Work;

/* --- a tile --- */

FOR_EACH_PROCESSOR
static double sum_of(const float *values, gsize count) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (gsize i = 0; i < count; i++)
        sum += (double)values[i];
    return sum;
}

static float mean_of_tile(const Work *work) {
    double sum = 0;
    for (guint32 line = 0; line < work->side; line++)
        sum += sum_of(work->tile + line * work->padded, work->side);
    return (float)(sum / ((double)work->side * work->side));
}

/* LANES columns of a tile into the real or imaginary parts of points. */
FOR_EACH_PROCESSOR
static void put_columns(const Work *work, float mean, guint32 first, float *restrict parts) {
    const float *across = work->window + first;
    for (guint32 line = 0; line < work->side; line++) {
        const float *pixels = work->tile + line * work->padded + first;
        float *part = parts + line * (sizeof(TransformPoint) / sizeof(float));
        float down = work->window[line];
#pragma omp simd
        for (guint lane = 0; lane < LANES; lane++)
            part[lane] = (pixels[lane] - mean) * across[lane] * down;
    }
}

typedef struct {
    guint32 x, y;
} Corner;

static void take_tile(const Work *work, Corner corner, bool is_second) {
    for (guint32 line = 0; line < work->side; line++) {
        spectrum_call_for(&work->pixels, corner.x, corner.y + line + AHEAD, work->side);
        spectrum_row(&work->pixels, corner.x, corner.y + line, work->side,
                     work->tile + line * work->padded);
    }
    float mean = mean_of_tile(work);
    for (guint32 first = 0; first < work->side; first += LANES) {
        TransformPoint *points = work->pair + first / LANES * work->padded;
        put_columns(work, mean, first, is_second ? points->im : points->re);
    }
}

/* --- a pair of them --- */

static void transform_down(const Work *work, guint32 first) {
    gsize padded = work->padded;
    const TransformPoint *waves =
        transform_lanes(work->transform, work->pair + first / LANES * padded);
    for (gsize down = 0; down < padded; down += LANES)
        transform_turn(waves + down, work->halves + down / LANES * padded + first);
}

FOR_EACH_PROCESSOR
static void add_power(const TransformPoint *waves, const Work *work, float *restrict power) {
    for (guint32 across = 0; across < work->side; across++)
#pragma omp simd
        for (guint lane = 0; lane < LANES; lane++)
            power[across * work->padded + lane] += waves[across].re[lane] * waves[across].re[lane] +
                                                   waves[across].im[lane] * waves[across].im[lane];
}

static void add_pair(const Work *work) {
    for (guint32 first = 0; first < work->side; first += LANES)
        transform_down(work, first);
    for (guint32 down = 0; down < work->side; down += LANES) {
        TransformPoint *lines = work->halves + down / LANES * work->padded;
        add_power(transform_lanes(work->transform, lines), work, work->power + down);
    }
}

/* --- the frame --- */

static guint32 side_for(const Plane *plane) {
    guint32 side = MIN(MIN(plane->width, plane->height), PERIODOGRAM_SIDE) / 2 * 2;
    while (transform_length(side) != side)
        side -= 2;
    return side;
}

static bool work_make(Work *work, const Scan *scan) {
    guint32 side = side_for(scan->plane);
    gsize padded = transform_padded(side);
    *work = (Work){.side = side, .padded = padded};
    work->window = scan_scratch(scan, padded * sizeof *work->window);
    work->tile = scan_scratch(scan, side * padded * sizeof *work->tile);
    work->pair = scan_scratch(scan, padded / LANES * padded * sizeof *work->pair);
    work->halves = scan_scratch(scan, padded / LANES * padded * sizeof *work->halves);
    work->power = scan_scratch(scan, side * padded * sizeof *work->power);
    work->folded = scan_scratch(scan, (gsize)(side / 2 + 1) * side * sizeof *work->folded);
    work->transform = transform_make(scan, side);
    return spectrum_pixels(scan, &work->pixels) && work->window != NULL && work->tile != NULL &&
           work->pair != NULL && work->halves != NULL && work->power != NULL &&
           work->folded != NULL && work->transform != NULL;
}

static void work_clear(const Work *work) {
    guint32 side = work->side;
    gsize padded = work->padded;
    memset(work->window, 0, padded * sizeof *work->window);
    for (guint32 n = 0; n < side; n++)
        work->window[n] = (float)(0.5 - 0.5 * cos(2 * G_PI * n / side));
    memset(work->tile, 0, side * padded * sizeof *work->tile);
    memset(work->pair, 0, padded / LANES * padded * sizeof *work->pair);
    memset(work->power, 0, side * padded * sizeof *work->power);
}

/* One tile, a pair of them, or two pairs. */
static guint corners_of_tiles(const Plane *plane, guint32 side, Corner corners[4]) {
    guint32 columns = plane->width >= 2 * side ? 2 : 1, rows = plane->height >= 2 * side ? 2 : 1;
    guint count = 0;
    for (guint32 row = 0; row < rows; row++)
        for (guint32 column = 0; column < columns; column++)
            corners[count++] =
                (Corner){(2 * column + 1) * (plane->width / (2 * columns)) - side / 2,
                         (2 * row + 1) * (plane->height / (2 * rows)) - side / 2};
    return count;
}

static void add_tiles(const Work *work, const Plane *plane) {
    Corner corners[4];
    guint count = corners_of_tiles(plane, work->side, corners);
    for (guint tile = 0; tile < count; tile++) {
        take_tile(work, corners[tile], tile % 2 == 1);
        if (tile % 2 == 1 || tile == count - 1)
            add_pair(work);
    }
}

static void fold(const Work *work) {
    guint32 side = work->side;
    for (guint32 across = 0; across <= side / 2; across++) {
        const float *power = work->power + across * work->padded;
        const float *mirrored = work->power + (across == 0 ? 0 : side - across) * work->padded;
        float *folded = work->folded + (gsize)across * side;
        folded[0] = power[0] + mirrored[0];
        for (guint32 down = 1; down < side; down++)
            folded[down] = power[down] + mirrored[side - down];
    }
}

/* --- what frequencies have together --- */

guint32 periodogram_bin(const Periodogram *periodogram, double radius) {
    if (radius * 2 == periodogram->side)
        return PERIODOGRAM_BINS - 1;
    return (guint32)(radius * PERIODOGRAM_BINS_TO_1 / periodogram->side);
}

/* (across, down) and (across, -down) lie equally far from the middle. */
static double power_at(const Periodogram *periodogram, guint32 across, guint32 down) {
    guint32 side = periodogram->side;
    const float *column = periodogram->power + (gsize)across * side;
    bool is_its_own_mirror = down == 0 || down == side / 2;
    return is_its_own_mirror ? (double)column[down] : (double)column[down] + column[side - down];
}

static void fill_bins(Periodogram *periodogram) {
    guint32 half = periodogram->side / 2;
    double sum = 0;
    for (guint32 across = 0; across <= half; across++)
        for (guint32 down = across == 0 ? 1 : 0; down <= half; down++) {
            double times = across == 0 || across == half ? 1 : 2;
            double power = times * power_at(periodogram, across, down);
            double radius = sqrt((double)(across * across + down * down));
            guint32 index = periodogram_bin(periodogram, radius);
            sum += power;
            if (index >= PERIODOGRAM_BINS)
                continue;
            PeriodogramBin *bin = &periodogram->bins[index];
            double n = times * (down == 0 || down == half ? 1 : 2);
            bin->n += n;
            bin->power += power;
            bin->frequency += n * radius / periodogram->side;
        }
    periodogram->mean = sum / ((double)periodogram->side * periodogram->side - 1);
}

double periodogram_band(const Periodogram *periodogram, double low, double high) {
    guint32 end = (guint32)MIN(ceil(high * PERIODOGRAM_BINS_TO_1), PERIODOGRAM_BINS);
    double n = 0, power = 0;
    for (guint32 bin = (guint32)(low * PERIODOGRAM_BINS_TO_1); bin < end; bin++) {
        n += periodogram->bins[bin].n;
        power += periodogram->bins[bin].power;
    }
    return n > 0 ? power / n : NAN;
}

bool periodogram_make(const Scan *scan, Periodogram *ret_periodogram) {
    Work work;
    if (MIN(scan->plane->width, scan->plane->height) < PERIODOGRAM_LEAST || !work_make(&work, scan))
        return false;
    work_clear(&work);
    add_tiles(&work, scan->plane);
    fold(&work);
    *ret_periodogram = (Periodogram){.side = work.side, .power = work.folded};
    fill_bins(ret_periodogram);
    return ret_periodogram->mean > 0;
}
