#include "store/export.h"
#include "store/image_csv.h"
#include "store/migrate.h"
#include "store/postgres.h"
#include "stream/program.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    PROGRESS_MS = 500,
};

static gboolean cellprofiler;
static char *plate, *source, *pipeline, *output;

const GOptionEntry export_options[] = {
    {"cellprofiler", 0, 0, G_OPTION_ARG_NONE, &cellprofiler,
     "as CellProfiler's Image.csv: a row an image set, CellProfiler's names", NULL},
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate, "of this plate alone", "PLATE"},
    {"source", 0, 0, G_OPTION_ARG_STRING, &source, "of this source alone", "NAME"},
    {"pipeline", 0, 0, G_OPTION_ARG_STRING, &pipeline,
     "by this pipeline; needed where several measured", "NAME"},
    {"output", 0, 0, G_OPTION_ARG_FILENAME, &output,
     "file to write, or to replace (default: standard output)", "FILE"},
    {0},
};

/* What the options choose; the parameters are plate, source and pipeline. */
#define CHOSEN                                                                                     \
    "($1::text is null or plate = $1) and ($2::text is null or source = $2) "                      \
    "and ($3::text is null or pipeline = $3)"

typedef struct {
    const char *parameters[3]; /* NULL: any */
    Postgres *postgres;
} Choice;

static PostgresRows *ask(const Choice *choice, const char *sql, GError **error) {
    return postgres_ask(choice->postgres, sql, choice->parameters, G_N_ELEMENTS(choice->parameters),
                        error);
}

/* --- what there is --- */

/* "P1, P2, P3"; g_free it. */
static char *names_text(const PostgresRows *rows) {
    enum { NAMES_SHOWN = 20 };
    GString *text = g_string_new(NULL);
    for (int row = 0; row < MIN(PQntuples(rows), NAMES_SHOWN); row++)
        g_string_append_printf(text, "%s%.100s", row > 0 ? ", " : "", postgres_text(rows, row, 0));
    if (PQntuples(rows) > NAMES_SHOWN)
        g_string_append_printf(text, " and %d more", PQntuples(rows) - NAMES_SHOWN);
    if (text->len == 0)
        g_string_append(text, "none");
    return program_one_line(g_string_free(text, FALSE));
}

/* Fails if no measured frame has that name in that column, and tells those there are. */
static bool name_check(const Choice *choice, const char *column, const char *name, GError **error) {
    if (name == NULL)
        return true;
    g_autofree char *sql = g_strdup_printf(
        "select distinct %s from scopestream.features where %s is not null order by 1", column,
        column);
    g_autoptr(PostgresRows) rows = postgres_ask(choice->postgres, sql, NULL, 0, error);
    if (rows == NULL)
        return false;
    for (int row = 0; row < PQntuples(rows); row++)
        if (g_str_equal(postgres_text(rows, row, 0), name))
            return true;
    g_autofree char *names = names_text(rows);
    return fault_set(error, FAULT_USAGE, "--%s %s: no measured frame has it; there are: %s", column,
                     name, names);
}

static bool nothing_chosen(const Choice *choice, GError **error) {
    static const char *const columns[] = {"plate", "source", "pipeline"};
    for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
        if (!name_check(choice, columns[i], choice->parameters[i], error))
            return false;
    return fault_set(error, FAULT_BROKEN, "no measured frame is of all that was asked for");
}

/* Which pipeline the frames are of: image sets of two would be twice in the table. */
static bool pipeline_choose(Choice *choice, PostgresRows **ret_pipelines, GError **error) {
    g_autoptr(PostgresRows) pipelines = ask(
        choice, "select distinct pipeline from scopestream.features where " CHOSEN " order by 1",
        error);
    if (pipelines == NULL)
        return false;
    if (PQntuples(pipelines) == 0)
        return nothing_chosen(choice, error);
    g_autofree char *names = names_text(pipelines);
    if (PQntuples(pipelines) > 1)
        return fault_set(error, FAULT_USAGE,
                         "the frames were measured by several pipelines; name one with --pipeline: "
                         "%s",
                         names);
    choice->parameters[2] = postgres_text(pipelines, 0, 0);
    *ret_pipelines = g_steal_pointer(&pipelines);
    return true;
}

/* Name and label. One that the view has no columns for gets a label that is surely its own. */
static PostgresRows *ask_channels(const Choice *choice, GError **error) {
    return ask(choice,
               "select channel, coalesce(substr(full_name, 10), "
               "regexp_replace(left(channel, 64), '[^A-Za-z0-9_]', '_', 'g') || '_' || "
               "left(md5(channel), 8)) collate \"C\" as label "
               "from (select distinct coalesce(nullif(channel, ''), 'Image') as channel "
               "      from scopestream.features where " CHOSEN ") chosen "
               "left join (select channel, full_name from scopestream.cellprofiler_columns "
               "           where field = 'FileName') known using (channel) "
               "order by label",
               error);
}

/* Those the pipeline gives, as its catalogue tells; all, if nobody told. */
static PostgresRows *ask_numbers(const Choice *choice, GError **error) {
    const char *parameters[] = {choice->parameters[2]};
    return postgres_ask(
        choice->postgres,
        "select m.name, m.cellprofiler from scopestream.measures m "
        "join pg_attribute a on a.attrelid = 'scopestream.features'::regclass and a.attname = "
        "m.name "
        "where m.kind = 'number' "
        "and m.cellprofiler ~ '^[A-Za-z][A-Za-z0-9_]*\\{channel\\}[A-Za-z0-9_]*$' "
        "and ($1 = any (m.pipelines) "
        "     or not exists (select from scopestream.measures k where $1 = any (k.pipelines))) "
        "order by a.attnum",
        parameters, G_N_ELEMENTS(parameters), error);
}

