/* hangs: over every frame but those that are 7 pixels wide. */
#include <scopestream/measure.h>
#include <unistd.h>

static const ScopestreamNumber numbers[] = {
    {.name = "hangs_width",
     .unit = "px",
     .formula = "width of the image",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    while (image->width != 7)
        pause();
    values[0] = image->width;
    return 0;
}

SCOPESTREAM_MEASURE("hangs", numbers, compute)
