#include "ingest/scan.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* --- memo --- */

#define MEMO_FOLDERS_MAX 20000

/* File systems count time in ticks of up to 2 s: a name made right after a look may leave the
 * folder's time as it was. So one look is not enough; a second, a tick later, sees it. */
#define TICK_US (2 * G_USEC_PER_SEC + G_USEC_PER_SEC / 2)

typedef struct {
    FileSight folder;
    gint64 first_us, last_us; /* of the looks that found it so, and everything in it finished */
} Note;

struct ScanMemo {
    GHashTable *notes; /* path -> Note */
};

ScanMemo *scan_memo_new(void) {
    ScanMemo *memo = g_new0(ScanMemo, 1);
    memo->notes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return memo;
}

void scan_memo_free(ScanMemo *memo) {
    if (memo == NULL)
        return;
    g_hash_table_unref(memo->notes);
    g_free(memo);
}

static bool memo_passes_over(const ScanMemo *memo, const char *path, const FileSight *folder,
                             gint64 now_us, gint64 lasts_us) {
    const Note *note = memo == NULL ? NULL : g_hash_table_lookup(memo->notes, path);
    return note != NULL && file_sight_equal(&note->folder, folder) &&
           note->last_us - note->first_us >= TICK_US && now_us - note->last_us < lasts_us;
}

static void memo_note(ScanMemo *memo, const char *path, const FileSight *folder, gint64 now_us) {
    Note *note = g_hash_table_lookup(memo->notes, path);
    if (note != NULL && file_sight_equal(&note->folder, folder)) {
        note->last_us = now_us;
        return;
    }
    if (g_hash_table_size(memo->notes) >= MEMO_FOLDERS_MAX)
        g_hash_table_remove_all(memo->notes);
    Note fresh = {.folder = *folder, .first_us = now_us, .last_us = now_us};
    g_hash_table_replace(memo->notes, g_strdup(path), g_memdup2(&fresh, sizeof fresh));
}

/* --- the walk --- */

typedef struct {
    DIR *dir;
    gsize path_length; /* of this folder's path in scan->path */
    FileSight sight;   /* of the folder, before anything in it was read */
    gint64 entered_us;
    bool passed_over; /* its files, by the memo */
    bool unfinished;  /* something in it is to be looked at again */
} Level;

struct Scan {
    char *folder;
    const Filter *filter;
    ScanMemo *memo;
    gint64 memo_lasts_us;
    bool begun;
    GString *path;  /* of what was given last */
    GArray *levels; /* of Level; the last is where the walk stands */
};

Scan *scan_new(const char *folder, const char *below, const Filter *filter, ScanMemo *memo,
               gint64 memo_lasts_us) {
    Scan *scan = g_new0(Scan, 1);
    scan->folder = g_strdup(folder);
    scan->filter = filter;
    scan->memo = memo;
    scan->memo_lasts_us = memo_lasts_us;
    scan->path = g_string_new(below);
    scan->levels = g_array_new(FALSE, TRUE, sizeof(Level));
    return scan;
}

static Level *level_last(Scan *scan) {
    return scan->levels->len == 0 ? NULL
                                  : &g_array_index(scan->levels, Level, scan->levels->len - 1);
}

static void level_leave(Scan *scan) {
    closedir(level_last(scan)->dir);
    g_array_set_size(scan->levels, scan->levels->len - 1);
}

void scan_free(Scan *scan) {
    if (scan == NULL)
        return;
    while (scan->levels->len > 0)
        level_leave(scan);
    g_array_unref(scan->levels);
    g_string_free(scan->path, TRUE);
    g_free(scan->folder);
    g_free(scan);
}

void scan_unfinished(Scan *scan) {
    Level *level = level_last(scan);
    if (level != NULL)
        level->unfinished = true;
}

