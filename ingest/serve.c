#include "ingest/serve.h"
#include "ingest/format.h"
#include <unistd.h>

struct Serve {
    const Settings *settings;
    Journal *journal;
    gint complete; /* atomic */
    GMutex lock;   /* of roots */
    GArray *roots; /* FileSight of each source's folder; all zero: it is away */
};

static guint sources_count(const Settings *settings) {
    guint count = 0;
    while (settings->sources[count] != NULL)
        count++;
    return count;
}

Serve *serve_new(const Settings *settings, Journal *journal) {
    Serve *serve = g_new0(Serve, 1);
    serve->settings = settings;
    serve->journal = journal;
    g_mutex_init(&serve->lock);
    serve->roots = g_array_new(FALSE, TRUE, sizeof(FileSight));
    g_array_set_size(serve->roots, sources_count(settings));
    return serve;
}

void serve_free(Serve *serve) {
    if (serve == NULL)
        return;
    g_array_unref(serve->roots);
    g_mutex_clear(&serve->lock);
    g_free(serve);
}

void serve_set_complete(Serve *serve, bool complete) {
    g_atomic_int_set(&serve->complete, complete);
}

void serve_set_root(Serve *serve, guint index, const FileSight *root) {
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&serve->lock);
    g_array_index(serve->roots, FileSight, index) = root != NULL ? *root : (FileSight){0};
}

/* The index of a source in the settings; -1: there is none of that name. */
static int source_index(const Serve *serve, const char *name) {
    SourceSettings **sources = serve->settings->sources;
    for (int index = 0; sources[index] != NULL; index++)
        if (g_str_equal(sources[index]->name, name))
            return index;
    return -1;
}

/* Whether the folder is the one that was looked through. */
static bool root_is_there(Serve *serve, int index) {
    struct stat status;
    if (stat(serve->settings->sources[index]->folder, &status) < 0)
        return false;
    FileSight now = file_sight(&status);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&serve->lock);
    const FileSight *known = &g_array_index(serve->roots, FileSight, index);
    return known->device == now.device && known->inode == now.inode;
}

static bool not_found(Serve *serve, int index, const char *path, const GError *why,
                      GError **error) {
    if (!fault_is(why, FAULT_VANISHED))
        return fault_set(error, FAULT_AGAIN, "%s: %s", path, why->message);
    if (!root_is_there(serve, index))
        return fault_set(error, FAULT_AGAIN, "%s: the folder of source %s is away", path,
                         serve->settings->sources[index]->name);
    return fault_set(error, FAULT_VANISHED, "%s: %s", path, why->message);
}

static FrameBytes *bytes_of(Serve *serve, const JournalPlace *place, GError **error) {
    int index = source_index(serve, place->source);
    g_autofree char *path = frame_path_decode(place->path);
    if (index < 0 || path == NULL) {
        fault_set(error, FAULT_AGAIN, "source %s is not configured now", place->source);
        return NULL;
    }
    FileSight sight;
    g_autoptr(GError) wrong = NULL;
    int fd = file_open(serve->settings->sources[index]->folder, path, &sight, &wrong);
    if (fd < 0) {
        not_found(serve, index, place->path, wrong, error);
        return NULL;
    }
    if (sight.size_bytes != place->size_bytes || sight.mtime_ns != place->mtime_ns) {
        fault_set(error, FAULT_VANISHED, "%s: has changed since it was announced", place->path);
        close(fd);
        return NULL;
    }
    return format_cut(fd, place->size_bytes, place->mtime_ns, place->page, error);
}

FrameBytes *serve_lookup(const FrameId *id, void *context, GError **error) {
    Serve *serve = context;
    bool complete = g_atomic_int_get(&serve->complete);
    JournalPlace place = {0};
    GError *wrong = NULL;
    if (!journal_find(serve->journal, id, &place, &wrong)) {
        if (fault_is(wrong, FAULT_VANISHED) && !complete)
            wrong->code = FAULT_AGAIN;
        g_propagate_error(error, wrong);
        return NULL;
    }
    FrameBytes *bytes = bytes_of(serve, &place, error);
    journal_place_clear(&place);
    return bytes;
}
