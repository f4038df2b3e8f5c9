#include "store/pictures/plate_ask.h"
#include "store/person.h"
#include "stream/program.h"
#include <math.h>

/* --- which plate --- */

/* What is of tomorrow is of a clock that was wrong: it comes last. */
#define NEWEST "last_acquired_at > now() + interval '1 day', last_acquired_at desc"

static char *text_copy(const PostgresRows *rows, int row, int column) {
    return g_strdup(postgres_text(rows, row, column));
}

/* "2026-03-01 14:30:00"; the connection's times are UTC. */
static char *time_copy(const PostgresRows *rows, int row, int column) {
    enum { TO_SECONDS = sizeof "2026-03-01 14:30:00" - 1 };
    const char *text = postgres_text(rows, row, column);
    return g_strndup(text != NULL ? text : "", TO_SECONDS);
}

/* The first column of all rows, valid UTF-8. */
static GStrv texts_of(const PostgresRows *rows) {
    g_autoptr(GStrvBuilder) texts = g_strv_builder_new();
    for (int row = 0; row < PQntuples(rows); row++)
        g_strv_builder_add(texts, postgres_text(rows, row, 0));
    return g_strv_builder_end(texts);
}

static PlateName *name_of(Postgres *postgres, const PostgresRows *plates, GError **error) {
    g_autoptr(PlateName) name = g_new0(PlateName, 1);
    name->source = text_copy(plates, 0, 0);
    name->experiment = text_copy(plates, 0, 1);
    name->plate = text_copy(plates, 0, 2);
    name->frames = postgres_count(plates, 0, 3);
    name->first_at = time_copy(plates, 0, 4);
    name->last_at = time_copy(plates, 0, 5);
    name->since = text_copy(plates, 0, 4);
    name->until = text_copy(plates, 0, 5);
    const char *channels = postgres_text(plates, 0, 6);
    g_autoptr(PostgresRows) rows =
        person_ask(postgres, "select c from unnest($1::text[]) c where c is not null order by 1",
                   &channels, 1, error);
    if (rows == NULL)
        return NULL;
    name->channels = texts_of(rows);
    return g_steal_pointer(&name);
}

static bool nothing_found(Postgres *postgres, const char *plate, const char *source,
                          GError **error) {
    enum { NAMES_SHOWN = 8 };
    g_autoptr(PostgresRows) rows =
        person_ask(postgres,
                   "select left(plate, 60) from (select plate, max(last_acquired_at) as at "
                   "from scopestream.plates where plate is not null group by plate) p order by at "
                   "desc limit 9",
                   NULL, 0, error);
    if (rows == NULL)
        return false;
    if (PQntuples(rows) == 0)
        return fault_set(error, FAULT_BROKEN, "no frame of any plate is stored yet");
    g_auto(GStrv) names = texts_of(rows);
    bool are_more = g_strv_length(names) > NAMES_SHOWN;
    if (are_more)
        g_clear_pointer(&names[NAMES_SHOWN], g_free);
    g_autofree char *list = program_one_line(g_strjoinv(", ", names));
    return fault_set(error, FAULT_USAGE,
                     "no frame of %s%.100s%s%.100s is stored; the newest plates are: %s%s",
                     plate != NULL ? "plate " : "any plate", plate != NULL ? plate : "",
                     source != NULL ? " of source " : "", source != NULL ? source : "", list,
                     are_more ? ", ..." : "");
}

PlateName *plate_find(Postgres *postgres, const char *plate, const char *source, GError **error) {
    const char *parameters[] = {plate, source};
    g_autoptr(PostgresRows) plates = person_ask(
        postgres,
        "select source, experiment, plate, frames, first_acquired_at, last_acquired_at, channels "
        "from scopestream.plates where plate is not null and ($1::text is null or plate = $1) "
        "and ($2::text is null or source = $2) order by " NEWEST ", source, experiment, "
        "plate limit 1",
        parameters, G_N_ELEMENTS(parameters), error);
    if (plates == NULL)
        return NULL;
    if (PQntuples(plates) > 0)
        return name_of(postgres, plates, error);
    nothing_found(postgres, plate, source, error);
    return NULL;
}

void plate_name_free(PlateName *name) {
    if (name == NULL)
        return;
    g_free(name->source);
    g_free(name->experiment);
    g_free(name->plate);
    g_free(name->first_at);
    g_free(name->last_at);
    g_free(name->since);
    g_free(name->until);
    g_strfreev(name->channels);
    g_free(name);
}

bool plate_channel(const PlateName *name, const char *asked, const char **ret_channel,
                   GError **error) {
    *ret_channel = name->channels[0];
    if (asked == NULL)
        return true;
    for (char **channel = name->channels; *channel != NULL; channel++)
        if (g_str_equal(*channel, asked)) {
            *ret_channel = *channel;
            return true;
        }
    g_autofree char *list = program_one_line(g_strjoinv(", ", name->channels));
    return fault_set(error, FAULT_USAGE, "--channel %s: plate %s has no such channel; it has: %s",
                     asked, name->plate, *list != '\0' ? list : "none");
}

/* --- which wells --- */

/* The wells frames are stored of, whatever their channel, and how many there are of this one. Of a
 * place imaged again, or a file written again, the newest frame counts. */
