#include "ingest/tiff_directory.h"
#include "ingest/format.h"
#include <math.h>
#include <string.h>

/* The most libtiff accepts, too; real directories have 10 to 40. */
#define ENTRIES_MAX 4096

/* Directories and tables stand each at a place of its own, so together they are no larger than the
 * file. A file made to keep us reading, every page pointing to one giant table, exceeds this. */
#define BUDGET_BEYOND_FILE (1024 * 1024)

#define PHOTOMETRIC_YCBCR 6

/* --- numbers in the file's byte order --- */

static guint64 number_at(const TiffFile *file, const guint8 *at, guint width) {
    guint64 number = 0;
    for (guint i = 0; i < width; i++)
        number = number << 8 | at[file->big_endian ? i : width - 1 - i];
    return number;
}

void tiff_put(const TiffFile *file, GByteArray *table, guint64 number, guint width) {
    guint8 bytes[8];
    for (guint i = 0; i < width; i++)
        bytes[file->big_endian ? width - 1 - i : i] = (guint8)(number >> 8 * i);
    g_byte_array_append(table, bytes, width);
}

static bool file_read(TiffFile *file, guint64 at, void *buffer, gsize length, GError **error) {
    if (length > file->budget_bytes)
        return fault_set(error, FAULT_AGAIN,
                         "has directories and tables that together are larger than the file");
    file->budget_bytes -= length;
    return format_read(file->fd, at, buffer, length, error);
}

/* Whether length bytes at a place lie inside the file. */
static bool inside(const TiffFile *file, guint64 at, guint64 length) {
    return at <= file->size_bytes && length <= file->size_bytes - at;
}

static bool set_beyond(const TiffFile *file, const char *what, guint64 at, guint64 length,
                       GError **error) {
    guint64 end = length > G_MAXUINT64 - at ? G_MAXUINT64 : at + length;
    return fault_set(error, FAULT_AGAIN,
                     "%s ends at byte %" G_GUINT64_FORMAT ", the file has %" G_GUINT64_FORMAT, what,
                     end, file->size_bytes);
}

/* --- header --- */

guint tiff_header_bytes(const TiffFile *file) {
    return file->big ? 16 : 8;
}

guint tiff_place_bytes(const TiffFile *file) {
    return file->big ? 8 : 4;
}

bool tiff_file_read(int fd, guint64 size_bytes, TiffFile *ret_file, GError **error) {
    TiffFile file = {
        .fd = fd, .size_bytes = size_bytes, .budget_bytes = size_bytes + BUDGET_BEYOND_FILE};
    guint8 head[16];
    if (!inside(&file, 0, 8))
        return set_beyond(&file, "the header", 0, 8, error);
    if (!file_read(&file, 0, head, 8, error))
        return false;
    file.big_endian = head[0] == 'M';
    file.big = number_at(&file, head + 2, 2) == 43;
    guint length = tiff_header_bytes(&file);
    if (!inside(&file, 0, length))
        return set_beyond(&file, "the header", 0, length, error);
    if (!file_read(&file, 0, head, length, error))
        return false;
    if (file.big && number_at(&file, head + 4, 4) != (file.big_endian ? 8u << 16 : 8u))
        return fault_set(error, FAULT_AGAIN, "is BigTIFF, but its places do not have 8 bytes");
    guint width = tiff_place_bytes(&file);
    file.first = number_at(&file, head + length - width, width);
    if (file.first == 0)
        return fault_set(error, FAULT_AGAIN, "has no directory yet: its header names none");
    *ret_file = file;
    return true;
}

/* --- directory --- */

/* Bytes of one value by type; 0: unknown. */
static guint type_bytes(guint16 type) {
    static const guint8 bytes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < G_N_ELEMENTS(bytes) ? bytes[type] : 0;
}

/* Types that hold whole numbers: BYTE, SHORT, LONG, IFD, LONG8, IFD8. */
static bool type_is_count(guint16 type) {
    static const guint32 counts = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 13 | 1 << 16 | 1 << 18;
    return type < 32 && (counts >> type & 1) != 0;
}

