/* intensity: how much light there is, and what a number of light means. */
#include "features/measure.h"
#include <math.h>

static const MeasureNumber numbers[] = {
    {"intensity_scale", "1",
     "what file values are divided by: the largest value of the file's type; 1 for floats",
     "CellProfiler's Scaling", "files written in another type than usual",
     "ImageQuality_Scaling_{channel}", "header", 1},
    {"intensity_offset", "1",
     "the file's own value where x is 0: the type's least value for signed numbers",
     "CellProfiler's reader", "files written in another type than usual", NULL, "header", 1},
    {"total_area", "px", "count of finite pixels", "CellProfiler", "truncation, wrong size",
     "ImageQuality_TotalArea_{channel}", "histogram", 1},
    {"n_nonfinite", "px", "count of NaN and infinite pixels; all other numbers leave them out",
     "own", "broken processing upstream", NULL, "histogram", 1},
    {"total_intensity", "x", "sum of x", "CellProfiler", "staining, exposure, bleaching",
     "ImageQuality_TotalIntensity_{channel}", "histogram", 1},
    {"mean", "x", "sum of x / total_area", "CellProfiler", "exposure, lamp drift",
     "ImageQuality_MeanIntensity_{channel}", "histogram", 1},
    {"std", "x", "population standard deviation of x", "CellProfiler", "contrast",
     "ImageQuality_StdIntensity_{channel}", "histogram", 1},
    {"min", "x", "least x", "CellProfiler", "clipped offset, black frames",
     "ImageQuality_MinIntensity_{channel}", "histogram", 1},
    {"max", "x", "largest x", "CellProfiler", "clipping, black frames",
     "ImageQuality_MaxIntensity_{channel}", "histogram", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    const Levels *levels = scan->levels;
    values[0] = plane->scale;
    values[1] = plane->offset;
    values[2] = (double)scan->n;
    values[3] = (double)scan->n_nonfinite;
    if (scan->n == 0)
        return;
    values[4] = scan->moments.mean * (double)scan->n / plane->scale;
    values[5] = scan->moments.mean / plane->scale;
    values[6] = sqrt(scan->moments.m2) / plane->scale;
    values[7] = levels->values[0] / plane->scale;
    values[8] = levels->values[levels->count - 1] / plane->scale;
}

const Measure measure_intensity = {"intensity", numbers, compute, .without_pixels = true};
