#include "ingest/source.h"
#include "ingest/event.h"
#include "ingest/scan.h"
#include "ingest/understand.h"
#include "ingest/watch.h"
#include "stream/metrics.h"
#include "stream/naming.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    TURN_US = 20000,    /* a turn's time for each of hints, looks and scan */
    FILES_A_TURN = 256, /* and what it gives at most, so that memory stays small */
    FRAMES_A_TURN = 4096,
    WAITING_MAX_SCAN = 12000, /* files that wait to settle; the scan rests when there are more */
    WAITING_MAX = 16000,      /* hints beyond are left to the scan */
    FOLDERS_MAX = 1000,       /* new folders that wait to be scanned; beyond, everything is */
    REFUSED_MAX = 1000,       /* unreadable folders that are remembered as told */

    /* How long a folder is believed to be unchanged: where events tell of files rewritten in place,
     * longer. */
    MEMO_LASTS_WATCHING_US = 600 * G_USEC_PER_SEC,
    MEMO_LASTS_SCANNING_US = 60 * G_USEC_PER_SEC,
    SCAN_PAUSE_MAX_US = 60 * G_USEC_PER_SEC,
    RETURN_PAUSE_US = 1 * G_USEC_PER_SEC, /* between two looks for a folder that is away */
};

struct Source {
    const SourceSettings *settings;
    Journal *journal;
    gint64 scan_interval_us, quiet_us;
    Filter *filter;
    Settle *settle;

    bool is_away, was_there, told_away;
    FileSight root; /* the folder, as it was when it was there */

    Watch *watch;         /* NULL: no events */
    char *no_events_why;  /* NULL: events from all folders */
    bool watches_refused; /* in this scan; the next one tries again */

    ScanMemo *memo;
    Scan *scan;              /* of everything; NULL: none is under way */
    gint64 scan_cost_us;     /* time it took up to now */
    gint64 scan_due_us;      /* when the next one begins */
    bool scan_fully;         /* and passes over nothing */
    Scan *folder_scan;       /* of a new folder; goes before the other */
    GQueue folders;          /* raw paths of new folders */
    GHashTable *refused;     /* paths of unreadable folders that were told */
    gint64 caught_up_due_us; /* files found by the first scan are looked at by then; 0: not ended */
};

/* --- what a turn brought --- */

static void news_free(gpointer data) {
    SourceNews *news = data;
    g_free(news->path);
    g_free(news->detail);
    g_free(news);
}

SourceCatch source_catch_new(void) {
    return (SourceCatch){.files = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref),
                         .news = g_ptr_array_new_with_free_func(news_free)};
}

void source_catch_clear(SourceCatch *caught) {
    g_ptr_array_set_size(caught->files, 0);
    g_ptr_array_set_size(caught->news, 0);
    caught->frames = 0;
}

void source_catch_free(SourceCatch *caught) {
    g_ptr_array_unref(caught->files);
    g_ptr_array_unref(caught->news);
}

static bool catch_is_full(const SourceCatch *caught) {
    return caught->files->len >= FILES_A_TURN || caught->frames >= FRAMES_A_TURN;
}

static void tell(SourceCatch *caught, SourceNews news) {
    g_ptr_array_add(caught->news, g_memdup2(&news, sizeof news));
}

/* --- making --- */

bool source_check(const SourceSettings *source, GError **error) {
    if (!naming_exists(source->naming))
        return fault_set(error, FAULT_USAGE,
                         "[source %s] naming = %s: unknown; scopestream-ingest namings lists them",
                         source->name, source->naming);
    if (*source->folder == '\0')
        return fault_set(error, FAULT_USAGE,
                         "[source %s]: key 'folder' is missing: the folder to watch", source->name);
    struct stat status;
    if (stat(source->folder, &status) == 0 && !S_ISDIR(status.st_mode))
        return fault_set(error, FAULT_USAGE, "[source %s] folder = %s: is no folder", source->name,
                         source->folder);
    return true;
}