void tiff_directory_clear(TiffDirectory *directory) {
    g_clear_pointer(&directory->entries, g_array_unref);
}

/* Entry as it stands at `at` of the file, its bytes being raw. */
static bool entry_read(const TiffFile *file, guint64 at, const guint8 *raw, TiffEntry *ret_entry,
                       GError **error) {
    guint width = tiff_place_bytes(file);
    TiffEntry entry = {.tag = (guint16)number_at(file, raw, 2),
                       .type = (guint16)number_at(file, raw + 2, 2),
                       .count = number_at(file, raw + 4, width),
                       .at = at + 4 + width};
    memcpy(entry.inside, raw + 4 + width, width);
    if (!g_uint64_checked_mul(&entry.length, entry.count, type_bytes(entry.type)))
        entry.length = G_MAXUINT64;
    if (entry.length > width)
        entry.at = number_at(file, entry.inside, width);
    if (!inside(file, entry.at, entry.length)) {
        g_autofree char *what = g_strdup_printf("the value of tag %u", entry.tag);
        return set_beyond(file, what, entry.at, entry.length, error);
    }
    *ret_entry = entry;
    return true;
}

/* The number of entries of the directory at a place; all of them, and what follows, lie inside. */
static bool entry_count_read(TiffFile *file, guint64 at, guint64 *ret_count, GError **error) {
    guint8 raw[8];
    guint width = file->big ? 8 : 2;
    if (at < tiff_header_bytes(file))
        return fault_set(
            error, FAULT_AGAIN,
            "a directory is said to stand at byte %" G_GUINT64_FORMAT ", inside the header", at);
    if (!inside(file, at, width))
        return set_beyond(file, "a directory's count", at, width, error);
    if (!file_read(file, at, raw, width, error))
        return false;
    guint64 count = number_at(file, raw, width);
    if (count == 0 || count > ENTRIES_MAX)
        return fault_set(error, FAULT_AGAIN,
                         "the directory at byte %" G_GUINT64_FORMAT " has %" G_GUINT64_FORMAT
                         " entries, not 1 to %d",
                         at, count, ENTRIES_MAX);
    *ret_count = count;
    return true;
}

bool tiff_directory_next(TiffFile *file, guint64 at, guint64 *ret_next, GError **error) {
    guint64 count = 0;
    guint8 raw[8];
    guint width = tiff_place_bytes(file);
    if (!entry_count_read(file, at, &count, error))
        return false;
    guint64 end = at + (file->big ? 8 : 2) + count * (4 + 2 * width);
    if (!inside(file, end, width))
        return set_beyond(file, "a directory", end, width, error);
    if (!file_read(file, end, raw, width, error))
        return false;
    *ret_next = number_at(file, raw, width);
    return true;
}

bool tiff_directory_read(TiffFile *file, guint64 at, TiffDirectory *ret_directory, GError **error) {
    guint64 count = 0;
    guint width = tiff_place_bytes(file);
    guint entry_bytes = 4 + 2 * width;
    *ret_directory = (TiffDirectory){.at = at};
    if (!entry_count_read(file, at, &count, error))
        return false;

    guint64 body = at + (file->big ? 8 : 2);
    gsize length = count * entry_bytes + width;
    if (!inside(file, body, length))
        return set_beyond(file, "a directory", body, length, error);
    g_autofree guint8 *raw = g_malloc(length);
    if (!file_read(file, body, raw, length, error))
        return false;

    ret_directory->next = number_at(file, raw + length - width, width);
    ret_directory->entries = g_array_sized_new(FALSE, FALSE, sizeof(TiffEntry), (guint)count);
    for (guint64 i = 0; i < count; i++) {
        TiffEntry entry;
        if (!entry_read(file, body + i * entry_bytes, raw + i * entry_bytes, &entry, error))
            return false;
        g_array_append_val(ret_directory->entries, entry);
    }
    return true;
}

