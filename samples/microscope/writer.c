#include "samples/microscope/writer.h"

#include "samples/microscope/stopping.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

struct Writer {
    char *folder, *staging;
    guint pieces;
    gint64 pause_ms;
    char *last_folder;  /* the folder made last: most files go to the same one */
    GHashTable *staged; /* numbers of the files that stand in staging */
};

static bool refuse(GError **error, const char *doing, const char *path) {
    int why = errno;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(why), "cannot %s %s: %s", doing, path,
                g_strerror(why));
    return false;
}

/* --- the steps manners are made of --- */

static int file_open(const char *path, GError **error) {
    int fd = g_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        refuse(error, "write", path);
    return fd;
}

static bool bytes_write(int fd, const guint8 *bytes, gsize size) {
    while (size > 0) {
        gssize written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (gsize)written;
    }
    return true;
}

/* A stop ends the pauses, not the file. */
static bool pieces_write(const Writer *writer, int fd, const guint8 *bytes, gsize size) {
    gsize done = 0;
    for (guint piece = 1; piece <= writer->pieces; piece++) {
        gsize until = (gsize)((guint64)size * piece / writer->pieces);
        if (!bytes_write(fd, bytes + done, until - done))
            return false;
        done = until;
        if (piece < writer->pieces)
            stopping_sleep(writer->pause_ms * 1000);
    }
    return true;
}

static bool file_close(int fd, bool is_written, const char *path, GError **error) {
    int why = errno;
    bool is_closed = close(fd) == 0;
    if (is_written && is_closed)
        return true;
    if (!is_written)
        errno = why;
    return refuse(error, "write", path);
}

/* --- manners; path is absolute here --- */

static bool write_whole(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                        GError **error) {
    int fd = file_open(path, error);
    return fd >= 0 && file_close(fd, bytes_write(fd, bytes, size), path, error);
}

static bool write_pieces(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                         GError **error) {
    int fd = file_open(path, error);
    return fd >= 0 && file_close(fd, pieces_write(writer, fd, bytes, size), path, error);
}

static bool write_preallocated(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                               GError **error) {
    int fd = file_open(path, error);
    if (fd < 0)
        return false;
    bool has_size = ftruncate(fd, (off_t)size) == 0;
    stopping_sleep(writer->pause_ms * 1000);
    return file_close(fd, has_size && pieces_write(writer, fd, bytes, size), path, error);
}

static bool write_renamed(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                          GError **error) {
    g_autofree char *other = g_strconcat(path, ".tmp", NULL);
    if (!write_pieces(writer, other, bytes, size, error))
        return false;
    return g_rename(other, path) == 0 || refuse(error, "rename a file to", path);
}

static bool link_into_place(const char *staged, const char *path, GError **error) {
    if (link(staged, path) == 0)
        return true;
    if (errno == EEXIST && g_unlink(path) == 0 && link(staged, path) == 0)
        return true;
    return refuse(error, "hard-link a file to", path);
}

static bool write_hardlinked(Writer *writer, const char *path, const guint8 *bytes, gsize size,
                             GError **error) {
    g_autofree char *staged = g_build_filename(writer->staging, "next", NULL);
    bool is_done =
        write_whole(writer, staged, bytes, size, error) && link_into_place(staged, path, error);
    g_unlink(staged);
    return is_done;
}

const Manner manners[] = {
    {"whole", "opened, written in one go, closed", write_whole},
    {"pieces", "written in pieces with pauses between them", write_pieces},
    {"preallocated", "made with its full size, then filled in pieces", write_preallocated},
    {"renamed", "written in pieces under NAME.tmp, then renamed", write_renamed},
    {"hardlinked", "written beside the folder, then linked into place", write_hardlinked},
    {NULL},
};

const Manner *manner_find(const char *name) {
    for (const Manner *manner = manners; manner->name; manner++)
        if (strcmp(manner->name, name) == 0)
            return manner;
    return NULL;
}

/* --- the module --- */

Writer *writer_new(const char *folder, guint pieces, gint64 pause_ms, GError **error) {
    g_autoptr(Writer) writer = g_new0(Writer, 1);
    writer->folder = g_canonicalize_filename(folder, NULL);
    writer->staging = g_strconcat(writer->folder, ".staging", NULL);
    writer->pieces = pieces;
    writer->pause_ms = pause_ms;
    writer->staged = g_hash_table_new(NULL, NULL);
    if (g_mkdir_with_parents(writer->folder, 0755) == 0)
        return g_steal_pointer(&writer);
    refuse(error, "make the folder", writer->folder);
    return NULL;
}

static char *staged_path(const Writer *writer, guint number) {
    return g_strdup_printf("%s/%u", writer->staging, number);
}

void writer_free(Writer *writer) {
    if (!writer)
        return;
    GHashTableIter numbers;
    gpointer number;
    g_hash_table_iter_init(&numbers, writer->staged);
    while (g_hash_table_iter_next(&numbers, &number, NULL)) {
        g_autofree char *staged = staged_path(writer, GPOINTER_TO_UINT(number));
        g_unlink(staged);
    }
    g_rmdir(writer->staging);
    g_hash_table_unref(writer->staged);
    g_free(writer->folder);
    g_free(writer->staging);
    g_free(writer->last_folder);
    g_free(writer);
}

static bool folder_make(Writer *writer, const char *path, GError **error) {
    g_autofree char *folder = g_path_get_dirname(path);
    if (g_strcmp0(folder, writer->last_folder) == 0)
        return true;
    if (g_mkdir_with_parents(folder, 0755) != 0)
        return refuse(error, "make the folder", folder);
    g_free(writer->last_folder);
    writer->last_folder = g_steal_pointer(&folder);
    return true;
}

static bool staging_make(Writer *writer, GError **error) {
    return g_mkdir_with_parents(writer->staging, 0755) == 0 ||
           refuse(error, "make the folder", writer->staging);
}

bool writer_write(Writer *writer, const Manner *manner, const char *path, const guint8 *bytes,
                  gsize size, GError **error) {
    g_autofree char *place = g_build_filename(writer->folder, path, NULL);
    if (manner->write == write_hardlinked && !staging_make(writer, error))
        return false;
    return folder_make(writer, place, error) && manner->write(writer, place, bytes, size, error);
}

bool writer_link(Writer *writer, guint number, const char *path, const guint8 *bytes, gsize size,
                 GError **error) {
    g_autofree char *place = g_build_filename(writer->folder, path, NULL);
    g_autofree char *staged = staged_path(writer, number);
    if (!staging_make(writer, error) || !folder_make(writer, place, error))
        return false;
    if (g_hash_table_add(writer->staged, GUINT_TO_POINTER(number)) &&
        !write_whole(writer, staged, bytes, size, error))
        return false;
    return link_into_place(staged, place, error);
}
