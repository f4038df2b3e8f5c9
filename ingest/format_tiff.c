/* format_tiff: TIFF and BigTIFF, complete when the whole chain of directories can be walked to its
 * end and every strip or tile of every page is written and lies inside the file.
 *
 * Every directory of the main chain is a page, in the chain's order, so that page numbers are those
 * of libtiff; directories below a page (SubIFDs: pyramids, thumbnails) are not. What structure
 * cannot show is a file that got its full size and its directories first and its pixels later: that
 * is what quiet time is for.
 *
 * A page is cut out of a stack as a TIFF of the same kind and byte order:
 *
 *     header and directory        made anew, in memory
 *     values of its tags          small ones in memory, large ones where they lie
 *     tables of strips or tiles   made anew
 *     strips or tiles             where they lie, in their order
 *
 * Nothing is decoded, so nothing is lost. Left out are tags that point to other directories. Where
 * that cannot be done (old-style JPEG, whose tags are places in the file; tables beyond the bounds
 * below) the page gets the whole file behind a header that names its directory as the first. */
#include "ingest/format.h"
#include "ingest/tiff_directory.h"
#include <string.h>

/* Bounds of what a cut takes: 256 Ki strips are 4 MiB of tables, 64 Ki pieces 1.5 MiB. */
#define CUT_CHUNKS_MAX       (256 * 1024)
#define CUT_PIECES_MAX       (64 * 1024)
#define CUT_COPIED_MAX       4096  /* bytes of a value that is copied, not referred to */
#define CUT_PIXELS_ALIGN     16    /* so that a reader can measure pixels where they lie */
#define CUT_HEAD_BEYOND_FILE 65536 /* bytes header, tags and tables may exceed the file by */

static bool tiff_recognises(const guint8 *head, gsize length) {
    static const char begins[][4] = {
        {'I', 'I', 42, 0}, {'I', 'I', 43, 0}, {'M', 'M', 0, 42}, {'M', 'M', 0, 43}};
    for (guint i = 0; i < G_N_ELEMENTS(begins); i++)
        if (length >= 4 && memcmp(head, begins[i], 4) == 0)
            return true;
    return false;
}

/* --- structure --- */

static bool chunks_check(TiffFile *file, const TiffPage *page, GError **error) {
    TiffChunks chunks;
    guint64 offset, length;
    tiff_chunks_begin(&chunks, file, page);
    for (guint64 i = 0; i < page->chunks; i++)
        if (!tiff_chunks_next(&chunks, &offset, &length, error))
            return false;
    return true;
}

/* The page whose directory stands at a place, checked, and the place of the next one. */
static bool page_read(TiffFile *file, guint64 at, FormatPage *ret_page, guint64 *ret_next,
                      GError **error) {
    g_auto(TiffDirectory) directory = {0};
    TiffPage page;
    if (!tiff_directory_read(file, at, &directory, error) ||
        !tiff_page_read(file, &directory, &page, error) || !chunks_check(file, &page, error))
        return false;
    *ret_page = (FormatPage){.width = page.width,
                             .height = page.height,
                             .bits = page.bits,
                             .samples = page.samples,
                             .pixel_size_um = page.pixel_size_um};
    *ret_next = directory.next;
    return true;
}

static bool tiff_read(int fd, guint64 size_bytes, GArray *pages, GError **error) {
    TiffFile file;
    if (!tiff_file_read(fd, size_bytes, &file, error))
        return false;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint64 at = file.first, next; at != 0; at = next) {
        FormatPage page;
        if (!g_hash_table_add(seen, g_memdup2(&at, sizeof at)))
            return fault_set(error, FAULT_AGAIN,
                             "page %u: the chain of directories returns to byte %" G_GUINT64_FORMAT,
                             pages->len, at);
        if (pages->len == FORMAT_PAGES_MAX)
            return fault_set(error, FAULT_AGAIN, "has more than %d pages", FORMAT_PAGES_MAX);
        if (!page_read(&file, at, &page, &next, error)) {
            g_prefix_error(error, "page %u: ", pages->len);
            return false;
        }
        g_array_append_val(pages, page);
    }
    return true;
}

/* --- cut --- */

/* The place of a page's directory. */
static bool page_find(TiffFile *file, guint32 page, guint64 *ret_at, GError **error) {
    guint64 at = file->first;
    for (guint32 i = 0; i < page; i++) {
        if (!tiff_directory_next(file, at, &at, error))
            return false;
        if (at == 0)
            return fault_set(error, FAULT_AGAIN, "has %u pages", i + 1);
    }
    *ret_at = at;
    return true;
}

