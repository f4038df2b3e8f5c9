/* clashes: one of its numbers is called like a built-in one at some scale. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "clashes",
     .unit = "1",
     .formula = "1",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
    {.name = "mean",
     .unit = "1",
     .formula = "1",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = values[1] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("clashes", numbers, compute)
