/* tiff_directory: the skeleton of a TIFF or BigTIFF, read within bounds: header, directories,
 * tables of strips and tiles.
 *
 * Not libtiff, on purpose: this runs on the acquisition PC, over files that are still being
 * written. libtiff takes memory by the file's word, repairs what is missing by guessing, and its
 * errors do not say which is which; here the question is just what is there and what is not yet.
 * Memory is one directory (at most 4096 entries) and two buffers of 4 KiB, however large the file;
 * all reads of a file together are bounded by its size.
 *
 * Bytes of the file (TIFF 6.0, Adobe 1992; BigTIFF, Aware Systems 2007), all numbers in the byte
 * order of the header:
 *
 *                        TIFF                       BigTIFF
 *     header             II or MM, 42, first (4)    II or MM, 43, 8, 0, first (8)
 *     directory          count (2)                  count (8)
 *       entry            tag 2, type 2, count 4,    tag 2, type 2, count 8,
 *                        value or its place 4       value or its place 8
 *     ... its end        next (4), 0: the last      next (8), 0: the last
 *
 * All errors are FAULT_AGAIN and say what is missing. */
#ifndef INGEST_TIFF_DIRECTORY_H
#define INGEST_TIFF_DIRECTORY_H

#include "stream/fault.h"
#include <glib.h>

enum {
    TIFF_TAG_WIDTH = 256,
    TIFF_TAG_HEIGHT = 257,
    TIFF_TAG_BITS = 258,
    TIFF_TAG_COMPRESSION = 259,
    TIFF_TAG_PHOTOMETRIC = 262,
    TIFF_TAG_STRIP_OFFSETS = 273,
    TIFF_TAG_SAMPLES = 277,
    TIFF_TAG_ROWS_PER_STRIP = 278,
    TIFF_TAG_STRIP_LENGTHS = 279,
    TIFF_TAG_X_RESOLUTION = 282,
    TIFF_TAG_PLANAR = 284,
    TIFF_TAG_FREE_OFFSETS = 288,
    TIFF_TAG_FREE_LENGTHS = 289,
    TIFF_TAG_RESOLUTION_UNIT = 296,
    TIFF_TAG_TILE_WIDTH = 322,
    TIFF_TAG_TILE_HEIGHT = 323,
    TIFF_TAG_TILE_OFFSETS = 324,
    TIFF_TAG_TILE_LENGTHS = 325,
    TIFF_TAG_SUB_DIRECTORIES = 330,
    TIFF_TAG_EXIF = 34665,
    TIFF_TAG_GPS = 34853,
    TIFF_TAG_INTEROPERABILITY = 40965,
};

enum {
    TIFF_TYPE_LONG = 4,
    TIFF_TYPE_IFD = 13,
    TIFF_TYPE_LONG8 = 16,
    TIFF_TYPE_IFD8 = 18,
};

enum {
    TIFF_COMPRESSION_NONE = 1,
    TIFF_COMPRESSION_OLD_JPEG = 6, /* its tags are places in the file */
};

/* A file under reading. fd is borrowed. */
typedef struct {
    int fd;
    guint64 size_bytes;
    bool big;             /* BigTIFF: places and counts have 8 bytes */
    bool big_endian;      /* MM */
    guint64 first;        /* where the first directory stands */
    guint64 budget_bytes; /* that may still be read */
} TiffFile;

typedef struct {
    guint16 tag, type;
    guint64 count;    /* of values */
    guint64 length;   /* of the values, in bytes; 0: the type is unknown, nothing is known */
    guint64 at;       /* where the values stand, inside the file */
    guint8 inside[8]; /* the values themselves if they have room in the entry, else their place */
} TiffEntry;

typedef struct {
    guint64 at;      /* where it stands */
    guint64 next;    /* where the next one is said to stand; 0: this is the last */
    GArray *entries; /* of TiffEntry, in the file's order */
} TiffDirectory;

void tiff_directory_clear(TiffDirectory *directory); /* accepts one that is all zero */
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TiffDirectory, tiff_directory_clear)

/* One page: what is needed to find all of its bytes. */
typedef struct {
    guint32 width, height, bits, samples, compression;
    double pixel_size_um; /* 0: unknown */
    bool tiled;
    guint64 chunks;          /* strips or tiles that make it up */
    guint64 chunks_in_plane; /* the same in one plane, where samples stand in planes of their own */
    guint32 rows_in_chunk;
    guint64 row_bytes;        /* of a row of one chunk when nothing is compressed; 0: unknown */
    const TiffEntry *offsets; /* of the directory it was read from */
    const TiffEntry *lengths; /* NULL: the file does not tell */
} TiffPage;

/* Reads the header. fd is borrowed and must outlive *ret_file. */
bool tiff_file_read(int fd, guint64 size_bytes, TiffFile *ret_file, GError **error);
/* Bytes of the header: 8 or 16. The place of the first directory is its last 4 or 8. */
guint tiff_header_bytes(const TiffFile *file);
/* Bytes of a place or a count in a directory: 4 or 8. */
guint tiff_place_bytes(const TiffFile *file);

/* Reads the directory that stands at a place. All of its values lie inside the file. The caller
 * clears *ret_directory, also on failure. */
bool tiff_directory_read(TiffFile *file, guint64 at, TiffDirectory *ret_directory, GError **error);
/* Only where the one after it is said to stand; 0: it is the last. */
bool tiff_directory_next(TiffFile *file, guint64 at, guint64 *ret_next, GError **error);
/* The first entry with this tag; NULL if there is none. */
const TiffEntry *tiff_directory_find(const TiffDirectory *directory, guint16 tag);

/* Understands a directory as a page. *ret_page points into directory. */
bool tiff_page_read(TiffFile *file, const TiffDirectory *directory, TiffPage *ret_page,
                    GError **error);

/* Walks over a table of whole numbers without holding it. */
typedef struct {
    TiffFile *file;
    const TiffEntry *entry;
    guint64 next;       /* index of the value that comes next */
    guint64 buffer_end; /* index behind the last value in buffer */
    guint buffer_at;    /* where the next one stands in it */
    guint8 buffer[4096];
} TiffNumbers;

/* Walks over a page's strips or tiles, each checked to be written and to lie inside the file. */
typedef struct {
    TiffFile *file;
    const TiffPage *page;
    guint64 next; /* index of the chunk that comes next */
    TiffNumbers offsets, lengths;
} TiffChunks;

void tiff_chunks_begin(TiffChunks *chunks, TiffFile *file, const TiffPage *page);
/* Call it page->chunks times. A strip that is not written (offset or length 0) is a fault: sparse
 * files, where that means black, are written by map makers and not by microscopes, and libtiff does
 * not read them. */
bool tiff_chunks_next(TiffChunks *chunks, guint64 *ret_offset, guint64 *ret_length, GError **error);

/* Appends number to a table in the file's byte order; width is 1, 2, 4 or 8 bytes. */
void tiff_put(const TiffFile *file, GByteArray *table, guint64 number, guint width);

#endif
