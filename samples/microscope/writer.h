/* writer: the ways instruments bring a file's bytes to disk. */
#ifndef MICROSCOPE_WRITER_H
#define MICROSCOPE_WRITER_H

#include <glib.h>
#include <stdbool.h>

typedef struct Writer Writer;

/* A way of writing: one row of a table. */
typedef struct {
    const char *name;
    const char *sentence;
    /* Brings size bytes to `path`, below the output folder, whose folder exists. */
    bool (*write)(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                  GError **error);
} Manner;

/* All manners, ends with a row without name. */
extern const Manner manners[];
const Manner *manner_find(const char *name); /* NULL if there is none */

/* folder: the output folder, made when missing. Files that are not in place yet, and those that are
 * linked, stand in FOLDER.staging beside it. pieces: at least 1, for the manners that know them.
 * G_FILE_ERROR if the folder cannot be made. */
Writer *writer_new(const char *folder, guint pieces, gint64 pause_ms, GError **error);
/* Removes the staging folder too. Accepts NULL. */
void writer_free(Writer *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writer, writer_free)

/* Writes a file in that manner, making its folders. A file that stands there already is replaced.
 * When it returns, the file is closed and in its place. G_FILE_ERROR names the file. */
bool writer_write(Writer *writer, const Manner *manner, const char *path, const guint8 *bytes,
                  gsize size, GError **error);

/* Hard-links: writes bytes to the staging folder once under `number`, and links them to path every
 * time, so that a frame costs no writing. G_FILE_ERROR names the file. */
bool writer_link(Writer *writer, guint number, const char *path, const guint8 *bytes, gsize size,
                 GError **error);

#endif
