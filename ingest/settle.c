#include "ingest/settle.h"

enum { LOOK_AGAIN_MAX_US = 5 * G_USEC_PER_SEC }; /* to the next look at one that is not complete */

struct Settle {
    SettleTimes times;
    GHashTable *by_path; /* path, owned by the file -> SettleFile */
    GSequence *by_due;   /* of SettleFile, the next first */
};

static void file_free(gpointer data) {
    SettleFile *file = data;
    g_free(file->path);
    g_free(file->reason);
    g_free(file);
}

Settle *settle_new(SettleTimes times) {
    Settle *settle = g_new0(Settle, 1);
    settle->times = times;
    settle->by_path = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, file_free);
    settle->by_due = g_sequence_new(NULL);
    return settle;
}

void settle_free(Settle *settle) {
    if (settle == NULL)
        return;
    g_sequence_free(settle->by_due);
    g_hash_table_unref(settle->by_path);
    g_free(settle);
}

guint settle_count(const Settle *settle) {
    return g_hash_table_size(settle->by_path);
}

bool settle_has(const Settle *settle, const char *path) {
    return g_hash_table_contains(settle->by_path, path);
}

static gint compare_due(gconstpointer a, gconstpointer b, gpointer unused) {
    gint64 left = ((const SettleFile *)a)->due_us, right = ((const SettleFile *)b)->due_us;
    return left < right ? -1 : left > right;
}

static void due_at(Settle *settle, SettleFile *file, gint64 due_us) {
    file->due_us = due_us;
    if (file->place == NULL)
        file->place = g_sequence_insert_sorted(settle->by_due, file, compare_due, NULL);
    else
        g_sequence_sort_changed(file->place, compare_due, NULL);
}

static gint64 quiet_needed(const Settle *settle, const SettleFile *file) {
    return file->closed_us != 0 ? settle->times.quiet_closed_us : settle->times.quiet_us;
}

/* It changed: what was known of it is void, also that it was closed. */
static void file_changed(SettleFile *file, const FileSight *sight, gint64 now_us) {
    file->sight = *sight;
    file->since_us = now_us;
    file->closed_us = 0;
    file->looks = 0;
    g_clear_pointer(&file->reason, g_free);
}

void settle_see(Settle *settle, const char *path, const FileSight *sight, gint64 closed_us,
                gint64 now_us) {
    SettleFile *file = g_hash_table_lookup(settle->by_path, path);
    bool is_new = file == NULL;
    if (is_new) {
        file = g_new0(SettleFile, 1);
        file->path = g_strdup(path);
        g_hash_table_insert(settle->by_path, file->path, file);
    }
    bool changed = is_new || !file_sight_equal(&file->sight, sight);
    if (changed)
        file_changed(file, sight, now_us);
    if (closed_us != 0)
        file->closed_us = closed_us;
    if (changed || closed_us != 0)
        due_at(settle, file, MAX(file->since_us + quiet_needed(settle, file), now_us));
}

gint64 settle_due_us(const Settle *settle) {
    GSequenceIter *first = g_sequence_get_begin_iter(settle->by_due);
    return g_sequence_iter_is_end(first) ? G_MAXINT64
                                         : ((SettleFile *)g_sequence_get(first))->due_us;
}

SettleFile *settle_next(Settle *settle, gint64 now_us) {
    GSequenceIter *first = g_sequence_get_begin_iter(settle->by_due);
    if (g_sequence_iter_is_end(first))
        return NULL;
    SettleFile *file = g_sequence_get(first);
    return file->due_us <= now_us ? file : NULL;
}

bool settle_is_quiet(Settle *settle, SettleFile *file, const FileSight *sight, gint64 now_us) {
    if (!file_sight_equal(&file->sight, sight)) {
        file_changed(file, sight, now_us);
        file->reason = g_strdup("is still being written");
    }
    gint64 quiet_at_us = file->since_us + quiet_needed(settle, file);
    if (quiet_at_us <= now_us)
        return true;
    due_at(settle, file, quiet_at_us);
    return false;
}

bool settle_incomplete(Settle *settle, SettleFile *file, const char *reason, gint64 now_us) {
    if (g_strcmp0(file->reason, reason) != 0) {
        g_free(file->reason);
        file->reason = g_strdup(reason);
    }
    if (now_us - file->since_us >= settle->times.unfinished_us)
        return true;
    gint64 pause_us = MAX(settle->times.quiet_us, 1000) << MIN(file->looks, 20);
    file->looks++;
    gint64 latest_us = file->since_us + settle->times.unfinished_us;
    due_at(settle, file, MIN(now_us + MIN(pause_us, LOOK_AGAIN_MAX_US), latest_us));
    return false;
}

void settle_forget(Settle *settle, SettleFile *file) {
    g_sequence_remove(file->place);
    g_hash_table_remove(settle->by_path, file->path);
}

void settle_forget_all(Settle *settle) {
    g_sequence_remove_range(g_sequence_get_begin_iter(settle->by_due),
                            g_sequence_get_end_iter(settle->by_due));
    g_hash_table_remove_all(settle->by_path);
}

void settle_visit_incomplete(const Settle *settle, guint most,
                             void (*visit)(const SettleFile *file, void *context), void *context) {
    GSequenceIter *at = g_sequence_get_begin_iter(settle->by_due);
    guint looked_at = 0, given = 0;
    /* Those with a reason are few among many that only wait for their quiet time; the look at them
     * is bounded. */
    for (; !g_sequence_iter_is_end(at) && given < most && looked_at < 1000; looked_at++) {
        const SettleFile *file = g_sequence_get(at);
        if (file->reason != NULL) {
            visit(file, context);
            given++;
        }
        at = g_sequence_iter_next(at);
    }
}