Source *source_new(const SourceSettings *source_settings, const Settings *settings,
                   Journal *journal) {
    Source *source = g_new0(Source, 1);
    source->settings = source_settings;
    source->journal = journal;
    source->scan_interval_us = settings->scan_interval_ms * 1000;
    source->quiet_us = settings->settle_ms * 1000;
    source->filter = filter_new(source_settings);
    source->settle = settle_new((SettleTimes){
        .quiet_us = source->quiet_us,
        .quiet_closed_us = MIN(settings->settle_closed_ms, settings->settle_ms) * 1000,
        .unfinished_us = settings->unfinished_after_ms * 1000,
    });
    source->is_away = true;
    source->memo = scan_memo_new();
    g_queue_init(&source->folders);
    source->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return source;
}

/* Lets go of everything that stands in the folder. */
static void source_let_go(Source *source) {
    g_clear_pointer(&source->watch, watch_close);
    g_clear_pointer(&source->no_events_why, g_free);
    g_clear_pointer(&source->scan, scan_free);
    g_clear_pointer(&source->folder_scan, scan_free);
    g_queue_clear_full(&source->folders, g_free);
    settle_forget_all(source->settle);
}

void source_free(Source *source) {
    if (source == NULL)
        return;
    source_let_go(source);
    settle_free(source->settle);
    filter_free(source->filter);
    scan_memo_free(source->memo);
    g_hash_table_unref(source->refused);
    g_free(source);
}

/* --- away and back --- */

static bool folder_is_empty(const char *folder) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    return dir != NULL && g_dir_read_name(dir) == NULL;
}

/* Why the folder cannot be used now; NULL: it can. Caller g_frees. */
static char *folder_refuses(const Source *source, FileSight *ret_root) {
    const char *folder = source->settings->folder;
    struct stat status;
    g_autoptr(GDir) dir = NULL;
    if (stat(folder, &status) < 0)
        return g_strdup(g_strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return g_strdup("is no folder");
    dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL)
        return g_strdup("may not be read");
    *ret_root = file_sight(&status);
    /* The bare mount point of a file system that is gone. */
    if (source->was_there && ret_root->device != source->root.device && folder_is_empty(folder))
        return g_strdup("is empty and on another file system than before");
    return NULL;
}

static void events_begin(Source *source) {
    g_autoptr(GError) wrong = NULL;
    if (!source->settings->events) {
        source->no_events_why = g_strdup("events = no");
        return;
    }
    if (!watch_is_possible(source->settings->folder, &source->no_events_why))
        return;
    source->watch = watch_open(source->settings->folder, &wrong);
    if (source->watch == NULL)
        source->no_events_why = g_strdup(wrong->message);
}

static void source_leave(Source *source, const char *why, SourceCatch *caught) {
    source_let_go(source);
    source->is_away = true;
    source->scan_due_us = g_get_monotonic_time() + RETURN_PAUSE_US;
    if (source->told_away)
        return;
    source->told_away = true;
    tell(caught, (SourceNews){.event = EVENT_SOURCE_AWAY,
                              .is_warning = true,
                              .detail = g_strdup_printf("%s: %s; looked for again and again",
                                                        source->settings->folder, why)});
}

static void source_return(Source *source, const FileSight *root, SourceCatch *caught) {
    events_begin(source);
    tell(caught,
         (SourceNews){.event = source->told_away ? EVENT_SOURCE_BACK : NULL,
                      .detail = g_strdup_printf(
                          "%s %s%s%s%s", source->watch != NULL ? "watching" : "only scanning",
                          source->settings->folder, source->no_events_why != NULL ? " (" : "",
                          source->no_events_why != NULL ? source->no_events_why : "",
                          source->no_events_why != NULL ? ")" : "")});
    source->root = *root;
    source->is_away = source->told_away = false;
    source->was_there = true;
    source->scan_due_us = 0;
    source->scan_fully = true;
}

/* Whether the folder is there, and still the same. */
static bool source_is_there(Source *source, SourceCatch *caught) {
    FileSight root;
    g_autofree char *why = folder_refuses(source, &root);
    if (why != NULL) {
        source_leave(source, why, caught);
        return false;
    }
    bool is_same = root.device == source->root.device && root.inode == source->root.inode;
    if (!source->is_away && !is_same)
        source_leave(source, "was replaced by another folder", caught);
    if (source->is_away)
        source_return(source, &root, caught);
    return true;
}

/* --- hints --- */

