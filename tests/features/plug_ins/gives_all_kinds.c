/* gives_all_kinds: of numbers, and what it was told of the image; a good one. By the first pixel it
 * also returns an error (200), gives infinity (201) or has nothing to say (202). */
#include <math.h>
#include <scopestream/measure.h>
#include <unistd.h>

#define TOLD .source = "tests", .detects = "nothing", .version = 3

static const ScopestreamNumber numbers[] = {
    {.name = "kinds_sum", .unit = "1", .formula = "sum of all pixels / scale", TOLD},
    {.name = "kinds_told",
     .unit = "1",
     .formula = "type, width, height, whole, offset, pixel size",
     .kind = SCOPESTREAM_ARRAY,
     .length = 6,
     TOLD},
    {.name = "kinds_hash",
     .unit = "1",
     .formula = "0x8123456789abcdef",
     .kind = SCOPESTREAM_HASH,
     TOLD},
    {.name = "kinds_files",
     .unit = "1",
     .formula = "files open in its process, from number 3 on",
     TOLD},
};

static double pixel_at(const ScopestreamImage *image, uint64_t index) {
    switch (image->type) {
    case SCOPESTREAM_U8: return ((const uint8_t *)image->pixels)[index];
    case SCOPESTREAM_U16: return ((const uint16_t *)image->pixels)[index];
    case SCOPESTREAM_F32: return ((const float *)image->pixels)[index];
    default: return ((const double *)image->pixels)[index];
    }
}

static int32_t compute(const ScopestreamImage *image, double *values) {
    double first = pixel_at(image, 0), sum = 0;
    if (first == 200)
        return 17;
    if (first == 202)
        return 0;
    for (uint64_t i = 0; i < (uint64_t)image->width * image->height; i++)
        sum += pixel_at(image, i);
    values[0] = first == 201 ? INFINITY : sum / image->scale;
    values[1] = image->type;
    values[2] = image->width;
    values[3] = image->height;
    values[4] = image->whole;
    values[5] = image->offset;
    values[6] = image->pixel_size_um;
    values[7] = 0x81234567;
    values[8] = 0x89abcdef;
    values[9] = 0;
    for (int file = 3; file < 1024; file++)
        values[9] += dup2(file, file) == file;
    return 0;
}

SCOPESTREAM_MEASURE("gives_all_kinds", numbers, compute)
