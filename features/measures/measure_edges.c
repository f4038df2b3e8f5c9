/* edges: how much of the frame is structure that stands above the noise. It looks at the pixels
 * itself: the scan's sums know neither absolute values nor shares, and the limit for an edge is
 * known only after the scan. */
#include "features/measure.h"
#include "features/processor.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const MeasureNumber numbers[] = {
    {"sml", "x",
     "mean of |2c - e - w| + |2c - n - s| over interior pixels (sum-modified Laplacian)",
     "Nayar 1989", "blur; less shaken by noise than lap_var", NULL, "pass", 1},
    {"edge_density", "1",
     "share of interior pixels with gx^2 + gy^2 > (4 * sqrt(12) * noise_sigma)^2, gx and gy by "
     "Sobel's {1 2 1} by {-1 0 1}, of which noise has the standard deviation sqrt(12) "
     "noise_sigma; noise alone: exp(-8)",
     "own", "how much there is to see: empty fields, blur, confluence", NULL, "pass", 1},
    {NULL},
};

#define EDGE 4 /* standard deviations */

typedef struct {
    double n, sml, edges; /* places, and what is summed over them */
} Sums;

/* --- whole numbers of 8 and 16 bits, exactly --- */

/* Columns at a time, so that sums fit 32 bits: 4 * 65535 * PART < 2^32. */
#define PART 8192
/* Half of its square is that of steep: 2 * steep^2 < 2^31. */
#define STEEPEST 46340

typedef struct {
    guint32 sml, edges;
} PartSums;

/* The pixels of a pair of neighbours that was read as one number. */
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define FIRST(pair, bits)  ((gint32)((pair) & ((1u << (bits)) - 1)))
#define SECOND(pair, bits) ((gint32)((pair) >> (bits)))
#else
#define FIRST(pair, bits)  ((gint32)((pair) >> (bits)))
#define SECOND(pair, bits) ((gint32)((pair) & ((1u << (bits)) - 1)))
#endif

/* Along its diagonals Sobel's operator is p = (gx + gy) / 2 and q = (gx - gy) / 2, so what is
 * compared is p^2 + q^2 with half the limit. A slope counts as steep at most, which is an edge
 * already: so squares fit 32 bits. */
#define ADD_PLACE(nw, nn, ne, w, cc, e, sw, ss, se)                                                \
    {                                                                                              \
        gint32 across = abs(2 * cc - e - w), down = abs(2 * cc - nn - ss);                         \
        gint32 p = abs((se - nw) + ((e - w) + (ss - nn)));                                         \
        gint32 q = abs((ne - sw) + ((e - w) - (ss - nn)));                                         \
        p = MIN(p, steep), q = MIN(q, steep);                                                      \
        sml += (guint32)(across + down);                                                           \
        edges += p * p + q * q > half_limit ? 1 : 0;                                               \
    }

