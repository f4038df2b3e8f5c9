/* pipeline: a named list of measures with their scales, and what runs it over one plane after the
 * other.
 *
 * A settings section defines it,
 *
 *     [pipeline screening]
 *     measures = standard correlation:10,20,50 texture:3 -objects
 *
 * word by word: `standard` is every measure that is not slow, plug-ins too, at their own scales;
 * `cellprofiler` is those of them that give a number CellProfiler has; a name adds a measure, or
 * with a colon gives it its scales; a minus takes one out. A section without the key is `standard`,
 * and so are a pipeline `quality` without a section, and any where the settings have no section for
 * a pipeline. A plug-in that is there and cannot be used is left out, and told as news: it gives no
 * column.
 *
 * What it measures is its definition: the names, scales and versions of its measures. Another
 * definition under the same name is another version of the pipeline in SQL. */
#ifndef FEATURES_PIPELINE_H
#define FEATURES_PIPELINE_H

#include "features/measure.h"
#include "stream/settings.h"

/* One column of the results. Texts are whole here: no {scale} in them. */
typedef struct {
    const char *name, *formula;
    const char *cellprofiler; /* with {channel}; NULL: it has none */
    const MeasureNumber *number;
    const char *measure; /* whose number it is */
    guint32 scale;       /* 0: it has none */
    guint place;         /* where it begins in values */
    guint places;        /* how many it takes there: 1, a hash 2, an array its length */
} PipelineColumn;

typedef struct Pipeline Pipeline;

/* The pipeline of that name as the settings define it. FAULT_USAGE, naming section, key and word,
 * if a measure is unknown, takes no scales or a scale is wrong; or if others have a section and
 * this one has none. */
Pipeline *pipeline_new(const Settings *settings, const char *name, GError **error);
/* The same from the words themselves; NULL or "": standard. */
Pipeline *pipeline_from_words(const Settings *settings, const char *name, const char *words,
                              GError **error);
void pipeline_free(Pipeline *pipeline); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pipeline, pipeline_free)

const char *pipeline_name(const Pipeline *pipeline);
/* Every measure with its scales and versions, in words that mean the same everywhere:
 * "intensity:1 correlation(10,20):1"; 16 hexadecimal digits of its SHA-256 stand for it. */
const char *pipeline_definition(const Pipeline *pipeline);
const char *pipeline_definition_id(const Pipeline *pipeline);

guint pipeline_columns_count(const Pipeline *pipeline);
const PipelineColumn *pipeline_column(const Pipeline *pipeline, guint index);
/* The index of a column by name; -1 if there is none. */
int pipeline_column_find(const Pipeline *pipeline, const char *name);
/* Places of all columns together. */
guint pipeline_places(const Pipeline *pipeline);

/* What was measured of one plane. */
typedef struct {
    double *values;       /* pipeline_places of them; NaN where not defined, never infinite */
    const char **reasons; /* one a column: why it has no value, a plain sentence; NULL: it has */
} Measurement;

void measurement_free(Measurement *measurement); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Measurement, measurement_free)

/* Runs all measures over the plane. FAULT_BROKEN if memory does not suffice. The reasons' texts
 * live as long as the pipeline. */
Measurement *pipeline_measure(Pipeline *pipeline, const Plane *plane, GError **error);
/* The scan of the last plane measured, until the next: the thumbnail wants it, too. */
const Scan *pipeline_scan(const Pipeline *pipeline);

/* What has changed with the plug-ins since it was last asked, a line for each change, to be told
 * people: which cannot be used and why, which failed with a plane, which work again. NULL: nothing.
 * g_strfreev. */
char **pipeline_take_news(Pipeline *pipeline);

/* Names of the measures and plug-ins there are beside those of the pipeline; ends with NULL.
 * g_strfreev. */
char **pipeline_other_measures(const Pipeline *pipeline);

#endif
