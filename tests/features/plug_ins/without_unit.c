/* without_unit: does not say what its number is measured in. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "without_unit", .formula = "1", .source = "tests", .detects = "nothing", .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("without_unit", numbers, compute)
