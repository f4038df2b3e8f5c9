/* answers_unasked: never reads what it is asked, and answers all the time. */
#include <scopestream/measure.h>
#include <sys/socket.h>

static const ScopestreamNumber numbers[] = {
    {.name = "answers_unasked",
     .unit = "1",
     .formula = "7",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    const struct {
        uint32_t kind, length_bytes;
        double value;
    } computed = {3, sizeof(double), 7};
    while (send(3, &computed, sizeof computed, MSG_NOSIGNAL) > 0)
        ;
    return 1;
}

SCOPESTREAM_MEASURE("answers_unasked", numbers, compute)
