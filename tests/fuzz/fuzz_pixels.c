/* fuzz_pixels: bytes as an image file of which every page is decoded and measured. What comes out
 * is a plane whose numbers are finite or NULL, or a reason. */
#include "features/pixels.h"
#include "tests/features/measuring.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>
#include <stdlib.h>

#define PAGES_TRIED  4
#define PIXELS_TRIED 1000000 /* says no to giants before working */

static void try_page(GBytes *bytes, guint32 page, const Settings *settings) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Plane) plane = pixels_decode(bytes, page, settings, &error);
    if ((plane == NULL) != fault_is(error, FAULT_BROKEN))
        abort();
    if (plane == NULL)
        return;
    g_autofree double *values = measure_plane(plane, NULL);
    for (guint i = 0; i < measure_places(); i++)
        if (isinf(values[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    g_autoptr(Settings) settings = settings_new();
    settings->pixel_limit = PIXELS_TRIED;
    /* a copy of its own size, so that a byte read behind it is seen */
    g_autoptr(GBytes) bytes = g_bytes_new(data, length);
    guint32 pages = pixels_pages(bytes, NULL);
    for (guint32 page = 0; page < MIN(pages, PAGES_TRIED); page++)
        try_page(bytes, page, settings);
    return 0;
}
