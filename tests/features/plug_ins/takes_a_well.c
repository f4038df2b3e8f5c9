/* takes_a_well: its number is called like a column that tells where a frame stands. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "well",
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

SCOPESTREAM_MEASURE("takes_a_well", numbers, compute)
