/* driver: runs a fuzz target over files and folders, and over some thousand simple damages of each
 * (cut short, a byte replaced), the same on every run. */
#include "tests/fuzz/fuzz.h"
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAMAGED_BYTES_MAX 4096 /* inputs in the corpus are small; of a large one the beginning */

static guint runs;

/* A copy without room behind, so that a byte read too far is found. */
static void run(const guint8 *data, gsize length) {
    g_autofree guint8 *exact = g_malloc(MAX(length, 1));
    memcpy(exact, data, length);
    LLVMFuzzerTestOneInput(exact, length);
    runs++;
}

static void run_damaged(const guint8 *data, gsize length) {
    static const guint8 replacements[] = {0x00, 0x01, 0x7f, 0xff};
    gsize until = MIN(length, DAMAGED_BYTES_MAX);
    g_autofree guint8 *copy = g_memdup2(data, length);
    gsize step = until / 512 + 1;
    for (gsize at = 0; at < until; at += step) {
        run(data, at);
        for (guint i = 0; i < G_N_ELEMENTS(replacements); i++) {
            copy[at] = replacements[i];
            run(copy, length);
        }
        copy[at] = data[at];
    }
}

static bool run_file(const char *path) {
    g_autofree char *data = NULL;
    gsize length;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &length, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    run((const guint8 *)data, length);
    run_damaged((const guint8 *)data, length);
    return true;
}

static bool run_path(const char *path) {
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    if (folder == NULL)
        return run_file(path);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *inside = g_build_filename(path, name, NULL);
        if (!run_path(inside))
            return false;
    }
    return true;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (!run_path(argv[i]))
            return 1;
    printf("%u inputs\n", runs);
    return runs > 0 ? 0 : 1;
}
