/* percentiles: the distribution, whatever a few bright or dead pixels do. */
#include "features/measure.h"

static const MeasureNumber numbers[] = {
    {"median", "x", "median of x", "CellProfiler", "background level",
     "ImageQuality_MedianIntensity_{channel}", "histogram", 1},
    {"mad", "x", "median of |x - median|, without the factor 1.4826", "CellProfiler",
     "spread, whatever outliers do", "ImageQuality_MADIntensity_{channel}", "histogram", 1},
    {"q25", "x", "quantile 0.25, linear between neighbours at 0.25 (N - 1)", "CellProfiler",
     "spread", "Intensity_LowerQuartileIntensity_{channel}", "histogram", 1},
    {"q75", "x", "quantile 0.75", "CellProfiler", "spread",
     "Intensity_UpperQuartileIntensity_{channel}", "histogram", 1},
    {"p01", "x", "quantile 0.01", "CellProfiler", "the dark end, without dead pixels",
     "Intensity_Percentile_1_{channel}", "histogram", 1},
    {"p05", "x", "quantile 0.05", "CellProfiler", "the dark end",
     "Intensity_Percentile_5_{channel}", "histogram", 1},
    {"p95", "x", "quantile 0.95", "CellProfiler", "the bright end",
     "Intensity_Percentile_95_{channel}", "histogram", 1},
    {"p99", "x", "quantile 0.99", "CellProfiler", "the bright end, without hot pixels",
     "Intensity_Percentile_99_{channel}", "histogram", 1},
    {"p999", "x", "quantile 0.999", "CellProfiler", "the bright end, without hot pixels", NULL,
     "histogram", 1},
    {"dynamic_range", "x", "p999 - p01", "own", "low contrast", NULL, "histogram", 1},
    {"michelson", "1", "(p99 - p01) / (p99 + p01)", "Michelson 1927, with percentiles",
     "low contrast", NULL, "histogram", 1},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    static const double quantiles[] = {0.25, 0.75, 0.01, 0.05, 0.95, 0.99, 0.999};
    values[0] = scan_quantile(scan, 0.5);
    values[1] = levels_mad(scan->levels, scan->levels->count) / scan->plane->scale;
    for (gsize i = 0; i < G_N_ELEMENTS(quantiles); i++)
        values[2 + i] = scan_quantile(scan, quantiles[i]);
    double p01 = values[4], p99 = values[7], p999 = values[8];
    values[9] = p999 - p01;
    if (p99 + p01 > 0)
        values[10] = (p99 - p01) / (p99 + p01);
}

const Measure measure_percentiles = {"percentiles", numbers, compute};
