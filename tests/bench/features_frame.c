/* How long one core takes for one frame of 2160 x 2160 pixels, step by step, best of several runs:
 *
 *     build/release/bench/bench_features_frame [RUNS]
 *
 * Each line is a situation; the bounds it stands against are reading the frame once (the first
 * line) and what libvips takes for the same decoding. */
#include "features/measure.h"
#include "features/pixels.h"
#include "features/thumbnail.h"
#include "features/vips_start.h"
#include "tests/features/image_files.h"
#include "tests/features/images.h"
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 2160 };

static int runs = 10;
static volatile guint64 sink;

typedef void (*Step)(const void *what);

static void report(const char *situation, Step step, const void *what) {
    double best_ms = 1e9;
    for (int run = 0; run < runs; run++) {
        gint64 start_us = g_get_monotonic_time();
        step(what);
        best_ms = MIN(best_ms, (double)(g_get_monotonic_time() - start_us) / 1000);
    }
    printf("%-58s %8.2f ms\n", situation, best_ms);
}

/* --- steps --- */

static void read_once(const void *what) {
    const Plane *plane = what;
    const guint64 *words = plane->pixels;
    guint64 sum = 0;
    for (gsize i = 0; i < plane_pixels(plane) * plane_type_bytes(plane->type) / sizeof *words; i++)
        sum += words[i];
    sink = sum;
}

static void scan(const void *what) {
    g_autoptr(Scan) result = scan_plane(what, NULL);
    sink = result->n;
}

static void measure(const void *what) {
    g_autofree double *values = measure_plane(what, NULL);
    sink = (guint64)values[2];
}

static void derive(const void *what) {
    g_autofree double *values = measure_scan(what);
    sink = (guint64)values[2];
}

static void shrink(const void *what) {
    g_autoptr(Thumbnail) thumbnail = thumbnail_make(what, 192, NULL);
    sink = g_bytes_get_size(thumbnail->bytes);
}

static void decode(const void *what) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(Plane) plane = pixels_decode((GBytes *)what, 0, settings, NULL);
    sink = plane->width;
}

static void decode_by_libvips(const void *what) {
    gsize length;
    const void *data = g_bytes_get_data((GBytes *)what, &length);
    VipsImage *image = NULL;
    if (vips_tiffload_buffer((void *)data, length, &image, NULL) != 0)
        return;
    g_autofree void *pixels = vips_image_write_to_memory(image, &length);
    sink = length;
    g_object_unref(image);
}

/* --- situations --- */

static void planes(void) {
    static const struct {
        const char *name;
        PlaneType type;
    } types[] = {
        {"8 bits", PLANE_U8}, {"16 bits", PLANE_U16}, {"float", PLANE_F32}, {"double", PLANE_F64}};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        gint64 *pixels = image_cells(SIDE, SIDE, 300, 10, 30, 9000, 600, 1);
        if (types[i].type == PLANE_U8)
            image_changed(pixels, SIDE * SIDE, 1, 7, 255);
        g_autoptr(Plane) plane = image_plane(types[i].type, SIDE, SIDE, pixels);
        g_autoptr(Scan) scanned = scan_plane(plane, NULL);
        g_autofree char *once = g_strdup_printf("%s, cells: read once", types[i].name);
        g_autofree char *scanning = g_strdup_printf("%s, cells: scan", types[i].name);
        g_autofree char *deriving =
            g_strdup_printf("%s, cells: numbers from a scan", types[i].name);
        g_autofree char *showing = g_strdup_printf("%s, cells: thumbnail", types[i].name);
        report(once, read_once, plane);
        report(scanning, scan, plane);
        report(deriving, derive, scanned);
        report(showing, shrink, scanned);
    }
    g_autoptr(Plane) constant = image_constant(PLANE_U16, SIDE, SIDE, 1234);
    report("16 bits, constant: all measures", measure, constant);
}

static void files(void) {
    static const struct {
        const char *name;
        guint16 compression, predictor;
    } ways[] = {{"uncompressed", COMPRESSION_NONE, 0},
                {"LZW", COMPRESSION_LZW, 0},
                {"deflate, predictor", COMPRESSION_ADOBE_DEFLATE, 2},
                {"zstd, predictor", COMPRESSION_ZSTD, 2}};
    g_autoptr(Plane) plane =
        image_plane(PLANE_U16, SIDE, SIDE, image_cells(SIDE, SIDE, 300, 10, 30, 9000, 600, 1));
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        const PageSpec page = {.width = SIDE,
                               .height = SIDE,
                               .bits = 16,
                               .photometric = 1,
                               .compression = ways[i].compression,
                               .predictor = ways[i].predictor,
                               .data = plane->pixels};
        g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
        g_autofree char *ours = g_strdup_printf("TIFF, %s: decode", ways[i].name);
        g_autofree char *theirs = g_strdup_printf("TIFF, %s: decode by libvips", ways[i].name);
        report(ours, decode, bytes);
        report(theirs, decode_by_libvips, bytes);
    }
    g_autoptr(GBytes) png = png_file(SIDE, SIDE, 1, 16, plane->pixels);
    report("PNG: decode", decode, png);
}

int main(int argc, char **argv) {
    if (argc > 1)
        runs = MAX(atoi(argv[1]), 1);
    if (!vips_start(NULL))
        return EXIT_FAILURE;
    planes();
    files();
    return EXIT_SUCCESS;
}
