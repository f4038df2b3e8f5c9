#include "store/commands/commands.h"
#include "store/commands/layout_csv.h"
#include "store/commands/table.h"
#include "store/commands/verbs.h"
#include "store/person.h"
#include <errno.h>
#include <stdio.h>

enum { FILE_BYTES_MOST = 4 << 20 }; /* a plate of 1536 wells has some hundred thousand */

static char *plate, *format;

const GOptionEntry layout_options[] = {
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate,
     "of which plate, as the frames call it; '*' is every plate without a layout of its own",
     "PLATE"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format,
     "load: wells of the plate, 6 to 1536 (default: the least that holds the wells of the file); "
     "show: table (default) or json",
     "FORMAT"},
    {0},
};

static bool plate_is_named(const char *verb, GError **error) {
    return plate != NULL ||
           fault_set(error, FAULT_USAGE, "layout %s: expected --plate PLATE", verb);
}

/* --- loading --- */

static bool read_format(guint *ret_rows, guint *ret_columns, GError **error) {
    guint64 wells = 1536;
    bool known =
        (format == NULL || g_ascii_string_to_unsigned(format, 10, 1, 1536, &wells, NULL)) &&
        layout_plate((guint)wells, ret_rows, ret_columns);
    return known || fault_set(error, FAULT_USAGE,
                              "--format %s: expected 6, 12, 24, 48, 96, 384 or 1536", format);
}

/* At most one byte more than a layout may have, whatever the file is: /dev/zero has no end. NULL if
 * it cannot be read. */
static char *read_bytes(const char *file, gsize *ret_length, GError **error) {
    FILE *stream = fopen(file, "rb");
    g_autofree char *text = g_malloc0(FILE_BYTES_MOST + 2);
    *ret_length = stream != NULL ? fread(text, 1, FILE_BYTES_MOST + 1, stream) : 0;
    bool failed = stream == NULL || ferror(stream);
    if (failed)
        fault_set(error, FAULT_USAGE, "%s", g_strerror(errno));
    if (stream != NULL)
        fclose(stream);
    return failed ? NULL : g_steal_pointer(&text);
}

/* The wells a file tells; g_free it. */
static char *read_file(const char *file, guint rows, guint columns, GError **error) {
    g_autoptr(GError) wrong = NULL;
    gsize length;
    char *wells = NULL;
    g_autofree char *text = read_bytes(file, &length, &wrong);
    if (length > FILE_BYTES_MOST)
        fault_set(&wrong, FAULT_USAGE, "expected at most 4 MiB");
    else if (text != NULL)
        wells = layout_csv_read(text, length, rows, columns, &wrong);
    if (wells == NULL)
        g_propagate_prefixed_error(error, g_steal_pointer(&wrong), "%s: ", file);
    return wells;
}

static const char summary[] =
    "select plate, min(rows) || ' x ' || min(columns) as size, count(*) as wells, "
    "count(*) filter (where role = 'sample') as samples, "
    "count(*) filter (where role = 'positive') as positive, "
    "count(*) filter (where role = 'negative') as negative, "
    "count(*) filter (where role in ('reference', 'blank', 'empty')) as others, "
    "count(distinct treatment) as treatments, "
    "max(loaded_at) as loaded_at, max(loaded_by) as loaded_by "
    "from scopestream.layouts where $1::text is null or plate = $1 group by plate order by plate";

static bool print_summary(Postgres *postgres, const char *of_plate, GError **error) {
    g_autoptr(PostgresRows) rows = person_ask(postgres, summary, &of_plate, 1, error);
    if (rows == NULL)
        return false;
    if (PQntuples(rows) == 0)
        puts("no plate has a layout");
    else
        table_print(rows);
    return true;
}

static bool layout_load(Postgres *postgres, char **arguments, GError **error) {
    guint rows, columns;
    const char *file = arguments[0];
    if (!plate_is_named("load", error) || !read_format(&rows, &columns, error))
        return false;
    if (file == NULL && format == NULL)
        return fault_set(error, FAULT_USAGE,
                         "layout load: expected a CSV file, or --format for a plate of samples");
    g_autofree char *wells = file != NULL ? read_file(file, rows, columns, error) : NULL;
    if (file != NULL && wells == NULL)
        return false;
    const char *parameters[] = {plate, format, wells};
    g_autoptr(PostgresRows) loaded =
        person_ask(postgres, "select scopestream.load_layout($1, $2::integer, $3::jsonb)",
                   parameters, G_N_ELEMENTS(parameters), error);
    if (loaded == NULL)
        return false;
    printf("the layout of plate %s is loaded\n", plate);
    return print_summary(postgres, plate, error);
}

/* --- showing --- */

/* The plate's own layout, or that of all plates without. */
#define MEANT                                                                                      \
    "(select plate from scopestream.layouts where plate in ($1, '*') order by plate = '*' limit "  \
    "1)"

