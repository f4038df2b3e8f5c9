/* How long one core takes for one frame of 2160 x 2160 pixels, stage by stage, medians of several
 * runs:
 *
 *     build/release/bench/bench_features_frame [RUNS]
 *
 * The bound that each kind of pixels stands against is its first line: reading them once.
 * features_libvips.c has the same done by calls of libvips. */
#include "features/pipeline.h"
#include "features/pixels.h"
#include "features/result.h"
#include "features/thumbnail.h"
#include "features/vips_start.h"
#include "tests/features/image_files.h"
#include "tests/features/images.h"
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 2160, RUNS_LIMIT = 1000, THUMBNAIL_SIDE = 192 };

static int runs = 15;
static Settings *settings;
static volatile guint64 sink;

/* --- timing --- */

typedef void Step(void *what);

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One run before those that count: memory is taken then. */
static void report(const char *situation, Step *step, void *what) {
    double times_ms[RUNS_LIMIT];
    step(what);
    for (int run = 0; run < runs; run++) {
        gint64 start_us = g_get_monotonic_time();
        step(what);
        times_ms[run] = (double)(g_get_monotonic_time() - start_us) / 1000;
    }
    qsort(times_ms, (gsize)runs, sizeof *times_ms, by_value);
    printf("  %-54s %8.2f ms\n", situation, times_ms[runs / 2]);
}

static void read_once(void *what) {
    const Plane *plane = what;
    const guint64 *words = plane->pixels;
    gsize count = plane_pixels(plane) * plane_type_bytes(plane->type) / sizeof *words;
    guint64 sum = 0;
#pragma omp simd reduction(+ : sum)
    for (gsize i = 0; i < count; i++)
        sum += words[i];
    sink = sum;
}

/* --- the scan, by parts --- */

typedef struct {
    Scan *scan;
    const Plane *plane;
} Look;

static void look(void *what) {
    Look *this = what;
    sink = scan_look(this->scan, this->plane, NULL);
}

static void scans(const Plane *plane) {
    static const guint32 one_scale[] = {20, 0};
    static const struct {
        const char *name;
        ScanPlan plan;
    } parts[] = {
        {"scan: levels", {0, NULL}},
        {"scan: + stencils", {SCAN_STENCILS, NULL}},
        {"scan: + 16 x 16 tiles", {SCAN_STENCILS | SCAN_TILES, NULL}},
        {"scan: + tiles of 20 px", {SCAN_STENCILS | SCAN_TILES, one_scale}},
        {"scan: + rows and columns, all of it", {SCAN_ALL, one_scale}},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(Scan) scan = scan_new(&parts[i].plan);
        report(parts[i].name, look, &(Look){scan, plane});
    }
}

/* --- each measure --- */

typedef struct {
    const Measure *measure;
    const Scan *scan;
    guint32 scale; /* 0: it has none */
    double *values;
} Computation;

static void compute(void *what) {
    Computation *this = what;
    if (this->scale > 0)
        this->measure->compute_at(this->scan, this->scale, this->values);
    else
        this->measure->compute(this->scan, this->values);
    scan_scratch_reset(this->scan);
}

static guint places_of(const Measure *measure) {
    guint places = 0;
    for (const MeasureNumber *number = measure->numbers; number->name != NULL; number++)
        places += measure_number_places(number);
    return places;
}

/* At the first of its own scales. */
static guint32 scale_of(const Measure *measure) {
    return measure->scales != NULL ? (guint32)g_ascii_strtoull(measure->scales, NULL, 10) : 0;
}

static Scan *scan_for_all(const Plane *plane) {
    g_autoptr(GArray) scales = g_array_new(TRUE, FALSE, sizeof(guint32));
    for (gsize i = 0; measures[i] != NULL; i++) {
        guint32 scale = scale_of(measures[i]);
        if (measures[i]->grid_of_scale)
            g_array_append_val(scales, scale);
    }
    Scan *scan = scan_new(&(ScanPlan){SCAN_ALL, (const guint32 *)(const void *)scales->data});
    scan_look(scan, plane, NULL);
    return scan;
}

