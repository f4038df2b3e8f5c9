#include "features/measure_files.h"
#include "features/image_sets.h"
#include "features/pipeline.h"
#include "features/pixels.h"
#include "features/report.h"
#include "features/result.h"
#include "stream/filter.h"
#include "stream/json_write.h"
#include "stream/naming.h"
#include "stream/program.h"
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char *format_text, *names_text, *naming_text;
static double pixel_size_um;

const GOptionEntry measure_files_options[] = {
    {"format", 0, 0, G_OPTION_ARG_STRING, &format_text,
     "table (as is), csv (a row a frame, all numbers) or json (a line a frame)", "FORMAT"},
    {"names", 0, 0, G_OPTION_ARG_STRING, &names_text,
     "scopestream (as is), or cellprofiler: a CSV as CellProfiler's Image.csv, a row an image set",
     "NAMES"},
    {"naming", 0, 0, G_OPTION_ARG_STRING, &naming_text,
     "instrument whose file names these are, as listed by scopestream-ingest namings (auto)",
     "NAMING"},
    {"pixel-size", 0, 0, G_OPTION_ARG_DOUBLE, &pixel_size_um,
     "micrometres per pixel, for measures that want to know", "UM"},
    {NULL},
};

/* What became of one page of one file. */
typedef struct {
    char *file;
    guint32 page, pages;
    guint32 width, height;
    Measurement *measurement; /* NULL: broken */
    char *reason;             /* NULL: measured */
} Measured;

static void measured_free(Measured *measured) {
    g_free(measured->file);
    measurement_free(measured->measurement);
    g_free(measured->reason);
    g_free(measured);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Measured, measured_free)

/* ---------------------------------------------------------------------------- formats --- */

typedef struct {
    /* Called before the first frame, once for each in order, and after the last. */
    void (*begin)(const Pipeline *pipeline);
    void (*frame)(const Pipeline *pipeline, Measured *measured); /* takes measured over */
    void (*end)(const Pipeline *pipeline);
} Writer;

static void nothing(const Pipeline *pipeline) {
}

/* --- table: the key numbers of each frame; all of them where there is but one frame --- */

static const struct {
    const char *name;
    int width;
} key_columns[] = {
    {"mean", 10},  {"pct_saturated", 14}, {"snr_db", 8},
    {"focus", 11}, {"vollath_f4", 11},    {"fg_fraction", 12},
};

#define FILE_WIDTH 34

static GPtrArray *table; /* of Measured: what the table waits for, to see whether it is one */
static guint table_rows;

static void table_begin(const Pipeline *pipeline) {
    table = g_ptr_array_new_with_free_func((GDestroyNotify)measured_free);
}

#define NAME_END 8

/* Of a path too long, its end; of a file name too long, where plate and well stand and where it
 * ends. */
static char *shorten(const char *path, int room) {
    const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    int path_length = (int)g_utf8_strlen(path, -1), name_length = (int)g_utf8_strlen(name, -1);
    if (path_length <= room)
        return g_strdup(path);
    if (name_length <= room - 2)
        return g_strconcat("..", g_utf8_offset_to_pointer(path, path_length - room + 2), NULL);
    g_autofree char *beginning = g_utf8_substring(name, 0, room - 2 - NAME_END);
    return g_strconcat(beginning, "..", g_utf8_offset_to_pointer(name, name_length - NAME_END),
                       NULL);
}

static void print_file(const Measured *measured) {
    g_autofree char *page =
        measured->pages > 1 ? g_strdup_printf(" [%u]", measured->page) : g_strdup("");
    g_autofree char *shown = g_filename_display_name(measured->file);
    int room = FILE_WIDTH - (int)strlen(page);
    g_autofree char *name = shorten(shown, room);
    printf("%s%s%*s", name, page, MAX(room - (int)g_utf8_strlen(name, -1), 0), "");
}

/* "-" for a column that the pipeline or the image does not have. */
static void print_key_number(const Pipeline *pipeline, const Measured *measured, guint key) {
    int index = pipeline_column_find(pipeline, key_columns[key].name);
    double value =
        index < 0 ? NAN
                  : measured->measurement->values[pipeline_column(pipeline, (guint)index)->place];
    char digits[REPORT_NUMBER_LENGTH] = "-";
    if (!isnan(value))
        g_ascii_formatd(digits, sizeof digits, "%.4g", value);
    printf("%*s", key_columns[key].width, digits);
}

