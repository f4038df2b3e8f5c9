/* defects: single pixels far off among neighbours that agree. It looks at the pixels itself: how
 * far is far is known only after the scan. */
#include "features/measure.h"
#include "features/measures/ranks.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

#define RULE(more)                                                                                 \
    "interior pixels " more " than m by more than 8 s, whose 8 neighbours all lie within 3 s of "  \
    "m: m the median of the 8 (mean of the middle two), s noise_sigma, at least the step between " \
    "grey values (see level_step) / sqrt(12)"

static const MeasureNumber numbers[] = {
    {"hot_pixels", "1", "how many " RULE("higher"), "own", "defects of the camera, cosmic rays",
     NULL, "pass", 1},
    {"dead_pixels", "1", "how many " RULE("lower"), "own", "defects of the camera", NULL, "pass",
     1},
    {NULL},
};

#define FAR  8
#define NEAR 3

/* Who passes the rule lies more than (FAR - NEAR) s beyond all its neighbours, and they lie within
 * 2 NEAR s of each other. All pixels are put to that test, the few suspects to the rule. */
typedef struct {
    double s;     /* in the plane's own units */
    double gap;   /* what a suspect lies beyond its neighbours, at least */
    double range; /* of the neighbours, at most */
} Limits;

static Limits limits_of(const Scan *scan) {
    double s = scan_noise_sigma(scan) * scan->plane->scale;
    if (scan->plane->whole)
        s = fmax(s, (double)levels_step(scan->levels) / sqrt(12));
    /* rounding must not make the test stricter than the rule */
    return (Limits){s, (FAR - NEAR) * s * (1 - 1e-9), 2 * NEAR * s * (1 + 1e-9)};
}

/* Marks the suspects among count columns of row c; each row has a pixel before and one behind
 * them. With NaN about, it may mark anything. Number is what differences are taken in: for whole
 * numbers the pixels' own type, as many at once as can be, for none of the differences that matter
 * is below 0. */
#define MARK_SUSPECTS(Type, Number)                                                                \
    FOR_EACH_PROCESSOR                                                                             \
    static void mark_##Type(const Type *n, const Type *c, const Type *s, guint32 count,            \
                            Number gap, Number range, guint8 *ret_marks) {                         \
        _Pragma("omp simd") for (gsize i = 0; i < count; i++) {                                    \
            Type low = MIN(n[i], n[i + 1]), high = MAX(n[i], n[i + 1]), here = c[i + 1];           \
            low = MIN(low, n[i + 2]), high = MAX(high, n[i + 2]);                                  \
            low = MIN(low, c[i]), high = MAX(high, c[i]);                                          \
            low = MIN(low, c[i + 2]), high = MAX(high, c[i + 2]);                                  \
            low = MIN(low, s[i]), high = MAX(high, s[i]);                                          \
            low = MIN(low, s[i + 1]), high = MAX(high, s[i + 1]);                                  \
            low = MIN(low, s[i + 2]), high = MAX(high, s[i + 2]);                                  \
            Number above = (Number)((Number)MAX(here, high) - (Number)high);                       \
            Number below = (Number)((Number)low - (Number)MIN(here, low));                         \
            Number spread = (Number)((Number)high - (Number)low);                                  \
            ret_marks[i] = (MAX(above, below) > gap) & (spread <= range);                          \
        }                                                                                          \
    }
MARK_SUSPECTS(guint8, guint8)
MARK_SUSPECTS(guint16, guint16)
MARK_SUSPECTS(float, double)
MARK_SUSPECTS(double, double)

/* Does any of count pixels lie beyond those above and below it by more than gap? All suspects do,
 * and of most stretches of a row no pixel: they need not be looked at further. */
#define ANY_BEYOND(Type, Number)                                                                   \
    FOR_EACH_PROCESSOR                                                                             \
    static bool any_##Type(const Type *n, const Type *c, const Type *s, guint32 count,             \
                           Number gap) {                                                           \
        Number farthest = 0;                                                                       \
        _Pragma("omp simd reduction(max : farthest)") for (gsize i = 1; i <= count; i++) {         \
            Type low = MIN(n[i], s[i]), high = MAX(n[i], s[i]), here = c[i];                       \
            Number above = (Number)((Number)MAX(here, high) - (Number)high);                       \
            Number below = (Number)((Number)low - (Number)MIN(here, low));                         \
            Number beyond = MAX(above, below);                                                     \
            farthest = beyond > farthest ? beyond : farthest;                                      \
        }                                                                                          \
        return farthest > gap;                                                                     \
    }
