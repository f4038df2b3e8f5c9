#include "features/list.h"
#include "features/measure_files.h"
#include "stream/program.h"
#include "tests/features/image_files.h"
#include "tests/features/measuring.h"
#include "tests/suite.h"
#include <json-glib/json-glib.h>
#include <sys/stat.h>
#include <unistd.h>

static const Command commands[] = {
    {"measure", "FILE...", "measures", measure_files_options, true, measure_files_run},
    {"list", "", "lists", list_options, true, list_run},
    {NULL},
};

/* A folder with pictures; the tests write their output beside them. */
static char *folder;

static void write_file(const char *name, GBytes *bytes) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    gsize length;
    const char *data = g_bytes_get_data(bytes, &length);
    ck_assert(g_file_set_contents(path, data, (gssize)length, NULL));
    g_bytes_unref(bytes);
}

static void make_folder(void) {
    folder = g_dir_make_tmp("scopestream-XXXXXX", NULL);
    g_autofree char *below = g_build_filename(folder, "below", NULL);
    ck_assert_int_eq(g_mkdir(below, 0700), 0);
    const guint8 pixels[6] = {1, 2, 3, 4, 5, 60};
    const PageSpec pages[] = {
        {.width = 3, .height = 2, .bits = 8, .photometric = 1, .data = pixels},
        {.width = 2, .height = 3, .bits = 8, .photometric = 1, .data = pixels},
    };
    write_file("one.tif", tiff_file("w", pages, 1));
    write_file("below/two.TIFF", tiff_file("w", pages, 2));
    write_file("broken.png", g_bytes_new_static("\x89PNG\r\n\x1a\nxx", 10));
    write_file("notes.txt", g_bytes_new_static("no image", 8));
}