const TiffEntry *tiff_directory_find(const TiffDirectory *directory, guint16 tag) {
    for (guint i = 0; i < directory->entries->len; i++) {
        const TiffEntry *entry = &g_array_index(directory->entries, TiffEntry, i);
        if (entry->tag == tag)
            return entry;
    }
    return NULL;
}

/* --- tables of numbers --- */

static void numbers_begin(TiffNumbers *numbers, TiffFile *file, const TiffEntry *entry) {
    numbers->file = file;
    numbers->entry = entry;
    numbers->next = numbers->buffer_end = 0;
    numbers->buffer_at = 0;
}

static bool numbers_fill(TiffNumbers *numbers, GError **error) {
    const TiffEntry *entry = numbers->entry;
    guint width = type_bytes(entry->type);
    guint64 count = MIN(entry->count - numbers->next, sizeof numbers->buffer / width);
    numbers->buffer_at = 0;
    numbers->buffer_end = numbers->next + count;
    if (entry->length <= tiff_place_bytes(numbers->file)) {
        memcpy(numbers->buffer, entry->inside, entry->length);
        return true;
    }
    return file_read(numbers->file, entry->at + numbers->next * width, numbers->buffer,
                     count * width, error);
}

/* The next value. The entry is of a counting type, and numbers->next below its count. */
static bool numbers_next(TiffNumbers *numbers, guint64 *ret_number, GError **error) {
    if (numbers->next == numbers->buffer_end && !numbers_fill(numbers, error))
        return false;
    guint width = type_bytes(numbers->entry->type);
    *ret_number = number_at(numbers->file, numbers->buffer + numbers->buffer_at, width);
    numbers->buffer_at += width;
    numbers->next++;
    return true;
}

/* --- page --- */

/* The first value of a tag, or absent if the directory does not have it. FAULT_AGAIN if it is no
 * whole number up to 2^32 - 1. */
static bool number_of(TiffFile *file, const TiffDirectory *directory, guint16 tag, guint32 absent,
                      guint32 *ret_number, GError **error) {
    *ret_number = absent;
    const TiffEntry *entry = tiff_directory_find(directory, tag);
    if (entry == NULL)
        return true;
    guint8 raw[8];
    guint width = type_bytes(entry->type);
    if (!type_is_count(entry->type) || entry->count == 0)
        return fault_set(error, FAULT_AGAIN, "tag %u is no number", tag);
    if (entry->length <= tiff_place_bytes(file))
        memcpy(raw, entry->inside, width);
    else if (!file_read(file, entry->at, raw, width, error))
        return false;
    guint64 number = number_at(file, raw, width);
    if (number > G_MAXUINT32)
        return fault_set(error, FAULT_AGAIN, "tag %u is %" G_GUINT64_FORMAT ", too much", tag,
                         number);
    *ret_number = (guint32)number;
    return true;
}

/* Tags 282 and 296 say pixels per inch or centimetre. Many writers put there what a screen or a
 * printer has (72, 96, 300, 600 an inch: 42 um and more), some the pixels of the camera's chip
 * (6.45 and 6.5 um), so only what can be at the sample counts: 0.1 nm to 5 um. */
static bool pixel_size_read(TiffFile *file, const TiffDirectory *directory, TiffPage *page,
                            GError **error) {
    static const double unit_um[] = {0, 0, 25400, 10000};
    guint32 unit;
    guint8 raw[8];
    const TiffEntry *entry = tiff_directory_find(directory, TIFF_TAG_X_RESOLUTION);
    if (!number_of(file, directory, TIFF_TAG_RESOLUTION_UNIT, 2, &unit, error))
        return false;
    if (entry == NULL || entry->type != 5 || entry->count == 0 || unit >= G_N_ELEMENTS(unit_um))
        return true;
    if (entry->length <= tiff_place_bytes(file))
        memcpy(raw, entry->inside, sizeof raw);
    else if (!file_read(file, entry->at, raw, sizeof raw, error))
        return false;
    guint64 numerator = number_at(file, raw, 4), denominator = number_at(file, raw + 4, 4);
    double size_um = numerator == 0 ? 0 : unit_um[unit] * (double)denominator / (double)numerator;
    page->pixel_size_um = size_um >= 1e-4 && size_um <= 5 ? size_um : 0;
    return true;
}