/* A piece of the new file that lies in the old one. */
typedef struct {
    guint64 offset, length;
} Range;

/* What a new one-page file is made of. */
typedef struct {
    TiffFile *file;
    const TiffPage *page;
    GArray *ranges;      /* strips or tiles; those that follow each other are one */
    GArray *places;      /* guint64: of each chunk, counted from the first's beginning */
    GArray *lengths;     /* guint64: of each chunk */
    guint64 pixel_bytes; /* sum of them */
} Cut;

static void cut_clear(Cut *cut) {
    g_clear_pointer(&cut->ranges, g_array_unref);
    g_clear_pointer(&cut->places, g_array_unref);
    g_clear_pointer(&cut->lengths, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cut, cut_clear)

static void cut_add_chunk(Cut *cut, guint64 offset, guint64 length) {
    Range *last =
        cut->ranges->len == 0 ? NULL : &g_array_index(cut->ranges, Range, cut->ranges->len - 1);
    g_array_append_val(cut->places, cut->pixel_bytes);
    g_array_append_val(cut->lengths, length);
    if (last != NULL && last->offset + last->length == offset) {
        last->length += length;
    } else {
        Range range = {offset, length};
        g_array_append_val(cut->ranges, range);
    }
    cut->pixel_bytes += length;
}

/* Where the page's strips or tiles lie. *ret_fits: within the bounds of a cut. */
static bool cut_read_chunks(Cut *cut, bool *ret_fits, GError **error) {
    TiffChunks chunks;
    guint64 offset, length;
    tiff_chunks_begin(&chunks, cut->file, cut->page);
    cut->ranges = g_array_new(FALSE, FALSE, sizeof(Range));
    cut->places = g_array_new(FALSE, FALSE, sizeof(guint64));
    cut->lengths = g_array_new(FALSE, FALSE, sizeof(guint64));
    *ret_fits = false;
    if (cut->page->chunks > CUT_CHUNKS_MAX)
        return true;
    for (guint64 i = 0; i < cut->page->chunks; i++) {
        if (!tiff_chunks_next(&chunks, &offset, &length, error))
            return false;
        cut_add_chunk(cut, offset, length);
        /* Strips that lie over each other, and a new file larger than the old one. */
        if (cut->pixel_bytes > cut->file->size_bytes || cut->ranges->len > CUT_PIECES_MAX)
            return true;
    }
    *ret_fits = true;
    return true;
}

/* Whether an entry points to other directories. The tags that tell how a page lies in the file, up
 * to 325, are numbers even where a strange writer gives them the type of a pointer. */
static bool is_pointer(const TiffEntry *entry) {
    bool pointer_type = entry->type == TIFF_TYPE_IFD || entry->type == TIFF_TYPE_IFD8;
    return (pointer_type && entry->tag > TIFF_TAG_TILE_LENGTHS) ||
           entry->tag == TIFF_TAG_SUB_DIRECTORIES || entry->tag == TIFF_TAG_EXIF ||
           entry->tag == TIFF_TAG_GPS || entry->tag == TIFF_TAG_INTEROPERABILITY ||
           entry->tag == TIFF_TAG_FREE_OFFSETS || entry->tag == TIFF_TAG_FREE_LENGTHS;
}

static bool is_table(const TiffEntry *entry) {
    return entry->tag == TIFF_TAG_STRIP_OFFSETS || entry->tag == TIFF_TAG_STRIP_LENGTHS ||
           entry->tag == TIFF_TAG_TILE_OFFSETS || entry->tag == TIFF_TAG_TILE_LENGTHS;
}

/* An entry of the new directory. */
typedef struct {
    TiffEntry entry;
    const GArray *numbers; /* its values made anew; NULL: they are those of the old entry */
    guint64 at;            /* where its values stand in the new file; 0: inside the entry */
} NewEntry;

static NewEntry table_entry(const Cut *cut, guint16 tag, const GArray *numbers) {
    guint width = tiff_place_bytes(cut->file);
    return (NewEntry){.entry = {.tag = tag,
                                .type = cut->file->big ? TIFF_TYPE_LONG8 : TIFF_TYPE_LONG,
                                .count = numbers->len,
                                .length = (guint64)numbers->len * width},
                      .numbers = numbers};
}

static gint by_tag(gconstpointer a, gconstpointer b) {
    return (gint)((const NewEntry *)a)->entry.tag - (gint)((const NewEntry *)b)->entry.tag;
}

/* The old directory's entries without what points elsewhere, and the two new tables; in the order
 * of tags, as the format wants it. */
static GArray *entries_new(const Cut *cut, const TiffDirectory *directory) {
    guint16 offsets_tag = cut->page->offsets->tag;
    guint16 lengths_tag =
        offsets_tag == TIFF_TAG_STRIP_OFFSETS ? TIFF_TAG_STRIP_LENGTHS : TIFF_TAG_TILE_LENGTHS;
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(NewEntry));
    for (guint i = 0; i < directory->entries->len; i++) {
        const TiffEntry *entry = &g_array_index(directory->entries, TiffEntry, i);
        NewEntry new = {.entry = *entry};
        bool first = tiff_directory_find(directory, entry->tag) == entry;
        if (first && entry->length > 0 && !is_table(entry) && !is_pointer(entry))
            g_array_append_val(entries, new);
    }
    NewEntry tables[] = {table_entry(cut, offsets_tag, cut->places),
                         table_entry(cut, lengths_tag, cut->lengths)};
    g_array_append_vals(entries, tables, G_N_ELEMENTS(tables));
    g_array_sort(entries, by_tag);
    return entries;
}

