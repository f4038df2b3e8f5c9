/* writes_too_far: one place more than it said. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "writes_too_far",
     .unit = "px",
     .formula = "width of the image",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    values[1] = image->height;
    return 0;
}

SCOPESTREAM_MEASURE("writes_too_far", numbers, compute)