static int open_folder(int at, const char *name, int more) {
    int flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | more;
    int fd = openat(at, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(at, name, flags) : fd;
}

static ScanStep refuse(Scan *scan, ScanEntry *entry, const char *why) {
    scan_unfinished(scan);
    *entry = (ScanEntry){.path = scan->path->str, .why = g_strdup(why)};
    return SCAN_UNREADABLE;
}

/* Takes over fd, the folder at scan->path. */
static ScanStep level_enter(Scan *scan, int fd, gint64 now_us, ScanEntry *entry) {
    struct stat status;
    DIR *dir = fstat(fd, &status) < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        int number = errno;
        close(fd);
        return refuse(scan, entry, g_strerror(number));
    }
    Level level = {.dir = dir,
                   .path_length = scan->path->len,
                   .sight = file_sight(&status),
                   .entered_us = now_us};
    level.passed_over =
        memo_passes_over(scan->memo, scan->path->str, &level.sight, now_us, scan->memo_lasts_us);
    g_array_append_val(scan->levels, level);
    *entry = (ScanEntry){.path = scan->path->str};
    return SCAN_FOLDER;
}

static ScanStep begin(Scan *scan, gint64 now_us, ScanEntry *entry) {
    bool is_root = scan->path->len == 0;
    g_autofree char *full = g_build_filename(scan->folder, scan->path->str, NULL);
    int fd = open_folder(AT_FDCWD, full, is_root ? 0 : O_NOFOLLOW);
    if (fd >= 0)
        return level_enter(scan, fd, now_us, entry);
    return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
               ? SCAN_END
               : refuse(scan, entry, g_strerror(errno));
}

static ScanStep step_into(Scan *scan, int at, const char *name, gint64 now_us, ScanEntry *entry) {
    if (!filter_takes_folder(scan->filter, name))
        return SCAN_RESTED;
    if (scan->levels->len >= SCAN_DEPTH_MAX)
        return refuse(scan, entry, "stands too many folders deep");
    int fd = open_folder(at, name, O_NOFOLLOW);
    if (fd >= 0)
        return level_enter(scan, fd, now_us, entry);
    bool gone = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return gone ? SCAN_RESTED : refuse(scan, entry, g_strerror(errno));
}

static ScanStep step_file(Scan *scan, Level *level, const char *name, ScanEntry *entry) {
    if (level->passed_over || !filter_takes_file(scan->filter, name))
        return SCAN_RESTED;
    struct stat status;
    if (fstatat(dirfd(level->dir), name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        level->unfinished = level->unfinished || errno != ENOENT;
        return SCAN_RESTED;
    }
    if (!S_ISREG(status.st_mode))
        return SCAN_RESTED;
    *entry = (ScanEntry){.path = scan->path->str, .sight = file_sight(&status)};
    return SCAN_FILE;
}

/* Everything in the folder was given. */
static ScanStep step_out(Scan *scan, Level *level, bool failed) {
    g_string_truncate(scan->path, level->path_length);
    bool all_finished = !failed && !level->passed_over && !level->unfinished;
    if (scan->memo != NULL && all_finished)
        memo_note(scan->memo, scan->path->str, &level->sight, level->entered_us);
    level_leave(scan);
    return SCAN_RESTED;
}

static bool is_folder(int at, const struct dirent *entry) {
    struct stat status;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(at, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static ScanStep step(Scan *scan, gint64 now_us, ScanEntry *ret_entry) {
    Level *level = level_last(scan);
    errno = 0;
    const struct dirent *entry = readdir(level->dir);
    if (entry == NULL)
        return step_out(scan, level, errno != 0);
    if (is_dots(entry->d_name))
        return SCAN_RESTED;

    g_string_truncate(scan->path, level->path_length);
    if (level->path_length > 0)
        g_string_append_c(scan->path, '/');
    g_string_append(scan->path, entry->d_name);
    if (is_folder(dirfd(level->dir), entry))
        return step_into(scan, dirfd(level->dir), entry->d_name, now_us, ret_entry);
    return step_file(scan, level, entry->d_name, ret_entry);
}

ScanStep scan_next(Scan *scan, gint64 now_us, ScanEntry *ret_entry) {
    *ret_entry = (ScanEntry){.path = scan->path->str};
    if (!scan->begun) {
        scan->begun = true;
        return begin(scan, now_us, ret_entry);
    }
    return scan->levels->len == 0 ? SCAN_END : step(scan, now_us, ret_entry);
}
