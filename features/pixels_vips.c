#include "features/pixels_vips.h"
#include "features/grey.h"
#include "features/vips_start.h"
#include <string.h>
#include <vips/vips.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VipsImage, g_object_unref)

static bool vips_fault(GError **error) {
    g_autofree char *words = vips_words();
    return fault_set(error, FAULT_BROKEN, "%s", words);
}

/* A PNG's chunks: length (4 bytes, big-endian), type (4), data, checksum (4). libpng takes memory
 * for a chunk before it knows whether the file holds it, so that is looked at first. */
#define PNG_SIGNATURE_BYTES 8
#define PNG_CHUNK_BYTES     12

static bool png_holds_its_chunks(GBytes *bytes, GError **error) {
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    for (gsize at = PNG_SIGNATURE_BYTES; length - at >= PNG_CHUNK_BYTES;) {
        const guint8 *chunk = data + at;
        guint64 chunk_bytes =
            PNG_CHUNK_BYTES + ((guint64)chunk[0] << 24 | chunk[1] << 16 | chunk[2] << 8 | chunk[3]);
        if (chunk_bytes > length - at)
            return fault_set(error, FAULT_BROKEN,
                             "a chunk of %" G_GUINT64_FORMAT " bytes begins %" G_GSIZE_FORMAT
                             " bytes before the end of the file",
                             chunk_bytes, length - at);
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            return true;
        at += chunk_bytes;
    }
    return fault_set(error, FAULT_BROKEN, "the file ends before its IEND chunk");
}

/* The header only: pixels are decoded when they are asked for. The loaders are called by name, so
 * that no other one has a look at the bytes. Without fail_on libvips gives what it could not read
 * as zeros, and says nothing. */
static VipsImage *open_image(GBytes *bytes, PixelsVipsFormat format, guint32 page, GError **error) {
    gsize length;
    void *data = (void *)g_bytes_get_data(bytes, &length);
    VipsImage *image = NULL;
    int failed =
        format == PIXELS_VIPS_PNG
            ? vips_pngload_buffer(data, length, &image, "fail_on", VIPS_FAIL_ON_ERROR, "access",
                                  VIPS_ACCESS_SEQUENTIAL, NULL)
            : vips_tiffload_buffer(data, length, &image, "page", (int)page, "fail_on",
                                   VIPS_FAIL_ON_ERROR, "access", VIPS_ACCESS_SEQUENTIAL, NULL);
    if (failed)
        vips_fault(error);
    return image;
}

static bool is_rgb(const VipsImage *image) {
    VipsInterpretation kind = vips_image_guess_interpretation(image);
    return image->Bands >= 3 &&
           (kind == VIPS_INTERPRETATION_sRGB || kind == VIPS_INTERPRETATION_RGB16 ||
            kind == VIPS_INTERPRETATION_RGB);
}

static bool is_other_colour(const VipsImage *image) {
    VipsInterpretation kind = vips_image_guess_interpretation(image);
    return image->Bands >= 3 && !is_rgb(image) && kind != VIPS_INTERPRETATION_MULTIBAND &&
           kind != VIPS_INTERPRETATION_B_W && kind != VIPS_INTERPRETATION_GREY16 &&
           vips_colourspace_issupported(image);
}

/* Lab, CMYK, XYZ, ... are measured as what they look like on a screen. */
static VipsImage *to_rgb(VipsImage *image, GError **error) {
    VipsImage *rgb = NULL;
    if (!is_other_colour(image))
        return g_object_ref(image);
    if (vips_colourspace(image, &rgb, VIPS_INTERPRETATION_sRGB, NULL) != 0)
        vips_fault(error);
    return rgb;
}

static bool samples_of(const VipsImage *image, GreySamples *ret_samples, GError **error) {
    static const struct {
        VipsBandFormat band_format;
        GreyFormat format;
    } formats[] = {
        {VIPS_FORMAT_UCHAR, GREY_UNSIGNED}, {VIPS_FORMAT_USHORT, GREY_UNSIGNED},
        {VIPS_FORMAT_UINT, GREY_UNSIGNED},  {VIPS_FORMAT_CHAR, GREY_SIGNED},
        {VIPS_FORMAT_SHORT, GREY_SIGNED},   {VIPS_FORMAT_INT, GREY_SIGNED},
        {VIPS_FORMAT_FLOAT, GREY_FLOAT},    {VIPS_FORMAT_DOUBLE, GREY_FLOAT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].band_format == image->BandFmt) {
            *ret_samples = (GreySamples){.format = formats[i].format,
                                         .bits = (guint32)vips_format_sizeof(image->BandFmt) * 8,
                                         .samples = (guint32)image->Bands,
                                         .colour = is_rgb(image)};
            return true;
        }
    return fault_set(error, FAULT_BROKEN, "complex numbers are no image to measure");
}

static Plane *to_plane(VipsImage *image, GError **error) {
    GreySamples samples;
    if (!samples_of(image, &samples, error))
        return NULL;
    guint32 width = (guint32)image->Xsize, height = (guint32)image->Ysize;
    g_autoptr(Grey) grey = grey_new(&samples, width, height, error);
    if (grey == NULL)
        return NULL;
    gsize length;
    g_autofree guint8 *data = vips_image_write_to_memory(image, &length);
    if (data == NULL) {
        vips_fault(error);
        return NULL;
    }
    if (!grey_add(grey, 0, 0, width, height, GREY_CHUNKY, data, length / height, error))
        return NULL;
    return grey_finish(g_steal_pointer(&grey));
}

Plane *pixels_vips_decode(GBytes *bytes, PixelsVipsFormat format, guint32 page,
                          const Settings *settings, GError **error) {
    if (!vips_start(error) || (format == PIXELS_VIPS_PNG && !png_holds_its_chunks(bytes, error)))
        return NULL;
    g_autoptr(VipsImage) image = open_image(bytes, format, page, error);
    if (image == NULL ||
        !pixels_check_size((guint64)image->Xsize, (guint64)image->Ysize, settings, error))
        return NULL;
    g_autoptr(VipsImage) rgb = to_rgb(image, error);
    return rgb == NULL ? NULL : to_plane(rgb, error);
}