static void folder_hint(Source *source, const char *path) {
    if (g_queue_get_length(&source->folders) < FOLDERS_MAX) {
        g_queue_push_tail(&source->folders, g_strdup(path));
        return;
    }
    source->scan_due_us = 0;
    source->scan_fully = true;
}

/* A file may be new. closed_us: since 1970, its writer was just seen to close it; 0: it was not. */
static void file_seen(Source *source, const char *path, const FileSight *sight, gint64 closed_us) {
    metrics_add(scopestream_ingest_files_seen_total, source->settings->name,
                !settle_has(source->settle, path));
    settle_see(source->settle, path, sight, closed_us, g_get_monotonic_time());
}

static bool file_is_known(Source *source, const char *path, const FileSight *sight) {
    if (settle_has(source->settle, path))
        return false;
    g_autofree char *encoded = frame_path_encode(path);
    return journal_knows(source->journal, source->settings->name, encoded, sight);
}

static void file_hint(Source *source, const char *path, bool closed) {
    FileSight sight;
    if (!file_look(source->settings->folder, path, &sight, NULL) ||
        file_is_known(source, path, &sight))
        return;
    if (settle_count(source->settle) < WAITING_MAX || settle_has(source->settle, path)) {
        file_seen(source, path, &sight, closed ? g_get_real_time() : 0);
        return;
    }
    source->scan_due_us = 0;
    source->scan_fully = true;
}

static void hint_take(Source *source, const WatchHint *hint, SourceCatch *caught) {
    const char *slash = hint->path == NULL ? NULL : strrchr(hint->path, '/');
    const char *name = slash != NULL ? slash + 1 : hint->path;
    switch (hint->kind) {
    case WATCH_TOUCHED:
    case WATCH_CLOSED:
        if (filter_takes_file(source->filter, name))
            file_hint(source, hint->path, hint->kind == WATCH_CLOSED);
        return;
    case WATCH_FOLDER:
        if (filter_takes_folder(source->filter, name))
            folder_hint(source, hint->path);
        return;
    case WATCH_OVERFLOW:
        metrics_add(scopestream_ingest_watch_overflows_total, source->settings->name, 1);
        source->scan_due_us = 0;
        source->scan_fully = true;
        return;
    case WATCH_ROOT_GONE: source_leave(source, "was removed, renamed or unmounted", caught); return;
    }
}

static void take_hints(Source *source, SourceCatch *caught) {
    gint64 end_us = g_get_monotonic_time() + TURN_US;
    WatchHint hint;
    while (source->watch != NULL && g_get_monotonic_time() < end_us &&
           watch_next(source->watch, &hint))
        hint_take(source, &hint, caught);
}

/* --- files that are due --- */

static void file_complete(Source *source, SettleFile *file, const Structure *structure,
                          SourceCatch *caught) {
    g_autofree char *path = frame_path_encode(file->path);
    gint64 mtime_us = file->sight.mtime_ns / 1000;
    gint64 closed_us = file->closed_us != 0 ? file->closed_us : MIN(mtime_us, g_get_real_time());
    GPtrArray *frames = understand_frames(source->settings, path, file->sight.size_bytes,
                                          file->sight.mtime_ns, closed_us, structure);
    caught->frames += frames->len;
    g_ptr_array_add(caught->files, frames);
    settle_forget(source->settle, file);
}

/* Waits on, or gives it up with an event that says why. */
static void file_incomplete(Source *source, SettleFile *file, const GError *why,
                            SourceCatch *caught) {
    if (!settle_incomplete(source->settle, file, why->message, g_get_monotonic_time()))
        return;
    tell(caught, (SourceNews){
                     .event = fault_is(why, FAULT_USAGE) ? EVENT_UNREADABLE : EVENT_UNFINISHED,
                     .is_warning = true,
                     .is_given_up = true,
                     .path = frame_path_encode(file->path),
                     .detail = g_strdup(why->message),
                     .sight = file->sight,
                 });
    settle_forget(source->settle, file);
}

/* What the file's own bytes say; NULL with error set if it is not complete. Sets *ret_changed if it
 * changed while it was read. */