static void print_row(const Pipeline *pipeline, const Measured *measured) {
    if (measured->measurement == NULL)
        return; /* stderr has said so */
    if (table_rows++ == 0) {
        printf("%-*s", FILE_WIDTH, "file [page]");
        for (gsize i = 0; i < G_N_ELEMENTS(key_columns); i++)
            printf("%*s", key_columns[i].width, key_columns[i].name);
        printf("\n");
    }
    print_file(measured);
    for (guint i = 0; i < G_N_ELEMENTS(key_columns); i++)
        print_key_number(pipeline, measured, i);
    printf("\n");
}

static void print_cell(const Pipeline *pipeline, const Measured *measured, guint index,
                       int name_width) {
    const PipelineColumn *column = pipeline_column(pipeline, index);
    char text[REPORT_NUMBER_LENGTH] = "-";
    if (measured->measurement->reasons[index] == NULL)
        report_value(column, measured->measurement->values, 7, text);
    const char *unit = column->number->unit;
    printf("  %-*s%16s %-7s", name_width, column->name, text, strcmp(unit, "1") ? unit : "");
}

/* Why numbers are missing, each reason once. */
static void print_reasons(const Pipeline *pipeline, const Measured *measured) {
    g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++) {
        const char *reason = measured->measurement->reasons[i];
        if (reason == NULL || !g_hash_table_add(told, (gpointer)reason))
            continue;
        printf("\n- %s:", reason);
        for (guint j = i; j < pipeline_columns_count(pipeline); j++)
            if (g_strcmp0(measured->measurement->reasons[j], reason) == 0)
                printf(" %s", pipeline_column(pipeline, j)->name);
    }
    if (g_hash_table_size(told) > 0)
        printf("\n");
}

#define NAME_WIDTH_OF_TWO 20

static int longest_name(const Pipeline *pipeline) {
    gsize longest = 0;
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++)
        longest = MAX(longest, strlen(pipeline_column(pipeline, i)->name));
    return (int)longest;
}

/* Every number of one frame, in two columns that are read downwards; in one where names are too
 * long for two. */
static void print_block(const Pipeline *pipeline, const Measured *measured) {
    g_autofree char *shown = g_filename_display_name(measured->file);
    printf("%s", shown);
    if (measured->pages > 1)
        printf(" [%u]", measured->page);
    printf("  %u x %u\n\n", measured->width, measured->height);
    guint count = pipeline_columns_count(pipeline);
    int name_width = longest_name(pipeline);
    guint lines = name_width <= NAME_WIDTH_OF_TWO ? (count + 1) / 2 : count;
    for (guint line = 0; line < lines; line++) {
        for (guint i = line; i < count; i += lines)
            print_cell(pipeline, measured, i, MAX(name_width, NAME_WIDTH_OF_TWO));
        printf("\n");
    }
    print_reasons(pipeline, measured);
    printf("\n`scopestream-features list` says what each number is.\n");
}

static void table_frame(const Pipeline *pipeline, Measured *measured) {
    if (table_rows > 0) { /* already known to be several */
        print_row(pipeline, measured);
        measured_free(measured);
        return;
    }
    g_ptr_array_add(table, measured);
    if (table->len < 2)
        return;
    for (guint i = 0; i < table->len; i++)
        print_row(pipeline, table->pdata[i]);
    g_ptr_array_set_size(table, 0);
}

static void table_end(const Pipeline *pipeline) {
    Measured *only = table->len == 1 ? table->pdata[0] : NULL;
    if (only != NULL && table_rows == 0 && only->measurement != NULL)
        print_block(pipeline, only);
    else if (only != NULL)
        print_row(pipeline, only);
    g_clear_pointer(&table, g_ptr_array_unref);
}

/* --- csv --- */

static void csv_begin(const Pipeline *pipeline) {
    printf("file,page,status,reason,width,height");
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++)
        report_csv_field(pipeline_column(pipeline, i)->name, true);
    printf("\n");
}

static void csv_frame(const Pipeline *pipeline, Measured *measured) {
    report_csv_field(measured->file, false);
    printf(",%u", measured->page);
    report_csv_field(measured->measurement != NULL ? "ok" : "broken", true);
    report_csv_field(measured->reason, true);
    printf(",%u,%u", measured->width, measured->height);
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++) {
        const Measurement *measurement = measured->measurement;
        g_autofree char *text =
            measurement == NULL || measurement->reasons[i] != NULL
                ? NULL
                : report_value_text(pipeline_column(pipeline, i), measurement->values);
        report_csv_field(text, true);
    }
    printf("\n");
    measured_free(measured);
}

/* --- json --- */