static PostgresRows *ask_frames(Postgres *postgres, const PlateName *name, const char *channel,
                                GError **error) {
    const char *parameters[] = {name->plate, name->source, name->experiment,
                                channel,     name->since,  name->until};
    return person_ask(
        postgres,
        "select well, count(*) filter (where is_meant), "
        "count(*) filter (where is_meant and status <> 'ok') from "
        "(select distinct on (well, channel, site, z, t, page) well, status, "
        " channel is not distinct from $4 as is_meant from scopestream.frames "
        " where plate = $1 and source = $2 and experiment is not distinct from $3 "
        " and well is not null and acquired_at between $5 and $6 "
        " order by well, channel, site, z, t, page, acquired_at desc, status <> 'ok') newest "
        "group by well",
        parameters, G_N_ELEMENTS(parameters), error);
}

/* A row a well that the layout names; one of all plates counts for a plate without one. */
static PostgresRows *ask_layout(Postgres *postgres, const PlateName *name, GError **error) {
    const char *parameters[] = {name->plate};
    return person_ask(postgres,
                      "select well, role, rows, columns from scopestream.layouts where plate = "
                      "case when exists (select from scopestream.layouts where plate = $1) "
                      "then $1 else '*' end",
                      parameters, G_N_ELEMENTS(parameters), error);
}

/* As the layout says, but never without a place for a frame. */
static Plate *plate_over(const PostgresRows *frames, const PostgresRows *layout) {
    guint row, column, last_row = 0, last_column = 0, rows, columns;
    if (PQntuples(layout) > 0) {
        last_row = (guint)CLAMP(postgres_count(layout, 0, 2), 1, 32) - 1;
        last_column = (guint)CLAMP(postgres_count(layout, 0, 3), 1, 48) - 1;
    }
    for (int i = 0; i < PQntuples(frames); i++)
        if (well_read(postgres_text(frames, i, 0), &row, &column)) {
            last_row = MAX(last_row, row);
            last_column = MAX(last_column, column);
        }
    plate_shape(last_row, last_column, &rows, &columns);
    return plate_new(rows, columns);
}

/* NULL where it has no place. */
static Well *well_named(const Plate *plate, const char *name) {
    guint row, column;
    return well_read(name, &row, &column) && row < plate->rows && column < plate->columns
               ? plate_well(plate, row, column)
               : NULL;
}

static void take_layout(Plate *plate, const PostgresRows *layout) {
    static const struct {
        const char *role;
        char mark;
    } marks[] = {{"positive", '+'}, {"negative", '-'}, {"reference", 'r'}, {"blank", 'b'}};
    for (int i = 0; i < PQntuples(layout); i++) {
        Well *well = well_named(plate, postgres_text(layout, i, 0));
        const char *role = postgres_text(layout, i, 1);
        if (well != NULL && g_str_equal(role, "empty"))
            well->state = WELL_EMPTY;
        for (guint m = 0; well != NULL && m < G_N_ELEMENTS(marks); m++)
            if (g_str_equal(role, marks[m].role))
                well->mark = marks[m].mark;
    }
}

static void take_frames(Plate *plate, const PostgresRows *frames) {
    for (int i = 0; i < PQntuples(frames); i++) {
        Well *well = well_named(plate, postgres_text(frames, i, 0));
        gint64 count = postgres_count(frames, i, 1);
        if (well == NULL)
            plate->outside++;
        if (well == NULL || count == 0)
            continue;
        well->state = WELL_SILENT;
        well->frames = count;
        well->failed = postgres_count(frames, i, 2);
    }
}

Plate *plate_ask_wells(Postgres *postgres, const PlateName *name, const char *channel,
                       GError **error) {
    g_autoptr(PostgresRows) layout = ask_layout(postgres, name, error);
    g_autoptr(PostgresRows) frames =
        layout != NULL ? ask_frames(postgres, name, channel, error) : NULL;
    if (frames == NULL)
        return NULL;
    Plate *plate = plate_over(frames, layout);
    take_layout(plate, layout);
    take_frames(plate, frames);
    return plate;
}

/* --- numbers --- */

static bool take_values(Plate *plate, Postgres *postgres, const PlateName *name,
                        const char *channel, const char *measure, const char *pipeline,
                        GError **error) {
    const char *parameters[] = {name->plate,  measure,  channel,
                                name->source, pipeline, name->experiment};
    g_autoptr(PostgresRows) rows =
        person_ask(postgres,
                   "select well, value from scopestream.plate_map($1, $2, $3, $4, $5) "
                   "where experiment is not distinct from $6 and channel is not distinct from $3",
                   parameters, G_N_ELEMENTS(parameters), error);
    for (int i = 0; rows != NULL && i < PQntuples(rows); i++) {
        Well *well = well_named(plate, postgres_text(rows, i, 0));
        double value = postgres_number(rows, i, 1);
        if (well == NULL || !isfinite(value))
            continue;
        well->state = WELL_VALUE;
        well->value = value;
    }
    return rows != NULL;
}

Plate *plate_ask(Postgres *postgres, const PlateName *name, const char *channel,
                 const char *measure, const char *pipeline, GError **error) {
    g_autoptr(Plate) plate = plate_ask_wells(postgres, name, channel, error);
    if (plate == NULL || !take_values(plate, postgres, name, channel, measure, pipeline, error))
        return NULL;
    return g_steal_pointer(&plate);
}

char *plate_ask_words(Postgres *postgres, const char *measure) {
    const char *parameters[] = {measure};
    g_autoptr(PostgresRows) rows =
        person_ask(postgres, "select unit from scopestream.measures where name = $1", parameters,
                   G_N_ELEMENTS(parameters), NULL);
    const char *unit = rows != NULL && PQntuples(rows) > 0 ? postgres_text(rows, 0, 0) : NULL;
    bool has_unit = unit != NULL && *unit != '\0';
    return has_unit ? g_strdup_printf("%s (%s)", measure, unit) : g_strdup(measure);
}
