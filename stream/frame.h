/* frame: one 2-D image plane, of one channel, at one place and time: one page of one file.
 *
 * The unit of everything: its id is the key of its row, its JSON form is what travels and what SQL
 * expands into the columns of table frame. */
#ifndef STREAM_FRAME_H
#define STREAM_FRAME_H

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

/* UUID version 8 made of SHA-256(source, path, size, mtime, page): deterministic, so a second look
 * at the same file gives the same id, and a file rewritten under its name a new one. */
typedef struct {
    guint8 bytes[16];
} FrameId;

#define FRAME_ID_TEXT_LENGTH 36 /* 8-4-4-4-12 hexadecimal digits, without the closing NUL */

#define FRAME_UNKNOWN (-1) /* site, z, t: the file does not tell */

typedef struct {
    FrameId id;

    /* Which bytes */
    char *source;       /* configured name of the microscope's output: [A-Za-z0-9_-]+ */
    char *path;         /* below the source's folder, '/' between names; valid UTF-8: bytes that are
                           not, and '%', are percent-encoded (frame_path_encode) */
    guint64 size_bytes; /* of the whole file */
    gint64 mtime_ns;    /* of the file, since 1970 */
    guint32 page;       /* 0-based directory in a multi-page file */
    guint32 pages;      /* in the file, at least 1 */

    /* When. Both in microseconds since 1970, UTC. */
    gint64 acquired_us; /* mtime kept within the years 2000 to 2099: a function of the file alone,
                           because it is part of the row's key */
    gint64 closed_us;   /* when the file was seen closed, or its mtime: where latency starts */

    /* Where it stands, as far as name and metadata tell. Strings are NULL when they do not. */
    char *naming; /* the row of the naming table that matched; NULL: none did */
    char *experiment;
    char *plate;
    char *well; /* letters and two digits: A01, P24, AF48 */
    char *channel;
    gint32 site, z, t; /* as the instrument counts them, or FRAME_UNKNOWN */

    /* What its header says; the pixels are not read. 0 or NULL when unknown. */
    char *format; /* "tiff", "png": the row of ingest/formats.list */
    guint32 width, height;
    guint32 bits;    /* per sample */
    guint32 samples; /* per pixel */
    double pixel_size_um;
} Frame;

/* --- id --- */

FrameId frame_id_make(const char *source, const char *path, guint64 size_bytes, gint64 mtime_ns,
                      guint32 page);
bool frame_id_equal(const FrameId *a, const FrameId *b);
/* For GHashTable keys that point to a FrameId. */
guint frame_id_hash(gconstpointer id);
gboolean frame_id_equal_key(gconstpointer a, gconstpointer b);
/* Writes the 36 digits and a NUL into text, and returns text. */
char *frame_id_text(const FrameId *id, char text[FRAME_ID_TEXT_LENGTH + 1]);
/* FAULT_BROKEN unless text is a UUID in the 8-4-4-4-12 form. */
bool frame_id_parse(const char *text, FrameId *ret_id, GError **error);

/* --- frame --- */

/* An empty frame: everything unknown, page 0 of 1. The caller frees it with frame_free. */
Frame *frame_new(void);
Frame *frame_copy(const Frame *frame);
void frame_free(Frame *frame); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Frame, frame_free)

/* Sets id and acquired_us from source, path, size_bytes, mtime_ns and page, which must be set. */
void frame_identify(Frame *frame);

/* Replaces *field (NULL or g_malloc'ed) by a copy of text; NULL or "" leaves it NULL. */
void frame_set_text(char **field, const char *text);

/* Whether name may be a source's or a pipeline's: 1 to 64 of A-Z a-z 0-9 _ -. They become parts of
 * NATS subjects, where a space or the end of a line would begin something else. */
bool frame_name_is_plain(const char *name);

/* Raw bytes of a file name to valid, loss-free UTF-8, and back. The caller frees the result with
 * g_free. Decoding gives back exactly the encoded bytes; NULL if text holds a broken escape. */
char *frame_path_encode(const char *raw);
char *frame_path_decode(const char *text);

/* --- JSON: docs/wire.md tells it field by field --- */

/* Adds the frame's members to the object builder stands in (between begin and end object).
 * Unknown fields are left out. */
void frame_to_json(const Frame *frame, JsonBuilder *builder);
/* FAULT_BROKEN, naming the member, if one is missing, of the wrong type or out of range, if the
 * source's name is not plain, or if the id is not the one its members make. NULL then. */
Frame *frame_from_json(JsonObject *object, GError **error);

/* RFC 3339 with microseconds and Z, as PostgreSQL's timestamptz reads it. Caller g_frees. */
char *frame_time_text(gint64 us);
/* The reverse, of any RFC 3339 time; false if text is none. */
bool frame_time_parse(const char *text, gint64 *ret_us);

#endif
