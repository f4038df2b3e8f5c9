#include "ingest/check.h"
#include "stream/frame.h"
#include "stream/program.h"
#include "tests/ingest/image_file.h"
#include "tests/suite.h"
#include <glib/gstdio.h>
#include <stdio.h>

/* What a command wrote to stdout, and the status it returned. */
typedef struct {
    int status;
    char *text;
} Output;

static Output output_of(int (*run)(const Settings *, char **), const Settings *settings,
                        char **arguments) {
    Output output;
    int fd = image_file_new(), saved = dup(STDOUT_FILENO);
    fflush(stdout);
    dup2(fd, STDOUT_FILENO);
    output.status = run(settings, arguments);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    gsize length = image_file_size(fd);
    output.text = g_malloc0(length + 1);
    image_file_get(fd, 0, output.text, length);
    close(fd);
    return output;
}

/* A folder with Plate1_A01_s1_w1.tif, a stack of three pages, and half of it as half.tif. */
typedef struct {
    char *folder, *whole, *half;
} Files;

static Files files_new(void) {
    Files files = {.folder = g_dir_make_tmp("check-XXXXXX", NULL)};
    g_autofree guint8 *data = NULL;
    int fd = image_stack_new(&image_kinds[0]);
    gsize length = image_file_size(fd);
    data = g_malloc(length);
    image_file_get(fd, 0, data, length);
    files.whole = g_build_filename(files.folder, "Plate1_A01_s1_w1.tif", NULL);
    files.half = g_build_filename(files.folder, "half.tif", NULL);
    ck_assert(g_file_set_contents(files.whole, (char *)data, (gssize)length, NULL));
    ck_assert(g_file_set_contents(files.half, (char *)data, (gssize)length / 2, NULL));
    close(fd);
    return files;
}

static void files_remove(Files *files) {
    g_unlink(files->whole);
    g_unlink(files->half);
    ck_assert_int_eq(g_rmdir(files->folder), 0);
    g_free(files->folder);
    g_free(files->whole);
    g_free(files->half);
}

static void expect(Output output, int status, const char *const words[]) {
    ck_assert_int_eq(output.status, status);
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(output.text, *words) != NULL, "no '%s' in\n%s", *words, output.text);
    g_free(output.text);
}

START_TEST(a_complete_file_is_explained_with_its_frames) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    Output output = output_of(check_run, settings, (char *[]){files.whole, NULL});
    expect(output, EXIT_SUCCESS,
           (const char *[]){"complete      tiff, 3 pages", "naming        metaxpress",
                            "plate Plate1, well A01, site 1, channel 1", "  page 2 ",
                            "45 x 37 pixels, 1 x 16 bits", "in a source named check", NULL});
    files_remove(&files);
}
END_TEST

START_TEST(a_file_that_is_not_complete_is_told_and_makes_status_1) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    Output output = output_of(check_run, settings, (char *[]){files.whole, files.half, NULL});
    expect(output, EXIT_FAILURE,
           (const char *[]){"NOT COMPLETE", "2 files: 1 complete with 3 frames, 1 not complete",
                            NULL});
    files_remove(&files);
}
END_TEST

START_TEST(a_file_of_a_source_has_the_ids_it_will_have_there) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    g_autofree char *source = g_strdup_printf("scope1=%s", files.folder);
    GStatBuf status;
    char id[FRAME_ID_TEXT_LENGTH + 1];
    ck_assert(settings_set(settings, "source", source, NULL));
    ck_assert_int_eq(g_stat(files.whole, &status), 0);
    gint64 mtime_ns = status.st_mtim.tv_sec * 1000000000LL + status.st_mtim.tv_nsec;
    FrameId made =
        frame_id_make("scope1", "Plate1_A01_s1_w1.tif", (guint64)status.st_size, mtime_ns, 1);
    Output output = output_of(check_run, settings, (char *[]){files.whole, NULL});
    expect(output, EXIT_SUCCESS,
           (const char *[]){"source        scope1, path Plate1_A01_s1_w1.tif",
                            frame_id_text(&made, id), NULL});
    files_remove(&files);
}
END_TEST

START_TEST(a_file_its_source_passes_over_is_told) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    g_autofree char *text =
        g_strdup_printf("[source s]\nfolder = %s\nexclude = half*\n", files.folder);
    ck_assert(settings_read_text(settings, text, "test", NULL));
    Output output = output_of(check_run, settings, (char *[]){files.half, NULL});
    expect(output, EXIT_FAILURE, (const char *[]){"passed over   its name is", NULL});
    files_remove(&files);
}
END_TEST

START_TEST(a_file_that_is_not_there_or_no_file_makes_status_2) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    char *const none[] = {NULL}, *const gone[] = {"/nowhere/at/all.tif", files.whole, NULL},
                *const folder[] = {files.folder, NULL};
    expect(output_of(check_run, settings, (char **)none), EXIT_WRONG_USE, (const char *[]){NULL});
    expect(output_of(check_run, settings, (char **)gone), EXIT_WRONG_USE,
           (const char *[]){"complete ", NULL}); /* the other is explained all the same */
    expect(output_of(check_run, settings, (char **)folder), EXIT_WRONG_USE, (const char *[]){NULL});
    files_remove(&files);
}
END_TEST

START_TEST(a_source_with_a_naming_nobody_knows_makes_status_2) {
    Files files = files_new();
    g_autoptr(Settings) settings = settings_new();
    g_autofree char *text =
        g_strdup_printf("[source s]\nfolder = %s\nnaming = opera\n", files.folder);
    ck_assert(settings_read_text(settings, text, "test", NULL));
    expect(output_of(check_run, settings, (char *[]){files.whole, NULL}), EXIT_WRONG_USE,
           (const char *[]){NULL});
    files_remove(&files);
}
END_TEST

START_TEST(all_namings_are_listed_with_their_examples) {
    g_autoptr(Settings) settings = settings_new();
    Output output = output_of(namings_run, settings, (char *[]){NULL});
    expect(output, EXIT_SUCCESS,
           (const char *[]){"phenix", "yokogawa_cv", "cellomics", "metaxpress", "mmstack",
                            "plate BR00116991, well A01, site 1, channel 1, z 1, t 1", NULL});
}
END_TEST

SUITE("check", a_complete_file_is_explained_with_its_frames,
      a_file_that_is_not_complete_is_told_and_makes_status_1,
      a_file_of_a_source_has_the_ids_it_will_have_there, a_file_its_source_passes_over_is_told,
      a_file_that_is_not_there_or_no_file_makes_status_2,
      a_source_with_a_naming_nobody_knows_makes_status_2,
      all_namings_are_listed_with_their_examples)
