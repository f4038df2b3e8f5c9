#include "features/grey.h"
#include <math.h>
#include <string.h>

/* scikit-image's rgb2gray (ITU-R BT.709 primaries), by which CellProfiler makes a colour file
 * monochrome. */
static const double luma[3] = {0.2125, 0.7154, 0.0721};

/* Adds weight times the samples first, first + step, ... of a row to count sums. */
typedef void (*AddRow)(const guint8 *row, guint32 bits, guint32 count, guint32 first, guint32 step,
                       double weight, double *sums);

struct Grey {
    GreySamples samples;
    guint32 width, height;
    PlaneType type;
    guint8 *pixels;
    AddRow add_row;
    bool plain;           /* blocks are copied as they are */
    double factor, shift; /* value = factor * sum + shift */
    guint16 *lookup;      /* grey value of each palette index */
    double *sums;         /* of the block in hand */
    gsize sums_room;
};

/* --- samples of each kind --- */

#define ADD_ROW(name, type)                                                                        \
    static void add_##name(const guint8 *row, guint32 bits, guint32 count, guint32 first,          \
                           guint32 step, double weight, double *sums) {                            \
        const type *sample = (const type *)row + first;                                            \
        for (gsize i = 0; i < count; i++)                                                          \
            sums[i] += weight * (double)sample[i * step];                                          \
    }
ADD_ROW(u8, guint8)
ADD_ROW(u16, guint16)
ADD_ROW(u32, guint32)
ADD_ROW(u64, guint64)
ADD_ROW(i8, gint8)
ADD_ROW(i16, gint16)
ADD_ROW(i32, gint32)
ADD_ROW(i64, gint64)
ADD_ROW(f32, float)
ADD_ROW(f64, double)

static guint32 packed_sample(const guint8 *row, gsize bit, guint32 bits) {
    guint32 value = 0;
    for (guint32 i = 0; i < bits; i++, bit++)
        value = value << 1 | (row[bit / 8] >> (7 - bit % 8) & 1);
    return value;
}

static void add_packed(const guint8 *row, guint32 bits, guint32 count, guint32 first, guint32 step,
                       double weight, double *sums) {
    for (gsize i = 0; i < count; i++)
        sums[i] += weight * packed_sample(row, (first + i * step) * bits, bits);
}

static guint32 sample_24(const guint8 *bytes) {
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
    return bytes[0] | (guint32)bytes[1] << 8 | (guint32)bytes[2] << 16;
#else
    return bytes[2] | (guint32)bytes[1] << 8 | (guint32)bytes[0] << 16;
#endif
}

static void add_u24(const guint8 *row, guint32 bits, guint32 count, guint32 first, guint32 step,
                    double weight, double *sums) {
    for (gsize i = 0; i < count; i++)
        sums[i] += weight * sample_24(row + 3 * (first + i * step));
}

static void add_i24(const guint8 *row, guint32 bits, guint32 count, guint32 first, guint32 step,
                    double weight, double *sums) {
    for (gsize i = 0; i < count; i++) {
        gint32 value = (gint32)sample_24(row + 3 * (first + i * step));
        sums[i] += weight * (value >= 1 << 23 ? value - (1 << 24) : value);
    }
}

/* IEEE 754 half precision: sign, 5 bits of exponent, 10 of fraction. */
static double half_value(guint16 half) {
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double size = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(1024 + fraction, exponent - 25);
    return half >> 15 ? -size : size;
}

static void add_f16(const guint8 *row, guint32 bits, guint32 count, guint32 first, guint32 step,
                    double weight, double *sums) {
    const guint16 *sample = (const guint16 *)row + first;
    for (gsize i = 0; i < count; i++)
        sums[i] += weight * half_value(sample[i * step]);
}

