#include "ingest/serve.h"
#include "ingest/format.h"
#include <unistd.h>

struct Serve {
    const Settings *settings;
    Journal *journal;
    gint complete; /* atomic */
};

Serve *serve_new(const Settings *settings, Journal *journal) {
    Serve *serve = g_new0(Serve, 1);
    serve->settings = settings;
    serve->journal = journal;
    return serve;
}

void serve_free(Serve *serve) {
    g_free(serve);
}

void serve_set_complete(Serve *serve, bool complete) {
    g_atomic_int_set(&serve->complete, complete);
}

static const char *folder_of(const Serve *serve, const char *name) {
    for (SourceSettings **source = serve->settings->sources; *source != NULL; source++)
        if (g_str_equal((*source)->name, name))
            return (*source)->folder;
    return NULL;
}

static FrameBytes *bytes_of(const Serve *serve, const JournalPlace *place, GError **error) {
    const char *folder = folder_of(serve, place->source);
    g_autofree char *path = frame_path_decode(place->path);
    if (folder == NULL || path == NULL) {
        fault_set(error, FAULT_AGAIN, "source %s is not configured now", place->source);
        return NULL;
    }
    FileSight sight;
    g_autoptr(GError) wrong = NULL;
    int fd = file_open(folder, path, &sight, &wrong);
    if (fd < 0) {
        Fault fault = fault_is(wrong, FAULT_VANISHED) ? FAULT_VANISHED : FAULT_AGAIN;
        fault_set(error, fault, "%s: %s", place->path, wrong->message);
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
    const Serve *serve = context;
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
