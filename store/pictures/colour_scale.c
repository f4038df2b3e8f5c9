#include "store/pictures/colour_scale.h"
#include <math.h>
#include <string.h>

/* Viridis by Smith, van der Walt and Firing, who gave it away (CC0): 256 colours, six digits each.
 */
static const char viridis[] =
    "44015444025645045745055946075a46085c460a5d460b5e470d60470e61471063471164471365481467481668"
    "48176948186a481a6c481b6d481c6e481d6f481f70482071482173482374482475482576482677482878482979"
    "472a7a472c7a472d7b472e7c472f7d46307e46327e46337f463480453581453781453882443983443a83443b84"
    "433d84433e85423f854240864241864142874144874045884046883f47883f48893e49893e4a893e4c8a3d4d8a"
    "3d4e8a3c4f8a3c508b3b518b3b528b3a538b3a548c39558c39568c38588c38598c375a8c375b8d365c8d365d8d"
    "355e8d355f8d34608d34618d33628d33638d32648e32658e31668e31678e31688e30698e306a8e2f6b8e2f6c8e"
    "2e6d8e2e6e8e2e6f8e2d708e2d718e2c718e2c728e2c738e2b748e2b758e2a768e2a778e2a788e29798e297a8e"
    "297b8e287c8e287d8e277e8e277f8e27808e26818e26828e26828e25838e25848e25858e24868e24878e23888e"
    "23898e238a8d228b8d228c8d228d8d218e8d218f8d21908d21918c20928c20928c20938c1f948c1f958b1f968b"
    "1f978b1f988b1f998a1f9a8a1e9b8a1e9c891e9d891f9e891f9f881fa0881fa1881fa1871fa28720a38620a486"
    "21a58521a68522a78522a88423a98324aa8325ab8225ac8226ad8127ad8128ae8029af7f2ab07f2cb17e2db27d"
    "2eb37c2fb47c31b57b32b67a34b67935b77937b87838b9773aba763bbb753dbc743fbc7340bd7242be7144bf70"
    "46c06f48c16e4ac16d4cc26c4ec36b50c46a52c56954c56856c66758c7655ac8645cc8635ec96260ca6063cb5f"
    "65cb5e67cc5c69cd5b6ccd5a6ece5870cf5773d05675d05477d1537ad1517cd2507fd34e81d34d84d44b86d549"
    "89d5488bd6468ed64590d74393d74195d84098d83e9bd93c9dd93ba0da39a2da37a5db36a8db34aadc32addc30"
    "b0dd2fb2dd2db5de2bb8de29bade28bddf26c0df25c2df23c5e021c8e020cae11fcde11dd0e11cd2e21bd5e21a"
    "d8e219dae319dde318dfe318e2e418e5e419e7e419eae51aece51befe51cf1e51df4e61ef6e620f8e621fbe723"
    "fde725";

enum { COLOURS = (sizeof viridis - 1) / 6 };

static guint8 byte_at(const char *digits) {
    return (guint8)(g_ascii_xdigit_value(digits[0]) * 16 + g_ascii_xdigit_value(digits[1]));
}

Colour colour_viridis(double share) {
    double place = rint(CLAMP(share, 0, 1) * (COLOURS - 1));
    const char *digits = viridis + 6 * (isnan(place) ? 0 : (gsize)place);
    return (Colour){byte_at(digits), byte_at(digits + 2), byte_at(digits + 4)};
}

bool colour_is_dark(Colour colour) {
    return 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue < 128;
}

/* --- the range --- */

