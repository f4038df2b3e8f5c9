#include "features/measures/periodogram.h"
#include "features/measures/spectrum.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

#define LINES 8 /* whose values at one frequency fill a line of the cache */

typedef struct {
    SpectrumPixels pixels;
    guint32 side, frequencies; /* across: side / 2 + 1 */
    float *window;             /* one direction */
    float *tile;
    kiss_fft_cpx *lines;   /* LINES transforms of a line */
    kiss_fft_cpx *columns; /* frequencies of side values */
    kiss_fft_cpx *column;
    float *power;
    kiss_fftr_cfg plan_across;
    kiss_fft_cfg plan_down;
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

FOR_EACH_PROCESSOR
static void put_window(float *tile, guint32 side, float mean, const float *window) {
    for (guint32 y = 0; y < side; y++)
#pragma omp simd
        for (guint32 x = 0; x < side; x++)
            tile[y * side + x] = (tile[y * side + x] - mean) * window[x] * window[y];
}

static void take_tile(const Work *work, guint32 x, guint32 y) {
    guint32 side = work->side;
    for (guint32 line = 0; line < side; line++)
        spectrum_row(&work->pixels, x, y + line, side, work->tile + (gsize)line * side);
    gsize count = (gsize)side * side;
    put_window(work->tile, side, (float)(sum_of(work->tile, count) / (double)count), work->window);
}

static void transform_lines(const Work *work, guint32 first, guint32 count) {
    for (guint32 line = 0; line < count; line++)
        kiss_fftr(work->plan_across, work->tile + (gsize)(first + line) * work->side,
                  work->lines + (gsize)line * work->frequencies);
    for (guint32 across = 0; across < work->frequencies; across++)
        for (guint32 line = 0; line < count; line++)
            work->columns[(gsize)across * work->side + first + line] =
                work->lines[(gsize)line * work->frequencies + across];
}

FOR_EACH_PROCESSOR
static void add_power(const kiss_fft_cpx *waves, guint32 count, float *power) {
#pragma omp simd
    for (guint32 i = 0; i < count; i++)
        power[i] += waves[i].r * waves[i].r + waves[i].i * waves[i].i;
}

static void add_tile(const Work *work, guint32 x, guint32 y) {
    guint32 side = work->side;
    take_tile(work, x, y);
    for (guint32 line = 0; line < side; line += LINES)
        transform_lines(work, line, MIN(LINES, side - line));
    for (guint32 across = 0; across < work->frequencies; across++) {
        kiss_fft(work->plan_down, work->columns + (gsize)across * side, work->column);
        add_power(work->column, side, work->power + (gsize)across * side);
    }
}

/* --- the frame --- */

static guint32 side_for(const Plane *plane) {
    guint32 side = MIN(MIN(plane->width, plane->height), PERIODOGRAM_SIDE) / 2 * 2;
    while (kiss_fft_next_fast_size((int)side) != (int)side)
        side -= 2;
    return side;
}

static bool work_make(Work *work, const Scan *scan) {
    guint32 side = side_for(scan->plane), frequencies = side / 2 + 1;
    gsize values = (gsize)side * frequencies;
    *work = (Work){.side = side, .frequencies = frequencies};
    work->window = scan_scratch(scan, side * sizeof *work->window);
    work->tile = scan_scratch(scan, (gsize)side * side * sizeof *work->tile);
    work->lines = scan_scratch(scan, (gsize)LINES * frequencies * sizeof *work->lines);
    work->columns = scan_scratch(scan, values * sizeof *work->columns);
    work->column = scan_scratch(scan, side * sizeof *work->column);
    work->power = scan_scratch(scan, values * sizeof *work->power);
    work->plan_across = spectrum_plan_real(scan, side);
    work->plan_down = spectrum_plan(scan, side);
    return spectrum_pixels(scan, &work->pixels) && work->window != NULL && work->tile != NULL &&
           work->lines != NULL && work->columns != NULL && work->column != NULL &&
           work->power != NULL && work->plan_across != NULL && work->plan_down != NULL;
}

static void add_tiles(const Work *work, guint32 width, guint32 height) {
    guint32 side = work->side;
    guint32 columns = width >= 2 * side ? 2 : 1, rows = height >= 2 * side ? 2 : 1;
    for (guint32 row = 0; row < rows; row++)
        for (guint32 column = 0; column < columns; column++)
            add_tile(work, (2 * column + 1) * (width / (2 * columns)) - side / 2,
                     (2 * row + 1) * (height / (2 * rows)) - side / 2);
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
    for (guint32 n = 0; n < work.side; n++)
        work.window[n] = (float)(0.5 - 0.5 * cos(2 * G_PI * n / work.side));
    memset(work.power, 0, (gsize)work.side * work.frequencies * sizeof *work.power);
    add_tiles(&work, scan->plane->width, scan->plane->height);
    *ret_periodogram = (Periodogram){.side = work.side, .power = work.power};
    fill_bins(ret_periodogram);
    return ret_periodogram->mean > 0;
}
