/* crashes_when_loaded: before anybody can ask what it is. */
#include <scopestream/measure.h>
#include <stdlib.h>

__attribute__((constructor)) static void load(void) {
    abort();
}

static const ScopestreamNumber numbers[] = {
    {.name = "never",
     .unit = "1",
     .formula = "1",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("crashes_when_loaded", numbers, compute)
