/* of_another_abi: made with a header of the future. */
#include <scopestream/measure.h>

static const ScopestreamNumber numbers[] = {
    {.name = "of_another_abi",
     .unit = "1",
     .formula = "1",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    values[0] = image->width;
    return 0;
}

const ScopestreamMeasure scopestream_measure = {
    .abi = SCOPESTREAM_MEASURE_ABI + 1,
    .struct_bytes = sizeof(ScopestreamMeasure),
    .name = "of_another_abi",
    .numbers = numbers,
    .numbers_count = 1,
    .number_bytes = sizeof(ScopestreamNumber),
    .compute = compute,
};
