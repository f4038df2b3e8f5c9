/* texture: Haralick's features of pairs of pixels, as CellProfiler's MeasureTexture gives them for
 * whole images in 256 grey levels.
 *
 * It looks at the pixels itself: which levels stand beside which is no sum of the scan. A pair that
 * touches a NaN or an infinity is left out. */
#include "features/measure.h"
#include "features/measures/haralick.h"
#include <math.h>
#include <string.h>

#define DIRECTIONS 4

#define PAIRS                                                                                      \
    "p(i,j): share, in both orders, of pairs of pixels {scale} px apart that have the levels i "   \
    "and j, level = round(255 x)"

#define NUMBER(feature, cellprofiler, unit, formula, direction, where)                             \
    {                                                                                              \
        "texture_" feature "_{scale}_" direction, unit, formula "; " PAIRS "; " where,             \
            "Haralick, IEEE Trans. Syst. Man Cybern. 3 (1973); mahotas",                           \
            "texture: debris, precipitate, blur at that scale",                                    \
            "Texture_" cellprofiler "_{channel}_{scale}_" direction "_256", "slow", 1              \
    }

#define DIRECTION(d, where)                                                                        \
    NUMBER("angular_second_moment", "AngularSecondMoment", "1", "sum of p^2", d, where),           \
        NUMBER("contrast", "Contrast", "lev^2", "sum of (i - j)^2 p", d, where),                   \
        NUMBER("correlation", "Correlation", "1", "Pearson's r of i and j; 1 for one level only",  \
               d, where),                                                                          \
        NUMBER("variance", "Variance", "lev^2", "variance of i", d, where),                        \
        NUMBER("inverse_difference_moment", "InverseDifferenceMoment", "1",                        \
               "sum of p / (1 + (i - j)^2)", d, where),                                            \
        NUMBER("sum_average", "SumAverage", "lev", "mean of i + j", d, where),                     \
        NUMBER("sum_variance", "SumVariance", "lev^2", "variance of i + j", d, where),             \
        NUMBER("sum_entropy", "SumEntropy", "bit", "entropy of i + j", d, where),                  \
        NUMBER("entropy", "Entropy", "bit", "-sum of p log2 p", d, where),                         \
        NUMBER("difference_variance", "DifferenceVariance", "1",                                   \
               "variance of the probabilities of |i - j| = 0 .. largest level", d, where),         \
        NUMBER("difference_entropy", "DifferenceEntropy", "bit", "entropy of |i - j|", d, where),  \
        NUMBER("info_meas1", "InfoMeas1", "1", "(H(i,j) - 2 H(i)) / H(i), H: entropy", d, where),  \
        NUMBER("info_meas2", "InfoMeas2", "1", "sqrt(1 - exp(-2 (2 H(i) - H(i,j)))), H: entropy",  \
               d, where)

static const MeasureNumber numbers[] = {
    DIRECTION("00", "to the right"),
    DIRECTION("01", "to the right and below"),
    DIRECTION("02", "below"),
    DIRECTION("03", "to the left and below"),
    {NULL},
};

/* The plane in grey levels; those of pixels that are not finite are `levels`. */
typedef struct {
    guint16 *pixels;
    guint32 width, height;
    guint levels; /* 1 + the largest there is */
} Grey;

/* CellProfiler's own arithmetic: 32-bit floats, half to even. */
static guint16 level_of(double value, double scale) {
    return (guint16)CLAMP(rintf((float)(value / scale) * 255.f), 0.f, 255.f);
}

/* The levels of whole numbers, each looked up. */
static void fill_from_table(const Scan *scan, Grey *grey, guint16 *table) {
    const Plane *plane = scan->plane;
    for (gsize i = 0; i < scan->levels->count; i++) {
        double value = scan->levels->values[i];
        table[(gsize)value] = level_of(value, plane->scale);
    }
    for (guint64 i = 0; i < plane_pixels(plane); i++)
        grey->pixels[i] = table[plane->type == PLANE_U8 ? ((const guint8 *)plane->pixels)[i]
                                                        : ((const guint16 *)plane->pixels)[i]];
}

