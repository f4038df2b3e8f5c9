/* folder: a source's folder for tests, with files made, changed and removed in it. */
#ifndef TESTS_INGEST_FOLDER_H
#define TESTS_INGEST_FOLDER_H

#include "stream/settings.h"
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static inline char *folder_new(void) {
    char *folder = g_dir_make_tmp("scopestream-test-XXXXXX", NULL);
    g_assert_nonnull(folder);
    return folder;
}

static inline void folder_remove_all(const char *path) {
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        folder_remove_all(below);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_remove(path);
}

static inline void folder_free(char *folder) {
    folder_remove_all(folder);
    g_free(folder);
}

/* Makes folder/path, which may have several parts. */
static inline void folder_make(const char *folder, const char *path) {
    g_autofree char *full = g_build_filename(folder, path, NULL);
    g_assert_cmpint(g_mkdir_with_parents(full, 0755), ==, 0);
}

static inline void folder_write(const char *folder, const char *path, const void *data,
                                gsize length) {
    g_autofree char *full = g_build_filename(folder, path, NULL);
    FILE *file = fopen(full, "w");
    g_assert_nonnull(file);
    g_assert_cmpint(fwrite(data, 1, length, file), ==, length);
    fclose(file);
}

/* A complete TIFF of one pixel, whose value is told: 8 bytes of header, the pixel, nine entries. */
static inline void folder_write_tiff(const char *folder, const char *path, guint8 pixel) {
    static const guint16 entries[][3] = {/* tag, type, value; the count is 1 */
                                         {256, 4, 1}, {257, 4, 1}, {258, 3, 8},
                                         {259, 3, 1}, {262, 3, 1}, {273, 4, 8},
                                         {277, 3, 1}, {278, 4, 1}, {279, 4, 1}};
    g_autoptr(GByteArray) file = g_byte_array_new();
    const guint8 head[] = {'I', 'I', 42, 0, 10, 0, 0, 0, pixel, 0, G_N_ELEMENTS(entries), 0};
    const guint8 end[4] = {0};
    g_byte_array_append(file, head, sizeof head);
    for (guint row = 0; row < G_N_ELEMENTS(entries); row++) {
        guint16 entry[6] = {GUINT16_TO_LE(entries[row][0]),
                            GUINT16_TO_LE(entries[row][1]),
                            GUINT16_TO_LE(1),
                            0,
                            GUINT16_TO_LE(entries[row][2]),
                            0};
        g_byte_array_append(file, (const guint8 *)entry, sizeof entry);
    }
    g_byte_array_append(file, end, sizeof end);
    folder_write(folder, path, file->data, file->len);
}

static inline void folder_move(const char *folder, const char *from, const char *to) {
    g_autofree char *old = g_build_filename(folder, from, NULL);
    g_autofree char *new = g_build_filename(folder, to, NULL);
    g_assert_cmpint(g_rename(old, new), ==, 0);
}

static inline void folder_remove(const char *folder, const char *path) {
    g_autofree char *full = g_build_filename(folder, path, NULL);
    folder_remove_all(full);
}

/* Settings with one source, m, in folder. */
static inline Settings *folder_settings(const char *folder) {
    Settings *settings = settings_new();
    g_autofree char *source = g_strconcat("m=", folder, NULL);
    g_assert_true(settings_set(settings, "source", source, NULL));
    return settings;
}

#endif
