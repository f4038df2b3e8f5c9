/* fills_a_message: as many numbers as a plug-in may give, each as long as it can be written. */
#include <scopestream/measure.h>

#define PART(part)                                                                                 \
    {                                                                                              \
        .name = "fills_a_message_" part, .unit = "1", .formula = "one third", .source = "tests",   \
        .detects = "nothing", .version = 1, .kind = SCOPESTREAM_ARRAY, .length = 4096              \
    }

static const ScopestreamNumber numbers[] = {PART("1"), PART("2"), PART("3"), PART("4")};

static int32_t compute(const ScopestreamImage *image, double *values) {
    for (int i = 0; i < 4 * 4096; i++)
        values[i] = -1 / 3.;
    return 0;
}

SCOPESTREAM_MEASURE("fills_a_message", numbers, compute)
