/* odd_even: a measure of one's own for scopestream. It compares the odd rows and columns with the
 * even ones: cameras that read them through different amplifiers show when these drift apart.
 *
 *     cc -shared -fPIC -O2 -I/usr/local/include -o odd_even.so odd_even.c
 *
 * Put odd_even.so into the folder that the setting [features] plug-ins names, and start the workers
 * again; docs/adding-a-measure.md tells the rest. */
#include <math.h>
#include <scopestream/measure.h>

#define TOLD .unit = "%", .source = "own", .detects = "amplifiers of the camera that drift apart"

static const ScopestreamNumber numbers[] = {
    {.name = "odd_even_rows",
     .formula = "100 * (mean of rows 1, 3, 5, ... / mean of rows 0, 2, 4, ... - 1)",
     .version = 1,
     TOLD},
    {.name = "odd_even_columns", .formula = "the same of columns", .version = 1, TOLD},
};

static double pixel_at(const ScopestreamImage *image, uint64_t index) {
    switch (image->type) {
    case SCOPESTREAM_U8: return ((const uint8_t *)image->pixels)[index];
    case SCOPESTREAM_U16: return ((const uint16_t *)image->pixels)[index];
    case SCOPESTREAM_F32: return ((const float *)image->pixels)[index];
    default: return ((const double *)image->pixels)[index];
    }
}

/* In percent; NaN, which is NULL in SQL, where there is nothing to compare with. */
static double compare(const double sums[2], const double counts[2]) {
    double even = sums[0] / counts[0], odd = sums[1] / counts[1];
    return even > 0 ? 100 * (odd / even - 1) : NAN;
}

static int32_t compute(const ScopestreamImage *image, double *values) {
    double rows[2] = {0, 0}, row_counts[2] = {0, 0}, columns[2] = {0, 0}, column_counts[2] = {0, 0};
    for (uint32_t y = 0; y < image->height; y++)
        for (uint32_t x = 0; x < image->width; x++) {
            double pixel = pixel_at(image, (uint64_t)y * image->width + x);
            if (!isfinite(pixel))
                continue;
            rows[y % 2] += pixel;
            row_counts[y % 2]++;
            columns[x % 2] += pixel;
            column_counts[x % 2]++;
        }
    values[0] = compare(rows, row_counts);
    values[1] = compare(columns, column_counts);
    return 0;
}

SCOPESTREAM_MEASURE("odd_even", numbers, compute)
