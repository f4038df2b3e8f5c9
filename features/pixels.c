#include "features/pixels.h"
#include "features/grey.h"
#include "features/pixels_vips.h"
#include <string.h>
#include <tiffio.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TIFF, TIFFClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TIFFOpenOptions, TIFFOpenOptionsFree)

bool pixels_check_size(guint64 width, guint64 height, const Settings *settings, GError **error) {
    if (width == 0 || height == 0)
        return fault_set(error, FAULT_BROKEN, "the image has no pixels");
    if (width > PIXELS_SIDE_LIMIT || height > PIXELS_SIDE_LIMIT ||
        width * height > (guint64)settings->pixel_limit)
        return fault_set(error, FAULT_BROKEN,
                         "%" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                         " pixels are more than pixel-limit %" G_GINT64_FORMAT " allows",
                         width, height, settings->pixel_limit);
    return true;
}

/* ---------------------------------------------------------------- libtiff, over memory --- */

/* A file in memory, and what libtiff said of it. */
typedef struct {
    const guint8 *data;
    gsize length, position;
    char *words;   /* the first error since it was last cleared; NULL: none */
    bool decoding; /* pixels are being read: what was a warning in the header is an error now */
} Memory;

static void memory_clear(Memory *memory) {
    g_clear_pointer(&memory->words, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Memory, memory_clear)

static tmsize_t memory_read(thandle_t handle, void *buffer, tmsize_t size) {
    Memory *memory = handle;
    gsize left = memory->length - MIN(memory->position, memory->length);
    gsize length = MIN((gsize)size, left);
    memcpy(buffer, memory->data + memory->position, length);
    memory->position += length;
    return (tmsize_t)length;
}

static toff_t memory_seek(thandle_t handle, toff_t offset, int whence) {
    Memory *memory = handle;
    toff_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory->position : memory->length;
    memory->position = (gsize)MIN(base + offset, (toff_t)memory->length);
    return memory->position;
}

static toff_t memory_size(thandle_t handle) {
    return ((Memory *)handle)->length;
}

static tmsize_t memory_write(thandle_t handle, void *buffer, tmsize_t size) {
    return 0;
}

static int memory_close(thandle_t handle) {
    return 0;
}

static int keep_error(TIFF *tiff, void *user_data, const char *module, const char *format,
                      va_list arguments) {
    Memory *memory = user_data;
    if (memory->words == NULL) {
        g_autofree char *words = g_strdup_vprintf(format, arguments);
        memory->words = g_strdup_printf("%s: %s", module, words);
    }
    return 1; /* and nobody else is told: libtiff's own handler would print it */
}

/* Odd tags are no reason not to measure. But where a JPEG stream ends early, libjpeg makes up the
 * rest and only warns. */
static int keep_warning(TIFF *tiff, void *user_data, const char *module, const char *format,
                        va_list arguments) {
    Memory *memory = user_data;
    if (memory->decoding && g_str_has_prefix(module, "JPEG"))
        return keep_error(tiff, user_data, module, format, arguments);
    return 1;
}

/* Handlers and limits belong to this handle: libvips sets libtiff's global ones. What a directory
 * may make libtiff allocate at once is bounded by what the file could hold. */
static TIFF *tiff_open(Memory *memory, GError **error) {
    g_autoptr(TIFFOpenOptions) options = TIFFOpenOptionsAlloc();
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, memory);
    TIFFOpenOptionsSetWarningHandlerExtR(options, keep_warning, memory);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(8 * memory->length + (16 << 20)));
    /* m: not mapped, the way libtiff is fuzzed; h: the directory is chosen below */
    TIFF *tiff = TIFFClientOpenExt("image", "rmh", memory, memory_read, memory_write, memory_seek,
                                   memory_close, memory_size, NULL, NULL, options);
    if (tiff == NULL)
        fault_set(error, FAULT_BROKEN, "no TIFF: %s", memory->words ? memory->words : "bad header");
    return tiff;
}

static bool tiff_fault(const Memory *memory, const char *otherwise, GError **error) {
    return fault_set(error, FAULT_BROKEN, "%s", memory->words ? memory->words : otherwise);
}

static bool tiff_choose_page(TIFF *tiff, Memory *memory, guint32 page, GError **error) {
    if (TIFFSetDirectory(tiff, page) == 0) {
        g_autofree char *otherwise = g_strdup_printf("the file has no page %u", page);
        return tiff_fault(memory, otherwise, error);
    }
    memory_clear(memory); /* complaints about tags that do not matter */
    return true;
}

/* ------------------------------------------------------------------ a page's header --- */