static guint64 align_up(guint64 at, guint64 to) {
    return (at + to - 1) / to * to;
}

/* Gives each entry's values their place behind the directory; returns where the pixels begin. */
static guint64 entries_place(const Cut *cut, GArray *entries) {
    guint width = tiff_place_bytes(cut->file);
    guint64 at = tiff_header_bytes(cut->file) + (cut->file->big ? 8 : 2) +
                 entries->len * (4 + 2 * (guint64)width) + width;
    for (guint i = 0; i < entries->len; i++) {
        NewEntry *new = &g_array_index(entries, NewEntry, i);
        if (new->entry.length <= width)
            continue;
        new->at = align_up(at, 8);
        at = new->at + new->entry.length;
    }
    return align_up(at, CUT_PIXELS_ALIGN);
}

/* The numbers of a new table; those of places count from where the pixels begin. */
static void put_numbers(const Cut *cut, GByteArray *bytes, const GArray *numbers, guint64 pixels) {
    guint64 base = numbers == cut->places ? pixels : 0;
    for (guint i = 0; i < numbers->len; i++)
        tiff_put(cut->file, bytes, base + g_array_index(numbers, guint64, i),
                 tiff_place_bytes(cut->file));
}

static void put_zeros(GByteArray *bytes, guint64 until) {
    static const guint8 zeros[CUT_PIXELS_ALIGN];
    while (bytes->len < until)
        g_byte_array_append(bytes, zeros, (guint)MIN(until - bytes->len, sizeof zeros));
}

/* Header and directory. */
static void put_directory(const Cut *cut, GByteArray *bytes, const GArray *entries,
                          guint64 pixels) {
    const TiffFile *file = cut->file;
    guint width = tiff_place_bytes(file);
    g_byte_array_append(bytes, (const guint8 *)(file->big_endian ? "MM" : "II"), 2);
    tiff_put(file, bytes, file->big ? 43 : 42, 2);
    if (file->big) {
        tiff_put(file, bytes, 8, 2);
        tiff_put(file, bytes, 0, 2);
    }
    tiff_put(file, bytes, tiff_header_bytes(file), width);
    tiff_put(file, bytes, entries->len, file->big ? 8 : 2);
    for (guint i = 0; i < entries->len; i++) {
        const NewEntry *new = &g_array_index(entries, NewEntry, i);
        guint end = bytes->len + 4 + 2 * width;
        tiff_put(file, bytes, new->entry.tag, 2);
        tiff_put(file, bytes, new->entry.type, 2);
        tiff_put(file, bytes, new->entry.count, width);
        if (new->at != 0)
            tiff_put(file, bytes, new->at, width);
        else if (new->numbers != NULL)
            put_numbers(cut, bytes, new->numbers, pixels);
        else
            g_byte_array_append(bytes, new->entry.inside, width);
        put_zeros(bytes, end);
    }
    tiff_put(file, bytes, 0, width); /* no next directory */
}

