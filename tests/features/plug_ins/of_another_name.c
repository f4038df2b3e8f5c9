/* of_another_name: than its file. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "of_another_name",
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

SCOPESTREAM_MEASURE("another", numbers, compute)