static void each_measure(const Plane *plane) {
    g_autoptr(Scan) scan = scan_for_all(plane);
    for (gsize i = 0; measures[i] != NULL; i++) {
        g_autofree double *values = g_new(double, places_of(measures[i]));
        g_autofree char *name =
            g_strconcat("measure: ", measures[i]->name, measures[i]->slow ? " (slow)" : "", NULL);
        report(name, compute, &(Computation){measures[i], scan, scale_of(measures[i]), values});
    }
}

/* --- pipelines --- */

/* Every measure that gives a number of CellProfiler's MeasureImageQuality or
 * MeasureImageIntensity. */
static char *words_of_cellprofiler(void) {
    GString *words = g_string_new(NULL);
    for (gsize i = 0; measures[i] != NULL; i++) {
        bool has = false;
        for (const MeasureNumber *number = measures[i]->numbers; number->name != NULL; number++)
            has |= number->cellprofiler != NULL &&
                   (g_str_has_prefix(number->cellprofiler, "ImageQuality_") ||
                    g_str_has_prefix(number->cellprofiler, "Intensity_"));
        if (has)
            g_string_append_printf(words, "%s ", measures[i]->name);
    }
    return g_string_free(words, FALSE);
}

/* The first set of numbers anybody needs, without the one that takes a Fourier transform. */
#define VERSION_1                                                                                  \
    "intensity percentiles saturation levels entropy moments focus_score background otsu "         \
    "robust_background foreground noise laplacian tenengrad brenner gradient vollath "             \
    "autocorrelation local_focus correlation pixel_hash tiles illumination tile_content "          \
    "contrast_ratio"

static Pipeline *pipeline_of(const char *words) {
    g_autoptr(GError) error = NULL;
    Pipeline *pipeline = pipeline_from_words(settings, "bench", words, &error);
    if (pipeline == NULL)
        g_error("%s", error->message);
    return pipeline;
}

typedef struct {
    Pipeline *pipeline;
    const Plane *plane;
} Measuring;

static void run_pipeline(void *what) {
    Measuring *this = what;
    g_autoptr(Measurement) measured = pipeline_measure(this->pipeline, this->plane, NULL);
    sink = measured != NULL;
}

static void shrink(void *what) {
    g_autoptr(Thumbnail) thumbnail = thumbnail_make(what, THUMBNAIL_SIDE, NULL);
    sink = g_bytes_get_size(thumbnail->bytes);
}

static void pipelines(const Plane *plane) {
    g_autofree char *cellprofiler = words_of_cellprofiler();
    struct {
        const char *name, *words;
    } const sets[] = {{"pipeline: version 1 without the FFT", VERSION_1},
                      {"pipeline: all of CellProfiler's", cellprofiler},
                      {"pipeline: standard", "standard"}};
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autoptr(Pipeline) pipeline = pipeline_of(sets[i].words);
        report(sets[i].name, run_pipeline, &(Measuring){pipeline, plane});
    }
    g_autoptr(Scan) scan = scan_plane(plane, NULL);
    report("thumbnail", shrink, scan);
}

/* --- the planes --- */

/* As a camera or a program would leave them: floats have no two pixels alike. */
static Plane *frame_of(PlaneType type) {
    gint64 *pixels = image_cells(SIDE, SIDE, 300, 10, 30, 9000, 600, 1);
    if (type == PLANE_U8)
        image_changed(pixels, SIDE * SIDE, 1, 7, 255);
    Plane *plane = image_plane(type, SIDE, SIDE, pixels);
    float *singles = (float *)plane->pixels;
    double *doubles = (double *)plane->pixels;
    for (guint32 i = 0; i < SIDE * SIDE; i++) {
        double part = image_hash(i) / 0x1p32;
        if (type == PLANE_F32)
            singles[i] = (float)((singles[i] + part) / 65535);
        if (type == PLANE_F64)
            doubles[i] = (doubles[i] + part) / 65535;
    }
    return plane;
}