/* A table of the page: it must hold a number for every chunk. */
static bool table_check(const TiffEntry *table, const TiffPage *page, const char *what,
                        GError **error) {
    if (!type_is_count(table->type))
        return fault_set(error, FAULT_AGAIN, "tag %u is no table of numbers", table->tag);
    if (table->count >= page->chunks)
        return true;
    return fault_set(error, FAULT_AGAIN,
                     "has %s for %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s", what,
                     table->count, page->chunks, page->tiled ? "tiles" : "strips");
}

/* Some writers of tiles use the tags of strips, so either pair will do. */
static bool tables_find(const TiffDirectory *directory, TiffPage *page, GError **error) {
    static const guint16 offset_tags[] = {TIFF_TAG_STRIP_OFFSETS, TIFF_TAG_TILE_OFFSETS};
    static const guint16 length_tags[] = {TIFF_TAG_STRIP_LENGTHS, TIFF_TAG_TILE_LENGTHS};
    page->offsets = tiff_directory_find(directory, offset_tags[page->tiled]);
    page->lengths = tiff_directory_find(directory, length_tags[page->tiled]);
    if (page->offsets == NULL)
        page->offsets = tiff_directory_find(directory, offset_tags[!page->tiled]);
    if (page->lengths == NULL)
        page->lengths = tiff_directory_find(directory, length_tags[!page->tiled]);
    if (page->offsets == NULL)
        return fault_set(error, FAULT_AGAIN, "does not say where its %s are",
                         page->tiled ? "tiles" : "strips");
    if (page->lengths == NULL && page->compression != TIFF_COMPRESSION_NONE && page->chunks > 1)
        return fault_set(error, FAULT_AGAIN, "does not say how long its %s are",
                         page->tiled ? "tiles" : "strips");
    return table_check(page->offsets, page, "places", error) &&
           (page->lengths == NULL || table_check(page->lengths, page, "lengths", error));
}

static guint64 divide_up(guint64 number, guint64 by) {
    return number / by + (number % by != 0);
}

/* How many strips or tiles, and how large when nothing is compressed. */
static bool geometry_read(TiffFile *file, const TiffDirectory *directory, TiffPage *page,
                          GError **error) {
    guint32 planar, photometric, tile_width, tile_height, rows;
    if (!number_of(file, directory, TIFF_TAG_PLANAR, 1, &planar, error) ||
        !number_of(file, directory, TIFF_TAG_PHOTOMETRIC, 1, &photometric, error) ||
        !number_of(file, directory, TIFF_TAG_ROWS_PER_STRIP, G_MAXUINT32, &rows, error) ||
        !number_of(file, directory, TIFF_TAG_TILE_WIDTH, 0, &tile_width, error) ||
        !number_of(file, directory, TIFF_TAG_TILE_HEIGHT, 0, &tile_height, error))
        return false;
    page->tiled = tile_width != 0 && tile_height != 0;
    guint32 chunk_width = page->tiled ? tile_width : page->width;
    page->rows_in_chunk = page->tiled ? tile_height : rows == 0 ? page->height : rows;
    page->chunks_in_plane =
        divide_up(page->width, chunk_width) * divide_up(page->height, page->rows_in_chunk);
    guint64 planes = planar == 2 ? page->samples : 1;
    if (!g_uint64_checked_mul(&page->chunks, page->chunks_in_plane, planes))
        return fault_set(error, FAULT_AGAIN, "has more strips or tiles than a file can hold");

    /* Of YCbCr not every pixel has all of its samples. No overflow: 32, 16 and 16 bits. */
    guint64 pixel_bits = (guint64)page->bits * (planar == 2 ? 1 : page->samples);
    if (page->compression == TIFF_COMPRESSION_NONE && photometric != PHOTOMETRIC_YCBCR)
        page->row_bytes = divide_up(chunk_width * pixel_bits, 8);
    return true;
}

