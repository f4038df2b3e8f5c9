/* How long libvips takes for one frame of 2160 x 2160 pixels of 16 bits, asked for one number after
 * the other with its own operations, on one thread; medians of several runs:
 *
 *     build/release/bench/bench_features_libvips [RUNS]
 *
 * What features_frame.c stands beside. Not every operation gives the number that is meant: it lacks
 * exact quantiles, tiles that cover the image and sums that lose nothing. */
#include "features/vips_start.h"
#include "tests/features/images.h"
#include <stdio.h>
#include <stdlib.h>
#include <vips/vips.h>

enum { SIDE = 2160, RUNS_LIMIT = 1000 };

static int runs = 5;

/* --- the operations; each is given the frame and returns 0, or not --- */

typedef int Operation(VipsImage *frame);

/* Makes libvips compute all pixels of the image, and lets it go. */
static int finish(int failed, VipsImage **image) {
    if (failed)
        return failed;
    size_t length;
    g_autofree void *pixels = vips_image_write_to_memory(*image, &length);
    g_clear_object(image);
    return pixels == NULL;
}

/* Minimum, maximum, sum, sum of squares, mean, deviation. */
static int statistics(VipsImage *frame) {
    VipsImage *table = NULL;
    return finish(vips_stats(frame, &table, NULL), &table);
}

static int histogram(VipsImage *frame) {
    VipsImage *bins = NULL;
    return finish(vips_hist_find(frame, &bins, NULL), &bins);
}

static int entropy(VipsImage *frame) {
    VipsImage *bins = NULL;
    double value;
    int failed = vips_hist_find(frame, &bins, NULL) || vips_hist_entropy(bins, &value, NULL);
    g_clear_object(&bins);
    return failed;
}

/* p01, p05, q25, median, q75, p95, p99 and p99.9: a pass each. */
static int percentiles(VipsImage *frame) {
    static const double percents[] = {1, 5, 25, 50, 75, 95, 99, 99.9};
    int threshold, failed = 0;
    for (gsize i = 0; !failed && i < G_N_ELEMENTS(percents); i++)
        failed = vips_percent(frame, percents[i], &threshold, NULL);
    return failed;
}

/* The deviation, or for absolute the mean distance from 0, of the frame under a 3 x 3 mask. */
static int masked(VipsImage *frame, const double mask[9], bool absolute) {
    VipsImage *matrix = vips_image_new_matrix_from_array(3, 3, mask, 9);
    VipsImage *result = NULL, *distance = NULL;
    double value;
    int failed = vips_conv(frame, &result, matrix, "precision", VIPS_PRECISION_FLOAT, NULL) ||
                 (absolute ? vips_abs(result, &distance, NULL) || vips_avg(distance, &value, NULL)
                           : vips_deviate(result, &value, NULL));
    g_clear_object(&distance);
    g_clear_object(&result);
    g_object_unref(matrix);
    return failed;
}

static int laplacian(VipsImage *frame) {
    return masked(frame, (const double[]){0, -1, 0, -1, 4, -1, 0, -1, 0}, false);
}

static int noise(VipsImage *frame) {
    return masked(frame, (const double[]){1, -2, 1, -2, 4, -2, 1, -2, 1}, true);
}

static int sobel(VipsImage *frame) {
    VipsImage *edges = NULL;
    double value;
    int failed = vips_sobel(frame, &edges, NULL) || vips_avg(edges, &value, NULL);
    g_clear_object(&edges);
    return failed;
}

/* Mean of the products, or of the squared differences, of pixels a step apart. */
static int pairs(VipsImage *frame, int right, int down, bool products) {
    VipsImage *first = NULL, *second = NULL, *both = NULL, *squares = NULL;
    int width = SIDE - right, height = SIDE - down, failed;
    double value;
    failed =
        vips_extract_area(frame, &first, 0, 0, width, height, NULL) ||
        vips_extract_area(frame, &second, right, down, width, height, NULL) ||
        (products ? vips_multiply(first, second, &both, NULL)
                  : vips_subtract(first, second, &both, NULL)) ||
        (products ? vips_copy(both, &squares, NULL) : vips_multiply(both, both, &squares, NULL)) ||
        vips_avg(squares, &value, NULL);
    g_clear_object(&squares);
    g_clear_object(&both);
    g_clear_object(&second);
    g_clear_object(&first);
    return failed;
}

static int gradients(VipsImage *frame) {
    return pairs(frame, 1, 0, false) || pairs(frame, 0, 1, false);
}

static int brenner(VipsImage *frame) {
    return pairs(frame, 2, 0, false) || pairs(frame, 0, 2, false);
}

static int vollath(VipsImage *frame) {
    return pairs(frame, 0, 1, true) || pairs(frame, 0, 2, true);
}

static int autocorrelation(VipsImage *frame) {
    return pairs(frame, 1, 0, true) || pairs(frame, 0, 1, true);
}

