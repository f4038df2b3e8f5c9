/* simulated: what a camera makes of a field of cells, in focus and out of it. The lens blurs the
 * light first; then the camera counts electrons and adds its own noise: in this order, as in a
 * microscope. So the noise is as fine whatever the focus, and that is what misleads measures.
 *
 * Everything is made from whole numbers and additions, and so alike on every machine. */
#ifndef TESTS_FEATURES_SIMULATED_H
#define TESTS_FEATURES_SIMULATED_H

#include "tests/features/images.h"
#include <math.h>

/* The camera. */
#define SIMULATED_BACKGROUND 600 /* counts without any cell: the medium's light */
#define SIMULATED_GAIN       2   /* counts an electron */
#define SIMULATED_READ_NOISE 6   /* counts, standard deviation */

/* Light above the background, counts at full brightness, side * side of them. */
typedef struct {
    guint32 side;
    double *counts;
} Light;

static inline void light_free(Light *light) {
    g_free(light->counts);
    g_free(light);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Light, light_free)

/* --- the specimen --- */

/* A dome of that radius and height, pixels and counts. */
static inline void light_add_dome(Light *light, int cx, int cy, int radius, double height) {
    int side = (int)light->side;
    for (int y = MAX(cy - radius, 0); y <= MIN(cy + radius, side - 1); y++)
        for (int x = MAX(cx - radius, 0); x <= MIN(cx + radius, side - 1); x++) {
            int distance2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
            if (distance2 < radius * radius)
                light->counts[y * side + x] += height * (1 - (double)distance2 / (radius * radius));
        }
}

/* Cells of 12 to 30 pixels radius at random places, each with grains of 2 to 4 pixels radius that
 * are up to as bright as itself: bodies for the coarse structure, grains for the fine one. */
static inline Light *light_of_cells(guint32 side, guint32 cells, guint32 seed) {
    enum { GRAINS = 16 };
    Light *light = g_new(Light, 1);
    *light = (Light){.side = side, .counts = g_new0(double, (gsize)side *side)};
    for (guint32 cell = 0; cell < cells; cell++) {
        guint32 start = seed * 1000003u + cell * 256;
        int cx = (int)(image_hash(start) % side), cy = (int)(image_hash(start + 1) % side);
        int radius = 12 + (int)(image_hash(start + 2) % 19);
        double height = 1500 + image_hash(start + 3) % 3000;
        light_add_dome(light, cx, cy, radius, height);
        for (guint32 grain = 0; grain < GRAINS; grain++) {
            guint32 random = image_hash(start + 4 + grain);
            int reach = 2 * radius * 7 / 10; /* grains lie in a square within the cell */
            int x = cx - reach / 2 + (int)((random & 1023) * (guint32)reach / 1024);
            int y = cy - reach / 2 + (int)((random >> 10 & 1023) * (guint32)reach / 1024);
            light_add_dome(light, x, y, 2 + (int)(random >> 20) % 3, height * (random >> 24) / 256);
        }
    }
    return light;
}

/* --- the lens --- */

/* Mean of a line's value, `before` ones before it and `after` ones behind it. Beyond its ends the
 * line is mirrored. copy has room for the line and all that is added. */
static inline void line_box(double *line, double *copy, int length, int before, int after) {
    for (int i = -before; i < length + after; i++)
        copy[i + before] = line[i < 0 ? -1 - i : i >= length ? 2 * length - 1 - i : i];
    double sum = 0;
    for (int i = 0; i < before + after; i++)
        sum += copy[i];
    for (int i = 0; i < length; i++) {
        sum += copy[i + before + after];
        line[i] = sum / (before + after + 1);
        sum -= copy[i];
    }
}

/* Boxes one after the other come close to a Gaussian of standard deviation sigma: a box of width w
 * has (w * w - 1) / 12 for its square, and the squares add up to sigma's. */
static const struct {
    int sigma_px;
    int widths[7]; /* ends with 0; even ones in pairs, for one shifts and the other shifts back */
} light_blurs[] = {
    {0, {0}},
    {1, {2, 2, 2, 2}},
    {2, {3, 3, 3, 3, 3, 3}},
    {4, {7, 7, 7, 7}},
    {8, {13, 11, 11, 11, 11, 11}},
    {16, {31, 31, 25, 23}},
    {32, {61, 61, 59, 37}},
};

#define LIGHT_BLURS G_N_ELEMENTS(light_blurs)

static inline void light_blur_rows(Light *light, const int widths[]) {
    g_autofree double *copy = g_new(double, 2 * light->side);
    for (guint32 y = 0; y < light->side; y++)
        for (int i = 0; widths[i] != 0; i++) {
            int before = (widths[i] - 1 + i % 2) / 2;
            line_box(&light->counts[y * light->side], copy, (int)light->side, before,
                     widths[i] - 1 - before);
        }
}

static inline void light_transpose(Light *light) {
    for (guint32 y = 0; y < light->side; y++)
        for (guint32 x = 0; x < y; x++) {
            double kept = light->counts[y * light->side + x];
            light->counts[y * light->side + x] = light->counts[x * light->side + y];
            light->counts[x * light->side + y] = kept;
        }
}

/* The light of row blur of light_blurs out of focus; side is more than 64. */
static inline Light *light_blurred(const Light *light, gsize blur) {
    Light *blurred = g_new(Light, 1);
    *blurred =
        (Light){.side = light->side,
                .counts = g_memdup2(light->counts, sizeof(double) * light->side * light->side)};
    for (int axis = 0; axis < 2; axis++) {
        light_blur_rows(blurred, light_blurs[blur].widths);
        light_transpose(blurred);
    }
    return blurred;
}

/* --- the camera --- */

/* Near enough a standard normal number: how many of 256 bits are set, less 128, over its standard
 * deviation of 8, and smeared between the whole numbers. state moves on. */
static inline double simulated_normal(guint64 *state) {
    int bits = -128;
    guint64 random = 0;
    for (int i = 0; i < 4; i++) {
        *state += 0x9e3779b97f4a7c15u; /* SplitMix64 */
        random = (*state ^ *state >> 30) * 0xbf58476d1ce4e5b9u;
        random = (random ^ random >> 27) * 0x94d049bb133111ebu;
        random ^= random >> 31;
        bits += __builtin_popcountll(random);
    }
    double smear = (double)(image_hash((guint32)random) >> 8) / (1 << 24) - 0.5;
    return (bits + smear) / sqrt(64 + 1.0 / 12);
}

/* The frame that the camera makes of the light at that brightness, on the medium's background. The
 * electrons are hundreds a pixel and more, where Poisson's distribution is a normal one. */
static inline Plane *light_frame(const Light *light, double brightness, guint32 seed) {
    gsize count = (gsize)light->side * light->side;
    guint16 *pixels = g_new(guint16, count);
    guint64 state = seed;
    for (gsize i = 0; i < count; i++) {
        double counts = SIMULATED_BACKGROUND + brightness * light->counts[i];
        double noise2 = SIMULATED_GAIN * counts + SIMULATED_READ_NOISE * SIMULATED_READ_NOISE;
        double seen = counts + sqrt(noise2) * simulated_normal(&state);
        pixels[i] = (guint16)CLAMP(seen + 0.5, 0, 65535);
    }
    Plane *plane = plane_new(PLANE_U16, light->side, light->side, pixels,
                             g_bytes_new_take(pixels, count * sizeof *pixels));
    plane->whole = true;
    plane->scale = 65535;
    return plane;
}

#endif
