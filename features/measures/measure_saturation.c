/* saturation: pixels at the ends of what the camera can tell. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"pct_max", "%", "100 * pixels at this image's largest value / total_area", "CellProfiler",
     "saturation where the image is clipped", "ImageQuality_PercentMaximal_{channel}", "histogram",
     1},
    {"pct_min", "%", "100 * pixels at this image's least value / total_area", "CellProfiler",
     "empty field, clipped offset", "ImageQuality_PercentMinimal_{channel}", "histogram", 1},
    {"pct_saturated", "%",
     "100 * pixels at the detector's largest value / total_area; that value is 2^bits - 1 of the "
     "file, or of a camera with 8, 10, 11, 12, 13, 14 or 15 bits where the image's largest value "
     "is just that",
     "own", "saturation of the detector", NULL, "histogram", 1},
    {"pct_zero", "%", "100 * pixels whose file value is 0 / total_area", "own",
     "dead camera, masked image, clipped offset", NULL, "histogram", 1},
    {NULL},
};

static double percent(const Scan *scan, guint64 pixels) {
    return 100.0 * (double)pixels / (double)scan->n;
}

/* A camera with fewer bits than its file's type clips at its own limit. An image that ends there by
 * chance has one pixel or two at that value, and so a percentage next to 0. */
static bool is_detector_limit(const Plane *plane, double largest) {
    static const int camera_bits[] = {8, 10, 11, 12, 13, 14, 15};
    if (largest == plane->scale + plane->offset)
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(camera_bits); i++)
        if (largest == ldexp(1, camera_bits[i]) - 1)
            return true;
    return false;
}

static void compute(const Scan *scan, double values[]) {
    const Levels *levels = scan->levels;
    const Plane *plane = scan->plane;
    guint64 at_max = levels_pixels(levels, levels->count - 1);
    double largest = levels->values[levels->count - 1] + plane->offset;
    values[0] = percent(scan, at_max);
    values[1] = percent(scan, levels_pixels(levels, 0));
    if (plane->whole)
        values[2] = is_detector_limit(plane, largest) ? values[0] : 0;
    values[3] = percent(scan, levels_pixels_at(levels, -plane->offset));
}

const Measure measure_saturation = {"saturation", numbers, compute};