static void flush_memory(FrameBytes *target, GByteArray *memory) {
    if (memory->len > 0)
        frame_bytes_add_memory(target, memory->data, memory->len);
    g_byte_array_set_size(memory, 0);
}

/* The values that do not stand inside their entries. */
static bool add_values(const Cut *cut, FrameBytes *target, GByteArray *memory,
                       const GArray *entries, guint64 pixels, GError **error) {
    guint64 done = 0; /* bytes of the new file that were flushed from memory or referred to */
    for (guint i = 0; i < entries->len; i++) {
        const NewEntry *new = &g_array_index(entries, NewEntry, i);
        if (new->at == 0)
            continue;
        put_zeros(memory, new->at - done);
        if (new->numbers != NULL) {
            put_numbers(cut, memory, new->numbers, pixels);
        } else if (new->entry.length <= CUT_COPIED_MAX) {
            guint before = memory->len;
            g_byte_array_set_size(memory, before + (guint) new->entry.length);
            if (!format_read(cut->file->fd, new->entry.at, memory->data + before, new->entry.length,
                             error))
                return false;
        } else {
            done = new->at + new->entry.length;
            flush_memory(target, memory);
            frame_bytes_add_range(target, new->entry.at, new->entry.length);
        }
    }
    put_zeros(memory, pixels - done);
    flush_memory(target, memory);
    return true;
}

/* The page as a file of its own. *ret_fits false: it cannot be, and target is as it was. */
static bool cut_out(TiffFile *file, const TiffDirectory *directory, const TiffPage *page,
                    FrameBytes *target, bool *ret_fits, GError **error) {
    g_auto(Cut) cut = {.file = file, .page = page};
    if (!cut_read_chunks(&cut, ret_fits, error))
        return false;
    if (!*ret_fits)
        return true;
    g_autoptr(GArray) entries = entries_new(&cut, directory);
    g_autoptr(GByteArray) memory = g_byte_array_new();
    guint64 pixels = entries_place(&cut, entries);
    /* Values that lie over each other must not make a giant of a small file. */
    *ret_fits = pixels <= file->size_bytes + CUT_HEAD_BEYOND_FILE &&
                (file->big || pixels + cut.pixel_bytes <= G_MAXUINT32);
    if (!*ret_fits)
        return true;
    put_directory(&cut, memory, entries, pixels);
    if (!add_values(&cut, target, memory, entries, pixels, error))
        return false;
    for (guint i = 0; i < cut.ranges->len; i++) {
        const Range *range = &g_array_index(cut.ranges, Range, i);
        frame_bytes_add_range(target, range->offset, range->length);
    }
    return true;
}

/* The whole file, its header naming the page's directory as the first. */
static bool cut_behind_header(TiffFile *file, guint64 at, FrameBytes *target, GError **error) {
    guint8 head[16];
    guint length = tiff_header_bytes(file), width = tiff_place_bytes(file);
    g_autoptr(GByteArray) header = g_byte_array_new();
    if (!format_read(file->fd, 0, head, length, error))
        return false;
    g_byte_array_append(header, head, length - width);
    tiff_put(file, header, at, width);
    frame_bytes_add_memory(target, header->data, header->len);
    frame_bytes_add_range(target, length, file->size_bytes - length);
    return true;
}

static bool tiff_cut(int fd, guint64 size_bytes, guint32 number, FrameBytes *target,
                     GError **error) {
    TiffFile file;
    guint64 at = 0;
    g_auto(TiffDirectory) directory = {0};
    if (!tiff_file_read(fd, size_bytes, &file, error) || !page_find(&file, number, &at, error) ||
        !tiff_directory_read(&file, at, &directory, error))
        return false;
    if (number == 0 && directory.next == 0) {
        frame_bytes_add_range(target, 0, size_bytes);
        return true;
    }
    TiffPage page;
    bool fits = false;
    if (!tiff_page_read(&file, &directory, &page, error))
        return false;
    if (page.compression != TIFF_COMPRESSION_OLD_JPEG &&
        !cut_out(&file, &directory, &page, target, &fits, error))
        return false;
    return fits || cut_behind_header(&file, at, target, error);
}

const Format format_tiff = {
    .name = "tiff",
    .sentence = "TIFF and BigTIFF; a page is a directory of the main chain",
    .recognises = tiff_recognises,
    .read = tiff_read,
    .cut = tiff_cut,
};
