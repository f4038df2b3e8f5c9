#include "store/pictures/shots.h"
#include "store/person.h"
#include "store/pictures/colour_scale.h"
#include "stream/program.h"
#include <math.h>

enum { BATCH = 64 }; /* thumbnails that are in memory at once */

static void shot_free(gpointer data) {
    Shot *shot = data;
    g_free(shot->well);
    g_free(shot->channel);
    g_free(shot->status);
    g_free(shot->frame_id);
    g_free(shot->acquired_at);
    g_free(shot);
}

/* --- choosing --- */

/* Frames of a plate and channel that may be shown; $1 to $7. */
#define FRAMES                                                                                     \
    "from scopestream.frames where plate = $1 and source = $2 and experiment is not distinct "     \
    "from $3 and channel is not distinct from $4 and well is not null "                            \
    "and acquired_at between $5 and $6 and ($7::text is null or well = $7) "

/* "5", or NULL. g_free it. */
static char *number_text(int number) {
    return number != SHOTS_UNKNOWN ? g_strdup_printf("%d", number) : NULL;
}

/* The places there are in one dimension, sorted. column: one of ours. */
static PostgresRows *ask_places(Postgres *postgres, const char *column, const PlateName *name,
                                const char *channel, const char *well, GError **error) {
    const char *parameters[] = {name->plate, name->source, name->experiment, channel, name->since,
                                name->until, well};
    g_autofree char *sql = g_strdup_printf(
        "select distinct %s " FRAMES "and %s is not null order by 1", column, column);
    return person_ask(postgres, sql, parameters, G_N_ELEMENTS(parameters), error);
}

static bool is_among(const PostgresRows *places, int number) {
    for (int row = 0; row < PQntuples(places); row++)
        if (postgres_count(places, row, 0) == number)
            return true;
    return false;
}

static bool place_check(const PostgresRows *places, const char *option, int asked,
                        const PlateName *name, GError **error) {
    if (asked == SHOTS_UNKNOWN || is_among(places, asked))
        return true;
    int count = PQntuples(places);
    if (count == 0)
        return fault_set(error, FAULT_USAGE, "--%s %d: plate %s has no frame with one", option,
                         asked, name->plate);
    return fault_set(error, FAULT_USAGE,
                     "--%s %d: plate %s has no frame of it; it has %d, from %s to %s", option,
                     asked, name->plate, count, postgres_text(places, 0, 0),
                     postgres_text(places, count - 1, 0));
}

/* ret_place: what was asked for, or the place at that share of all. */
static bool choose_place(const char *column, const char *option, double share, int *place,
                         int *ret_count, Postgres *postgres, const PlateName *name,
                         const char *channel, const char *well, GError **error) {
    g_autoptr(PostgresRows) places = ask_places(postgres, column, name, channel, well, error);
    if (places == NULL || !place_check(places, option, *place, name, error))
        return false;
    *ret_count = PQntuples(places);
    if (*place == SHOTS_UNKNOWN && *ret_count > 0)
        *place = (int)postgres_count(places, (int)(share * (*ret_count - 1)), 0);
    return true;
}

static bool choose_time(ShotChoice *choice, Postgres *postgres, const PlateName *name,
                        const char *channel, GError **error) {
    g_autoptr(PostgresRows) times = ask_places(postgres, "t", name, channel, choice->well, error);
    if (times == NULL || !place_check(times, "t", choice->t, name, error))
        return false;
    choice->times = PQntuples(times);
    if (choice->times > 0) {
        choice->first_t = (int)postgres_count(times, 0, 0);
        choice->last_t = (int)postgres_count(times, choice->times - 1, 0);
    }
    return true;
}

bool shots_choose(ShotChoice *choice, Postgres *postgres, const PlateName *name,
                  const char *channel, GError **error) {
    int first = choice->site;
    if (!choose_place("site", "site", 0, &first, &choice->sites, postgres, name, channel,
                      choice->well, error) ||
        !choose_place("z", "z", 0.5, &choice->z, &choice->planes, postgres, name, channel,
                      choice->well, error) ||
        !choose_time(choice, postgres, name, channel, error))
        return false;
    if (!choice->all_sites)
        choice->site = first;
    return true;
}

