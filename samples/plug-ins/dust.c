/* dust: a measure of one's own, for scopestream. It finds the shadows of dust: small dark places
 * that stand where nothing else is dark.
 *
 *     cc -shared -fPIC -O2 -I/usr/local/include -o dust.so dust.c
 *
 * Put dust.so into the folder that [features] plug-ins names; docs/adding-a-measure.md tells the
 * rest. */
#include <math.h>
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "dust_share",
     .unit = "%",
     .formula = "share of pixels that are less than 0.8 times the mean of the four pixels "
                "8 places to the left, right, top and bottom",
     .source = "own",
     .detects = "dust on the camera or the glass",
     .version = 1},
};

static double pixel_at(const ScopestreamImage *image, uint32_t x, uint32_t y) {
    uint64_t index = (uint64_t)y * image->width + x;
    switch (image->type) {
    case SCOPESTREAM_U8: return ((const uint8_t *)image->pixels)[index];
    case SCOPESTREAM_U16: return ((const uint16_t *)image->pixels)[index];
    case SCOPESTREAM_F32: return ((const float *)image->pixels)[index];
    default: return ((const double *)image->pixels)[index];
    }
}

static int32_t compute(const ScopestreamImage *image, double *values) {
    const uint32_t step = 8;
    uint64_t dark = 0, places = 0;
    for (uint32_t y = step; y + step < image->height; y++)
        for (uint32_t x = step; x + step < image->width; x++) {
            double around = (pixel_at(image, x - step, y) + pixel_at(image, x + step, y) +
                             pixel_at(image, x, y - step) + pixel_at(image, x, y + step)) /
                            4;
            double pixel = pixel_at(image, x, y);
            if (!isfinite(around) || !isfinite(pixel))
                continue;
            places++;
            dark += pixel < 0.8 * around;
        }
    if (places > 0) /* else it stays NaN, and is NULL in SQL */
        values[0] = 100.0 * (double)dark / (double)places;
    return 0;
}

SCOPESTREAM_MEASURE("dust", numbers, compute)
