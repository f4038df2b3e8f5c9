/* exits: takes its process for its own. */
#include <scopestream/measure.h>
#include <stdlib.h>

static const ScopestreamNumber numbers[] = {
    {.name = "exits_width",
     .unit = "px",
     .formula = "width of the image",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    _Exit(3);
    return 0;
}

SCOPESTREAM_MEASURE("exits", numbers, compute)
