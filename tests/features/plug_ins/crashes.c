/* crashes: over every frame but those that are 7 pixels wide. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "crashes_width",
     .unit = "px",
     .formula = "width of the image",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    volatile int *nowhere = image->width == 7 ? &(volatile int){0} : 0;
    *nowhere = 1;
    values[0] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("crashes", numbers, compute)
