#include "features/measure.h"
#include <string.h>

#define MEASURE(name) extern const Measure measure_##name;
#include "features/measures/measures.list"
#undef MEASURE

const Measure *const measures[] = {
#define MEASURE(name) &measure_##name,
#include "features/measures/measures.list"
#undef MEASURE
    NULL,
};

const Measure *measure_find(const char *name) {
    for (gsize i = 0; measures[i] != NULL; i++)
        if (strcmp(measures[i]->name, name) == 0)
            return measures[i];
    return NULL;
}

guint measure_number_places(const MeasureNumber *number) {
    return number->kind == MEASURE_ARRAY ? number->length : number->kind == MEASURE_HASH ? 2 : 1;
}