typedef struct {
    guint32 width, height;
    guint32 block_width, block_height;
    guint16 bits, samples, photometric, planar, compression, fill_order;
    GreyFormat format;
    bool tiled, separate;
    guint16 *palette[3]; /* borrowed from libtiff */
} TiffPage;

static bool tiff_read_format(TIFF *tiff, TiffPage *page, GError **error) {
    static const struct {
        guint16 tag;
        GreyFormat format;
    } formats[] = {{SAMPLEFORMAT_UINT, GREY_UNSIGNED},
                   {SAMPLEFORMAT_VOID, GREY_UNSIGNED},
                   {SAMPLEFORMAT_INT, GREY_SIGNED},
                   {SAMPLEFORMAT_IEEEFP, GREY_FLOAT}};
    guint16 tag = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &tag);
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (formats[i].tag == tag) {
            page->format = formats[i].format;
            return true;
        }
    return fault_set(error, FAULT_BROKEN, "complex numbers are no image to measure");
}

static void tiff_read_blocks(TIFF *tiff, TiffPage *page) {
    page->tiled = TIFFIsTiled(tiff);
    if (page->tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &page->block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &page->block_height);
    } else {
        guint32 rows = 0;
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &rows);
        page->block_width = page->width;
        page->block_height = MIN(rows, page->height);
    }
}

static bool tiff_read_header(TIFF *tiff, TiffPage *page, const Settings *settings, GError **error) {
    *page = (TiffPage){.photometric = PHOTOMETRIC_MINISBLACK};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page->photometric);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &page->planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &page->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &page->fill_order);
    if (!pixels_check_size(page->width, page->height, settings, error) ||
        !tiff_read_format(tiff, page, error))
        return false;

    page->separate = page->planar == PLANARCONFIG_SEPARATE && page->samples > 1;
    tiff_read_blocks(tiff, page);
    if (page->samples == 0 || page->block_width == 0 || page->block_height == 0)
        return fault_set(error, FAULT_BROKEN,
                         "samples per pixel, or a strip's or tile's side is 0");
    if (page->photometric == PHOTOMETRIC_PALETTE &&
        (page->bits > 16 || page->format != GREY_UNSIGNED ||
         !TIFFGetField(tiff, TIFFTAG_COLORMAP, &page->palette[0], &page->palette[1],
                       &page->palette[2])))
        return fault_set(error, FAULT_BROKEN, "a palette image without its palette");
    return true;
}

/* JPEG within TIFF is nearly always YCbCr; libtiff's own codec turns it into RGB when told so. */
static void tiff_ask_jpeg_for_rgb(TIFF *tiff, TiffPage *page) {
    if (page->compression != COMPRESSION_JPEG || page->photometric != PHOTOMETRIC_YCBCR ||
        page->separate)
        return;
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    page->photometric = PHOTOMETRIC_RGB;
}

/* Whether a pixel's samples are grey values, indices or red, green and blue as they stand. */
static bool tiff_is_simple(const TiffPage *page) {
    switch (page->photometric) {
    case PHOTOMETRIC_MINISBLACK:
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MASK:
    case PHOTOMETRIC_PALETTE: return page->compression != COMPRESSION_OJPEG;
    case PHOTOMETRIC_RGB: return page->samples >= 3 && page->compression != COMPRESSION_OJPEG;
    default: return false;
    }
}

/* ------------------------------------------------------- pixels measured where they lie --- */

/* Where the page's pixels begin in the file, if its strips lie one after the other as one piece;
 * 0 if they do not. */
static guint64 tiff_one_piece(TIFF *tiff, const TiffPage *page, gsize row_bytes) {
    guint64 start = TIFFGetStrileOffset(tiff, 0), expected = start;
    guint32 strips = TIFFNumberOfStrips(tiff);
    for (guint32 strip = 0; strip < strips; strip++) {
        guint32 rows = MIN(page->block_height, page->height - strip * page->block_height);
        if (TIFFGetStrileOffset(tiff, strip) != expected ||
            TIFFGetStrileByteCount(tiff, strip) < rows * row_bytes)
            return 0;
        expected += rows * row_bytes;
    }
    return start;
}

static bool tiff_is_plain(TIFF *tiff, const TiffPage *page) {
    bool native = page->bits == 8 || !TIFFIsByteSwapped(tiff);
    bool known = page->format == GREY_UNSIGNED ? page->bits == 8 || page->bits == 16
                                               : page->bits == 32 || page->bits == 64;
    return known && native && page->format != GREY_SIGNED && page->samples == 1 && !page->tiled &&
           page->compression == COMPRESSION_NONE && page->fill_order == FILLORDER_MSB2LSB &&
           page->photometric == PHOTOMETRIC_MINISBLACK;
}