static const struct {
    GreyFormat format;
    guint32 least_bits, most_bits;
    PlaneType type;
    AddRow add_row;
} kinds[] = {
    {GREY_UNSIGNED, 8, 8, PLANE_U8, add_u8},     {GREY_UNSIGNED, 16, 16, PLANE_U16, add_u16},
    {GREY_UNSIGNED, 1, 7, PLANE_U8, add_packed}, {GREY_UNSIGNED, 9, 15, PLANE_U16, add_packed},
    {GREY_UNSIGNED, 24, 24, PLANE_F64, add_u24}, {GREY_UNSIGNED, 32, 32, PLANE_F64, add_u32},
    {GREY_UNSIGNED, 64, 64, PLANE_F64, add_u64}, {GREY_SIGNED, 8, 8, PLANE_U8, add_i8},
    {GREY_SIGNED, 16, 16, PLANE_U16, add_i16},   {GREY_SIGNED, 24, 24, PLANE_F64, add_i24},
    {GREY_SIGNED, 32, 32, PLANE_F64, add_i32},   {GREY_SIGNED, 64, 64, PLANE_F64, add_i64},
    {GREY_FLOAT, 16, 16, PLANE_F32, add_f16},    {GREY_FLOAT, 32, 32, PLANE_F32, add_f32},
    {GREY_FLOAT, 64, 64, PLANE_F64, add_f64},
};

/* --- the plane to be --- */

static bool find_kind(Grey *grey, GError **error) {
    const GreySamples *s = &grey->samples;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].format == s->format && kinds[i].least_bits <= s->bits &&
            s->bits <= kinds[i].most_bits) {
            grey->type = kinds[i].type;
            grey->add_row = kinds[i].add_row;
            return true;
        }
    static const char *const names[] = {"unsigned", "signed", "float"};
    return fault_set(error, FAULT_BROKEN, "%s samples of %u bits cannot be read", names[s->format],
                     s->bits);
}

/* The largest value of a type of so many bits. */
static double full_scale(guint32 bits) {
    return ldexp(1, (int)bits) - 1;
}

/* Signed values are shifted up to begin with 0; inverted ones are turned within their range. */
static void set_mapping(Grey *grey) {
    const GreySamples *s = &grey->samples;
    double bottom = s->format == GREY_SIGNED ? -ldexp(1, (int)s->bits - 1) : 0;
    double top = s->format == GREY_FLOAT ? 1 : full_scale(s->bits) + bottom;
    grey->factor = s->inverted ? -1 : 1;
    grey->shift = s->inverted ? top : -bottom;
}

/* A grey palette keeps its greys, a colour one its luma. Of an entry's 16 bits the upper 8 are the
 * value of 8 bits, whether its writer multiplied that by 257, as TIFF has it, or by 256, as
 * instruments do. */
static void set_lookup(Grey *grey) {
    const GreySamples *s = &grey->samples;
    gsize entries = (gsize)1 << s->bits;
    int dropped = grey->type == PLANE_U8 ? 8 : 0;
    grey->lookup = g_new(guint16, entries);
    for (gsize i = 0; i < entries; i++) {
        double value = 0;
        for (int part = 0; part < 3; part++)
            value += luma[part] * (s->palette[part][i] >> dropped);
        grey->lookup[i] = (guint16)rint(value);
    }
}

Grey *grey_new(const GreySamples *samples, guint32 width, guint32 height, GError **error) {
    g_autoptr(Grey) grey = g_new0(Grey, 1);
    grey->samples = *samples;
    grey->width = width;
    grey->height = height;
    if (!find_kind(grey, error))
        return NULL;
    set_mapping(grey);
    if (samples->palette[0] != NULL)
        set_lookup(grey);

    gsize bytes = plane_type_bytes(grey->type);
    bool as_stored = samples->format == GREY_FLOAT || grey->type == PLANE_U8 ||
                     grey->type == PLANE_U16; /* a 64-bit number is not a double */
    grey->plain = as_stored && samples->format != GREY_SIGNED && samples->bits == 8 * bytes &&
                  !samples->colour && !samples->inverted && grey->lookup == NULL;
    grey->pixels = g_try_malloc_n((gsize)width * height, bytes);
    if (grey->pixels == NULL) {
        fault_set(error, FAULT_BROKEN, "memory does not suffice for %u x %u pixels", width, height);
        return NULL;
    }
    return g_steal_pointer(&grey);
}

void grey_free(Grey *grey) {
    if (grey == NULL)
        return;
    g_free(grey->pixels);
    g_free(grey->lookup);
    g_free(grey->sums);
    g_free(grey);
}

guint32 grey_components(const Grey *grey) {
    return grey->samples.colour ? 3 : 1;
}