static void remove_folder(void) {
    static const char *const names[] = {
        "one.tif", "below/two.TIFF", "broken.png", "notes.txt", "out", "err"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_autofree char *below = g_build_filename(folder, "below", NULL);
    g_rmdir(below);
    g_rmdir(folder);
    g_clear_pointer(&folder, g_free);
}

typedef struct {
    int status;
    char *out, *err;
} Run;

static void run_clear(Run *run) {
    g_free(run->out);
    g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static char *take_output(FILE *stream, int keeper, const char *path) {
    fflush(stream);
    dup2(keeper, fileno(stream));
    close(keeper);
    char *text;
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static int give_output(FILE *stream, const char *path) {
    fflush(stream);
    int keeper = dup(fileno(stream));
    FILE *file = fopen(path, "w");
    dup2(fileno(file), fileno(stream));
    fclose(file);
    return keeper;
}

/* Runs the program with these words; "@name" stands for a file of the folder. */
static Run run(const char *words) {
    g_autofree char *line = g_strdup_printf("scopestream-features %s", words);
    g_auto(GStrv) split = g_strsplit(line, " ", -1);
    for (char **word = split; *word != NULL; word++)
        if (**word == '@') {
            char *path = g_build_filename(folder, *word + 1, NULL);
            g_free(*word);
            *word = path;
        }
    int count = (int)g_strv_length(split);
    g_autofree char **arguments = g_memdup2(split, ((gsize)count + 1) * sizeof *split);

    g_autofree char *out = g_build_filename(folder, "out", NULL);
    g_autofree char *err = g_build_filename(folder, "err", NULL);
    int kept_out = give_output(stdout, out), kept_err = give_output(stderr, err);
    Run result = {.status = program_main(FEATURES, "measures", commands, count, arguments)};
    result.out = take_output(stdout, kept_out, out);
    result.err = take_output(stderr, kept_err, err);
    return result;
}

static guint lines_of(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_length(lines) - 1;
}

START_TEST(one_frame_is_shown_with_all_its_numbers) {
    make_folder();
    g_auto(Run) shown = run("measure @one.tif");
    ck_assert_int_eq(shown.status, 0);
    ck_assert_str_eq(shown.err, "");
    for (guint i = 0; i < pipeline_columns_count(measuring_pipeline("standard")); i++)
        ck_assert_ptr_nonnull(
            strstr(shown.out, pipeline_column(measuring_pipeline("standard"), i)->name));
    ck_assert_ptr_nonnull(strstr(shown.out, "3 x 2"));
    remove_folder();
}
END_TEST

START_TEST(several_frames_are_a_table_that_fits_a_terminal) {
    make_folder();
    g_auto(Run) shown = run("measure @one.tif @below/two.TIFF");
    ck_assert_int_eq(shown.status, 0);
    ck_assert_uint_eq(lines_of(shown.out), 4);
    ck_assert_ptr_nonnull(strstr(shown.out, "two.TIFF [1]"));
    g_auto(GStrv) lines = g_strsplit(shown.out, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        ck_assert_uint_le(strlen(*line), 100);
    remove_folder();
}
END_TEST

START_TEST(csv_has_a_row_for_every_page_and_a_column_for_every_number) {
    make_folder();
    g_auto(Run) table = run("measure --format csv @one.tif @below/two.TIFF");
    ck_assert_int_eq(table.status, 0);
    g_auto(GStrv) lines = g_strsplit(table.out, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 5);
    g_auto(GStrv) header = g_strsplit(lines[0], ",", -1);
    g_auto(GStrv) row = g_strsplit(lines[1], ",", -1);
    ck_assert_uint_eq(g_strv_length(header),
                      6 + pipeline_columns_count(measuring_pipeline("standard")));
    ck_assert_uint_eq(g_strv_length(row), g_strv_length(header));
    ck_assert_str_eq(row[2], "ok");
    int mean = 6 + pipeline_column_find(measuring_pipeline("standard"), "mean");
    ck_assert_str_eq(header[mean], "mean");
    ck_assert_double_eq_tol(g_ascii_strtod(row[mean], NULL), 12.5 / 255, 1e-12);
    remove_folder();
}
END_TEST

static char *field_named(char **header, char **row, const char *name) {
    for (guint i = 0; header[i] != NULL; i++)
        if (g_str_equal(header[i], name))
            return row[i];
    ck_abort_msg("no column %s", name);
}

/* Small images of these names; the last is NULL. */
static void make_images(const char *const names[]) {
    for (guint8 i = 0; names[i] != NULL; i++) {
        const guint8 pixels[4] = {i, i, i, i};
        const PageSpec page = {
            .width = 2, .height = 2, .bits = 8, .photometric = 1, .data = pixels};
        write_file(names[i], tiff_file("w", &page, 1));
    }
}

static void remove_images(const char *const names[]) {
    for (gsize i = 0; names[i] != NULL; i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
}

START_TEST(with_cellprofilers_names_a_row_is_an_image_set_and_a_column_a_number_of_a_channel) {
    /* two channels of one site and one of another, named as CellProfiler's own default has it */
    static const char *const names[] = {"below/P1_A01_s1_w1.tif", "below/P1_A01_s1_w2.tif",
                                        "below/P1_A02_s1_w2.tif", NULL};
    make_folder();
    make_images(names);
    g_auto(Run) table = run("measure --names cellprofiler @one.tif @below/P1_A01_s1_w1.tif "
                            "@below/P1_A01_s1_w2.tif @below/P1_A02_s1_w2.tif");
    ck_assert_msg(table.status == 0, "%s", table.err);
    g_auto(GStrv) lines = g_strsplit(table.out, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 5); /* header, three sets, and what follows the last */
    g_auto(GStrv) header = g_strsplit(lines[0], ",", -1);
    ck_assert_str_eq(header[0], "ImageNumber");

    g_auto(GStrv) unknown = g_strsplit(lines[1], ",", -1);
    ck_assert_str_eq(field_named(header, unknown, "FileName_Image"), "one.tif");
    ck_assert_str_eq(field_named(header, unknown, "FileName_1"), "");
    ck_assert_str_eq(field_named(header, unknown, "Height_1"), "nan");
    ck_assert_str_eq(field_named(header, unknown, "Metadata_Well"), "");

    g_auto(GStrv) both = g_strsplit(lines[2], ",", -1);
    ck_assert_uint_eq(g_strv_length(both), g_strv_length(header));
    ck_assert_str_eq(both[0], "2");
    ck_assert_str_eq(field_named(header, both, "Metadata_Plate"), "P1");
    ck_assert_str_eq(field_named(header, both, "Metadata_Well"), "A01");
    ck_assert_str_eq(field_named(header, both, "ImageQuality_MeanIntensity_1"), "0");
    ck_assert_double_eq_tol(
        g_ascii_strtod(field_named(header, both, "ImageQuality_MeanIntensity_2"), NULL), 1 / 255.,
        1e-9);

    g_auto(GStrv) alone = g_strsplit(lines[3], ",", -1);
    ck_assert_str_eq(field_named(header, alone, "Metadata_Well"), "A02");
    ck_assert_str_eq(field_named(header, alone, "ImageQuality_MeanIntensity_1"), "nan");
    ck_assert_str_eq(field_named(header, alone, "FileName_2"), "P1_A02_s1_w2.tif");
    remove_images(names);
    remove_folder();
}
END_TEST

START_TEST(channels_whose_names_cellprofiler_could_not_tell_apart_stay_two) {
    static const char *const names[] = {"img_000000000_GFP-1_000.tif",
                                        "img_000000000_gfp+1_000.tif", NULL};
    make_folder();
    make_images(names);
    g_auto(Run) table = run("measure --names cellprofiler @img_000000000_GFP-1_000.tif "
                            "@img_000000000_gfp+1_000.tif");
    ck_assert_msg(table.status == 0, "%s", table.err);
    g_auto(GStrv) lines = g_strsplit(table.out, "\n", -1);
    ck_assert_uint_eq(g_strv_length(lines), 3); /* one set */
    g_auto(GStrv) header = g_strsplit(lines[0], ",", -1);
    g_auto(GStrv) row = g_strsplit(lines[1], ",", -1);
    ck_assert_str_eq(field_named(header, row, "FileName_GFP_1"), names[0]);
    ck_assert_str_eq(field_named(header, row, "FileName_gfp_1_2"), names[1]);
    remove_images(names);
    remove_folder();
}
END_TEST

START_TEST(a_folder_without_an_image_is_told) {
    make_folder();
    g_autofree char *below = g_build_filename(folder, "below", NULL);
    g_autofree char *two = g_build_filename(below, "two.TIFF", NULL);
    g_unlink(two);
    g_auto(Run) nothing = run("measure --format json @below @one.tif");
    ck_assert_int_eq(nothing.status, 1);
    ck_assert_uint_eq(lines_of(nothing.out), 1);
    ck_assert_uint_eq(lines_of(nothing.err), 1);
    ck_assert_ptr_nonnull(strstr(nothing.err, "below: no file"));
    remove_folder();
}
END_TEST

static void check_refused(const char *words) {
    make_folder();
    g_auto(Run) refused = run(words);
    ck_assert_int_eq(refused.status, 2);
    ck_assert_uint_eq(lines_of(refused.err), 1);
    remove_folder();
}

START_TEST(names_of_another_program_are_wrong_use) {
    check_refused("measure --names imagej @one.tif");
}
END_TEST

START_TEST(image_sets_are_csv_and_nothing_else) {
    check_refused("measure --names cellprofiler --format json @one.tif");
}
END_TEST

START_TEST(pixels_have_a_size_above_nothing) {
    check_refused("measure --pixel-size -3 @one.tif");
}
END_TEST

START_TEST(a_naming_nobody_knows_is_wrong_use) {
    check_refused("measure --naming leica @one.tif");
}
END_TEST

START_TEST(a_broken_file_is_one_line_and_the_others_are_measured) {
    make_folder();
    g_auto(Run) lines = run("measure --format json @broken.png @one.tif @missing.tif");
    ck_assert_int_eq(lines.status, 1);
    ck_assert_uint_eq(lines_of(lines.out), 3);
    ck_assert_uint_eq(lines_of(lines.err), 2);
    ck_assert_ptr_nonnull(strstr(lines.err, "broken.png: "));
    ck_assert_ptr_nonnull(strstr(lines.err, "No such file"));
    g_auto(GStrv) rows = g_strsplit(lines.out, "\n", -1);
    for (int i = 0; i < 3; i++) {
        g_autoptr(JsonNode) node = json_from_string(rows[i], NULL);
        const char *status = json_object_get_string_member(json_node_get_object(node), "status");
        ck_assert_str_eq(status, i == 1 ? "ok" : "broken");
    }
    remove_folder();
}
END_TEST

START_TEST(a_folder_stands_for_the_images_below_it) {
    make_folder();
    g_autofree char *words = g_strdup_printf("measure --format csv %s", folder);
    g_auto(Run) table = run(words);
    ck_assert_int_eq(table.status, 1); /* broken.png */
    ck_assert_uint_eq(lines_of(table.out), 5);
    ck_assert_ptr_null(strstr(table.out, "notes.txt"));
    remove_folder();
}
END_TEST

/* An ImageXpress writes a thumbnail beside each frame, with the frame's well, site and channel in
 * its name: taken for a frame it would stand in the frame's place. */
START_TEST(in_a_folder_an_instruments_thumbnails_are_no_frames) {
    static const char *const names[] = {
        "below/P1_A01_s1_w1_thumb0018689F-83D7-49C5-ADD8-882B1354C00E.tif",
        "below/P1_A01_s1_w11FE44C29-5EE8-432C-9689-EA0C85B9DAF5.tif",
        "below/P1_A01_s1_w25051A384-0655-423F-A6B3-DD29E05363A6.tif", "below/._P1_A01_s1_w3.tif",
        NULL};
    make_folder();
    make_images(names);
    g_autofree char *words = g_strdup_printf("measure --names cellprofiler %s/below", folder);
    g_auto(Run) table = run(words);
    ck_assert_msg(table.status == 0, "%s", table.err);
    g_auto(GStrv) lines = g_strsplit(table.out, "\n", -1);
    g_auto(GStrv) header = g_strsplit(lines[0], ",", -1);
    g_auto(GStrv) both = g_strsplit(lines[1], ",", -1);
    ck_assert_str_eq(field_named(header, both, "FileName_1"), strchr(names[1], '/') + 1);
    ck_assert_str_eq(field_named(header, both, "FileName_2"), strchr(names[2], '/') + 1);
    ck_assert_ptr_null(strstr(table.out, "_thumb"));
    ck_assert_ptr_null(strstr(table.out, "._P1"));

    remove_images(names);
    remove_folder();
}
END_TEST

START_TEST(a_thumbnail_asked_for_by_name_is_measured) {
    static const char *const names[] = {
        "P1_A01_s1_w1_thumb0018689F-83D7-49C5-ADD8-882B1354C00E.tif", NULL};
    make_folder();
    make_images(names);
    g_autofree char *words = g_strdup_printf("measure --format csv @%s", names[0]);
    g_auto(Run) table = run(words);
    ck_assert_uint_eq(lines_of(table.out), 2);
    ck_assert_ptr_nonnull(strstr(table.out, names[0]));
    remove_images(names);
    remove_folder();
}
END_TEST

START_TEST(wrong_use_is_one_line_and_exit_status_2) {
    static const char *const words[] = {"measure", "measure --format xml @one.tif",
                                        "list --format xml", "list something"};
    make_folder();
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_auto(Run) refused = run(words[i]);
        ck_assert_int_eq(refused.status, 2);
        ck_assert_str_eq(refused.out, "");
        ck_assert_uint_eq(lines_of(refused.err), 1);
    }
    remove_folder();
}
END_TEST

START_TEST(a_file_larger_than_the_limit_is_not_read) {
    make_folder();
    g_auto(Run) refused = run("measure --frame-limit 20B @one.tif");
    ck_assert_int_eq(refused.status, 1);
    ck_assert_ptr_nonnull(strstr(refused.err, "frame-limit"));
    remove_folder();
}
END_TEST

/* A pipe or a device may never end, nor ever begin. */
START_TEST(what_is_no_file_is_not_read) {
    make_folder();
    g_autofree char *pipe = g_build_filename(folder, "pipe.tif", NULL);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    g_auto(Run) refused = run("measure @pipe.tif /dev/zero");
    ck_assert_int_eq(refused.status, 1);
    ck_assert_uint_eq(lines_of(refused.err), 2);
    ck_assert_ptr_nonnull(strstr(refused.err, "no regular file"));
    remove_folder();
}
END_TEST

START_TEST(the_catalogue_fits_a_terminal_and_names_every_number) {
    make_folder();
    g_auto(Run) table = run("list");
    ck_assert_int_eq(table.status, 0);
    g_auto(GStrv) lines = g_strsplit(table.out, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        ck_assert_msg(strlen(*line) <= 100, "%s", *line);
    for (guint i = 0; i < pipeline_columns_count(measuring_pipeline("standard")); i++)
        ck_assert_ptr_nonnull(
            strstr(table.out, pipeline_column(measuring_pipeline("standard"), i)->name));
    remove_folder();
}
END_TEST

START_TEST(in_the_catalogue_a_space_parts_name_unit_and_formula) {
    make_folder();
    g_auto(Run) table = run("list --all");
    ck_assert_int_eq(table.status, 0);
    for (guint i = 0; i < measure_columns_count(); i++) {
        const PipelineColumn *column = measure_column(i);
        g_autofree char *begin = g_strdup_printf("\n%s ", column->name);
        const char *row = strstr(table.out, begin);
        ck_assert_msg(row != NULL, "no row begins with %s", column->name);
        row += strlen(begin);
        row += strspn(row, " ");
        g_autofree char *unit = g_strdup_printf("%s ", column->number->unit);
        ck_assert_msg(g_str_has_prefix(row, unit), "%s", column->name);
    }
    remove_folder();
}
END_TEST

START_TEST(the_catalogue_as_csv_has_a_row_for_every_number) {
    make_folder();
    g_auto(Run) table = run("list --format csv");
    ck_assert_int_eq(table.status, 0);
    ck_assert_uint_eq(lines_of(table.out),
                      1 + pipeline_columns_count(measuring_pipeline("standard")));
    remove_folder();
}
END_TEST

SUITE("measure_files", a_folder_without_an_image_is_told, pixels_have_a_size_above_nothing,
      with_cellprofilers_names_a_row_is_an_image_set_and_a_column_a_number_of_a_channel,
      channels_whose_names_cellprofiler_could_not_tell_apart_stay_two,
      names_of_another_program_are_wrong_use, image_sets_are_csv_and_nothing_else,
      a_naming_nobody_knows_is_wrong_use, one_frame_is_shown_with_all_its_numbers,
      several_frames_are_a_table_that_fits_a_terminal,
      csv_has_a_row_for_every_page_and_a_column_for_every_number,
      a_broken_file_is_one_line_and_the_others_are_measured, what_is_no_file_is_not_read,
      a_folder_stands_for_the_images_below_it, in_a_folder_an_instruments_thumbnails_are_no_frames,
      a_thumbnail_asked_for_by_name_is_measured, wrong_use_is_one_line_and_exit_status_2,
      a_file_larger_than_the_limit_is_not_read,
      the_catalogue_fits_a_terminal_and_names_every_number,
      in_the_catalogue_a_space_parts_name_unit_and_formula,
      the_catalogue_as_csv_has_a_row_for_every_number)