/* In eight levels of grey, by a table. */
static int correlation(VipsImage *frame) {
    guint8 *levels = g_malloc(65536);
    for (int value = 0; value < 65536; value++)
        levels[value] = (guint8)MIN(value / 1200, 7);
    VipsImage *table = vips_image_new_from_memory(levels, 65536, 65536, 1, 1, VIPS_FORMAT_UCHAR);
    VipsImage *quantised = NULL;
    int failed = vips_maplut(frame, &quantised, table, NULL) || pairs(quantised, 20, 0, true);
    g_clear_object(&quantised);
    g_object_unref(table);
    g_free(levels);
    return failed;
}

/* Means of boxes of the frame and of its squares. */
static int boxes(VipsImage *frame, double side) {
    VipsImage *squares = NULL, *means = NULL, *square_means = NULL;
    int failed = finish(vips_shrink(frame, &means, side, side, NULL), &means);
    failed = failed || vips_multiply(frame, frame, &squares, NULL) ||
             finish(vips_shrink(squares, &square_means, side, side, NULL), &square_means);
    g_clear_object(&squares);
    return failed;
}

static int tiles(VipsImage *frame) {
    return boxes(frame, SIDE / 16);
}

static int local_focus(VipsImage *frame) {
    return boxes(frame, 20);
}

static int lines(VipsImage *frame) {
    VipsImage *columns = NULL, *rows = NULL;
    if (vips_project(frame, &columns, &rows, NULL))
        return -1;
    return finish(0, &columns) || finish(0, &rows);
}

static int spectrum(VipsImage *frame) {
    VipsImage *transformed = NULL;
    return finish(vips_fwfft(frame, &transformed, NULL), &transformed);
}

static int thumbnail(VipsImage *frame) {
    VipsImage *small = NULL, *stretched = NULL, *bytes = NULL;
    void *jpeg = NULL;
    size_t length;
    int failed = vips_shrink(frame, &small, 12, 12, NULL) ||
                 vips_linear1(small, &stretched, 255 / 9000., -17, NULL) ||
                 vips_cast(stretched, &bytes, VIPS_FORMAT_UCHAR, NULL) ||
                 vips_jpegsave_buffer(bytes, &jpeg, &length, "Q", 80, "strip", TRUE, NULL);
    g_free(jpeg);
    g_clear_object(&bytes);
    g_clear_object(&stretched);
    g_clear_object(&small);
    return failed;
}

/* --- timing --- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One run before those that count: FFTW makes its plan then, which takes seconds. */
static double median_ms(Operation *operation, VipsImage *frame) {
    double times_ms[RUNS_LIMIT];
    for (int run = -1; run < runs; run++) {
        gint64 start_us = g_get_monotonic_time();
        if (operation(frame) != 0)
            g_error("libvips: %s", vips_error_buffer());
        times_ms[MAX(run, 0)] = (double)(g_get_monotonic_time() - start_us) / 1000;
    }
    qsort(times_ms, (gsize)runs, sizeof *times_ms, by_value);
    return times_ms[runs / 2];
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        Operation *operation;
    } all[] = {{"stats", statistics},
               {"hist_find", histogram},
               {"hist_find + hist_entropy", entropy},
               {"percent, 8 times", percentiles},
               {"conv Laplacian + deviate", laplacian},
               {"conv Immerkaer + abs + avg", noise},
               {"sobel + avg", sobel},
               {"subtract + multiply + avg, gradients", gradients},
               {"subtract + multiply + avg, Brenner", brenner},
               {"multiply + avg, Vollath", vollath},
               {"multiply + avg, autocorrelation", autocorrelation},
               {"maplut + multiply + avg, Correlation_20", correlation},
               {"shrink, of squares too, 16 x 16 tiles", tiles},
               {"shrink, of squares too, LocalFocusScore_20", local_focus},
               {"project", lines},
               {"fwfft, PowerLogLogSlope", spectrum},
               {"shrink + linear + cast + jpegsave, thumbnail", thumbnail}};
    if (argc > 1)
        runs = CLAMP(atoi(argv[1]), 1, RUNS_LIMIT);
    if (!vips_start(NULL))
        return EXIT_FAILURE;

    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, SIDE, SIDE, image_cells(SIDE, SIDE, 300, 10, 30, 9000, 600, 1));
    VipsImage *frame = vips_image_new_from_memory(plane->pixels, (gsize)SIDE * SIDE * 2, SIDE, SIDE,
                                                  1, VIPS_FORMAT_USHORT);
    double total_ms = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        double time_ms = median_ms(all[i].operation, frame);
        total_ms += time_ms;
        printf("%-58s %8.2f ms\n", all[i].name, time_ms);
    }
    printf("%-58s %8.2f ms\n", "all of them", total_ms);
    g_object_unref(frame);
    return EXIT_SUCCESS;
}
