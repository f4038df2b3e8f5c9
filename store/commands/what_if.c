#include "store/commands/commands.h"
#include "store/commands/table.h"
#include "store/person.h"
#include "stream/program.h"
#include <stdio.h>
#include <string.h>

static char *plate, *since, *most, *format;

const GOptionEntry what_if_options[] = {
    {"plate", 0, 0, G_OPTION_ARG_STRING, &plate, "the frames of this plate alone", "PLATE"},
    {"since", 0, 0, G_OPTION_ARG_STRING, &since,
     "those since a date or time, or of so long: 2026-03-01, 7d", "WHEN"},
    {"most", 0, 0, G_OPTION_ARG_STRING, &most,
     "frames that are shown of those that change (default: 20)", "N"},
    {"format", 0, 0, G_OPTION_ARG_STRING, &format, "table (default) or json", "FORMAT"},
    {0},
};

typedef struct {
    Postgres *postgres;
    const char *parameters[5]; /* A, B, plate, since, most */
} Question;

#define TIERS  "scopestream.what_if($1, $2, $3, $4::timestamptz)"
#define FRAMES "scopestream.what_if_frames($1, $2, $3, $4::timestamptz, $5::integer)"

static PostgresRows *ask(const Question *question, const char *sql, int parameters,
                         GError **error) {
    return person_ask(question->postgres, sql, question->parameters, parameters, error);
}

/* --- tiers by tiers --- */

enum { TIER_A, TIER_B, TIER_FRAMES, TIER_SHARE }; /* columns of what_if; its rows are in order */

/* The rows of one tier of A stand together: as many as B has tiers. */
static int tiers_of_b(const PostgresRows *tiers) {
    int count = 0;
    while (count < PQntuples(tiers) &&
           g_str_equal(postgres_text(tiers, count, TIER_A), postgres_text(tiers, 0, TIER_A)))
        count++;
    return count;
}

static gint64 frames_that_change(const PostgresRows *tiers, gint64 *ret_all) {
    gint64 change = 0;
    *ret_all = 0;
    for (int row = 0; row < PQntuples(tiers); row++) {
        gint64 frames = postgres_count(tiers, row, TIER_FRAMES);
        *ret_all += frames;
        if (!g_str_equal(postgres_text(tiers, row, TIER_A), postgres_text(tiers, row, TIER_B)))
            change += frames;
    }
    return change;
}

/* A line for each tier frames have by A, a column for each they would have by B. */
static void print_tiers(const PostgresRows *tiers) {
    enum { NAME_WIDTH = 16, COUNT_WIDTH = 10 };
    int columns = MAX(tiers_of_b(tiers), 1);
    printf("%-*s", NAME_WIDTH, "A \\ B");
    for (int column = 0; column < columns && column < PQntuples(tiers); column++)
        printf("%*s", COUNT_WIDTH, postgres_text(tiers, column, TIER_B));
    for (int row = 0; row < PQntuples(tiers); row++) {
        if (row % columns == 0)
            printf("\n%-*s", NAME_WIDTH, postgres_text(tiers, row, TIER_A));
        printf("%*s", COUNT_WIDTH, postgres_text(tiers, row, TIER_FRAMES));
    }
    putchar('\n');
}

/* --- the frames --- */

static bool print_frames(const Question *question, GError **error) {
    g_autoptr(PostgresRows) frames =
        ask(question,
            "select plate, well, site, channel, z, t, tier_a as a, tier_b as b, score_a, score_b, "
            "frame_id, path from " FRAMES,
            5, error);
    if (frames == NULL)
        return false;
    if (PQntuples(frames) > 0) {
        puts("\nthose that would change most:");
        table_print(frames);
    }
    return true;
}

static bool print_comparison(const Question *question, GError **error) {
    g_autoptr(PostgresRows) tiers = ask(question, "select * from " TIERS, 4, error);
    if (tiers == NULL)
        return false;
    gint64 all;
    gint64 change = frames_that_change(tiers, &all);
    printf("A: %s\nB: %s\n", question->parameters[0], question->parameters[1]);
    if (all == 0) {
        puts("there are no frames to compare them by");
        return true;
    }
    printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
           " frames, %.1f %%, would change their tier\n\n",
           change, all, 100 * (double)change / (double)all);
    print_tiers(tiers);
    return change == 0 || print_frames(question, error);
}

static bool print_as_json(const Question *question, GError **error) {
    return person_print_json(question->postgres,
                             "select (select coalesce(json_agg(t), '[]') from " TIERS
                             " t) as tiers, "
                             "(select coalesce(json_agg(f), '[]') from " FRAMES " f) as frames",
                             question->parameters, 5, true, error);
}

static bool what_if(const Settings *settings, char **arguments, GError **error) {
    g_autofree char *from = NULL;
    bool as_json;
    if (g_strv_length(arguments) != 2)
        return fault_set(error, FAULT_USAGE,
                         "what-if: expected two models, each a name, 'NAME VERSION' or an "
                         "expression, not %u",
                         g_strv_length(arguments));
    if (!person_wants_json(format, &as_json, error) || !person_read_since(since, &from, error) ||
        (most != NULL && !person_check_count("most", most, error)))
        return false;
    g_autoptr(Postgres) postgres = person_connect(settings, error);
    if (postgres == NULL)
        return false;
    const Question question = {
        postgres, {arguments[0], arguments[1], plate, from, most != NULL ? most : "20"}};
    return as_json ? print_as_json(&question, error) : print_comparison(&question, error);
}

int what_if_command(const Settings *settings, char **arguments) {
    GError *error = NULL;
    return what_if(settings, arguments, &error) ? EXIT_SUCCESS : program_fail(error);
}