/* NULL without error if the pixels must be decoded. */
static Plane *tiff_in_place(TIFF *tiff, const TiffPage *page, GBytes *bytes) {
    if (!tiff_is_plain(tiff, page))
        return NULL;
    gsize value_bytes = page->bits / 8, row_bytes = page->width * value_bytes, length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    guint64 start = tiff_one_piece(tiff, page, row_bytes);
    bool inside = start > 0 && start <= length && row_bytes * page->height <= length - start;
    if (!inside || (guintptr)(data + start) % value_bytes != 0)
        return NULL;

    PlaneType type = page->format == GREY_FLOAT ? (page->bits == 32 ? PLANE_F32 : PLANE_F64)
                                                : (page->bits == 8 ? PLANE_U8 : PLANE_U16);
    Plane *plane = plane_new(type, page->width, page->height, data + start, g_bytes_ref(bytes));
    plane->in_place = true;
    plane->whole = page->format == GREY_UNSIGNED;
    if (plane->whole)
        plane->scale = page->bits == 8 ? 255 : 65535;
    return plane;
}

/* ------------------------------------------------------------------- pixels decoded --- */

typedef struct {
    TIFF *tiff;
    Memory *memory;
    const TiffPage *page;
    Grey *grey;
    guint8 *block; /* one strip or tile */
    gsize block_bytes, row_bytes;
    guint64 bytes_limit; /* of all samples together */
} TiffReader;

/* A block that claims far more than the image, or samples that claim far more than the pixels a
 * frame may have, would cost memory for nothing. */
#define SMALL_BLOCK_BYTES (64 << 20)

static bool reader_open(TiffReader *reader, GError **error) {
    const TiffPage *page = reader->page;
    guint64 block = page->tiled ? TIFFTileSize64(reader->tiff)
                                : TIFFVStripSize64(reader->tiff, page->block_height);
    guint64 row = page->tiled ? TIFFTileRowSize64(reader->tiff) : TIFFScanlineSize64(reader->tiff);
    guint64 image = TIFFScanlineSize64(reader->tiff) * page->height;
    if (block == 0 || row == 0 || block / row < page->block_height)
        return tiff_fault(reader->memory, "strips or tiles of an impossible size", error);
    if (block > MAX(4 * image, SMALL_BLOCK_BYTES) || image > reader->bytes_limit)
        return fault_set(error, FAULT_BROKEN,
                         "strips or tiles of %" G_GUINT64_FORMAT
                         " bytes in an image of %" G_GUINT64_FORMAT " bytes are more than allowed",
                         block, image);
    reader->block_bytes = block;
    reader->row_bytes = row;
    reader->block = g_try_malloc(block);
    return reader->block != NULL ||
           fault_set(error, FAULT_BROKEN,
                     "memory does not suffice for a strip of %" G_GUINT64_FORMAT " bytes", block);
}

static bool reader_read_block(TiffReader *reader, guint32 x, guint32 y, guint32 rows, int component,
                              GError **error) {
    guint16 sample = component == GREY_CHUNKY ? 0 : (guint16)component;
    bool tiled = reader->page->tiled;
    tmsize_t wanted = (tmsize_t)(tiled ? reader->block_bytes : rows * reader->row_bytes);
    guint32 index = tiled ? TIFFComputeTile(reader->tiff, x, y, 0, sample)
                          : TIFFComputeStrip(reader->tiff, y, sample);
    tmsize_t got = tiled ? TIFFReadEncodedTile(reader->tiff, index, reader->block, wanted)
                         : TIFFReadEncodedStrip(reader->tiff, index, reader->block, wanted);
    if (got == wanted && reader->memory->words == NULL)
        return true;
    g_autofree char *otherwise =
        g_strdup_printf("%s %u holds too few pixels", tiled ? "tile" : "strip", index);
    return tiff_fault(reader->memory, otherwise, error);
}

/* All samples of the strip or tile at (x, y). */
static bool reader_add_block(TiffReader *reader, guint32 x, guint32 y, GError **error) {
    const TiffPage *page = reader->page;
    guint32 width = MIN(page->block_width, page->width - x);
    guint32 height = MIN(page->block_height, page->height - y);
    int first = page->separate ? 0 : GREY_CHUNKY;
    int last = page->separate ? (int)grey_components(reader->grey) - 1 : GREY_CHUNKY;
    for (int component = first; component <= last; component++)
        if (!reader_read_block(reader, x, y, height, component, error) ||
            !grey_add(reader->grey, x, y, width, height, component, reader->block,
                      reader->row_bytes, error))
            return false;
    return true;
}