/* Four pixels of a row, by two pairs: to take pairs apart is cheaper than to widen each pixel. */
#define BRING_FOUR(row, at, Pair, bits)                                                            \
    Pair row##01, row##23;                                                                         \
    memcpy(&row##01, row + (at), sizeof row##01);                                                  \
    memcpy(&row##23, row + (at) + 2, sizeof row##23);                                              \
    gint32 row##0 = FIRST(row##01, bits), row##1 = SECOND(row##01, bits);                          \
    gint32 row##2 = FIRST(row##23, bits), row##3 = SECOND(row##23, bits);

/* Of count columns of row c between its neighbours; each row has a pixel before and one behind
 * them. */
#define SUM_WHOLE(Type, Pair, bits)                                                                \
    FOR_EACH_PROCESSOR                                                                             \
    static PartSums sum_##Type(const Type *n, const Type *c, const Type *s, guint32 count,         \
                               gint32 steep, gint32 half_limit) {                                  \
        guint32 sml = 0, edges = 0;                                                                \
        for (gsize i = 0; i < count / 2; i++) {                                                    \
            BRING_FOUR(n, 2 * i, Pair, bits)                                                       \
            BRING_FOUR(c, 2 * i, Pair, bits)                                                       \
            BRING_FOUR(s, 2 * i, Pair, bits)                                                       \
            ADD_PLACE(n0, n1, n2, c0, c1, c2, s0, s1, s2)                                          \
            ADD_PLACE(n1, n2, n3, c1, c2, c3, s1, s2, s3)                                          \
        }                                                                                          \
        if (count % 2 != 0) {                                                                      \
            n += count - 1, c += count - 1, s += count - 1;                                        \
            ADD_PLACE(n[0], n[1], n[2], c[0], c[1], c[2], s[0], s[1], s[2])                        \
        }                                                                                          \
        return (PartSums){sml, edges};                                                             \
    }
SUM_WHOLE(guint8, guint16, 8)
SUM_WHOLE(guint16, guint32, 16)

static PartSums sum_part(const Plane *plane, gsize start, guint32 count, gint32 steep,
                         gint32 half_limit) {
    gsize width = plane->width;
    const guint8 *bytes = (const guint8 *)plane->pixels + start;
    const guint16 *words = (const guint16 *)plane->pixels + start;
    return plane->type == PLANE_U8
               ? sum_guint8(bytes, bytes + width, bytes + 2 * width, count, steep, half_limit)
               : sum_guint16(words, words + width, words + 2 * width, count, steep, half_limit);
}

/* limit, a square, is at most (STEEPEST - 1)^2. */
static Sums sum_whole(const Plane *plane, double limit) {
    gint32 half_limit = (gint32)(limit / 2); /* for whole squares the same */
    gint32 steep = (gint32)sqrt(limit / 2) + 1;
    guint64 sml = 0, edges = 0;
    for (guint32 y = 0; y + 2 < plane->height; y++) {
        plane_call_for(plane, y + 3);
        for (guint32 x = 0; x + 2 < plane->width; x += PART) {
            PartSums part = sum_part(plane, (gsize)y * plane->width + x,
                                     MIN(PART, plane->width - 2 - x), steep, half_limit);
            sml += part.sml;
            edges += part.edges;
        }
    }
    return (Sums){(double)(plane->width - 2) * (plane->height - 2), (double)sml, (double)edges};
}

/* --- floats, whole numbers of more than 16 bits, and such noise that 32 bits do not hold it --- */

/* Row y; what is not finite becomes NaN, so that every sum it would enter tells. */
static void real_row(const Plane *plane, guint32 y, double *ret_row) {
    plane_row_doubles(plane, y, ret_row);
    for (guint32 x = 0; x < plane->width; x++)
        ret_row[x] = isfinite(ret_row[x]) ? ret_row[x] : NAN;
}

FOR_EACH_PROCESSOR
static Sums sum_real_row(const double *n, const double *c, const double *s, guint32 count,
                         double limit) {
    double places = 0, sml = 0, edges = 0;
#pragma omp simd reduction(+ : places, sml, edges)
    for (gsize i = 0; i < count; i++) {
        double gx = (n[i + 2] - n[i]) + 2 * (c[i + 2] - c[i]) + (s[i + 2] - s[i]);
        double gy = (s[i] - n[i]) + 2 * (s[i + 1] - n[i + 1]) + (s[i + 2] - n[i + 2]);
        double l = fabs(2 * c[i + 1] - c[i + 2] - c[i]) + fabs(2 * c[i + 1] - n[i + 1] - s[i + 1]);
        /* the slopes know the eight neighbours; this knows all nine, and is NaN if one of them is
         */
        double square = gx * gx + gy * gy + (c[i + 1] - c[i + 1]);
        places += isnan(square) ? 0 : 1;
        sml += isnan(square) ? 0 : l;
        edges += square > limit ? 1 : 0;
    }
    return (Sums){places, sml, edges};
}

static Sums sum_reals(const Scan *scan, double limit) {
    const Plane *plane = scan->plane;
    gsize width = plane->width;
    Sums sums = {0};
    double *rows = scan_scratch(scan, 3 * width * sizeof *rows);
    if (rows == NULL)
        return sums;
    for (guint32 y = 0; y < plane->height; y++) {
        real_row(plane, y, rows + y % 3 * width);
        if (y < 2)
            continue;
        Sums row = sum_real_row(rows + (y - 2) % 3 * width, rows + (y - 1) % 3 * width,
                                rows + y % 3 * width, plane->width - 2, limit);
        sums.n += row.n;
        sums.sml += row.sml;
        sums.edges += row.edges;
    }
    return sums;
}

/* --- both --- */

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    if (scan->around.n == 0)
        return;
    double gradient = EDGE * sqrt(12) * scan_noise_sigma(scan) * plane->scale;
    double limit = gradient * gradient;
    bool fits = gradient < STEEPEST - 1;
    Sums sums = plane_is_integer(plane) && fits ? sum_whole(plane, limit) : sum_reals(scan, limit);
    if (!(sums.n > 0))
        return;
    values[0] = sums.sml / sums.n / plane->scale;
    values[1] = sums.edges / sums.n;
}

const Measure measure_edges = {"edges", numbers, compute, .needs = SCAN_STENCILS, .least_side = 3};
