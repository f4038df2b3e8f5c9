/* image_file: pictures as the bytes of a TIFF file. */
#ifndef MICROSCOPE_IMAGE_FILE_H
#define MICROSCOPE_IMAGE_FILE_H

#include <glib.h>
#include <stdbool.h>

typedef struct {
    guint width, height;     /* pixels */
    guint bits;              /* per sample: 8 or 16 */
    const char *compression; /* "none", "lzw", "deflate" */
    bool is_bigtiff;
    double pixel_size_um;
} ImageFormat;

typedef struct ImageFile ImageFile;

/* Whether name is one of the compressions. */
bool image_compression_known(const char *name);

/* Begins a file in memory. The same format and pages give the same bytes on every machine
 * (compressed ones, with the same libtiff and zlib). Room for size_bytes is taken at once. */
ImageFile *image_file_new(const ImageFormat *format, gsize size_bytes);
void image_file_free(ImageFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageFile, image_file_free)

/* Adds a page. pixels: width times height of them row by row. description: ASCII for the page's
 * ImageDescription, or NULL. G_FILE_ERROR if libtiff refuses. */
bool image_file_add(ImageFile *file, const guint16 *pixels, const char *description,
                    GError **error);
/* Ends the file and gives its bytes; they belong to file. */
GByteArray *image_file_bytes(ImageFile *file);

/* Writes number, byte by byte, into the first eight pixels of a page of an uncompressed file, so
 * that the same picture can be used again in a different file. */
void image_file_stamp(ImageFile *file, guint page, guint64 number);

#endif
