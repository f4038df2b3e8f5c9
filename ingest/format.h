/* format: what a file holds, told by its own bytes: is it complete, which pages, of what shape.
 *
 * One format is one row of formats.list and one file format_<name>.c. Nothing here looks at pixels,
 * and nothing takes memory by the word of the file: a microscope's file is read while it may still
 * be written, so every number in it may be unfinished or wrong. */
#ifndef INGEST_FORMAT_H
#define INGEST_FORMAT_H

#include "stream/fault.h"
#include "stream/frame_bytes.h"
#include <glib.h>

#define FORMAT_PAGES_MAX 100000 /* a file that tells of more pages never counts as complete */

/* What the header says of one page; 0 where it says nothing. */
typedef struct {
    guint32 width, height; /* pixels */
    guint32 bits;          /* per sample */
    guint32 samples;       /* per pixel */
    double pixel_size_um;  /* edge of a pixel */
} FormatPage;

/* What a complete file holds. */
typedef struct {
    const char *format; /* the row's name; static */
    GArray *pages;      /* of FormatPage, at least one, at most FORMAT_PAGES_MAX */
} Structure;

void structure_free(Structure *structure); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Structure, structure_free)

/* The file's structure if it is complete by its own evidence; the caller frees it. fd is borrowed
 * and its position is left alone.
 *
 * NULL with FAULT_AGAIN otherwise, and the words say what is missing: "strip 37 of 40 ends at byte
 * 9331200, the file has 4194304", "is empty", "begins with 00 00 00 00: neither tiff nor png". A
 * file that is still written and one that is wrong cannot be told apart, so the caller waits and in
 * the end makes an event of these words. Also FAULT_AGAIN if reading fails. */
Structure *format_structure(int fd, guint64 size_bytes, GError **error);

/* The bytes of one page as an image file whose first page it is (stream/frame_bytes.h): a
 * single-page file is given whole, a page of a stack is cut out of it losslessly. Takes over fd,
 * also on failure. FAULT_VANISHED if the file does not hold that page: it is no longer the one that
 * was understood. */
FrameBytes *format_cut(int fd, guint64 size_bytes, gint64 mtime_ns, guint32 page, GError **error);

/* --- for the formats --- */

#define FORMAT_HEAD_BYTES 16 /* of a file's beginning are shown to recognises() */

typedef struct {
    const char *name; /* as in Frame.format */
    const char *sentence;
    /* Whether a file that begins with these bytes (length at most FORMAT_HEAD_BYTES) is of this
     * format. */
    bool (*recognises)(const guint8 *head, gsize length);
    /* Appends the file's pages, all of them, to pages. FAULT_AGAIN as format_structure. */
    bool (*read)(int fd, guint64 size_bytes, GArray *pages, GError **error);
    /* Appends to bytes, which has no pieces yet, what makes page an image file of its own. NULL: a
     * file of this format has one page. FAULT_AGAIN as format_structure. */
    bool (*cut)(int fd, guint64 size_bytes, guint32 page, FrameBytes *bytes, GError **error);
} Format;

#define FORMAT(name) extern const Format format_##name;
#include "ingest/formats.list"
#undef FORMAT

/* All formats, in the order of formats.list; ends with NULL. */
const Format *const *format_table(void);

/* Reads exactly length bytes at offset. FAULT_AGAIN if they are not there (the file became shorter)
 * or cannot be read. */
bool format_read(int fd, guint64 offset, void *buffer, gsize length, GError **error);

#endif
