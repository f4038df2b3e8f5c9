#include "ingest/file.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

FileSight file_sight(const struct stat *status) {
    return (FileSight){
        .size_bytes = (guint64)status->st_size,
        .mtime_ns = status->st_mtim.tv_sec * 1000000000LL + status->st_mtim.tv_nsec,
        .ctime_ns = status->st_ctim.tv_sec * 1000000000LL + status->st_ctim.tv_nsec,
        .device = status->st_dev,
        .inode = status->st_ino,
    };
}

bool file_sight_equal(const FileSight *a, const FileSight *b) {
    return a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns && a->device == b->device && a->inode == b->inode;
}

/* Which fault an errno of looking or opening is. */
static Fault fault_of(int number) {
    switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENXIO:
    case EXDEV: return FAULT_VANISHED;
    case EACCES:
    case EPERM: return FAULT_USAGE;
    default: return FAULT_AGAIN;
    }
}

bool file_look(const char *folder, const char *path, FileSight *ret_sight, GError **error) {
    g_autofree char *full = g_build_filename(folder, path, NULL);
    struct stat status;
    if (lstat(full, &status) < 0)
        return fault_set(error, fault_of(errno) == FAULT_VANISHED ? FAULT_VANISHED : FAULT_AGAIN,
                         "%s", g_strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fault_set(error, FAULT_VANISHED, "is no regular file");
    *ret_sight = file_sight(&status);
    return true;
}

/* Without following a link anywhere below root; kernels before 5.6, and some sandboxes, only let us
 * refuse the last one. */
static int open_below(int root, const char *path, int flags) {
    struct open_how how = {.flags = (guint64)flags,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EAGAIN))
        fd = openat(root, path, flags);
    return fd;
}

static int open_quietly(int root, const char *path) {
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = open_below(root, path, flags | O_NOATIME);
    if (fd < 0 && errno == EPERM) /* O_NOATIME is for the file's owner */
        fd = open_below(root, path, flags);
    return fd;
}

int file_open(const char *folder, const char *path, FileSight *ret_sight, GError **error) {
    int root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        fault_set(error, FAULT_AGAIN, "folder %s: %s", folder, g_strerror(errno));
        return -1;
    }
    int fd = open_quietly(root, path);
    int number = errno;
    close(root);
    if (fd < 0) {
        fault_set(error, fault_of(number), "cannot be opened: %s", g_strerror(number));
        return -1;
    }
    struct stat status;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        fault_set(error, FAULT_VANISHED, "is no regular file");
        close(fd);
        return -1;
    }
    *ret_sight = file_sight(&status);
    return fd;
}
