/* harms_the_image: opens the memory of the pixels again, writes into it and takes it away. */
#include <fcntl.h>
#include <scopestream/measure.h>
#include <unistd.h>

static const ScopestreamNumber numbers[] = {
    {.name = "harms_the_image",
     .unit = "1",
     .formula = "how many of three ways of harm succeeded",
     .source = "tests",
     .detects = "nothing",
     .version = 1},
};

static int32_t compute(const ScopestreamImage *image, double *values) {
    char harm = 77;
    int file = open("/proc/self/fd/4", O_RDWR);
    values[0] = (pwrite(file, &harm, 1, 0) == 1) + (ftruncate(file, 0) == 0) +
                (ftruncate(file, 1L << 30) == 0);
    close(file);
    return 0;
}

SCOPESTREAM_MEASURE("harms_the_image", numbers, compute)
