/* image_files: image files for tests, made in memory by libtiff and libvips. */
#ifndef TESTS_FEATURES_IMAGE_FILES_H
#define TESTS_FEATURES_IMAGE_FILES_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <tiffio.h>
#include <vips/vips.h>

/* What a page is to be; 0 is libtiff's default. Pixels are written as they lie in data. */
typedef struct {
    guint32 width, height;
    guint16 bits, samples, format, photometric, planar, compression, predictor;
    guint32 rows_per_strip, tile_side;
    const guint16 *palette[3];
    const void *data; /* rows without gaps, packed as the file will have them; planes one after the
                         other where planar is separate */
} PageSpec;

static inline void page_set_tags(TIFF *tiff, const PageSpec *page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, page->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, MAX(page->samples, 1));
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, page->format ? page->format : SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, page->photometric);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, page->planar ? page->planar : PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION,
                 page->compression ? page->compression : COMPRESSION_NONE);
    if (page->predictor)
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, page->predictor);
    if (page->palette[0])
        TIFFSetField(tiff, TIFFTAG_COLORMAP, page->palette[0], page->palette[1], page->palette[2]);
}

/* Tiles are cut from whole-byte samples; what lies outside the image is 0xee. */
static inline void page_write_tiles(TIFF *tiff, const PageSpec *page) {
    guint32 side = page->tile_side;
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, side);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, side);
    gboolean separate = page->planar == PLANARCONFIG_SEPARATE;
    gsize pixel = page->bits / 8 * (gsize)(separate ? 1 : MAX(page->samples, 1));
    g_autofree guint8 *tile = g_malloc(side * side * pixel);
    for (guint16 plane = 0; plane < (separate ? page->samples : 1); plane++)
        for (guint32 y = 0; y < page->height; y += side)
            for (guint32 x = 0; x < page->width; x += side) {
                memset(tile, 0xee, side * side * pixel);
                for (guint32 row = 0; row < MIN(side, page->height - y); row++)
                    memcpy(tile + row * side * pixel,
                           (const guint8 *)page->data +
                               ((gsize)(plane * page->height + y + row) * page->width + x) * pixel,
                           MIN(side, page->width - x) * pixel);
                TIFFWriteTile(tiff, tile, x, y, 0, plane);
            }
}

static inline void page_write_rows(TIFF *tiff, const PageSpec *page) {
    gboolean separate = page->planar == PLANARCONFIG_SEPARATE;
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP,
                 page->rows_per_strip ? page->rows_per_strip : page->height);
    gsize row_bytes = (gsize)TIFFScanlineSize(tiff);
    g_autofree guint8 *row = g_malloc(row_bytes); /* libtiff changes what it is given */
    const guint8 *data = page->data;
    for (guint16 plane = 0; plane < (separate ? page->samples : 1); plane++)
        for (guint32 y = 0; y < page->height; y++, data += row_bytes) {
            memcpy(row, data, row_bytes);
            TIFFWriteScanline(tiff, row, y, plane);
        }
}

/* A TIFF of these pages. mode: "w", "wb" big-endian, "wl" little-endian, "w8" BigTIFF. */
static inline GBytes *tiff_file(const char *mode, const PageSpec *pages, guint count) {
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("scopestream-XXXXXX.tif", &path, NULL);
    TIFF *tiff = TIFFFdOpen(fd, path, mode);
    for (guint i = 0; i < count; i++) {
        page_set_tags(tiff, &pages[i]);
        if (pages[i].tile_side)
            page_write_tiles(tiff, &pages[i]);
        else
            page_write_rows(tiff, &pages[i]);
        TIFFWriteDirectory(tiff);
    }
    TIFFClose(tiff);
    char *data;
    gsize length;
    g_file_get_contents(path, &data, &length, NULL);
    g_unlink(path);
    return g_bytes_new_take(data, length);
}

/* A PNG of bands samples of 8 or 16 bits. */
static inline GBytes *png_file(int width, int height, int bands, int bits, const void *data) {
    VipsImage *image = vips_image_new_from_memory(
        data, (gsize)width * (gsize)height * (gsize)bands * (gsize)bits / 8, width, height, bands,
        bits == 16 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);
    image->Type = bands < 3 ? (bits == 16 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W)
                            : (bits == 16 ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB);
    void *png = NULL;
    gsize length = 0;
    vips_pngsave_buffer(image, &png, &length, NULL);
    g_object_unref(image);
    return g_bytes_new_take(png, length);
}

/* Where the first directory of a little-endian TIFF begins. */
static inline guint32 tiff_directory(const guint8 *data) {
    guint32 offset;
    memcpy(&offset, data + 4, sizeof offset);
    return offset;
}

/* Overwrites a tag of the first directory (entries: tag, type, count, value) by a 32-bit number. */
static inline void tiff_set_tag(guint8 *data, guint16 tag, guint32 value) {
    static const guint16 type_long = 4;
    guint8 *entry = data + tiff_directory(data) + 2;
    for (guint16 count = data[tiff_directory(data)]; count > 0; count--, entry += 12)
        if ((entry[0] | entry[1] << 8) == tag) {
            memcpy(entry + 2, &type_long, sizeof type_long);
            memcpy(entry + 8, &value, sizeof value);
        }
}

/* The first length bytes. */
static inline GBytes *cut_file(GBytes *bytes, gsize length) {
    return g_bytes_new(g_bytes_get_data(bytes, NULL), length);
}

#endif