ANY_BEYOND(guint8, guint8)
ANY_BEYOND(guint16, guint16)
ANY_BEYOND(float, double)
ANY_BEYOND(double, double)

/* Of count columns from x on in row y, which have neighbours. False if none is a suspect: then
 * nothing is marked. */
static bool mark_stretch(const Plane *plane, guint32 x, guint32 y, guint32 count,
                         const Limits *limits, guint8 *ret_marks) {
    gsize width = plane->width, start = (y - 1) * width + x - 1;
    double gap = limits->gap, range = limits->range;
#define MARK(Type, gap_of_type, range_of_type)                                                     \
    {                                                                                              \
        const Type *n = (const Type *)plane->pixels + start, *c = n + width, *s = c + width;       \
        if (!any_##Type(n, c, s, count, gap_of_type))                                              \
            return false;                                                                          \
        mark_##Type(n, c, s, count, gap_of_type, range_of_type, ret_marks);                        \
    }
    switch (plane->type) {
    case PLANE_U8: MARK(guint8, (guint8)MIN(gap, 255), (guint8)MIN(range, 255)) break;
    case PLANE_U16: MARK(guint16, (guint16)MIN(gap, 65535), (guint16)MIN(range, 65535)) break;
    case PLANE_F32: MARK(float, gap, range) break;
    case PLANE_F64: MARK(double, gap, range) break;
    }
#undef MARK
    return true;
}

static double value_at(const Plane *plane, gsize index) {
    switch (plane->type) {
    case PLANE_U8: return ((const guint8 *)plane->pixels)[index];
    case PLANE_U16: return ((const guint16 *)plane->pixels)[index];
    case PLANE_F32: return ((const float *)plane->pixels)[index];
    default: return ((const double *)plane->pixels)[index];
    }
}

/* The rule: 1 for a hot pixel, -1 for a dead one, 0 for any other. */
static int verdict(const Plane *plane, gsize index, double s) {
    static const int steps[][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1},
                                   {0, 1},   {1, -1}, {1, 0},  {1, 1}};
    double around[8], sorted[8], center = value_at(plane, index);
    for (gsize i = 0; i < 8; i++) {
        around[i] = value_at(plane, index + (gsize)(steps[i][0] * (gint64)plane->width) +
                                        (gsize)(gint64)steps[i][1]);
        if (!isfinite(around[i]))
            return 0;
    }
    ranks_sort(around, 8, sorted);
    double median = ranks_quantile(sorted, 8, 0.5), off = center - median;
    bool agree = median - sorted[0] <= NEAR * s && sorted[7] - median <= NEAR * s;
    return !agree || !isfinite(off) ? 0 : off > FAR * s ? 1 : -off > FAR * s ? -1 : 0;
}

typedef struct {
    guint64 hot, dead;
} Defects;

#define STRETCH 512

static void add_stretch(const Plane *plane, guint32 x, guint32 y, guint32 count,
                        const Limits *limits, Defects *defects) {
    guint8 marks[STRETCH];
    if (!mark_stretch(plane, x, y, count, limits, marks))
        return;
    for (guint8 *mark = marks; (mark = memchr(mark, 1, count - (gsize)(mark - marks))); mark++) {
        int found = verdict(plane, (gsize)y * plane->width + x + (gsize)(mark - marks), limits->s);
        defects->hot += found > 0;
        defects->dead += found < 0;
    }
}

static void compute(const Scan *scan, double values[]) {
    const Plane *plane = scan->plane;
    if (!(scan->around.n > 0))
        return;
    Limits limits = limits_of(scan);
    Defects defects = {0};
    for (guint32 y = 1; y + 1 < plane->height; y++) {
        plane_call_for(plane, y + 2);
        for (guint32 x = 1; x + 1 < plane->width; x += STRETCH)
            add_stretch(plane, x, y, MIN(plane->width - 1 - x, STRETCH), &limits, &defects);
    }
    values[0] = (double)defects.hot;
    values[1] = (double)defects.dead;
}

const Measure measure_defects = {"defects", numbers, compute, .needs = SCAN_STENCILS,
                                 .least_side = 3};