/* What stands for a role in the map. */
static char role_letter(const char *role) {
    static const struct {
        const char *role;
        char letter;
    } letters[] = {{"sample", 's'},    {"positive", '+'}, {"negative", '-'},
                   {"reference", 'r'}, {"blank", 'b'},    {"empty", '.'}};
    for (guint i = 0; i < G_N_ELEMENTS(letters); i++)
        if (g_str_equal(letters[i].role, role))
            return letters[i].letter;
    return '?';
}

enum { WELL_ROWS, WELL_COLUMNS, WELL_ROW, WELL_COLUMN, WELL_ROLE, WELL_PLATE };

/* A letter each well, by rows of the plate; g_free it. */
static char *map_letters(const PostgresRows *wells, int rows, int columns) {
    char *letters = g_strnfill((gsize)(rows * columns), ' ');
    for (int i = 0; i < PQntuples(wells); i++) {
        gint64 row = postgres_count(wells, i, WELL_ROW) - 1;
        gint64 column = postgres_count(wells, i, WELL_COLUMN) - 1;
        if (row >= 0 && row < rows && column >= 0 && column < columns)
            letters[row * columns + column] = role_letter(postgres_text(wells, i, WELL_ROLE));
    }
    return letters;
}

static void print_map(const PostgresRows *wells) {
    int rows = (int)postgres_count(wells, 0, WELL_ROWS);
    int columns = (int)postgres_count(wells, 0, WELL_COLUMNS);
    g_autofree char *letters = map_letters(wells, rows, columns);
    printf("\n  ");
    for (int column = 1; column <= columns; column++)
        printf("%3d", column);
    for (int row = 0; row < rows; row++) {
        g_autoptr(GString) line = g_string_new(NULL);
        for (int column = 0; column < columns; column++)
            g_string_append_printf(line, "%3c", letters[row * columns + column]);
        printf("\n%c%c%s", row < 26 ? ' ' : 'A', 'A' + row % 26, g_strchomp(line->str));
    }
    puts("\n\ns sample, + positive, - negative, r reference, b blank, . empty");
}

static bool print_treatments(Postgres *postgres, GError **error) {
    const char *parameters[] = {plate};
    g_autoptr(PostgresRows) treatments = person_ask(
        postgres,
        "select role, treatment, concentration, unit, count(*) as wells, "
        "string_agg(well, ' ' order by well) as which from scopestream.layouts "
        "where plate = " MEANT " and treatment is not null "
        "group by role, treatment, concentration, unit order by role, treatment, concentration",
        parameters, 1, error);
    if (treatments == NULL)
        return false;
    if (PQntuples(treatments) > 0) {
        putchar('\n');
        table_print(treatments);
    }
    return true;
}

static bool layout_show(Postgres *postgres, char **arguments, GError **error) {
    const char *parameters[] = {plate};
    bool as_json;
    if (!person_wants_json(format, &as_json, error))
        return false;
    if (as_json)
        return person_print_json(postgres,
                                 "select * from scopestream.layouts where $1::text is null "
                                 "or plate = " MEANT " order by plate, well",
                                 parameters, 1, false, error);
    if (plate == NULL)
        return print_summary(postgres, NULL, error);
    g_autoptr(PostgresRows) wells = person_ask(
        postgres,
        "select rows, columns, scopestream.well_row(well), scopestream.well_column(well), role, "
        "plate from scopestream.layouts where plate = " MEANT,
        parameters, 1, error);
    if (wells == NULL)
        return false;
    if (PQntuples(wells) == 0)
        return fault_set(error, FAULT_USAGE, "plate %s has no layout; layout load gives it one",
                         plate);
    const char *found = postgres_text(wells, 0, WELL_PLATE);
    if (!g_str_equal(found, plate))
        printf("plate %s has no layout of its own, that of all such plates counts:\n", plate);
    if (!print_summary(postgres, found, error))
        return false;
    print_map(wells);
    return print_treatments(postgres, error);
}

/* --- dropping --- */

static bool layout_drop(Postgres *postgres, char **arguments, GError **error) {
    const char *parameters[] = {plate};
    if (!plate_is_named("drop", error))
        return false;
    g_autoptr(PostgresRows) dropped =
        person_ask(postgres, "select scopestream.drop_layout($1)", parameters, 1, error);
    if (dropped == NULL)
        return false;
    if (!g_str_equal(postgres_text(dropped, 0, 0), "t"))
        return fault_set(error, FAULT_USAGE,
                         "plate %s has no layout of its own; layout show tells which have", plate);
    printf("the layout of plate %s is dropped\n", plate);
    return true;
}

/* --- the subcommand --- */

int layout_command(const Settings *settings, char **arguments) {
    static const Verb verbs[] = {
        {"load", "[FILE.csv]", 0, 1, "plate format", layout_load},
        {"show", "", 0, 0, "plate format", layout_show},
        {"drop", "", 0, 0, "plate", layout_drop},
        {0},
    };
    return verbs_run("layout", verbs, layout_options, settings, arguments);
}
