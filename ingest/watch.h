/* watch: hints that something may have changed below a folder, from the kernel.
 *
 * A hint is never more than that: it may be missing, late, doubled or about a file that is gone.
 * The scan is the truth, and it is the scan that tells which folders to watch. */
#ifndef INGEST_WATCH_H
#define INGEST_WATCH_H

#include "stream/fault.h"
#include <glib.h>

typedef struct Watch Watch;

typedef enum {
    WATCH_TOUCHED,   /* a file appeared, and may still be written */
    WATCH_CLOSED,    /* its writer closed it, or renamed it into place */
    WATCH_FOLDER,    /* a folder appeared or moved: watch and scan it */
    WATCH_OVERFLOW,  /* hints were lost: scan everything */
    WATCH_ROOT_GONE, /* the watched folder itself was removed, renamed or unmounted */
} WatchKind;

typedef struct {
    WatchKind kind;
    const char
        *path; /* raw bytes below the root; NULL for the last two; valid until the next call */
} WatchHint;

/* Whether the file system of folder tells every change: writers on other machines are not seen on
 * network file systems. If not, *ret_why, which the caller g_frees, names the file system. */
bool watch_is_possible(const char *folder, char **ret_why);

/* Nothing is watched yet. FAULT_AGAIN, naming the limit of the system, if it has no more to give.
 */
Watch *watch_open(const char *folder, GError **error);
void watch_close(Watch *watch); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watch, watch_close)

/* Readable when hints wait. */
int watch_fd(const Watch *watch);

/* Watches the folder at path ("": the root) and not those below it; watching it again corrects its
 * path after a rename. FAULT_VANISHED if there is no such folder, FAULT_USAGE if it may not be
 * read, FAULT_AGAIN, naming the limit, if the system has no more watches to give. */
bool watch_folder(Watch *watch, const char *path, GError **error);
guint watch_folders(const Watch *watch); /* how many are watched */

/* The next hint; false if none waits. Never blocks. */
bool watch_next(Watch *watch, WatchHint *ret_hint);

#endif