static void json_frame(const Pipeline *pipeline, Measured *measured) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *file = frame_path_encode(measured->file);
    json_builder_begin_object(builder);
    json_write_text(builder, "file", file);
    json_write_count(builder, "page", measured->page);
    json_write_text(builder, "status", measured->measurement != NULL ? "ok" : "broken");
    json_write_text(builder, "reason", measured->reason);
    result_values_to_json(pipeline, measured->measurement, builder);
    json_builder_end_object(builder);
    g_autofree char *line = json_write_finish(builder, NULL);
    printf("%s\n", line);
    measured_free(measured);
}

/* --- csv with CellProfiler's names --- */

static ImageSets *image_sets;

static void cellprofiler_begin(const Pipeline *pipeline) {
    image_sets = image_sets_new(pipeline);
}

/* The last folders of a path may tell plate and time point, as below a source's folder. */
static void cellprofiler_frame(const Pipeline *pipeline, Measured *measured) {
    SourceSettings source = {.folder = (char *)"",
                             .naming = naming_text != NULL ? naming_text : (char *)NAMING_AUTO};
    g_autoptr(Frame) frame = frame_new();
    g_autofree char *path = g_canonicalize_filename(measured->file, NULL);
    frame->path = frame_path_encode(path + 1);
    naming_place(&source, frame);
    frame->page = measured->page;
    frame->width = measured->width;
    frame->height = measured->height;
    if (measured->measurement != NULL)
        image_sets_add(image_sets, path, frame, measured->measurement);
    measured_free(measured);
}

static void cellprofiler_end(const Pipeline *pipeline) {
    image_sets_print(image_sets);
    g_clear_pointer(&image_sets, image_sets_free);
}

static const Writer cellprofiler_writer = {cellprofiler_begin, cellprofiler_frame,
                                           cellprofiler_end};

static const Writer writers[] = {
    [REPORT_TABLE] = {table_begin, table_frame, table_end},
    [REPORT_CSV] = {csv_begin, csv_frame, nothing},
    [REPORT_JSON] = {nothing, json_frame, nothing},
};

/* -------------------------------------------------------------------------- measuring --- */

typedef struct {
    const Settings *settings;
    Pipeline *pipeline;
    const Writer *writer;
    guint broken;
} Work;

/* In UTF-8 as it is: g_printerr would put question marks, for no locale is set. */
static void tell_broken(const Measured *measured) {
    g_autofree char *shown = g_filename_display_name(measured->file);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr); /* where the progress stood */
    if (measured->pages > 1)
        fprintf(stderr, "%s, page %u: %s\n", shown, measured->page, measured->reason);
    else
        fprintf(stderr, "%s: %s\n", shown, measured->reason);
}

/* Takes over measured and error. */
static void give_up(Work *work, Measured *measured, GError *error) {
    measured->reason = g_strdup(error->message);
    g_error_free(error);
    tell_broken(measured);
    work->broken++;
    work->writer->frame(work->pipeline, measured);
}

static void measure_page(Work *work, GBytes *bytes, const char *file, guint32 page, guint32 pages) {
    GError *error = NULL;
    Measured *measured = g_new0(Measured, 1);
    *measured = (Measured){.file = g_strdup(file), .page = page, .pages = pages};
    g_autoptr(Plane) plane = pixels_decode(bytes, page, work->settings, &error);
    if (plane != NULL) {
        measured->width = plane->width;
        measured->height = plane->height;
        plane->pixel_size_um = pixel_size_um;
        measured->measurement = pipeline_measure(work->pipeline, plane, &error);
        report_news(work->pipeline);
    }
    if (error != NULL)
        give_up(work, measured, error);
    else
        work->writer->frame(work->pipeline, measured);
}

static GBytes *read_file(const char *file, const Settings *settings, GError **error) {
    GStatBuf status;
    bool known = g_stat(file, &status) == 0;
    if (known && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        fault_set(error, FAULT_BROKEN, "is no regular file"); /* and may never end */
        return NULL;
    }
    if (known && status.st_size > settings->frame_limit_bytes) {
        fault_set(error, FAULT_BROKEN,
                  "%" G_GINT64_FORMAT " bytes are more than frame-limit allows",
                  (gint64)status.st_size);
        return NULL;
    }
    char *data;
    gsize length;
    if (!g_file_get_contents(file, &data, &length, error))
        return NULL;
    return g_bytes_new_take(data, length);
}

static void measure_file(Work *work, const char *file) {
    GError *error = NULL;
    g_autoptr(GBytes) bytes = read_file(file, work->settings, &error);
    guint32 pages = bytes != NULL ? pixels_pages(bytes, &error) : 0;
    if (error != NULL) {
        Measured *measured = g_new0(Measured, 1);
        measured->file = g_strdup(file);
        give_up(work, measured, error);
    }
    for (guint32 page = 0; page < pages && !program_stopping(); page++)
        measure_page(work, bytes, file, page, pages);
}