static Structure *file_read(Source *source, const SettleFile *file, FileSight *sight,
                            bool *ret_changed, GError **error) {
    int fd = file_open(source->settings->folder, file->path, sight, error);
    if (fd < 0)
        return NULL;
    struct stat after;
    Structure *structure = NULL;
    *ret_changed = !file_sight_equal(&file->sight, sight);
    if (!*ret_changed)
        structure = format_structure(fd, sight->size_bytes, error);
    if (fstat(fd, &after) == 0) {
        FileSight last = file_sight(&after);
        *ret_changed = *ret_changed || !file_sight_equal(&file->sight, &last);
        *sight = last;
    }
    close(fd);
    return structure;
}

static void file_look_at(Source *source, SettleFile *file, SourceCatch *caught) {
    g_autoptr(GError) why = NULL;
    g_autoptr(Structure) structure = NULL;
    FileSight sight;
    bool changed = false;
    if (file_look(source->settings->folder, file->path, &sight, &why)) {
        if (!settle_is_quiet(source->settle, file, &sight, g_get_monotonic_time()))
            return;
        structure = file_read(source, file, &sight, &changed, &why);
    }
    if (changed)
        settle_is_quiet(source->settle, file, &sight, g_get_monotonic_time());
    else if (structure != NULL)
        file_complete(source, file, structure, caught);
    else if (fault_is(why, FAULT_VANISHED)) /* renamed or removed: nothing to say about it */
        settle_forget(source->settle, file);
    else
        file_incomplete(source, file, why, caught);
}

static void look_at_due(Source *source, SourceCatch *caught) {
    gint64 begin_us = g_get_monotonic_time(), now_us = begin_us;
    SettleFile *file;
    while (now_us < begin_us + TURN_US && !catch_is_full(caught) &&
           (file = settle_next(source->settle, now_us)) != NULL) {
        file_look_at(source, file, caught);
        now_us = g_get_monotonic_time();
    }
}

/* --- the scan --- */

/* Watches a folder the scan is about to read. */
static void folder_watch(Source *source, const char *path, SourceCatch *caught) {
    g_hash_table_remove(source->refused, path);
    g_autoptr(GError) wrong = NULL;
    if (source->watch == NULL || source->watches_refused ||
        watch_folder(source->watch, path, &wrong) || !fault_is(wrong, FAULT_AGAIN))
        return;
    source->watches_refused = true;
    if (source->no_events_why != NULL)
        return;
    source->no_events_why = g_strdup(wrong->message);
    tell(caught, (SourceNews){.is_warning = true, .detail = g_strdup(wrong->message)});
}

static void folder_unreadable(Source *source, const char *path, const char *why,
                              SourceCatch *caught) {
    if (g_hash_table_size(source->refused) >= REFUSED_MAX ||
        !g_hash_table_add(source->refused, g_strdup(path)))
        return;
    tell(caught, (SourceNews){.event = EVENT_UNREADABLE,
                              .is_warning = true,
                              .path = frame_path_encode(*path == '\0' ? "." : path),
                              .detail = g_strdup(why)});
}

static void scan_step_take(Source *source, Scan *scan, ScanStep step, ScanEntry *entry,
                           SourceCatch *caught) {
    g_autofree char *why = entry->why;
    if (step == SCAN_FOLDER)
        folder_watch(source, entry->path, caught);
    if (step == SCAN_UNREADABLE)
        folder_unreadable(source, entry->path, why, caught);
    if (step == SCAN_FILE && !file_is_known(source, entry->path, &entry->sight)) {
        scan_unfinished(scan);
        file_seen(source, entry->path, &entry->sight, 0);
    }
}

/* Goes on with scan; true when it came to its end. */
static bool scan_go_on(Source *source, Scan *scan, SourceCatch *caught) {
    gint64 begin_us = g_get_monotonic_time(), now_us = begin_us;
    ScanStep step = SCAN_RESTED;
    ScanEntry entry;
    while (step != SCAN_END && now_us < begin_us + TURN_US &&
           settle_count(source->settle) < WAITING_MAX_SCAN) {
        step = scan_next(scan, now_us, &entry);
        scan_step_take(source, scan, step, &entry, caught);
        now_us = g_get_monotonic_time();
    }
    return step == SCAN_END;
}

