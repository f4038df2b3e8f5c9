#include "ingest/watch.h"
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Every folder has a watch of its own, known by number; its path is what we last learnt. A folder
 * that is renamed keeps its number, and so do those below it, whose old paths are then wrong: they
 * are forgotten, and the scan that follows watches them again. */

#define BUFFER_BYTES 65536
#define INTEREST                                                                                   \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |       \
     IN_EXCL_UNLINK)

struct Watch {
    int fd;
    char *folder;
    int root;           /* number of the root's watch; -1: not watched */
    GHashTable *paths;  /* number -> raw path below the folder */
    char *hint_path;    /* of the hint given last */
    gsize filled, used; /* of the buffer */
    char buffer[BUFFER_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
};

Watch *watch_open(const char *folder, GError **error) {
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        fault_set(error, FAULT_AGAIN,
                  "inotify: %s; raise fs.inotify.max_user_instances with sysctl to have events",
                  g_strerror(errno));
        return NULL;
    }
    Watch *watch = g_new0(Watch, 1);
    watch->fd = fd;
    watch->folder = g_strdup(folder);
    watch->root = -1;
    watch->paths = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    return watch;
}

void watch_close(Watch *watch) {
    if (watch == NULL)
        return;
    close(watch->fd);
    g_hash_table_unref(watch->paths);
    g_free(watch->folder);
    g_free(watch->hint_path);
    g_free(watch);
}

int watch_fd(const Watch *watch) {
    return watch->fd;
}

guint watch_folders(const Watch *watch) {
    return g_hash_table_size(watch->paths);
}

static bool watch_failed(const char *path, int number, GError **error) {
    if (number == ENOSPC || number == ENOMEM)
        return fault_set(error, FAULT_AGAIN,
                         "no more folders can be watched; raise fs.inotify.max_user_watches with "
                         "sysctl to have events from all of them");
    Fault fault = number == EACCES ? FAULT_USAGE : FAULT_VANISHED;
    return fault_set(error, fault, "%s: %s", *path == '\0' ? "." : path, g_strerror(number));
}

bool watch_folder(Watch *watch, const char *path, GError **error) {
    bool is_root = *path == '\0';
    g_autofree char *full = g_build_filename(watch->folder, path, NULL);
    int number = inotify_add_watch(watch->fd, full, INTEREST | (is_root ? 0 : IN_DONT_FOLLOW));
    if (number < 0)
        return watch_failed(path, errno, error);
    if (is_root)
        watch->root = number;
    g_hash_table_replace(watch->paths, GINT_TO_POINTER(number), g_strdup(path));
    return true;
}

static bool is_at_or_below(const char *path, const char *folder) {
    gsize length = strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static void tree_forget(Watch *watch, const char *folder) {
    GHashTableIter iter;
    gpointer number, path;
    g_hash_table_iter_init(&iter, watch->paths);
    while (g_hash_table_iter_next(&iter, &number, &path))
        if (is_at_or_below(path, folder)) {
            inotify_rm_watch(watch->fd, GPOINTER_TO_INT(number));
            g_hash_table_iter_remove(&iter);
        }
}

/* --- from events to hints --- */

static bool give(Watch *watch, WatchHint *hint, WatchKind kind, char *path) {
    g_free(watch->hint_path);
    watch->hint_path = path;
    *hint = (WatchHint){kind, path};
    return true;
}

/* The folder itself: removed, renamed, unmounted. */
static bool hint_of_folder(Watch *watch, const struct inotify_event *event, const char *folder,
                           WatchHint *hint) {
    if (event->wd == watch->root)
        return give(watch, hint, WATCH_ROOT_GONE, NULL);
    if (event->mask & IN_IGNORED) {
        g_hash_table_remove(watch->paths, GINT_TO_POINTER(event->wd));
        return false;
    }
    if (event->mask & IN_DELETE_SELF) /* IN_IGNORED follows */
        return false;
    /* Where it went was told to its new parent, if that is ours; something else may stand at its
     * old path by now. */
    char *path = g_strdup(folder);
    tree_forget(watch, path);
    return give(watch, hint, WATCH_FOLDER, path);
}

/* A name in the folder. */
static bool hint_of_name(Watch *watch, const struct inotify_event *event, const char *folder,
                         WatchHint *hint) {
    bool is_folder = event->mask & IN_ISDIR;
    if (is_folder && !(event->mask & (IN_CREATE | IN_MOVED_TO)))
        return false;
    WatchKind kind = is_folder                                        ? WATCH_FOLDER
                     : (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) ? WATCH_CLOSED
                                                                      : WATCH_TOUCHED;
    char *path =
        *folder == '\0' ? g_strdup(event->name) : g_strconcat(folder, "/", event->name, NULL);
    return give(watch, hint, kind, path);
}

static bool hint_of(Watch *watch, const struct inotify_event *event, WatchHint *hint) {
    if (event->mask & IN_Q_OVERFLOW)
        return give(watch, hint, WATCH_OVERFLOW, NULL);
    const char *folder = g_hash_table_lookup(watch->paths, GINT_TO_POINTER(event->wd));
    if (folder == NULL)
        return false;
    if (event->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
        return hint_of_folder(watch, event, folder, hint);
    return event->len > 0 && hint_of_name(watch, event, folder, hint);
}

static bool buffer_fill(Watch *watch) {
    ssize_t length = read(watch->fd, watch->buffer, sizeof watch->buffer);
    watch->used = 0;
    watch->filled = length > 0 ? (gsize)length : 0;
    return length > 0;
}

bool watch_next(Watch *watch, WatchHint *ret_hint) {
    for (;;) {
        if (watch->used >= watch->filled && !buffer_fill(watch))
            return false;
        const struct inotify_event *event = (const void *)(watch->buffer + watch->used);
        watch->used += sizeof *event + event->len;
        if (hint_of(watch, event, ret_hint))
            return true;
    }
}