char *shots_choice_text(const ShotChoice *choice) {
    GString *text = g_string_new(NULL);
    if (choice->all_sites)
        g_string_append_printf(text, "all %d sites of a well", choice->sites);
    else if (choice->site != SHOTS_UNKNOWN)
        g_string_append_printf(text, "site %d of %d", choice->site, choice->sites);
    if (choice->planes > 1)
        g_string_append_printf(text, "%splane %d of %d", text->len > 0 ? ", " : "", choice->z,
                               choice->planes);
    const char *comma = text->len > 0 ? ", " : "";
    if (choice->all_times && choice->times > 0)
        g_string_append_printf(text, "%stime points %d to %d", comma, choice->first_t,
                               choice->last_t);
    else if (choice->t != SHOTS_UNKNOWN)
        g_string_append_printf(text, "%stime point %d", comma, choice->t);
    else if (choice->times > 1)
        g_string_append_printf(text, "%seach well's newest time point of %d to %d", comma,
                               choice->first_t, choice->last_t);
    return g_string_free(text, FALSE);
}

/* --- frames --- */

static int place_of(const PostgresRows *rows, int row, int column) {
    return postgres_text(rows, row, column) != NULL ? (int)postgres_count(rows, row, column)
                                                    : SHOTS_UNKNOWN;
}

static Shot *shot_of(const PostgresRows *rows, int row) {
    Shot *shot = g_new0(Shot, 1);
    shot->well = g_strdup(postgres_text(rows, row, 0));
    shot->channel = g_strdup(postgres_text(rows, row, 1));
    shot->site = place_of(rows, row, 2);
    shot->z = place_of(rows, row, 3);
    shot->t = place_of(rows, row, 4);
    shot->status = g_strdup(postgres_text(rows, row, 5));
    shot->is_ok = g_strcmp0(shot->status, "ok") == 0;
    shot->frame_id = g_strdup(postgres_text(rows, row, 6));
    shot->acquired_at = g_strdup(postgres_text(rows, row, 7));
    shot->acquired_us = postgres_count(rows, row, 8);
    shot->low = shot->high = shot->aspect = NAN;
    return shot;
}

/* The newest frame of each place; of all times, if nobody counted them, every frame is one. */
static PostgresRows *ask_frames(Postgres *postgres, const PlateName *name, const char *channel,
                                const ShotChoice *choice, GError **error) {
    g_autofree char *site = number_text(choice->all_sites ? SHOTS_UNKNOWN : choice->site);
    g_autofree char *z = number_text(choice->z), *t = number_text(choice->t);
    const char *parameters[] = {name->plate,
                                name->source,
                                name->experiment,
                                channel,
                                name->since,
                                name->until,
                                choice->well,
                                site,
                                z,
                                t,
                                choice->all_times ? "true" : "false"};
    return person_ask(
        postgres,
        "select well, channel, site, z, t, status, frame_id, acquired_at, "
        "(extract(epoch from acquired_at) * 1000000)::bigint from ("
        "select distinct on (well, site, case when $11::boolean then coalesce(t::double precision, "
        "                    extract(epoch from acquired_at)) end) * " FRAMES
        "and ($8::integer is null or site = $8) and ($9::integer is null or z = $9) "
        "and ($10::integer is null or t = $10) "
        "order by well, site, case when $11::boolean then coalesce(t::double precision, "
        "         extract(epoch from acquired_at)) end, t desc nulls last, acquired_at desc, "
        "         status <> 'ok', z, page) newest order by well, site, t, acquired_at",
        parameters, G_N_ELEMENTS(parameters), error);
}

/* --- thumbnails --- */

/* {"a","b"} of their column at offset; g_free it. */
static char *array_text(const GPtrArray *shots, guint first, guint count, gsize offset) {
    GString *text = g_string_new("{");
    for (guint i = first; i < first + count; i++) {
        const char *shot = g_ptr_array_index(shots, i);
        g_string_append_printf(text, "%s\"%s\"", i > first ? "," : "",
                               G_STRUCT_MEMBER(const char *, shot, offset));
    }
    g_string_append_c(text, '}');
    return g_string_free(text, FALSE);
}

/* A row a shot that has a thumbnail, with its place among them from 1. Looked up one by one,
 * whatever the planner thinks of a table of millions. */
static PostgresRows *ask_thumbnails(Postgres *postgres, const char *columns, const GPtrArray *shots,
                                    guint first, guint count, GError **error) {
    g_autofree char *ids = array_text(shots, first, count, G_STRUCT_OFFSET(Shot, frame_id));
    g_autofree char *times = array_text(shots, first, count, G_STRUCT_OFFSET(Shot, acquired_at));
    g_autofree char *sql = g_strdup_printf(
        "select k.place, %s from unnest($1::uuid[], $2::timestamptz[]) with ordinality "
        "k(frame_id, acquired_at, place) cross join lateral (select * from scopestream.thumbnails "
        "i "
        "where i.frame_id = k.frame_id and i.acquired_at = k.acquired_at offset 0) i order by 1",
        columns);
    const char *parameters[] = {ids, times};
    return person_ask(postgres, sql, parameters, G_N_ELEMENTS(parameters), error);
}