/* New folders: everything in them is looked at, however young. */
static void scan_folders(Source *source, SourceCatch *caught) {
    g_autofree char *path = NULL;
    if (source->folder_scan == NULL) {
        path = g_queue_pop_head(&source->folders);
        source->folder_scan = scan_new(source->settings->folder, path, source->filter, NULL, 0);
    }
    if (scan_go_on(source, source->folder_scan, caught))
        g_clear_pointer(&source->folder_scan, scan_free);
}

static void scan_begin(Source *source) {
    gint64 lasts_us = source->scan_fully              ? 0
                      : source->no_events_why == NULL ? MEMO_LASTS_WATCHING_US
                                                      : MEMO_LASTS_SCANNING_US;
    source->scan = scan_new(source->settings->folder, "", source->filter, source->memo, lasts_us);
    source->scan_due_us = G_MAXINT64;
    source->scan_fully = false;
    source->scan_cost_us = 0;
    source->watches_refused = false;
}

/* The next scan comes after the interval, or later if this one was dear: a scan takes no more than
 * a twentieth of one processor. */
static void scan_end(Source *source) {
    gint64 now_us = g_get_monotonic_time();
    gint64 pause_us = MIN(19 * source->scan_cost_us, SCAN_PAUSE_MAX_US);
    g_clear_pointer(&source->scan, scan_free);
    metrics_observe_between(scopestream_ingest_scan_seconds, source->settings->name, now_us,
                            now_us + source->scan_cost_us);
    source->scan_due_us =
        MIN(source->scan_due_us, now_us + MAX(source->scan_interval_us, pause_us));
    if (!source->watches_refused && source->watch != NULL)
        g_clear_pointer(&source->no_events_why, g_free);
    if (source->caught_up_due_us == 0)
        source->caught_up_due_us = now_us + source->quiet_us;
}

static void scan_everything(Source *source, SourceCatch *caught) {
    gint64 begin_us = g_get_monotonic_time();
    if (source->scan == NULL) {
        if (begin_us < source->scan_due_us || !source_is_there(source, caught))
            return;
        scan_begin(source);
    }
    bool ended = scan_go_on(source, source->scan, caught);
    source->scan_cost_us += g_get_monotonic_time() - begin_us;
    if (ended)
        scan_end(source);
}

static bool folders_wait(const Source *source) {
    return source->folder_scan != NULL || !g_queue_is_empty((GQueue *)&source->folders);
}

/* --- a turn --- */

void source_turn(Source *source, SourceCatch *caught) {
    if (source->is_away &&
        (g_get_monotonic_time() < source->scan_due_us || !source_is_there(source, caught)))
        return;
    take_hints(source, caught);
    look_at_due(source, caught);
    if (source->is_away)
        return;
    if (folders_wait(source))
        scan_folders(source, caught);
    else
        scan_everything(source, caught);
}

int source_fd(const Source *source) {
    return source->watch == NULL ? -1 : watch_fd(source->watch);
}

gint64 source_due_us(const Source *source) {
    gint64 settle_us = settle_due_us(source->settle);
    if (source->is_away)
        return source->scan_due_us;
    if (settle_count(source->settle) >= WAITING_MAX_SCAN)
        return settle_us;
    if (source->scan != NULL || folders_wait(source))
        return 0;
    return MIN(settle_us, source->scan_due_us);
}

void source_scan_fully(Source *source) {
    source->scan_fully = true;
}

const FileSight *source_root(const Source *source) {
    return source->is_away ? NULL : &source->root;
}

const SourceSettings *source_settings(const Source *source) {
    return source->settings;
}

SourceState source_state(const Source *source) {
    if (source->is_away)
        return SOURCE_AWAY;
    return source->no_events_why != NULL ? SOURCE_SCANNING_ONLY : SOURCE_WATCHING;
}

const char *source_state_text(const Source *source) {
    static const char *const texts[] = {[SOURCE_AWAY] = "away",
                                        [SOURCE_WATCHING] = "watching",
                                        [SOURCE_SCANNING_ONLY] = "scanning only"};
    return texts[source_state(source)];
}

bool source_caught_up(const Source *source) {
    return !source->is_away && source->caught_up_due_us != 0 &&
           settle_due_us(source->settle) > source->caught_up_due_us;
}

const Settle *source_settle(const Source *source) {
    return source->settle;
}
