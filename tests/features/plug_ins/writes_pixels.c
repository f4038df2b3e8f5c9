/* writes_pixels: into the image all other measures look at. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "writes_pixels",
     .unit = "1",
     .formula = "1",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    *(uint8_t *)image->pixels = 1;
    values[0] = 1;
    return 0;
}

SCOPESTREAM_MEASURE("writes_pixels", numbers, compute)
