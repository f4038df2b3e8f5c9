/* measuring: a plane's numbers by their names, for the tests of measures: every measure there is,
 * the slow ones too, each at its own scales. */
#ifndef TESTS_FEATURES_MEASURING_H
#define TESTS_FEATURES_MEASURING_H

#include "features/pipeline.h"

/* The pipeline of those words; every measure for NULL. Made once for a program and words. */
static inline Pipeline *measuring_pipeline(const char *words) {
    static GHashTable *made;
    if (made == NULL)
        made = g_hash_table_new(g_str_hash, g_str_equal);
    Pipeline *pipeline = g_hash_table_lookup(made, words != NULL ? words : "");
    if (pipeline != NULL)
        return pipeline;
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GString) every = g_string_new("standard");
    for (gsize i = 0; measures[i] != NULL; i++)
        g_string_append_printf(every, " %s", measures[i]->name);
    g_autoptr(GError) error = NULL;
    pipeline = pipeline_from_words(settings, "test", words != NULL ? words : every->str, &error);
    if (pipeline == NULL)
        g_error("%s", error->message);
    g_hash_table_insert(made, g_strdup(words != NULL ? words : ""), pipeline);
    return pipeline;
}

static inline guint measure_columns_count(void) {
    return pipeline_columns_count(measuring_pipeline(NULL));
}

static inline const PipelineColumn *measure_column(guint index) {
    return pipeline_column(measuring_pipeline(NULL), index);
}

/* Places there are in what measure_plane gives, and the column a place belongs to. */
static inline guint measure_places(void) {
    return pipeline_places(measuring_pipeline(NULL));
}

static inline const PipelineColumn *measure_column_at(guint place) {
    guint index = 0;
    while (measure_column(index)->place + measure_column(index)->places <= place)
        index++;
    return measure_column(index);
}

/* All numbers of the plane, measure_places of them; g_free it. */
static inline double *measure_plane(const Plane *plane, GError **error) {
    g_autoptr(Measurement) measurement = pipeline_measure(measuring_pipeline(NULL), plane, error);
    return measurement != NULL ? g_steal_pointer(&measurement->values) : NULL;
}

/* Where a number begins in what measure_plane gives. */
static inline guint measure_place(const char *name) {
    int index = pipeline_column_find(measuring_pipeline(NULL), name);
    if (index < 0)
        g_error("no number is called %s", name);
    return measure_column((guint)index)->place;
}

static inline double value_of(const double *values, const char *name) {
    return values[measure_place(name)];
}

static inline double measure_one(const Plane *plane, const char *name) {
    g_autofree double *values = measure_plane(plane, NULL);
    return value_of(values, name);
}

#endif
