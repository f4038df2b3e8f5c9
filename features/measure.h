/* measure: the registry. A measure is one named computation over a frame's pixels that gives one
 * or more named numbers; it is one file, measure_<name>.c, and one row of measures.list.
 * docs/adding-a-measure.md tells the steps.
 *
 * The numbers of all measures, in the order of the list, are the columns: the same names in the
 * result document, in SQL and in `scopestream-features list`. */
#ifndef FEATURES_MEASURE_H
#define FEATURES_MEASURE_H

#include "features/scan_plane.h"

/* Raised whenever a number is added or computed differently. */
#define PIPELINE_VERSION 1

/* What people are told of one number. All texts but cellprofiler are given, as plain sentences
 * without a full stop. */
typedef struct {
    const char *name; /* [a-z][a-z0-9_]*, at most 63 characters; a column in SQL */
    const char *unit; /* "1": none; "x": CellProfiler's intensity, value / scale, 0..1 */
    const char *formula;
    const char *source;       /* who defined it */
    const char *detects;      /* what is wrong with the frame when it is conspicuous */
    const char *cellprofiler; /* its name there, without channel; NULL: it has none */
    const char *cost;         /* "histogram", "stencil", "header" */
    int version;              /* of the definition; raised when it changes */
} MeasureNumber;

typedef struct {
    const char *name;             /* the file's and the row's */
    const MeasureNumber *numbers; /* ends with an empty row */
    /* Fills values[0..], one for each number, all NaN before. A number that is not defined for this
     * plane (constant, too small, nothing but NaN) stays NaN and becomes NULL; numbers with a
     * CellProfiler name take the value CellProfiler gives. Called with at least one finite pixel
     * unless without_pixels is set. */
    void (*compute)(const Scan *scan, double values[]);
    bool without_pixels; /* has something to say of a plane without a finite pixel, too */
} Measure;

/* All measures, in the order of measures.list; ends with NULL. */
extern const Measure *const measures[];

/* All numbers of all measures, in order. */
guint measure_columns_count(void);
const MeasureNumber *measure_column(guint index);
/* The index of a number by name; -1 if there is none. */
int measure_column_find(const char *name);

/* Runs all measures over the plane. values[measure_columns_count()], NaN where a number is not
 * defined, never infinite; g_free it. NULL with FAULT_BROKEN if memory does not suffice. */
double *measure_plane(const Plane *plane, GError **error);
/* The same over a plane already scanned (the thumbnail wants the scan, too). */
double *measure_scan(const Scan *scan);

#endif