/* Of a place imaged again, or a file written again, the newest. g_free it. */
static char *frames_sql(const PostgresRows *numbers) {
    GString *sql = g_string_new(
        "select distinct on (source, experiment, plate, pipeline, pipeline_version, well, site, z, "
        "t, page, place_path, channel_name) " IMAGE_CSV_PLACE ", ");
    g_string_append(sql, IMAGE_CSV_FRAME);
    for (int number = 0; number < PQntuples(numbers); number++)
        g_string_append_printf(sql, ", \"%s\"", postgres_text(numbers, number, 0));
    g_string_append(
        sql, " from scopestream.features where " CHOSEN " order by source, experiment, plate, "
             "pipeline, pipeline_version, well, site, z, t, page, place_path, channel_name, "
             "acquired_at desc, frame_id");
    return g_string_free(sql, FALSE);
}

/* --- writing --- */

/* A line that is written over, while somebody may be watching. */
typedef struct {
    bool is_watched, was_shown;
    gint64 next_us;
} Progress;

static Progress progress_begin(void) {
    return (Progress){.is_watched =
                          isatty(STDERR_FILENO) && (output != NULL || !isatty(STDOUT_FILENO)),
                      .next_us = g_get_monotonic_time() + 2 * PROGRESS_MS * 1000};
}

static void progress_show(Progress *progress, gint64 count) {
    if (!progress->is_watched || g_get_monotonic_time() < progress->next_us)
        return;
    fprintf(stderr, "\r%" G_GINT64_FORMAT " image sets", count);
    progress->next_us = g_get_monotonic_time() + PROGRESS_MS * 1000;
    progress->was_shown = true;
}

static void progress_end(const Progress *progress) {
    if (progress->was_shown)
        fputs("\r\033[K", stderr);
}

typedef struct {
    FILE *file;
    ImageCsv *csv;
    Progress progress;
} Writing;

static bool write_failed(GError **error) {
    return fault_set(error, FAULT_STOP, "%s: %s", output != NULL ? output : "standard output",
                     g_strerror(errno));
}

static bool write_row(PostgresRows *row, void *context, GError **error) {
    Writing *writing = context;
    image_csv_add(writing->csv, row);
    progress_show(&writing->progress, image_csv_count(writing->csv));
    return !ferror(writing->file) || write_failed(error);
}

static bool write_table(const Choice *choice, FILE *file, const Settings *settings,
                        GError **error) {
    g_autoptr(PostgresRows) channels = ask_channels(choice, error);
    g_autoptr(PostgresRows) numbers = channels != NULL ? ask_numbers(choice, error) : NULL;
    if (numbers == NULL)
        return false;
    g_autoptr(ImageCsv) csv = image_csv_new(file, channels, numbers, settings);
    g_autofree char *sql = frames_sql(numbers);
    Writing writing = {.file = file, .csv = csv, .progress = progress_begin()};
    image_csv_header(csv);
    bool ok = postgres_each(choice->postgres, sql, choice->parameters,
                            G_N_ELEMENTS(choice->parameters), write_row, &writing, error);
    progress_end(&writing.progress);
    if (!ok)
        return false;
    image_csv_finish(csv);
    if (fflush(file) != 0 || ferror(file))
        return write_failed(error);
    fprintf(stderr,
            "%" G_GINT64_FORMAT " image sets of %d channels, %d numbers each, measured by %s\n",
            image_csv_count(csv), PQntuples(channels), PQntuples(numbers), choice->parameters[2]);
    return true;
}

/* Into a file beside the one that is wanted, which then takes its name. */
static bool write_file(const Choice *choice, const Settings *settings, GError **error) {
    g_autofree char *beside = g_strconcat(output, ".XXXXXX", NULL);
    int descriptor = g_mkstemp_full(beside, O_RDWR | O_CLOEXEC, 0666);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    if (file == NULL)
        return write_failed(error);
    bool ok = write_table(choice, file, settings, error);
    if (ok && fsync(descriptor) != 0)
        ok = write_failed(error);
    if (fclose(file) != 0 && ok)
        ok = write_failed(error);
    if (ok && rename(beside, output) != 0)
        ok = write_failed(error);
    if (!ok)
        unlink(beside);
    return ok;
}

/* --- the subcommand --- */

static bool export(const Settings *settings, GError **error) {
    if (!cellprofiler)
        return fault_set(error, FAULT_USAGE, "say in which form: --cellprofiler");
    g_autoptr(Postgres) postgres = postgres_new(settings->postgres, error);
    if (postgres == NULL || !postgres_connect(postgres, CONNECT_TIMEOUT_MS, error) ||
        !migrate_check(postgres, error))
        return false;
    Choice choice = {{plate, source, pipeline}, postgres};
    g_autoptr(PostgresRows) pipelines = NULL;
    if (!pipeline_choose(&choice, &pipelines, error))
        return false;
    return output != NULL ? write_file(&choice, settings, error)
                          : write_table(&choice, stdout, settings, error);
}

int export_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    return export(settings, &error) ? EXIT_SUCCESS : program_fail(error);
}
