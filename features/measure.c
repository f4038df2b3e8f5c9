#include "features/measure.h"
#include <math.h>
#include <string.h>

#define MEASURE(name) extern const Measure measure_##name;
#include "features/measures.list"
#undef MEASURE

const Measure *const measures[] = {
#define MEASURE(name) &measure_##name,
#include "features/measures.list"
#undef MEASURE
    NULL,
};

static guint numbers_count(const Measure *measure) {
    guint count = 0;
    while (measure->numbers[count].name != NULL)
        count++;
    return count;
}

guint measure_columns_count(void) {
    guint count = 0;
    for (gsize i = 0; measures[i] != NULL; i++)
        count += numbers_count(measures[i]);
    return count;
}

const MeasureNumber *measure_column(guint index) {
    for (gsize i = 0; measures[i] != NULL; i++) {
        guint count = numbers_count(measures[i]);
        if (index < count)
            return &measures[i]->numbers[index];
        index -= count;
    }
    return NULL;
}

int measure_column_find(const char *name) {
    for (guint i = 0; i < measure_columns_count(); i++)
        if (strcmp(measure_column(i)->name, name) == 0)
            return (int)i;
    return -1;
}

double *measure_scan(const Scan *scan) {
    guint count = measure_columns_count(), first = 0;
    double *values = g_new(double, count);
    for (guint i = 0; i < count; i++)
        values[i] = NAN;
    for (gsize i = 0; measures[i] != NULL; i++) {
        if (scan->n > 0 || measures[i]->without_pixels)
            measures[i]->compute(scan, values + first);
        first += numbers_count(measures[i]);
    }
    for (guint i = 0; i < count; i++)
        if (!isfinite(values[i])) /* an overflow of huge floats is no number either */
            values[i] = NAN;
    return values;
}

double *measure_plane(const Plane *plane, GError **error) {
    g_autoptr(Scan) scan = scan_plane(plane, error);
    return scan == NULL ? NULL : measure_scan(scan);
}
