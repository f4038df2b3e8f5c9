#include "store/commands/commands.h"
#include "store/person.h"
#include "store/progress.h"
#include "stream/program.h"
#include <stdio.h>
#include <string.h>

enum {
    TRIES = 5, /* of one batch that met another's */
    RETRY_MS = 200,
};

static char *plate, *since, *after, *at_once;

const GOptionEntry rescore_options[] = {
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate, "the frames of this plate alone", "PLATE"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &since,
     "those since a date or time, or of so long: 2026-03-01, 7d", "WHEN"},
    {"after", 0, 0, G_OPTION_ARG_STRING, &after,
     "go on behind this frame, as it is told when a run is stopped", "TIME,ID"},
    {"at-once", 0, 0, G_OPTION_ARG_STRING, &at_once, "frames in one transaction (default: 2000)",
     "N"},
    {0},
};

/* Where in the history it stands; both NULL before the first frame. */
typedef struct {
    char *at, *id;
} Place;

typedef struct {
    Postgres *postgres;
    const char *words; /* the model, as it was named */
    char *model_id, *since;
    Place place;
    gint64 done;
} Rescoring;

/* --- what is meant --- */

static bool model_find(Rescoring *run, GError **error) {
    g_autoptr(PostgresRows) model = person_ask(
        run->postgres,
        "select model_id, name, version from scopestream.models "
        "where $1 in (name, name || ' ' || version) order by enabled desc, version desc limit 1",
        &run->words, 1, error);
    if (model == NULL)
        return false;
    if (PQntuples(model) == 0)
        return fault_set(error, FAULT_USAGE, "no model is called '%s'; models list tells them",
                         run->words);
    run->model_id = g_strdup(postgres_text(model, 0, 0));
    return true;
}

static bool after_read(Place *place, GError **error) {
    if (after == NULL)
        return true;
    g_auto(GStrv) halves = g_strsplit(after, ",", 2);
    if (halves[0] == NULL || halves[1] == NULL || !g_uuid_string_is_valid(halves[1]))
        return fault_set(error, FAULT_USAGE,
                         "--after %s: expected TIME,ID as a run that was stopped tells it", after);
    place->at = g_strdup(halves[0]);
    place->id = g_strdup(halves[1]);
    return true;
}

/* About how many frames there are; 0 where nobody can tell. */
static bool frames_count(Rescoring *run, gint64 *ret_all, GError **error) {
    const char *parameters[] = {plate, run->place.at != NULL ? run->place.at : run->since};
    g_autoptr(PostgresRows) about =
        person_ask(run->postgres, "select scopestream_data.frames_about($1, $2::timestamptz)",
                   parameters, G_N_ELEMENTS(parameters), error);
    if (about == NULL)
        return false;
    *ret_all = postgres_count(about, 0, 0);
    return true;
}

/* --- scoring --- */

static void place_move(Place *place, const PostgresRows *rows) {
    g_free(place->at);
    g_free(place->id);
    place->at = g_strdup(postgres_text(rows, 0, 1));
    place->id = g_strdup(postgres_text(rows, 0, 2));
}

/* Each batch is a transaction: what met another's, or a server that just restarts, is tried again.
 */
static PostgresRows *batch_score(Rescoring *run, GError **error) {
    const char *parameters[] = {run->model_id, run->place.at,
                                run->place.id, at_once != NULL ? at_once : "2000",
                                plate,         run->since};
    for (int try = 1;; try++) {
        g_autoptr(GError) failed = NULL;
        PostgresRows *rows =
            person_ask(run->postgres,
                       "select frames, last_at, last_id from scopestream_data.rescore($1::integer, "
                       "$2::timestamptz, $3::uuid, $4::integer, $5, $6::timestamptz)",
                       parameters, G_N_ELEMENTS(parameters), &failed);
        if (rows != NULL)
            return rows;
        bool again = fault_is(failed, FAULT_AGAIN) && try < TRIES && !program_stopping() &&
                     postgres_is_connected(run->postgres);
        if (!again || !program_sleep(RETRY_MS)) {
            g_propagate_error(error, g_steal_pointer(&failed));
            return NULL;
        }
    }
}

static bool rescore_all(Rescoring *run, Progress *progress, GError **error) {
    for (;;) {
        g_autoptr(PostgresRows) scored = batch_score(run, error);
        if (scored == NULL)
            return false;
        gint64 frames = postgres_count(scored, 0, 0);
        if (frames == 0)
            return true;
        run->done += frames;
        place_move(&run->place, scored);
        progress_show(progress, run->done);
        if (program_stopping())
            return fault_set(error, FAULT_AGAIN, "asked to stop");
    }
}

/* How to go on, as one types it. */
static void tell_how_to_go_on(const Rescoring *run) {
    g_autofree char *model = g_shell_quote(run->words);
    g_autofree char *of_plate = plate != NULL ? g_shell_quote(plate) : NULL;
    g_autofree char *behind =
        run->place.at != NULL ? g_strdup_printf("%s,%s", run->place.at, run->place.id) : NULL;
    g_autofree char *quoted = behind != NULL ? g_shell_quote(behind) : NULL;
    printf("stopped; %" G_GINT64_FORMAT " frames have their new scores. To go on: %s rescore %s",
           run->done, g_get_prgname(), model);
    if (of_plate != NULL)
        printf(" --plate %s", of_plate);
    if (run->since != NULL)
        printf(" --since %s", run->since);
    if (quoted != NULL)
        printf(" --after %s", quoted);
    putchar('\n');
}

static bool rescore(Rescoring *run, GError **error) {
    gint64 all;
    if (!model_find(run, error) || !frames_count(run, &all, error))
        return false;
    gint64 begun_us = g_get_monotonic_time();
    Progress progress = progress_begin(all);
    bool finished = rescore_all(run, &progress, error);
    progress_end(&progress);
    if (!finished && run->done > 0)
        tell_how_to_go_on(run);
    if (finished)
        printf("%" G_GINT64_FORMAT " frames have their score by %s, after %.1f s\n", run->done,
               run->words, (double)(g_get_monotonic_time() - begun_us) / G_USEC_PER_SEC);
    return finished;
}

int rescore_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    Rescoring run = {0};
    g_autofree char *words = g_strjoinv(" ", arguments);
    run.words = words;
    guint count = g_strv_length(arguments);
    if (count < 1 || count > 2)
        fault_set(&error, FAULT_USAGE, "rescore: expected MODEL [VERSION], not %u words", count);
    bool ok = error == NULL && person_read_since(since, &run.since, &error) &&
              after_read(&run.place, &error) &&
              (at_once == NULL || person_check_count("at-once", at_once, &error));
    run.postgres = ok ? person_connect(settings, &error) : NULL;
    ok = run.postgres != NULL && rescore(&run, &error);
    postgres_free(run.postgres);
    g_free(run.model_id);
    g_free(run.since);
    g_free(run.place.at);
    g_free(run.place.id);
    return ok ? EXIT_SUCCESS : program_fail(error);
}