/* ------------------------------------------------------------------------------ files --- */

static int compare_texts(gconstpointer a, gconstpointer b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the images below folder, in the order of their names: those that ingest would take, so that
 * an instrument's own thumbnails do not stand among its frames. Links to folders are not followed:
 * they may lead in circles. */
static void add_folder(GPtrArray *files, const Filter *filter, const char *folder) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &error);
    if (dir == NULL) {
        g_ptr_array_add(files, g_strdup(folder)); /* whose reading will tell why */
        return;
    }
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        g_ptr_array_add(entries, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(entries, compare_texts);
    for (guint i = 0; i < entries->len; i++) {
        const char *path = entries->pdata[i];
        g_autofree char *name = g_path_get_basename(path);
        if (!g_file_test(path, G_FILE_TEST_IS_DIR)) {
            if (filter_takes_file(filter, name))
                g_ptr_array_add(files, g_strdup(path));
        } else if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK) && filter_takes_folder(filter, name))
            add_folder(files, filter, path);
    }
}

static void add_named_folder(GPtrArray *files, const Filter *filter, const char *folder,
                             guint *ret_empty) {
    guint before = files->len;
    add_folder(files, filter, folder);
    if (files->len > before)
        return;
    g_autofree char *shown = g_filename_display_name(folder);
    fprintf(stderr, "%s: no file in it or below is called as an image, *.tif *.tiff *.png\n",
            shown);
    *ret_empty += 1;
}

/* A folder without an image is told, and counted in ret_empty. */
static GPtrArray *collect_files(char **arguments, guint *ret_empty) {
    g_autoptr(Filter) filter = filter_new(NULL);
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    for (char **argument = arguments; *argument != NULL; argument++)
        if (g_file_test(*argument, G_FILE_TEST_IS_DIR))
            add_named_folder(files, filter, *argument, ret_empty);
        else
            g_ptr_array_add(files, g_strdup(*argument));
    return files;
}

/* How far it is, where a person waits and would not see it from the output. */
static void show_progress(guint done, guint count) {
    if (count < 20 || !isatty(STDERR_FILENO) || isatty(STDOUT_FILENO))
        return;
    g_printerr(done < count ? "\r%u of %u files" : "\r%u of %u files\n", done, count);
}

/* NULL with FAULT_USAGE if the options do not fit together. */
static const Writer *writer_chosen(GError **error) {
    ReportFormat format;
    bool cellprofiler = g_strcmp0(names_text, "cellprofiler") == 0;
    if (!report_parse_format(cellprofiler && format_text == NULL ? "csv" : format_text, &format,
                             error))
        return NULL;
    if (naming_text != NULL && !naming_exists(naming_text)) {
        fault_set(error, FAULT_USAGE,
                  "--naming %s: no such instrument; scopestream-ingest namings lists them",
                  naming_text);
        return NULL;
    }
    if (!(pixel_size_um >= 0)) {
        fault_set(error, FAULT_USAGE, "--pixel-size %g: expected micrometres per pixel, above 0",
                  pixel_size_um);
        return NULL;
    }
    if (names_text == NULL || g_str_equal(names_text, "scopestream"))
        return &writers[format];
    if (cellprofiler && format == REPORT_CSV)
        return &cellprofiler_writer;
    fault_set(error, FAULT_USAGE,
              "--names %s: expected scopestream, or cellprofiler, which has --format csv only",
              names_text);
    return NULL;
}

int measure_files_run(const Settings *settings, char **arguments) {
    GError *error = NULL;
    const Writer *writer = writer_chosen(&error);
    if (writer == NULL)
        return program_fail(error);
    if (arguments[0] == NULL) {
        fault_set(&error, FAULT_USAGE, "measure needs the image files to measure, or their folder");
        return program_fail(error);
    }

    g_autoptr(Pipeline) pipeline = pipeline_new(settings, settings->pipeline, &error);
    if (pipeline == NULL)
        return program_fail(error);
    report_news(pipeline);

    Work work = {.settings = settings, .pipeline = pipeline, .writer = writer};
    g_autoptr(GPtrArray) files = collect_files(arguments, &work.broken);
    work.writer->begin(pipeline);
    for (guint i = 0; i < files->len && !program_stopping(); i++) {
        measure_file(&work, files->pdata[i]);
        show_progress(i + 1, files->len);
    }
    work.writer->end(pipeline);
    return work.broken > 0 || program_stopping() ? EXIT_FAILURE : EXIT_SUCCESS;
}