static int compare(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static double quantile_of_sorted(const double values[], gsize count, double share) {
    if (count == 0)
        return NAN;
    double place = share * (double)(count - 1);
    gsize below = (gsize)place, above = MIN(below + 1, count - 1);
    return values[below] + (values[above] - values[below]) * (place - (double)below);
}

double values_quantile(double values[], gsize count, double share) {
    qsort(values, count, sizeof *values, compare);
    return quantile_of_sorted(values, count, share);
}

/* The finite ones, sorted. g_free it. */
static double *sorted(const double values[], gsize count, gsize *ret_count) {
    double *finite = g_new(double, count + 1);
    gsize kept = 0;
    for (gsize i = 0; i < count; i++)
        if (isfinite(values[i]))
            finite[kept++] = values[i];
    qsort(finite, kept, sizeof *finite, compare);
    *ret_count = kept;
    return finite;
}

/* The least of 1, 2 and 5 times a power of ten by which not more than most steps fill the range. */
static double nice_step(double range, int most) {
    double least = range / most, power = pow(10, floor(log10(least)));
    static const double factors[] = {1, 2, 5, 10};
    for (guint i = 0; i < G_N_ELEMENTS(factors); i++)
        if (factors[i] * power >= least * (1 - 1e-9))
            return factors[i] * power;
    return 10 * power;
}

static void add_ticks(ColourScale *scale) {
    enum { STEPS = 8 };
    double range = scale->high - scale->low;
    if (!(range > 0) || !isfinite(range)) {
        if (isfinite(scale->low))
            scale->ticks[scale->tick_count++] = scale->low;
        return;
    }
    double step = nice_step(range, STEPS), slack = step * 1e-6;
    for (double n = ceil((scale->low - slack) / step); scale->tick_count < SCALE_TICKS_MOST; n++) {
        if (n * step > scale->high + slack)
            break;
        scale->ticks[scale->tick_count++] = n == 0 ? 0 : n * step; /* never -0 */
    }
}

static ColourScale scale_over(double low, double high, const double finite[], gsize count) {
    ColourScale scale = {.low = low, .high = high};
    scale.is_whole = count > 0;
    for (gsize i = 0; i < count && scale.is_whole; i++)
        scale.is_whole = finite[i] == rint(finite[i]);
    scale.has_below = count > 0 && finite[0] < low;
    scale.has_above = count > 0 && finite[count - 1] > high;
    add_ticks(&scale);
    return scale;
}

/* Far is three times the middle half's width away from it: of values that scatter like most, one in
 * half a million. */
ColourScale colour_scale_make(const double values[], gsize count) {
    gsize kept;
    g_autofree double *finite = sorted(values, count, &kept);
    if (kept == 0)
        return (ColourScale){.low = NAN, .high = NAN};
    double q1 = quantile_of_sorted(finite, kept, 0.25), q3 = quantile_of_sorted(finite, kept, 0.75);
    double width = q3 - q1;
    gsize first = 0, last = kept - 1;
    while (width > 0 && first < last && finite[first] < q1 - 3 * width)
        first++;
    while (width > 0 && last > first && finite[last] > q3 + 3 * width)
        last--;
    return scale_over(finite[first], finite[last], finite, kept);
}

ColourScale colour_scale_between(double low, double high, const double values[], gsize count) {
    gsize kept;
    g_autofree double *finite = sorted(values, count, &kept);
    return scale_over(low, high, finite, kept);
}

double colour_scale_share(const ColourScale *scale, double value) {
    /* Halved: the range of two finite numbers may be infinite. */
    double range = scale->high / 2 - scale->low / 2;
    if (!(range > 0))
        return value < scale->low ? 0 : value > scale->high ? 1 : 0.5;
    return CLAMP((value / 2 - scale->low / 2) / range, 0, 1);
}

int colour_scale_beyond(const ColourScale *scale, double value) {
    return (value > scale->high) - (value < scale->low);
}

Colour colour_scale_colour(const ColourScale *scale, double value) {
    return colour_viridis(colour_scale_share(scale, value));
}

/* --- the words --- */

/* 1.50e+06 is 1.50e6. */
static char *plain_exponent(char *text) {
    char *mark = strchr(text, 'e');
    if (mark == NULL)
        return text;
    gint64 exponent = g_ascii_strtoll(mark + 1, NULL, 10);
    *mark = '\0';
    char *plain = g_strdup_printf("%se%" G_GINT64_FORMAT, text, exponent);
    g_free(text);
    return plain;
}

/* So that numbers a resolution apart differ. */
static char *number_text(double number, double resolution, double greatest) {
    enum { FEWEST = -5, MOST = 6 }; /* powers of ten that are written out */
    if (!(resolution > 0) || !isfinite(resolution))
        return plain_exponent(g_strdup_printf("%.4g", number));
    int power = (int)floor(log10(resolution) + 1e-9);
    int greatest_power = greatest > 0 ? (int)floor(log10(greatest) + 1e-9) : power;
    if (greatest_power >= MOST || power < FEWEST)
        return plain_exponent(
            g_strdup_printf("%.*e", CLAMP(greatest_power - power, 0, 12), number));
    return g_strdup_printf("%.*f", MAX(0, -power), number);
}

static double greatest_of(const ColourScale *scale) {
    return fmax(fabs(scale->low), fabs(scale->high));
}

char *colour_scale_tick_text(const ColourScale *scale, double tick) {
    double step = scale->tick_count > 1 ? scale->ticks[1] - scale->ticks[0] : 0;
    return number_text(tick, step, greatest_of(scale));
}

char *colour_scale_coarse_text(const ColourScale *scale, double value, int steps) {
    double range = scale->high - scale->low;
    bool is_beyond = fabs(value) > 100 * greatest_of(scale);
    double resolution = scale->is_whole ? fmax(1, range / steps) : range / steps;
    return number_text(value, is_beyond ? 0 : resolution, greatest_of(scale));
}

char *colour_scale_value_text(const ColourScale *scale, double value) {
    return colour_scale_coarse_text(scale, value, 100);
}