static bool take_ranges(GPtrArray *shots, Postgres *postgres, GError **error) {
    enum { AT_ONCE = 1024 };
    for (guint first = 0; first < shots->len; first += AT_ONCE) {
        g_autoptr(PostgresRows) rows =
            ask_thumbnails(postgres, "i.low, i.high, i.height / nullif(i.width, 0)::float8", shots,
                           first, MIN(AT_ONCE, shots->len - first), error);
        for (int row = 0; rows != NULL && row < PQntuples(rows); row++) {
            Shot *shot = g_ptr_array_index(shots, first + (guint)postgres_count(rows, row, 0) - 1);
            shot->is_kept = true;
            shot->low = postgres_number(rows, row, 1);
            shot->high = postgres_number(rows, row, 2);
            shot->aspect = postgres_number(rows, row, 3);
        }
        if (rows == NULL)
            return false;
    }
    return true;
}

GPtrArray *shots_ask(Postgres *postgres, const PlateName *name, const char *channel,
                     const ShotChoice *choice, GError **error) {
    g_autoptr(PostgresRows) rows = ask_frames(postgres, name, channel, choice, error);
    if (rows == NULL)
        return NULL;
    g_autoptr(GPtrArray) shots = g_ptr_array_new_with_free_func(shot_free);
    for (int row = 0; row < PQntuples(rows); row++)
        g_ptr_array_add(shots, shot_of(rows, row));
    return take_ranges(shots, postgres, error) ? g_steal_pointer(&shots) : NULL;
}

static void show_one(const Shot *shot, const char *mime, const char *encoded, ShotEach each,
                     void *context) {
    gsize length;
    g_autoptr(GError) error = NULL;
    g_autofree guchar *bytes = g_base64_decode(encoded != NULL ? encoded : "", &length);
    g_autoptr(Picture) picture = picture_read(mime, bytes, length, &error);
    each(shot, picture, error != NULL ? error->message : NULL, context);
}

bool shots_each(Postgres *postgres, const GPtrArray *shots, ShotEach each, void *context,
                GError **error) {
    for (guint first = 0; first < shots->len; first += BATCH) {
        g_autoptr(PostgresRows) rows =
            ask_thumbnails(postgres, "i.mime, encode(i.image, 'base64')", shots, first,
                           MIN(BATCH, shots->len - first), error);
        for (int row = 0; rows != NULL && row < PQntuples(rows); row++)
            show_one(g_ptr_array_index(shots, first + (guint)postgres_count(rows, row, 0) - 1),
                     postgres_text(rows, row, 1), postgres_text(rows, row, 2), each, context);
        if (rows == NULL)
            return false;
        if (program_stopping())
            return fault_set(error, FAULT_AGAIN, "stopped before the picture was done");
    }
    return true;
}

/* --- ranges --- */

void shots_range(const GPtrArray *shots, double *ret_low, double *ret_high) {
    g_autofree double *lows = g_new(double, shots->len + 1);
    g_autofree double *highs = g_new(double, shots->len + 1);
    gsize count = 0;
    for (guint i = 0; i < shots->len; i++) {
        const Shot *shot = g_ptr_array_index(shots, i);
        if (!isfinite(shot->low) || !isfinite(shot->high))
            continue;
        lows[count] = shot->low;
        highs[count++] = shot->high;
    }
    *ret_low = values_quantile(lows, count, 0.05);
    *ret_high = values_quantile(highs, count, 0.95);
}

double shots_aspect(const GPtrArray *shots) {
    g_autofree double *aspects = g_new(double, shots->len + 1);
    gsize count = 0;
    for (guint i = 0; i < shots->len; i++) {
        const Shot *shot = g_ptr_array_index(shots, i);
        if (isfinite(shot->aspect))
            aspects[count++] = shot->aspect;
    }
    double aspect = values_quantile(aspects, count, 0.5);
    return isnan(aspect) ? 1 : CLAMP(aspect, 0.4, 2.5);
}

void shot_shades(const Shot *shot, double low, double high, guint8 ret_shades[256]) {
    double own = shot->high - shot->low, range = high - low;
    bool is_known = own >= 0 && range > 0 && isfinite(own) && isfinite(range);
    for (int v = 0; v < 256; v++) {
        double intensity = shot->low + own * v / 255;
        double grey = is_known ? rint(255 * (intensity - low) / range) : v;
        ret_shades[v] = (guint8)CLAMP(grey, 0, 255);
    }
}
