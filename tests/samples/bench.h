/* bench: a folder for one run of simulated-microscope, and the list it writes. */
#ifndef TESTS_SAMPLES_BENCH_H
#define TESTS_SAMPLES_BENCH_H

#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <sys/wait.h>

typedef struct {
    char *folder, *out, *list; /* folder holds the other two */
} Bench;

static inline void folder_remove(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            folder_remove(child);
        else
            g_unlink(child);
    }
    g_rmdir(path);
}

static inline Bench bench_new(void) {
    Bench bench = {.folder = g_dir_make_tmp("microscope-XXXXXX", NULL)};
    ck_assert_ptr_nonnull(bench.folder);
    bench.out = g_build_filename(bench.folder, "out", NULL);
    bench.list = g_build_filename(bench.folder, "out-written.csv", NULL);
    return bench;
}

static inline void bench_clear(Bench *bench) {
    folder_remove(bench->folder);
    g_free(bench->folder);
    g_free(bench->out);
    g_free(bench->list);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_clear)

/* The command line with these options, words by spaces, behind those every test wants. */
static inline char **command(const Bench *bench, const char *options) {
    const char *bin = g_getenv("SCOPESTREAM_BIN");
    ck_assert_msg(bin != NULL, "SCOPESTREAM_BIN must name the folder of the programs");
    g_autofree char *line = g_strdup_printf(
        "%s/simulated-microscope --out %s --quiet --rate 0 --side 96 %s", bin, bench->out, options);
    return g_strsplit(line, " ", -1);
}

static inline int run(const Bench *bench, const char *options, char **ret_complaint) {
    g_auto(GStrv) argv = command(bench, options);
    int status = -1;
    ck_assert(g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                           ret_complaint, &status, NULL));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void run_well(const Bench *bench, const char *options) {
    g_autofree char *complaint = NULL;
    int status = run(bench, options, &complaint);
    ck_assert_msg(status == 0, "%s: %s", options, complaint);
}

/* --- the list --- */

enum { FILE_NAME, PAGE, PLATE, WELL, SITE, CHANNEL, Z, T, FAULTS, CLOSED_AT, OFF_FOCUS, COLUMNS };

/* The lines of the list as GStrv of COLUMNS fields. */
static inline GPtrArray *list_read(const Bench *bench) {
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(bench->list, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    ck_assert_str_eq(lines[0],
                     "file,page,plate,well,site,channel,z,t,faults,closed_at,off_focus_um");
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
    for (char **line = lines + 1; **line; line++) {
        g_ptr_array_add(rows, g_strsplit(*line, ",", -1));
        ck_assert_uint_eq(g_strv_length(g_ptr_array_index(rows, rows->len - 1)), COLUMNS);
    }
    return rows;
}

static inline char **list_row(GPtrArray *rows, guint i) {
    ck_assert_uint_lt(i, rows->len);
    return g_ptr_array_index(rows, i);
}

static inline void folder_collect(const char *path, const char *below, GHashTable *files) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    ck_assert_ptr_nonnull(dir);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        g_autofree char *relative = g_build_filename(below, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            folder_collect(child, relative, files);
        else
            g_hash_table_add(files, g_steal_pointer(&relative));
    }
}

static inline GHashTable *files_on_disk(const Bench *bench) {
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    folder_collect(bench->out, "", files);
    return files;
}

#endif
