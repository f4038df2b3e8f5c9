#include "features/thumbnail.h"
#include "features/vips_start.h"
#include <math.h>
#include <string.h>
#include <vips/vips.h>

/* libvips' own vips_thumbnail converts 16 bits through a colour space and takes ten times as long
 * as all cheap measures together; a box of whole pixels and the JPEG encoder take a tenth of that.
 */

#define LOW_QUANTILE  0.01
#define HIGH_QUANTILE 0.999

/* Boxes of factor x factor pixels, one row of them at a time. */
typedef struct {
    const Plane *plane;
    guint32 factor, width, height; /* of the thumbnail */
    double *sums;
    guint32 *counts; /* finite pixels per box */
} Shrink;

/* Whole numbers are all finite, and summed as such: that is several times as fast. */
#define ADD_WHOLE_ROW(name, type)                                                                  \
    static void add_##name(Shrink *shrink, const type *row) {                                      \
        for (guint32 x = 0, box = 0; box < shrink->width; box++) {                                 \
            guint32 end = MIN(x + shrink->factor, shrink->plane->width);                           \
            guint64 sum = 0;                                                                       \
            shrink->counts[box] += end - x;                                                        \
            for (; x < end; x++)                                                                   \
                sum += row[x];                                                                     \
            shrink->sums[box] += (double)sum;                                                      \
        }                                                                                          \
    }
ADD_WHOLE_ROW(u8, guint8)
ADD_WHOLE_ROW(u16, guint16)

#define ADD_REAL_ROW(name, type)                                                                   \
    static void add_##name(Shrink *shrink, const type *row) {                                      \
        for (guint32 x = 0, box = 0; box < shrink->width; box++) {                                 \
            guint32 end = MIN(x + shrink->factor, shrink->plane->width);                           \
            for (; x < end; x++) {                                                                 \
                shrink->sums[box] += isfinite(row[x]) ? (double)row[x] : 0;                        \
                shrink->counts[box] += isfinite(row[x]) != 0;                                      \
            }                                                                                      \
        }                                                                                          \
    }
ADD_REAL_ROW(f32, float)
ADD_REAL_ROW(f64, double)

static void add_row(Shrink *shrink, guint32 y) {
    const Plane *plane = shrink->plane;
    const guint8 *row =
        (const guint8 *)plane->pixels + (gsize)y * plane->width * plane_type_bytes(plane->type);
    if (plane->type == PLANE_U8)
        add_u8(shrink, row);
    else if (plane->type == PLANE_U16)
        add_u16(shrink, (const guint16 *)row);
    else if (plane->type == PLANE_F32)
        add_f32(shrink, (const float *)row);
    else
        add_f64(shrink, (const double *)row);
}

/* 0 at low, 255 at high; a box without a finite pixel is black. */
static void show_row(const Shrink *shrink, double low, double high, guint8 *ret_row) {
    double gain = high > low ? 255 / (high - low) : 0;
    for (guint32 box = 0; box < shrink->width; box++) {
        double mean = shrink->counts[box] > 0 ? shrink->sums[box] / shrink->counts[box] : low;
        ret_row[box] = (guint8)rint(CLAMP((mean - low) * gain, 0, 255));
    }
}

/* The whole thumbnail, row by row; low and high in the plane's units. */
static guint8 *shrink_plane(Shrink *shrink, double low, double high) {
    guint8 *shown = g_new(guint8, (gsize)shrink->width * shrink->height);
    shrink->sums = g_new(double, shrink->width);
    shrink->counts = g_new(guint32, shrink->width);
    for (guint32 y = 0, box = 0; box < shrink->height; box++) {
        memset(shrink->sums, 0, shrink->width * sizeof *shrink->sums);
        memset(shrink->counts, 0, shrink->width * sizeof *shrink->counts);
        guint32 end = MIN(y + shrink->factor, shrink->plane->height);
        for (; y < end; y++)
            add_row(shrink, y);
        show_row(shrink, low, high, shown + (gsize)box * shrink->width);
    }
    g_free(shrink->sums);
    g_free(shrink->counts);
    return shown;
}

/* The best quality that keeps the limit: noise does not compress. */
static GBytes *encode(const Shrink *shrink, guint8 *shown, GError **error) {
    static const int qualities[] = {80, 60, 40, 20, 5};
    VipsImage *image =
        vips_image_new_from_memory(shown, (gsize)shrink->width * shrink->height, (int)shrink->width,
                                   (int)shrink->height, 1, VIPS_FORMAT_UCHAR);
    void *jpeg = NULL;
    gsize length = 0;
    int failed = image == NULL;
    for (gsize i = 0; !failed && i < G_N_ELEMENTS(qualities); i++) {
        g_clear_pointer(&jpeg, g_free);
        failed = vips_jpegsave_buffer(image, &jpeg, &length, "Q", qualities[i], "strip", TRUE,
                                      "optimize_coding", TRUE, NULL);
        if (length <= THUMBNAIL_BYTES_LIMIT)
            break;
    }
    g_clear_object(&image);
    if (!failed)
        return g_bytes_new_take(jpeg, length);
    g_autofree char *words = vips_words();
    fault_set(error, FAULT_STOP, "the thumbnail cannot be encoded: %s", words);
    return NULL;
}

Thumbnail *thumbnail_make(const Scan *scan, guint32 side, GError **error) {
    if (!vips_start(error))
        return NULL;
    const Plane *plane = scan->plane;
    guint32 longer = MAX(plane->width, plane->height), factor = (longer - 1) / side + 1;
    Shrink shrink = {.plane = plane,
                     .factor = factor,
                     .width = (plane->width - 1) / factor + 1,
                     .height = (plane->height - 1) / factor + 1};
    double low = 0, high = 0;
    if (scan->n > 0) {
        low = levels_quantile(scan->levels, LOW_QUANTILE);
        high = levels_quantile(scan->levels, HIGH_QUANTILE);
    }
    g_autofree guint8 *shown = shrink_plane(&shrink, low, high);
    GBytes *bytes = encode(&shrink, shown, error);
    if (bytes == NULL)
        return NULL;

    Thumbnail *thumbnail = g_new0(Thumbnail, 1);
    *thumbnail = (Thumbnail){.mime = "image/jpeg",
                             .width = shrink.width,
                             .height = shrink.height,
                             .low = low / plane->scale,
                             .high = high / plane->scale,
                             .bytes = bytes};
    return thumbnail;
}

void thumbnail_free(Thumbnail *thumbnail) {
    if (thumbnail == NULL)
        return;
    g_clear_pointer(&thumbnail->bytes, g_bytes_unref);
    g_free(thumbnail);
}
