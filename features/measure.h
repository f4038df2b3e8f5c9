/* measure: what a measure is. A measure is one named computation over a frame's pixels that gives
 * one or more named numbers; it is one file, measure_<name>.c, and one row of measures.list.
 * docs/adding-a-measure.md tells the steps; features/pipeline.h runs them. */
#ifndef FEATURES_MEASURE_H
#define FEATURES_MEASURE_H

#include "features/scan_plane.h"

typedef enum {
    MEASURE_NUMBER, /* a double; double precision in SQL */
    MEASURE_ARRAY,  /* length doubles; real[] in SQL */
    MEASURE_HASH,   /* 64 bits, in two places: the upper 32, then the lower 32; bigint in SQL */
} MeasureKind;

/* What people are told of one number. All texts but cellprofiler are given, as plain sentences
 * without a full stop. In name, formula and cellprofiler {scale} stands for the measure's scale, in
 * cellprofiler {channel} for the channel's name. */
typedef struct {
    const char *name; /* [a-z][a-z0-9_]*, at most 63 characters; a column in SQL */
    const char *unit; /* "1": none; "x": CellProfiler's intensity, value / scale, 0..1 */
    const char *formula;
    const char *source;       /* who defined it */
    const char *detects;      /* what is wrong with the frame when it is conspicuous */
    const char *cellprofiler; /* its name there; NULL: it has none */
    const char *cost;         /* what it is made from: "header", "histogram", "stencil", "tiles",
                                 "pass" (a look at the pixels of its own), "fft", "labels",
                                 "slow", "plug-in" */
    int version;              /* of the definition; raised when it changes */
    MeasureKind kind;
    guint32 length;        /* of an array */
    bool needs_pixel_size; /* it is not defined without scan->plane->pixel_size_um */
} MeasureNumber;

/* Fills values[0..], a place for each number, length places for an array and two for a hash, all
 * NaN before. A number that is not defined for this plane (constant, too small, nothing but NaN)
 * stays NaN and becomes NULL; numbers with a CellProfiler name take the value CellProfiler gives.
 */
typedef void MeasureCompute(const Scan *scan, double values[]);
typedef void MeasureComputeAt(const Scan *scan, guint32 scale, double values[]);

typedef struct {
    const char *name;             /* the file's and the row's */
    const MeasureNumber *numbers; /* ends with an empty row */
    MeasureCompute *compute;

    /* A measure with scales has compute_at in place of compute, and its numbers once for each of
     * its pipeline's scales. */
    const char *scales; /* those of a pipeline that names none: pixels, with commas */
    MeasureComputeAt *compute_at;

    guint needs;        /* of the scan: SCAN_STENCILS | SCAN_TILES | ... */
    bool grid_of_scale; /* and scan_grid(scan, scale) */
    bool slow;          /* only for pipelines that name it */

    /* What it can say nothing without; the registry tells people why a number is NULL by these. */
    bool without_pixels; /* has something to say of a plane without a finite pixel, too */
    guint32 least_side;  /* pixels */
} Measure;

/* All built-in measures, in the order of measures.list; ends with NULL. */
extern const Measure *const measures[];

/* The built-in measure of that name; NULL if there is none. */
const Measure *measure_find(const char *name);

/* Places a number takes in values. */
guint measure_number_places(const MeasureNumber *number);

/* A hash into its two places, and back. */
static inline void measure_hash_set(double values[2], guint64 hash) {
    values[0] = (double)(hash >> 32);
    values[1] = (double)(hash & 0xffffffff);
}
static inline guint64 measure_hash_get(const double values[2]) {
    return (guint64)values[0] << 32 | (guint64)values[1];
}

#endif
