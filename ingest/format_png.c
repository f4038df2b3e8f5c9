/* format_png: PNG, complete when its chunks can be walked through IEND.
 *
 * A file is the signature 89 50 4E 47 0D 0A 1A 0A and chunks:
 *
 *     4 bytes  length, big-endian, at most 2^31 - 1
 *     4 bytes  type, letters
 *     length   data
 *     4 bytes  CRC, left to the decoder
 *
 * IHDR comes first, 13 bytes: width 4, height 4, bit depth 1, colour type 1, and three more. What
 * stands behind IEND is nobody's and does no harm. Format: RFC 2083. */
#include "ingest/format.h"
#include <string.h>

/* Encoders write IDAT in pieces of 8 kB or more: this is 8 GB, and some seconds of walking. */
#define CHUNKS_MAX (1u << 20)

static const guint8 SIGNATURE[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static bool png_recognises(const guint8 *head, gsize length) {
    return length >= sizeof SIGNATURE && memcmp(head, SIGNATURE, sizeof SIGNATURE) == 0;
}

typedef struct {
    guint32 length;
    char type[5];
    guint64 data; /* where it begins */
} Chunk;

static guint32 number_at(const guint8 *at) {
    return (guint32)at[0] << 24 | (guint32)at[1] << 16 | (guint32)at[2] << 8 | at[3];
}

/* Reads the chunk at offset; all of it, with its CRC, lies inside the file. */
static bool chunk_read(int fd, guint64 size_bytes, guint64 offset, Chunk *ret_chunk,
                       GError **error) {
    guint8 head[8];
    if (size_bytes - offset < sizeof head)
        return fault_set(error, FAULT_AGAIN,
                         "ends at byte %" G_GUINT64_FORMAT " without IEND, where a chunk is to be",
                         size_bytes);
    if (!format_read(fd, offset, head, sizeof head, error))
        return false;
    Chunk chunk = {.length = number_at(head), .data = offset + sizeof head};
    memcpy(chunk.type, head + 4, 4);
    for (guint i = 0; i < 4; i++)
        if (!g_ascii_isalpha(chunk.type[i]))
            return fault_set(error, FAULT_AGAIN,
                             "has no chunk at byte %" G_GUINT64_FORMAT ", where one is to be",
                             offset);
    guint64 end = chunk.data + chunk.length + 4;
    if (chunk.length > G_MAXINT32 || end > size_bytes)
        return fault_set(error, FAULT_AGAIN,
                         "chunk %s ends at byte %" G_GUINT64_FORMAT
                         ", the file has %" G_GUINT64_FORMAT,
                         chunk.type, end, size_bytes);
    *ret_chunk = chunk;
    return true;
}

/* Samples per pixel by colour type: grey, -, RGB, palette, grey and alpha, -, RGB and alpha. */
static guint32 samples_of(guint8 colour_type) {
    static const guint32 samples[] = {1, 0, 3, 1, 2, 0, 4};
    return colour_type < G_N_ELEMENTS(samples) ? samples[colour_type] : 0;
}

static bool header_read(int fd, const Chunk *chunk, FormatPage *ret_page, GError **error) {
    guint8 data[13];
    if (strcmp(chunk->type, "IHDR") != 0 || chunk->length != sizeof data)
        return fault_set(error, FAULT_AGAIN, "begins with chunk %s of %u bytes, not IHDR of 13",
                         chunk->type, chunk->length);
    if (!format_read(fd, chunk->data, data, sizeof data, error))
        return false;
    *ret_page = (FormatPage){.width = number_at(data),
                             .height = number_at(data + 4),
                             .bits = data[8],
                             .samples = samples_of(data[9])};
    return true;
}

static bool png_read(int fd, guint64 size_bytes, GArray *pages, GError **error) {
    FormatPage page;
    Chunk chunk;
    if (!chunk_read(fd, size_bytes, sizeof SIGNATURE, &chunk, error) ||
        !header_read(fd, &chunk, &page, error))
        return false;
    for (guint walked = 0; strcmp(chunk.type, "IEND") != 0; walked++) {
        if (walked == CHUNKS_MAX)
            return fault_set(error, FAULT_AGAIN, "has no IEND among its first %u chunks",
                             CHUNKS_MAX);
        if (!chunk_read(fd, size_bytes, chunk.data + chunk.length + 4, &chunk, error))
            return false;
    }
    g_array_append_val(pages, page);
    return true;
}

const Format format_png = {
    .name = "png",
    .sentence = "PNG; one page",
    .recognises = png_recognises,
    .read = png_read,
};