/* --- blocks --- */

typedef struct {
    guint32 x, y, width, height;
} Block;

static guint8 *place_of(const Grey *grey, guint32 x, guint32 y) {
    return grey->pixels + ((gsize)y * grey->width + x) * plane_type_bytes(grey->type);
}

static void copy_rows(Grey *grey, const Block *block, const guint8 *data, gsize row_bytes) {
    gsize length = block->width * plane_type_bytes(grey->type);
    for (guint32 row = 0; row < block->height; row++)
        memcpy(place_of(grey, block->x, block->y + row), data + row * row_bytes, length);
}

/* The block's sums at 0, with room for all of it. */
static bool clear_sums(Grey *grey, const Block *block, GError **error) {
    gsize room = (gsize)block->width * block->height;
    if (room > grey->sums_room) {
        g_free(grey->sums);
        grey->sums = g_try_new(double, room);
        grey->sums_room = grey->sums == NULL ? 0 : room;
        if (grey->sums == NULL)
            return fault_set(error, FAULT_BROKEN, "memory does not suffice for %u x %u pixels",
                             block->width, block->height);
    }
    memset(grey->sums, 0, room * sizeof *grey->sums);
    return true;
}

static void add_component(Grey *grey, const Block *block, int component, guint32 first,
                          guint32 step, const guint8 *data, gsize row_bytes) {
    double weight = grey->samples.colour ? luma[component] : 1;
    for (guint32 row = 0; row < block->height; row++)
        grey->add_row(data + row * row_bytes, grey->samples.bits, block->width, first, step, weight,
                      grey->sums + (gsize)row * block->width);
}

static double grey_value(const Grey *grey, double sum) {
    if (grey->lookup != NULL)
        return grey->lookup[(gsize)sum];
    double value = grey->factor * sum + grey->shift;
    return grey->samples.format == GREY_FLOAT ? value : rint(value);
}

/* One row of sums into its place in the plane. */
static void store_row(Grey *grey, const double *sums, guint32 count, guint8 *place) {
    for (guint32 i = 0; i < count; i++) {
        double value = grey_value(grey, sums[i]);
        if (grey->type == PLANE_U8)
            place[i] = (guint8)value;
        else if (grey->type == PLANE_U16)
            ((guint16 *)place)[i] = (guint16)value;
        else if (grey->type == PLANE_F32)
            ((float *)place)[i] = (float)value;
        else
            ((double *)place)[i] = value;
    }
}

bool grey_add(Grey *grey, guint32 x, guint32 y, guint32 width, guint32 height, int component,
              const guint8 *data, gsize row_bytes, GError **error) {
    Block block = {x, y, width, height};
    bool chunky = component == GREY_CHUNKY;
    if (grey->plain && (!chunky || grey->samples.samples == 1)) {
        copy_rows(grey, &block, data, row_bytes);
        return true;
    }

    if (component <= 0 && !clear_sums(grey, &block, error))
        return false;
    int last = (int)grey_components(grey) - 1;
    for (int part = chunky ? 0 : component; part <= (chunky ? last : component); part++)
        add_component(grey, &block, part, chunky ? (guint32)part : 0,
                      chunky ? grey->samples.samples : 1, data, row_bytes);

    if (chunky || component == last)
        for (guint32 row = 0; row < height; row++)
            store_row(grey, grey->sums + (gsize)row * width, width, place_of(grey, x, y + row));
    return true;
}

Plane *grey_finish(Grey *grey) {
    const GreySamples *s = &grey->samples;
    gsize size = (gsize)grey->width * grey->height * plane_type_bytes(grey->type);
    GBytes *keeper = g_bytes_new_take(g_steal_pointer(&grey->pixels), size);
    Plane *plane =
        plane_new(grey->type, grey->width, grey->height, g_bytes_get_data(keeper, NULL), keeper);
    plane->whole = s->format != GREY_FLOAT;
    if (plane->whole)
        plane->scale = full_scale(grey->lookup != NULL && grey->type == PLANE_U8 ? 8 : s->bits);
    if (s->format == GREY_SIGNED)
        plane->offset = -ldexp(1, (int)s->bits - 1);
    grey_free(grey);
    return plane;
}