static bool reader_add_all(TiffReader *reader, GError **error) {
    const TiffPage *page = reader->page;
    for (guint64 y = 0; y < page->height; y += page->block_height)
        for (guint64 x = 0; x < page->width; x += page->block_width)
            if (!reader_add_block(reader, (guint32)x, (guint32)y, error))
                return false;
    return true;
}

static Plane *tiff_decode_blocks(TIFF *tiff, Memory *memory, const TiffPage *page,
                                 const Settings *settings, GError **error) {
    GreySamples samples = {
        .format = page->format,
        .bits = page->bits,
        .samples = page->samples,
        .colour = page->photometric == PHOTOMETRIC_RGB,
        .inverted = page->photometric == PHOTOMETRIC_MINISWHITE,
        .palette = {page->palette[0], page->palette[1], page->palette[2]},
    };
    g_autoptr(Grey) grey = grey_new(&samples, page->width, page->height, error);
    if (grey == NULL)
        return NULL;
    memory->decoding = true;
    TiffReader reader = {.tiff = tiff,
                         .memory = memory,
                         .page = page,
                         .grey = grey,
                         .bytes_limit = (guint64)settings->pixel_limit * sizeof(double)};
    bool read = reader_open(&reader, error) && reader_add_all(&reader, error);
    g_free(reader.block);
    return read ? grey_finish(g_steal_pointer(&grey)) : NULL;
}

static Plane *tiff_decode(GBytes *bytes, guint32 number, const Settings *settings, GError **error) {
    g_auto(Memory) memory = {0};
    memory.data = g_bytes_get_data(bytes, &memory.length);
    g_autoptr(TIFF) tiff = tiff_open(&memory, error);
    TiffPage page;
    if (tiff == NULL || !tiff_choose_page(tiff, &memory, number, error) ||
        !tiff_read_header(tiff, &page, settings, error))
        return NULL;

    tiff_ask_jpeg_for_rgb(tiff, &page);
    if (!tiff_is_simple(&page))
        return pixels_vips_decode(bytes, PIXELS_VIPS_TIFF, number, settings, error);
    Plane *plane = tiff_in_place(tiff, &page, bytes);
    return plane != NULL ? plane : tiff_decode_blocks(tiff, &memory, &page, settings, error);
}

/* --------------------------------------------------------------------- any image file --- */

typedef enum { NO_IMAGE, TIFF_IMAGE, PNG_IMAGE } FileKind;

static FileKind file_kind(GBytes *bytes) {
    static const struct {
        const char *magic;
        gsize length;
        FileKind kind;
    } magics[] = {
        {"II*\0", 4, TIFF_IMAGE},
        {"MM\0*", 4, TIFF_IMAGE},
        {"II+\0", 4, TIFF_IMAGE},
        {"MM\0+", 4, TIFF_IMAGE},
        {"\x89PNG\r\n\x1a\n", 8, PNG_IMAGE},
    };
    gsize length;
    const guint8 *data = g_bytes_get_data(bytes, &length);
    for (gsize i = 0; i < G_N_ELEMENTS(magics); i++)
        if (length >= magics[i].length && memcmp(data, magics[i].magic, magics[i].length) == 0)
            return magics[i].kind;
    return NO_IMAGE;
}

Plane *pixels_decode(GBytes *bytes, guint32 page, const Settings *settings, GError **error) {
    FileKind kind = file_kind(bytes);
    if (kind == TIFF_IMAGE)
        return tiff_decode(bytes, page, settings, error);
    if (kind == PNG_IMAGE && page == 0)
        return pixels_vips_decode(bytes, PIXELS_VIPS_PNG, 0, settings, error);
    fault_set(error, FAULT_BROKEN,
              kind == PNG_IMAGE ? "a PNG has one page" : "neither TIFF nor PNG");
    return NULL;
}

guint32 pixels_pages(GBytes *bytes, GError **error) {
    FileKind kind = file_kind(bytes);
    if (kind == PNG_IMAGE)
        return 1;
    if (kind == NO_IMAGE)
        return fault_set(error, FAULT_BROKEN, "neither TIFF nor PNG");

    g_auto(Memory) memory = {0};
    memory.data = g_bytes_get_data(bytes, &memory.length);
    g_autoptr(TIFF) tiff = tiff_open(&memory, error);
    if (tiff == NULL)
        return 0;
    guint32 pages = TIFFNumberOfDirectories(tiff);
    return pages > 0 ? pages : tiff_fault(&memory, "the file has no page", error);
}
