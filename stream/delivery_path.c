/* path: worker and microscope share a disk, by one host or a mount: the file is mapped and measured
 * where it lies. Ingest does nothing for it; the worker's own settings say where it sees a source's
 * files, `mounts` or, where one file serves the whole machine, the [source] sections; nothing
 * outside these folders is ever opened. */
#include "stream/delivery_private.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool add_mounts(GHashTable *folders, const char *mounts, GError **error) {
    g_auto(GStrv) pairs = g_strsplit(mounts, ",", -1);
    for (char **pair = pairs; *pair != NULL; pair++) {
        g_auto(GStrv) halves = g_strsplit(g_strstrip(*pair), "=", 2);
        if (g_strv_length(halves) != 2 || *halves[0] == '\0' || *halves[1] != '/')
            return fault_set(error, FAULT_USAGE,
                             "[features] mounts = %s: expected SOURCE=/FOLDER pairs with commas",
                             mounts);
        g_hash_table_replace(folders, g_strdup(halves[0]), g_strdup(halves[1]));
    }
    return true;
}

/* State: source name -> folder. */
static bool open_desk(DeliveryDesk *desk, void **ret_state, GError **error) {
    const Settings *settings = desk->settings;
    g_autoptr(GHashTable) folders = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (SourceSettings **source = settings->sources; *source != NULL; source++)
        g_hash_table_replace(folders, g_strdup((*source)->name), g_strdup((*source)->folder));
    if (*settings->mounts != '\0' && !add_mounts(folders, settings->mounts, error))
        return false;
    *ret_state = g_steal_pointer(&folders);
    return true;
}

static void close_desk(void *state) {
    g_hash_table_unref(state);
}

static bool possible(DeliveryDesk *desk, void *state, const Descriptor *descriptor) {
    return g_hash_table_contains(state, descriptor->frame->source);
}

/* Never outside folder: no "..", no symbolic links on the way. */
static int open_beneath(const char *folder, const char *path) {
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    int saved = errno;
    close(root);
    errno = saved;
    return fd;
}

/* What is wrong here may be the mount and not the file: ingest has the last word on that. */
static bool not_here(const char *folder, const char *path, const char *why, GError **error) {
    return fault_set(error, FAULT_AGAIN, "%s/%s: %s", folder, path, why);
}

static bool receive(DeliveryDesk *desk, void *state, const Descriptor *descriptor,
                    DeliveryParcel *parcel, GError **error) {
    const Frame *frame = descriptor->frame;
    const char *folder = g_hash_table_lookup(state, frame->source);
    g_autofree char *path = frame_path_decode(frame->path);
    if (path == NULL)
        return not_here(folder, frame->path, "is no encoded path", error);
    int fd = open_beneath(folder, path);
    if (fd < 0)
        return not_here(folder, path, g_strerror(errno), error);

    parcel->file = frame_bytes_new(fd, frame->size_bytes, frame->mtime_ns);
    g_autoptr(GError) wrong = NULL;
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return not_here(folder, path, "is no regular file", error);
    if (!frame_bytes_check(parcel->file, &wrong))
        return not_here(folder, path, wrong->message, error);
    g_autoptr(GMappedFile) mapped = g_mapped_file_new_from_fd(fd, FALSE, &wrong);
    if (mapped == NULL)
        return not_here(folder, path, wrong->message, error);
    parcel->bytes = g_mapped_file_get_bytes(mapped);
    parcel->page = frame->page;
    return true;
}

const Delivery delivery_path = {
    .name = "path",
    .open_desk = open_desk,
    .close_desk = close_desk,
    .possible = possible,
    .receive = receive,
};
