/* fuzz_label: the first byte is the width of a mask, the bits of the others are its places. Every
 * place belongs to one region, and no region is empty. */
#include "features/measures/label.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    if (length < 2)
        return 0;
    guint32 width = data[0] + 1u, height = (guint32)((length - 1) * 8 / width);
    gsize places = (gsize)width * height;
    g_autofree guint8 *mask = g_malloc(places + 1);
    guint64 inside = 0, labelled = 0;
    for (gsize i = 0; i < places; i++) {
        mask[i] = data[1 + i / 8] >> i % 8 & 1;
        inside += mask[i];
    }
    g_autofree void *room = g_malloc(label_room_bytes(width, height));
    LabelRegion *regions;
    guint32 count = label_regions(mask, width, height, room, &regions);
    for (guint32 i = 0; i < count; i++) {
        if (regions[i].area == 0)
            abort();
        labelled += regions[i].area;
    }
    if (labelled != inside)
        abort();
    return 0;
}
