/* image_file: image files in memory for tests: written by libtiff, or put together byte by byte. */
#ifndef TESTS_INGEST_IMAGE_FILE_H
#define TESTS_INGEST_IMAGE_FILE_H

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

static inline int image_file_new(void) {
    int fd = memfd_create("image", MFD_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static inline void image_file_put(int fd, guint64 at, const void *data, gsize length) {
    g_assert_cmpint(pwrite(fd, data, length, (off_t)at), ==, (ssize_t)length);
}

static inline void image_file_get(int fd, guint64 at, void *data, gsize length) {
    g_assert_cmpint(pread(fd, data, length, (off_t)at), ==, (ssize_t)length);
}

static inline int image_file_from(const void *data, gsize length) {
    int fd = image_file_new();
    image_file_put(fd, 0, data, length);
    return fd;
}

static inline guint64 image_file_size(int fd) {
    struct stat status;
    g_assert_cmpint(fstat(fd, &status), ==, 0);
    return (guint64)status.st_size;
}

static inline gint64 image_file_mtime_ns(int fd) {
    struct stat status;
    g_assert_cmpint(fstat(fd, &status), ==, 0);
    return status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
}

/* libtiff on a descriptor that stays open. */
static inline TIFF *image_file_tiff(int fd, const char *mode) {
    lseek(fd, 0, SEEK_SET);
    TIFF *tiff = TIFFFdOpen(dup(fd), "memory", mode);
    g_assert_nonnull(tiff);
    return tiff;
}

/* --- stacks of all kinds --- */

typedef struct {
    const char *name;
    const char *mode; /* of TIFFOpen: w, wb (big-endian), wl, w8 (BigTIFF), w8b */
    guint16 compression, bits, samples, planar, photometric;
    guint32 tile;           /* side; 0: strips */
    guint32 rows_per_strip; /* 0: one strip */
    guint pages;
    gsize profile_bytes; /* of an ICC profile on every page; 0: none */
} ImageKind;

enum { IMAGE_WIDTH = 45, IMAGE_HEIGHT = 37 };

/* A byte of a page's picture: every page and every place differ. */
static inline guint8 image_byte(guint page, gsize at) {
    return (guint8)(at * 7 + at / 256 + page * 41 + 1);
}

static inline void image_write_chunks(TIFF *tiff, guint page, bool tiled) {
    guint32 chunks = tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
    tmsize_t length = tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    g_autofree guint8 *data = g_malloc((gsize)length);
    for (guint32 chunk = 0; chunk < chunks; chunk++) {
        for (tmsize_t i = 0; i < length; i++)
            data[i] = image_byte(page, (gsize)chunk * (gsize)length + (gsize)i);
        g_assert_cmpint(tiled ? TIFFWriteEncodedTile(tiff, chunk, data, length)
                              : TIFFWriteEncodedStrip(tiff, chunk, data, length),
                        >=, 0);
    }
}

static inline void image_write_page(TIFF *tiff, const ImageKind *kind, guint page) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, IMAGE_WIDTH);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, IMAGE_HEIGHT);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, kind->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, kind->samples);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, kind->planar);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, kind->photometric);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, kind->compression);
    TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, "a description longer than an entry");
    if (kind->compression == COMPRESSION_JPEG && kind->photometric == PHOTOMETRIC_YCBCR)
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    if (kind->tile > 0) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kind->tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, kind->tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP,
                     kind->rows_per_strip > 0 ? kind->rows_per_strip : IMAGE_HEIGHT);
    }
    if (kind->profile_bytes > 0) {
        g_autofree guint8 *profile = g_malloc(kind->profile_bytes);
        for (gsize i = 0; i < kind->profile_bytes; i++)
            profile[i] = image_byte(page + 100, i);
        TIFFSetField(tiff, TIFFTAG_ICCPROFILE, (guint32)kind->profile_bytes, profile);
    }
    image_write_chunks(tiff, page, kind->tile > 0);
    g_assert_true(TIFFWriteDirectory(tiff));
}

/* A stack of this kind; the caller closes the descriptor. */
static inline int image_stack_new(const ImageKind *kind) {
    int fd = image_file_new();
    TIFF *tiff = image_file_tiff(fd, kind->mode);
    for (guint page = 0; page < kind->pages; page++)
        image_write_page(tiff, kind, page);
    TIFFClose(tiff);
    return fd;
}

static const ImageKind image_kinds[] = {
    {"strips", "wl", COMPRESSION_NONE, 16, 1, 1, 1, 0, 5, 3, 0},
    {"one strip, one page", "wl", COMPRESSION_NONE, 8, 1, 1, 1, 0, 0, 1, 0},
    {"big-endian", "wb", COMPRESSION_NONE, 16, 1, 1, 1, 0, 8, 3, 0},
    {"BigTIFF", "w8l", COMPRESSION_NONE, 16, 1, 1, 1, 0, 8, 3, 0},
    {"BigTIFF, big-endian", "w8b", COMPRESSION_NONE, 32, 1, 1, 1, 0, 8, 3, 0},
    {"one strip a page", "wl", COMPRESSION_NONE, 8, 1, 1, 1, 0, 0, 4, 0},
    {"LZW strips", "wl", COMPRESSION_LZW, 16, 1, 1, 1, 0, 6, 3, 0},
    {"deflate tiles", "wl", COMPRESSION_ADOBE_DEFLATE, 8, 1, 1, 1, 16, 0, 3, 0},
    {"tiles", "wl", COMPRESSION_NONE, 16, 1, 1, 1, 32, 0, 3, 0},
    {"tiles, BigTIFF, big-endian", "w8b", COMPRESSION_LZW, 16, 1, 1, 1, 16, 0, 3, 0},
    {"RGB", "wl", COMPRESSION_NONE, 8, 3, 1, 2, 0, 10, 3, 0},
    {"RGB in planes", "wl", COMPRESSION_NONE, 8, 3, 2, 2, 0, 10, 3, 0},
    {"RGB in planes, tiles", "wb", COMPRESSION_LZW, 8, 3, 2, 2, 16, 0, 3, 0},
    {"bilevel", "wl", COMPRESSION_PACKBITS, 1, 1, 1, 1, 0, 7, 3, 0},
    {"JPEG with tables", "wl", COMPRESSION_JPEG, 8, 1, 1, 1, 0, 16, 3, 0},
    {"JPEG, YCbCr tiles", "wl", COMPRESSION_JPEG, 8, 3, 1, 6, 16, 0, 3, 0},
    {"large tags", "wl", COMPRESSION_NONE, 8, 1, 1, 1, 0, 8, 3, 10001},
};

#endif