static void fill_from_rows(const Scan *scan, Grey *grey, double *row) {
    guint16 *pixel = grey->pixels;
    for (guint32 y = 0; y < grey->height; y++) {
        plane_row_doubles(scan->plane, y, row);
        for (guint32 x = 0; x < grey->width; x++)
            *pixel++ =
                isfinite(row[x]) ? level_of(row[x], scan->plane->scale) : (guint16)grey->levels;
    }
}

/* False if memory does not suffice, or the values cannot be grey levels: CellProfiler gives floats
 * beyond 0 to 1 another meaning with each of its versions. */
static bool make_grey(const Scan *scan, Grey *grey) {
    const Plane *plane = scan->plane;
    const Levels *levels = scan->levels;
    bool whole = plane_is_integer(plane);
    double largest = levels->values[levels->count - 1];
    if (levels->values[0] < 0 || largest > plane->scale)
        return false;
    *grey = (Grey){.pixels = scan_scratch(scan, plane_pixels(plane) * sizeof *grey->pixels),
                   .width = plane->width,
                   .height = plane->height,
                   .levels = 1u + level_of(largest, plane->scale)};
    void *room =
        scan_scratch(scan, whole ? 65536 * sizeof(guint16) : plane->width * sizeof(double));
    if (grey->pixels == NULL || room == NULL)
        return false;
    if (whole)
        fill_from_table(scan, grey, room);
    else
        fill_from_rows(scan, grey, room);
    return true;
}

/* Counts the pairs of two stretches of pixels. Neighbouring pixels are often of one level, and one
 * counter cannot be raised twice at once: every second pair has a table of its own. */
static void count_stretch(const guint16 *one, const guint16 *other, gint64 count, guint stride,
                          guint32 *table, guint32 *second) {
    gint64 i = 0;
    for (; i + 1 < count; i += 2) {
        table[one[i] * stride + other[i]]++;
        second[one[i + 1] * stride + other[i + 1]]++;
    }
    if (i < count)
        table[one[i] * stride + other[i]]++;
}

/* Of pixels and those `right` to the right and `down` below; right may be negative. */
static void count_direction(const Grey *grey, gint64 right, gint64 down, guint32 *table,
                            guint32 *second) {
    guint stride = grey->levels + 1;
    gint64 first = MAX(0, -right), count = grey->width - ABS(right);
    for (gint64 y = 0; y + down < grey->height; y++) {
        const guint16 *row = grey->pixels + y * grey->width + first;
        count_stretch(row, row + down * grey->width + right, count, stride, table, second);
    }
    for (guint i = 0; i < stride * stride; i++)
        table[i] += second[i];
}

static void compute_at(const Scan *scan, guint32 scale, double values[]) {
    static const int steps[DIRECTIONS][2] = {{1, 0}, {1, 1}, {0, 1}, {-1, 1}};
    Grey grey;
    if (!make_grey(scan, &grey))
        return;
    guint stride = grey.levels + 1;
    gsize bytes = sizeof(guint32) * stride * stride;
    guint32 *table = scan_scratch(scan, bytes), *second = scan_scratch(scan, bytes);
    if (table == NULL || second == NULL)
        return;
    for (int direction = 0; direction < DIRECTIONS; direction++) {
        memset(table, 0, bytes);
        memset(second, 0, bytes);
        count_direction(&grey, (gint64)steps[direction][0] * scale,
                        (gint64)steps[direction][1] * scale, table, second);
        haralick_features(table, grey.levels, stride, values + direction * HARALICK_FEATURES);
    }
}

const Measure measure_texture = {"texture", numbers, .scales = "3", .compute_at = compute_at,
                                 .slow = true};
