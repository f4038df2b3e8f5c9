/* pixel_hash: the same pixels again, whatever the file is called and however it was written. It
 * looks at the pixels itself: every bit of them counts. */
#include "features/measure.h"
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the same functions, built for several instruction sets */
#endif

static const MeasureNumber numbers[] = {
    {"pixel_hash", "1",
     "XXH3_64bits of the pixels as they are in memory, decoded, seeded with that of their type, "
     "width, height and offset",
     "xxHash 0.8", "a camera that is stuck, a file that was copied twice", NULL, "pass", 1,
     MEASURE_HASH},
    {NULL},
};

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    const gint64 shape[] = {plane->type, plane->width, plane->height, (gint64)plane->offset};
    gsize size_bytes = plane_pixels(plane) * plane_type_bytes(plane->type);
    XXH64_hash_t seed = XXH3_64bits(shape, sizeof shape);
    measure_hash_set(values, XXH3_64bits_withSeed(plane->pixels, size_bytes, seed));
}

const Measure measure_pixel_hash = {"pixel_hash", numbers, compute};
