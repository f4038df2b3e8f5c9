/* images: deterministic test images, made with whole numbers only, so that other programs (numpy,
 * CellProfiler) could measure the very same pixels. Each gives the CRC-32 of its little-endian
 * pixels, by which a test sees that it is the image the golden values belong to. */
#ifndef TESTS_FEATURES_IMAGES_H
#define TESTS_FEATURES_IMAGES_H

#include "features/plane.h"
#include <string.h>

/* Scatters bits: the finalizer of MurmurHash3. */
static inline guint32 image_hash(guint32 x) {
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ x >> 16;
}

/* 0 to 255, uniform, for the pixel at index. */
static inline guint32 image_noise(guint32 index, guint32 seed) {
    return image_hash(index + seed * 0x9e3779b1u) & 255;
}

/* count dome-shaped cells of radius r_min to r_max on a background, with noise. */
static inline gint64 *image_cells(int width, int height, guint32 count, int r_min, int r_max,
                                  guint32 amplitude, gint64 background, guint32 seed) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = background;
    for (guint32 cell = 0; cell < count; cell++) {
        guint32 random[4];
        for (guint32 part = 0; part < 4; part++)
            random[part] = image_hash(seed * 1000003u + cell * 16 + part);
        int cx = (int)(random[0] % (guint32)width), cy = (int)(random[1] % (guint32)height);
        int r = r_min + (int)(random[2] % (guint32)(r_max - r_min + 1));
        gint64 height_of_dome = amplitude / 2 + random[3] % (amplitude / 2 + 1);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                int distance2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
                if (distance2 < r * r)
                    pixels[y * width + x] += height_of_dome * (r * r - distance2) / (r * r);
            }
    }
    for (int i = 0; i < width * height; i++)
        pixels[i] = CLAMP(pixels[i] + 2 * (gint64)image_noise((guint32)i, seed), 0, 65535);
    return pixels;
}

/* Bright field: rims, dark cells, less light in the corners. */
static inline gint64 *image_bright(void) {
    const int side = 512;
    gint64 *pixels = g_new(gint64, side * side);
    for (int i = 0; i < side * side; i++)
        pixels[i] = 30000;
    for (guint32 cell = 0; cell < 25; cell++) {
        guint32 random[3];
        for (guint32 part = 0; part < 3; part++)
            random[part] = image_hash(777 * 1000003u + cell * 16 + part);
        int cx = (int)(random[0] % 512), cy = (int)(random[1] % 512);
        int r = 10 + (int)(random[2] % 12);
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++) {
                int distance2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
                if (distance2 < (r - 2) * (r - 2))
                    pixels[y * side + x] -= 2500;
                else if (distance2 < r * r)
                    pixels[y * side + x] += 4000;
            }
    }
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            gint64 distance2 = (x - 256) * (x - 256) + (y - 256) * (y - 256);
            gint64 *pixel = &pixels[y * side + x];
            *pixel += 8 * (gint64)image_noise((guint32)(y * side + x), 9);
            *pixel = CLAMP(*pixel - distance2 * 6000 / (2 * 256 * 256), 0, 65535);
        }
    return pixels;
}

/* One pass of a 3 x 3 box, rounded down, edges repeated; takes over pixels. */
static inline gint64 *image_boxed(gint64 *pixels, int width, int height) {
    gint64 *result = g_new(gint64, width * height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            gint64 sum = 0;
            for (int i = 0; i < 9; i++)
                sum += pixels[CLAMP(y + i / 3 - 1, 0, height - 1) * width +
                              CLAMP(x + i % 3 - 1, 0, width - 1)];
            result[y * width + x] = sum / 9;
        }
    g_free(pixels);
    return result;
}

/* --- planes --- */

/* A plane of any type with these values; takes over pixels. */
static inline Plane *image_plane(PlaneType type, int width, int height, gint64 *pixels) {
    gsize count = (gsize)width * (gsize)height;
    void *values = g_malloc(count * plane_type_bytes(type));
    for (gsize i = 0; i < count; i++)
        if (type == PLANE_U8)
            ((guint8 *)values)[i] = (guint8)pixels[i];
        else if (type == PLANE_U16)
            ((guint16 *)values)[i] = (guint16)pixels[i];
        else if (type == PLANE_F32)
            ((float *)values)[i] = (float)pixels[i];
        else
            ((double *)values)[i] = (double)pixels[i];
    g_free(pixels);
    GBytes *keeper = g_bytes_new_take(values, count * plane_type_bytes(type));
    Plane *plane =
        plane_new(type, (guint32)width, (guint32)height, g_bytes_get_data(keeper, NULL), keeper);
    plane->whole = type == PLANE_U8 || type == PLANE_U16;
    plane->scale = type == PLANE_U8 ? 255 : type == PLANE_U16 ? 65535 : 1;
    return plane;
}

