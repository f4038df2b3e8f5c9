#include "features/thumbnail.h"
#include "features/processor.h"
#include "features/vips_start.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include <vips/vips.h>

/* libvips' own vips_thumbnail converts 16 bits through a colour space and takes ten times as long
 * as all cheap measures together; a box of whole pixels and the JPEG encoder take a tenth of that.
 */

#define LOW_QUANTILE  0.01
#define HIGH_QUANTILE 0.999

/* Boxes of factor x factor pixels, one row of them at a time: columns add up their pixels, many at
 * once, and pass them on to the boxes when the last row is added. */
typedef struct {
    const Plane *plane;
    guint32 factor, width, height; /* of the thumbnail */
    guint32 *wholes;               /* of each column of the plane; NULL for floats */
    double *row, *reals, *finite;  /* the same for floats, and how many pixels they are */
    double *sums, *counts;         /* of each box: finite pixels */
} Shrink;

/* Rows of 65535 that 32 bits hold. */
#define ROWS_LIMIT 65536

#define ADD_WHOLE_ROW(name, Type)                                                                  \
    FOR_EACH_PROCESSOR                                                                             \
    static void add_##name(const Type *row, gsize width, guint32 *restrict columns) {              \
        for (gsize x = 0; x < width; x++)                                                          \
            columns[x] += row[x];                                                                  \
    }
ADD_WHOLE_ROW(bytes, guint8)
ADD_WHOLE_ROW(words, guint16)

FOR_EACH_PROCESSOR
static void add_reals(const double *row, gsize width, double *restrict columns,
                      double *restrict finite) {
    for (gsize x = 0; x < width; x++) {
        bool known = fabs(row[x]) <= DBL_MAX;
        columns[x] += known ? row[x] : 0;
        finite[x] += known ? 1 : 0;
    }
}

static void add_row(Shrink *shrink, guint32 y) {
    const Plane *plane = shrink->plane;
    gsize start = (gsize)y * plane->width;
    if (plane->type == PLANE_U8) {
        add_bytes((const guint8 *)plane->pixels + start, plane->width, shrink->wholes);
    } else if (plane->type == PLANE_U16) {
        add_words((const guint16 *)plane->pixels + start, plane->width, shrink->wholes);
    } else {
        plane_row_doubles(plane, y, shrink->row);
        add_reals(shrink->row, plane->width, shrink->reals, shrink->finite);
    }
}

static void pass_wholes_on(Shrink *shrink, guint32 rows) {
    for (guint32 x = 0, box = 0; box < shrink->width; box++) {
        guint32 start = x, end = MIN(x + shrink->factor, shrink->plane->width);
        guint64 sum = 0;
        for (; x < end; x++)
            sum += shrink->wholes[x];
        shrink->sums[box] += (double)sum;
        shrink->counts[box] += (double)(end - start) * rows;
    }
    memset(shrink->wholes, 0, shrink->plane->width * sizeof *shrink->wholes);
}

static void pass_reals_on(Shrink *shrink) {
    for (guint32 x = 0, box = 0; box < shrink->width; box++)
        for (guint32 end = MIN(x + shrink->factor, shrink->plane->width); x < end; x++) {
            shrink->sums[box] += shrink->reals[x];
            shrink->counts[box] += shrink->finite[x];
        }
    memset(shrink->reals, 0, shrink->plane->width * sizeof *shrink->reals);
    memset(shrink->finite, 0, shrink->plane->width * sizeof *shrink->finite);
}

/* Empties the columns, which hold so many rows of pixels. */
static void pass_columns_on(Shrink *shrink, guint32 rows) {
    if (shrink->wholes != NULL)
        pass_wholes_on(shrink, rows);
    else
        pass_reals_on(shrink);
}

/* 0 at low, 255 at high; a box without a finite pixel is black. */
static void show_row(const Shrink *shrink, double low, double high, guint8 *ret_row) {
    double gain = high > low ? 255 / (high - low) : 0;
    for (guint32 box = 0; box < shrink->width; box++) {
        double mean = shrink->counts[box] > 0 ? shrink->sums[box] / shrink->counts[box] : low;
        ret_row[box] = (guint8)rint(CLAMP((mean - low) * gain, 0, 255));
    }
}

static void add_boxes(Shrink *shrink, guint32 box) {
    guint32 y = box * shrink->factor, end = MIN(y + shrink->factor, shrink->plane->height);
    memset(shrink->sums, 0, shrink->width * sizeof *shrink->sums);
    memset(shrink->counts, 0, shrink->width * sizeof *shrink->counts);
    for (guint32 rows = 1; y < end; y++, rows++) {
        add_row(shrink, y);
        if (y + 1 == end || rows == ROWS_LIMIT) {
            pass_columns_on(shrink, rows);
            rows = 0;
        }
    }
}

/* The whole thumbnail, row by row; low and high in the plane's units. */
static guint8 *shrink_plane(Shrink *shrink, double low, double high) {
    guint8 *shown = g_new(guint8, (gsize)shrink->width * shrink->height);
    gsize width = shrink->plane->width;
    bool whole = plane_is_integer(shrink->plane);
    g_autofree guint32 *wholes = shrink->wholes = whole ? g_new0(guint32, width) : NULL;
    g_autofree double *reals = whole ? NULL : g_new0(double, 3 * width);
    g_autofree double *sums = shrink->sums = g_new(double, 2 * shrink->width);
    shrink->counts = sums + shrink->width;
    shrink->reals = reals;
    shrink->finite = whole ? NULL : reals + width;
    shrink->row = whole ? NULL : reals + 2 * width;
    for (guint32 box = 0; box < shrink->height; box++) {
        add_boxes(shrink, box);
        show_row(shrink, low, high, shown + (gsize)box * shrink->width);
    }
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

/* The id is a hash: any of its bytes are as good as random, but for those that tell its version. */
bool thumbnail_is_wanted(const FrameId *id, gint64 every) {
    guint32 number;
    memcpy(&number, id->bytes, sizeof number);
    return every > 0 && GUINT32_FROM_BE(number) % (guint64)every == 0;
}

void thumbnail_free(Thumbnail *thumbnail) {
    if (thumbnail == NULL)
        return;
    g_clear_pointer(&thumbnail->bytes, g_bytes_unref);
    g_free(thumbnail);
}