bool tiff_page_read(TiffFile *file, const TiffDirectory *directory, TiffPage *ret_page,
                    GError **error) {
    TiffPage page = {0};
    if (!number_of(file, directory, TIFF_TAG_WIDTH, 0, &page.width, error) ||
        !number_of(file, directory, TIFF_TAG_HEIGHT, 0, &page.height, error) ||
        !number_of(file, directory, TIFF_TAG_BITS, 1, &page.bits, error) ||
        !number_of(file, directory, TIFF_TAG_SAMPLES, 1, &page.samples, error) ||
        !number_of(file, directory, TIFF_TAG_COMPRESSION, 1, &page.compression, error))
        return false;
    if (page.width == 0 || page.height == 0)
        return fault_set(error, FAULT_AGAIN, "has no %s", page.width == 0 ? "width" : "height");
    if (page.bits > G_MAXUINT16 || page.samples == 0 || page.samples > G_MAXUINT16)
        return fault_set(error, FAULT_AGAIN, "has %u samples of %u bits", page.samples, page.bits);
    if (!geometry_read(file, directory, &page, error) || !tables_find(directory, &page, error) ||
        !pixel_size_read(file, directory, &page, error))
        return false;
    *ret_page = page;
    return true;
}

/* --- strips and tiles --- */

void tiff_chunks_begin(TiffChunks *chunks, TiffFile *file, const TiffPage *page) {
    chunks->file = file;
    chunks->page = page;
    chunks->next = 0;
    numbers_begin(&chunks->offsets, file, page->offsets);
    numbers_begin(&chunks->lengths, file, page->lengths);
}

/* Bytes a chunk needs when nothing is compressed; the last strip of a plane may be lower. Tiles are
 * always whole. 0: unknown. */
static guint64 bytes_needed(const TiffPage *page, guint64 chunk) {
    guint64 rows = page->rows_in_chunk, needed;
    if (!page->tiled) {
        guint64 above = chunk % page->chunks_in_plane * rows;
        rows = MIN(rows, page->height - above);
    }
    return g_uint64_checked_mul(&needed, page->row_bytes, rows) ? needed : G_MAXUINT64;
}

/* For the words: "strip 37 of 40", counted from 1. */
static char *chunk_text(const TiffChunks *chunks) {
    return g_strdup_printf("%s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                           chunks->page->tiled ? "tile" : "strip", chunks->next + 1,
                           chunks->page->chunks);
}

static bool chunk_check(const TiffChunks *chunks, guint64 offset, guint64 length, GError **error) {
    const TiffFile *file = chunks->file;
    guint64 needed = bytes_needed(chunks->page, chunks->next);
    bool written = offset >= tiff_header_bytes(file) && length > 0;
    if (written && inside(file, offset, length) && length >= needed)
        return true;
    g_autofree char *which = chunk_text(chunks);
    if (!written)
        return fault_set(error, FAULT_AGAIN,
                         "%s is not written: %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT,
                         which, length, offset);
    if (!inside(file, offset, length))
        return set_beyond(file, which, offset, length, error);
    return fault_set(error, FAULT_AGAIN,
                     "%s has %" G_GUINT64_FORMAT " bytes, its pixels need %" G_GUINT64_FORMAT,
                     which, length, needed);
}

bool tiff_chunks_next(TiffChunks *chunks, guint64 *ret_offset, guint64 *ret_length,
                      GError **error) {
    guint64 offset, length;
    const TiffPage *page = chunks->page;
    if (!numbers_next(&chunks->offsets, &offset, error))
        return false;
    if (page->lengths != NULL) {
        if (!numbers_next(&chunks->lengths, &length, error))
            return false;
    } else {
        /* Compressed, and alone: it ends where the file does, at the latest. */
        guint64 size_bytes = chunks->file->size_bytes;
        length = page->row_bytes != 0 ? bytes_needed(page, chunks->next)
                                      : size_bytes - MIN(offset, size_bytes);
    }
    if (!chunk_check(chunks, offset, length, error))
        return false;
    chunks->next++;
    *ret_offset = offset;
    *ret_length = length;
    return true;
}
