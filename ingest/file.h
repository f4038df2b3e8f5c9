/* file: one look at a file of a source, without disturbing whoever writes it: nothing is opened for
 * writing, no link is followed, and the access time stays as it was where the system lets us. */
#ifndef INGEST_FILE_H
#define INGEST_FILE_H

#include "stream/fault.h"
#include <glib.h>
#include <sys/stat.h>

/* What tells one version of a file from another, without reading it. */
typedef struct {
    guint64 size_bytes;
    gint64 mtime_ns, ctime_ns; /* since 1970 */
    guint64 device, inode;
} FileSight;

FileSight file_sight(const struct stat *status);
bool file_sight_equal(const FileSight *a, const FileSight *b);

/* path is raw bytes below folder. FAULT_VANISHED if no regular file stands there, FAULT_AGAIN if
 * that cannot be told. */
bool file_look(const char *folder, const char *path, FileSight *ret_sight, GError **error);

/* Opens it for reading; the caller closes the descriptor. -1 with FAULT_VANISHED if no regular file
 * stands there (a link on the way counts as nothing), FAULT_USAGE if it may not be read,
 * FAULT_AGAIN if the folder itself is away or reading fails. */
int file_open(const char *folder, const char *path, FileSight *ret_sight, GError **error);

#endif
