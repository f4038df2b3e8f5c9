#include "samples/microscope/optics.h"

#include <string.h>

/* --- focus --- */

struct Blur {
    guint32 *other; /* a second plane: each pass goes from one to the other */
    guint32 *sums;  /* one for each column */
};

Blur *blur_new(guint width, guint height) {
    Blur *blur = g_new(Blur, 1);
    blur->other = g_new(guint32, (gsize)width * height);
    blur->sums = g_new(guint32, width);
    return blur;
}

void blur_free(Blur *blur) {
    if (!blur)
        return;
    g_free(blur->other);
    g_free(blur->sums);
    g_free(blur);
}

/* The mean of 2 * radius + 1 values whose sum is given: a rounded multiplication by the reciprocal
 * is many times faster than a division. */
typedef struct {
    guint64 reciprocal; /* times 2^32 */
} Mean;

static Mean mean_of(guint radius) {
    return (Mean){(((guint64)1 << 32) + radius) / (2 * radius + 1)};
}

static inline guint32 mean_take(Mean mean, guint32 sum) {
    return (guint32)((sum * mean.reciprocal + ((guint64)1 << 31)) >> 32);
}

static void row_blur(const guint32 *from, guint32 *to, gint width, gint radius) {
    const Mean mean = mean_of((guint)radius);
    const gint last = width - 1;
    guint32 sum = 0;
    for (gint x = -radius - 1; x < radius; x++)
        sum += from[CLAMP(x, 0, last)];
    for (gint x = 0; x < width; x++) {
        sum += from[MIN(x + radius, last)];
        sum -= from[MAX(x - radius - 1, 0)];
        to[x] = mean_take(mean, sum);
    }
}

static const guint32 *row_at(const guint32 *plane, guint width, gint y, gint last) {
    return plane + (gsize)CLAMP(y, 0, last) * width;
}

static void sums_add(guint32 *sums, const guint32 *row, guint width) {
    for (guint x = 0; x < width; x++)
        sums[x] += row[x];
}

/* All columns at once, row after row: memory is read in its order. */
static void columns_blur(guint32 *sums, const guint32 *from, guint32 *to, guint width, guint height,
                         gint radius) {
    const Mean mean = mean_of((guint)radius);
    const gint last = (gint)height - 1;
    memset(sums, 0, width * sizeof *sums);
    for (gint y = -radius - 1; y < radius; y++)
        sums_add(sums, row_at(from, width, y, last), width);
    for (gint y = 0; y <= last; y++) {
        const guint32 *in = row_at(from, width, y + radius, last);
        const guint32 *out = row_at(from, width, y - radius - 1, last);
        guint32 *row = to + (gsize)y * width;
        for (guint x = 0; x < width; x++) {
            sums[x] += in[x] - out[x];
            row[x] = mean_take(mean, sums[x]);
        }
    }
}

void blur_plane(Blur *blur, Plane *plane, guint amount) {
    for (guint pass = 0; pass < 3; pass++) {
        guint radius = (amount + pass) / 3;
        if (radius == 0)
            continue;
        for (guint y = 0; y < plane->height; y++) {
            gsize start = (gsize)y * plane->width;
            row_blur(plane->light + start, blur->other + start, (gint)plane->width, (gint)radius);
        }
        columns_blur(blur->sums, blur->other, plane->light, plane->width, plane->height,
                     (gint)radius);
    }
}

/* --- illumination --- */

void lamp_losses(gint32 *losses, guint length, gint32 slope) {
    const gint64 half = length / 2 + 1, at_edge = LAMP_FULL / 8;
    for (guint i = 0; i < length; i++) {
        gint64 off = (gint64)i - length / 2;
        losses[i] = (gint32)(off * off * at_edge / (half * half) + (gint64)slope * i / length);
    }
}
