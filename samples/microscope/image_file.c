#include "samples/microscope/image_file.h"

#include <string.h>
#include <tiffio.h>

#define STRIP_BYTES  (256 * 1024) /* before compression */
#define STAMP_PIXELS 8

struct ImageFile {
    ImageFormat format;
    TIFF *tiff;
    GByteArray *bytes;
    toff_t position;
    GArray *pixel_offsets; /* guint64, of each page's first pixel */
    guint8 *row;           /* one row of samples: libtiff may change what it is given */
};

static const struct {
    const char *name;
    guint16 tag;
} compressions[] = {
    {"none", COMPRESSION_NONE}, {"lzw", COMPRESSION_LZW}, {"deflate", COMPRESSION_ADOBE_DEFLATE}};

static guint16 compression_tag(const char *name) {
    for (gsize i = 0; i < G_N_ELEMENTS(compressions); i++)
        if (strcmp(compressions[i].name, name) == 0)
            return compressions[i].tag;
    return 0;
}

bool image_compression_known(const char *name) {
    return compression_tag(name) != 0;
}

/* --- a file in memory, for libtiff --- */

static tmsize_t memory_read(thandle_t handle, void *to, tmsize_t size) {
    ImageFile *file = handle;
    if (file->position >= file->bytes->len)
        return 0;
    size = MIN(size, (tmsize_t)(file->bytes->len - file->position));
    memcpy(to, file->bytes->data + file->position, (gsize)size);
    file->position += (toff_t)size;
    return size;
}

static tmsize_t memory_write(thandle_t handle, void *from, tmsize_t size) {
    ImageFile *file = handle;
    toff_t end = file->position + (toff_t)size;
    if (end > G_MAXUINT32 / 2)
        return -1;
    guint before = file->bytes->len;
    if (end > before)
        g_byte_array_set_size(file->bytes, (guint)end);
    if (file->position > before)
        memset(file->bytes->data + before, 0, file->position - before);
    memcpy(file->bytes->data + file->position, from, (gsize)size);
    file->position = end;
    return size;
}

static toff_t memory_seek(thandle_t handle, toff_t offset, int whence) {
    ImageFile *file = handle;
    toff_t from = whence == SEEK_CUR ? file->position : whence == SEEK_END ? file->bytes->len : 0;
    return file->position = from + offset;
}

static toff_t memory_size(thandle_t handle) {
    ImageFile *file = handle;
    return file->bytes->len;
}

static int memory_close(thandle_t handle) {
    return 0;
}

/* --- pages --- */

ImageFile *image_file_new(const ImageFormat *format, gsize size_bytes) {
    ImageFile *file = g_new0(ImageFile, 1);
    file->format = *format;
    file->bytes = g_byte_array_sized_new((guint)MIN(size_bytes, G_MAXUINT32 / 2));
    file->pixel_offsets = g_array_new(false, false, sizeof(guint64));
    file->row = g_malloc((gsize)format->width * sizeof(guint16));
    file->tiff = TIFFClientOpen("memory", format->is_bigtiff ? "wl8" : "wl", file, memory_read,
                                memory_write, memory_seek, memory_close, memory_size, NULL, NULL);
    return file;
}

void image_file_free(ImageFile *file) {
    if (!file)
        return;
    if (file->tiff)
        TIFFClose(file->tiff);
    g_byte_array_unref(file->bytes);
    g_free(file->row);
    g_array_unref(file->pixel_offsets);
    g_free(file);
}

static void page_describe(ImageFile *file, const char *description) {
    const ImageFormat *format = &file->format;
    TIFF *tiff = file->tiff;
    guint row_bytes = format->width * format->bits / 8;
    float per_cm = (float)(10000 / format->pixel_size_um);
    guint16 compression = compression_tag(format->compression);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, format->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, format->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, format->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, MAX(STRIP_BYTES / row_bytes, 1));
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, compression);
    if (compression != COMPRESSION_NONE)
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, per_cm);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, per_cm);
    TIFFSetField(tiff, TIFFTAG_SOFTWARE, "simulated-microscope");
    if (description)
        TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, description);
}

static bool row_write(ImageFile *file, const guint16 *pixels, guint y) {
    const guint width = file->format.width;
    if (file->format.bits == 16)
        memcpy(file->row, pixels, width * sizeof *pixels);
    else
        for (guint x = 0; x < width; x++)
            file->row[x] = (guint8)pixels[x];
    return TIFFWriteScanline(file->tiff, file->row, y, 0) == 1;
}

bool image_file_add(ImageFile *file, const guint16 *pixels, const char *description,
                    GError **error) {
    bool is_written = file->tiff != NULL;
    if (is_written)
        page_describe(file, description);
    for (guint y = 0; is_written && y < file->format.height; y++)
        is_written = row_write(file, pixels + (gsize)y * file->format.width, y);
    guint64 *offsets = NULL;
    is_written = is_written && TIFFFlushData(file->tiff) == 1 &&
                 TIFFGetField(file->tiff, TIFFTAG_STRIPOFFSETS, &offsets) == 1;
    if (is_written)
        g_array_append_val(file->pixel_offsets, offsets[0]);
    if (is_written && TIFFWriteDirectory(file->tiff) == 1)
        return true;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
                "libtiff cannot write %u x %u pixels of %u bits as page %u of a file: is it "
                "larger than 2 GiB?",
                file->format.width, file->format.height, file->format.bits,
                file->pixel_offsets->len);
    return false;
}

GByteArray *image_file_bytes(ImageFile *file) {
    if (file->tiff)
        TIFFClose(g_steal_pointer(&file->tiff));
    return file->bytes;
}

void image_file_stamp(ImageFile *file, guint page, guint64 number) {
    guint64 offset = g_array_index(file->pixel_offsets, guint64, page);
    guint sample_bytes = file->format.bits / 8;
    for (guint i = 0; i < MIN(STAMP_PIXELS, file->format.width); i++) {
        guint8 *sample = file->bytes->data + offset + (gsize)i * sample_bytes;
        memset(sample, 0, sample_bytes);
        sample[0] = (guint8)(number >> 8 * i);
    }
}