/* A plane of width x height floats; values are copied. */
static inline Plane *image_floats(int width, int height, const double *values) {
    gsize bytes = (gsize)width * (gsize)height * sizeof *values;
    GBytes *keeper = g_bytes_new(values, bytes);
    return plane_new(PLANE_F64, (guint32)width, (guint32)height, g_bytes_get_data(keeper, NULL),
                     keeper);
}

/* --- the images by name --- */

static inline gint64 *image_changed(gint64 *pixels, int count, gint64 factor, int shift,
                                    gint64 limit) {
    for (int i = 0; i < count; i++)
        pixels[i] = MIN((pixels[i] * factor) >> shift, limit);
    return pixels;
}

static inline Plane *image_cells16(void) {
    return image_plane(PLANE_U16, 512, 384, image_cells(512, 384, 40, 6, 18, 9000, 600, 1));
}
static inline Plane *image_odd16(void) {
    return image_plane(PLANE_U16, 301, 257, image_cells(301, 257, 25, 5, 14, 12000, 400, 2));
}
static inline Plane *image_saturated16(void) {
    gint64 *pixels = image_cells(640, 480, 30, 8, 20, 40000, 500, 3);
    return image_plane(PLANE_U16, 640, 480, image_changed(pixels, 640 * 480, 1, 0, 30000));
}
static inline Plane *image_noise16(void) {
    gint64 *pixels = g_new(gint64, 256 * 256);
    for (guint32 i = 0; i < 256 * 256; i++)
        pixels[i] = 1000 + 16 * (gint64)image_noise(i, 4);
    return image_plane(PLANE_U16, 256, 256, pixels);
}
static inline Plane *image_cells8(void) {
    gint64 *pixels = image_cells(400, 300, 30, 6, 16, 50000, 2000, 5);
    return image_plane(PLANE_U8, 400, 300, image_changed(pixels, 400 * 300, 1, 8, 255));
}
static inline Plane *image_bright16(void) {
    return image_plane(PLANE_U16, 512, 512, image_bright());
}
static inline Plane *image_constant(PlaneType type, int width, int height, gint64 value) {
    gint64 *pixels = g_new(gint64, width * height);
    for (int i = 0; i < width * height; i++)
        pixels[i] = value;
    return image_plane(type, width, height, pixels);
}
static inline Plane *image_constant16(void) {
    return image_constant(PLANE_U16, 64, 64, 1234);
}
static inline Plane *image_black16(void) {
    return image_constant(PLANE_U16, 64, 64, 0);
}
static inline Plane *image_ramp16(void) {
    gint64 *pixels = g_new(gint64, 320 * 256);
    for (int i = 0; i < 320 * 256; i++)
        pixels[i] = 100 * (i % 320) + 50 * (i / 320);
    return image_plane(PLANE_U16, 320, 256, pixels);
}
/* The cells, smoothed after the noise. */
static inline Plane *image_blurred16(int passes) {
    gint64 *pixels = image_cells(512, 384, 40, 6, 18, 9000, 600, 1);
    for (int pass = 0; pass < passes; pass++)
        pixels = image_boxed(pixels, 512, 384);
    return image_plane(PLANE_U16, 512, 384, pixels);
}
static inline Plane *image_blur1(void) {
    return image_blurred16(1);
}
static inline Plane *image_blur4(void) {
    return image_blurred16(4);
}
static inline Plane *image_blur16(void) {
    return image_blurred16(16);
}

/* CRC-32 of the pixels as little-endian bytes (this machine's, where tests run). */
static inline guint32 image_crc(const Plane *plane) {
    const guint8 *bytes = plane->pixels;
    guint32 crc = 0xffffffffu;
    for (gsize i = 0; i < plane_pixels(plane) * plane_type_bytes(plane->type); i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
    }
    return ~crc;
}

#endif
