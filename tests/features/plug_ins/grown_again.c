/* grown_again: its number is called like one of another plug-in. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "grown_width",
     .unit = "px",
     .formula = "width of the image",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("grown_again", numbers, compute)