static void planes(void) {
    static const struct {
        const char *name;
        PlaneType type;
    } types[] = {
        {"16 bits", PLANE_U16}, {"8 bits", PLANE_U8}, {"float", PLANE_F32}, {"double", PLANE_F64}};
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(Plane) plane = frame_of(types[i].type);
        printf("%s\n", types[i].name);
        report("read once", read_once, plane);
        scans(plane);
        pipelines(plane);
        if (types[i].type == PLANE_U16)
            each_measure(plane);
    }
    g_autoptr(Plane) constant = image_constant(PLANE_U16, SIDE, SIDE, 1234);
    printf("16 bits, constant\n");
    scans(constant);
}

/* --- files --- */

typedef struct {
    GBytes *bytes;
    Pipeline *pipeline;
} Arrival;

static void decode(void *what) {
    g_autoptr(Plane) plane = pixels_decode(what, 0, settings, NULL);
    sink = plane->width;
}

static void decode_by_libvips(void *what) {
    gsize length;
    const void *data = g_bytes_get_data(what, &length);
    VipsImage *image = NULL;
    if (vips_tiffload_buffer((void *)data, length, &image, NULL) != 0)
        return;
    g_autofree void *pixels = vips_image_write_to_memory(image, &length);
    sink = length;
    g_object_unref(image);
}

/* From bytes in hand to a result that could be sent, as a worker does it. */
static void work(void *what) {
    Arrival *this = what;
    g_autoptr(Plane) plane = pixels_decode(this->bytes, 0, settings, NULL);
    g_autoptr(Measurement) measured = pipeline_measure(this->pipeline, plane, NULL);
    g_autoptr(Thumbnail) thumbnail =
        thumbnail_make(pipeline_scan(this->pipeline), THUMBNAIL_SIDE, NULL);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    result_values_to_json(this->pipeline, measured, builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, FALSE);
    sink = strlen(text) + g_bytes_get_size(thumbnail->bytes);
}

static void arrivals(GBytes *bytes) {
    g_autofree char *cellprofiler = words_of_cellprofiler();
    g_autoptr(Pipeline) compatible = pipeline_of(cellprofiler);
    g_autoptr(Pipeline) standard = pipeline_of("standard");
    report("from bytes to result, all of CellProfiler's", work, &(Arrival){bytes, compatible});
    report("from bytes to result, standard", work, &(Arrival){bytes, standard});
}

static void files(void) {
    static const struct {
        const char *name;
        guint16 compression, predictor;
    } ways[] = {{"TIFF, uncompressed", COMPRESSION_NONE, 0},
                {"TIFF, LZW", COMPRESSION_LZW, 0},
                {"TIFF, deflate, predictor", COMPRESSION_ADOBE_DEFLATE, 2},
                {"TIFF, zstd, predictor", COMPRESSION_ZSTD, 2}};
    g_autoptr(Plane) plane = frame_of(PLANE_U16);
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        const PageSpec page = {.width = SIDE,
                               .height = SIDE,
                               .bits = 16,
                               .photometric = 1,
                               .compression = ways[i].compression,
                               .predictor = ways[i].predictor,
                               .data = plane->pixels};
        g_autoptr(GBytes) bytes = tiff_file("w", &page, 1);
        printf("%s\n", ways[i].name);
        report("decode", decode, bytes);
        report("decode by libvips", decode_by_libvips, bytes);
        arrivals(bytes);
    }
    g_autoptr(GBytes) png = png_file(SIDE, SIDE, 1, 16, plane->pixels);
    printf("PNG\n");
    report("decode", decode, png);
}

int main(int argc, char **argv) {
    if (argc > 1)
        runs = CLAMP(atoi(argv[1]), 1, RUNS_LIMIT);
    if (!vips_start(NULL))
        return EXIT_FAILURE;
    settings = settings_new();
    planes();
    files();
    settings_free(settings);
    return EXIT_SUCCESS;
}
