/* figures: what status shows, gathered from PostgreSQL, NATS and the programs that answer. */
#ifndef STORE_FIGURES_H
#define STORE_FIGURES_H

#include "store/postgres.h"
#include "stream/bus.h"
#include <json-glib/json-glib.h>

#define FIGURE_UNKNOWN (-1) /* a count nobody could tell; a number nobody could tell is NaN */

/* A file or frame a person should know about. */
typedef struct {
    char *at;   /* time or source: what stands before it */
    char *what; /* path */
    char *why;
} Notice;

typedef struct {
    char *name, *folder, *state;
    gint64 unsettled, waiting, offered, stored, unfinished;
} SourceFigures;

/* A pipeline somebody offers frames to or works for. */
typedef struct {
    char *name;
    gint64 waiting, queued, measuring; /* frames; the last two unknown where it has no queue yet */
    gint64 workers;                    /* that answered */
} PipelineFigures;

typedef struct {
    /* PostgreSQL */
    bool database_reached;
    bool database_away; /* no server answers at the place that was named */
    char *database;     /* where, or why not */
    gint64 stored, ok, broken, vanished, poison, rejected;
    double rate_10_s, rate_60_s; /* frames stored per second, over the last 10 and 60 s */
    double latency_p50_s, latency_p95_s, latency_p99_s; /* of the last 1000 rows */
    GPtrArray *failures;                                /* of Notice: the newest rows not ok */

    /* NATS and whoever answers there */
    bool nats_reached;
    char *nats;
    gint64 queued, measuring, results_queued;
    gint64 ingests, workers, stores;                /* that answered */
    gint64 unsettled, waiting, unfinished, offered; /* sums over the sources */
    char *oldest_unstored_at;                       /* RFC 3339; NULL: none is waiting */
    char *holding;                                  /* why an ingest holds back; NULL: none does */
    GPtrArray *sources;                             /* of SourceFigures */
    GPtrArray *pipelines;                           /* of PipelineFigures */
    GPtrArray *files;                               /* of Notice: files not complete */
} Figures;

/* Asks everybody; takes a third of a second, and up to a second more for each of the two servers
 * that is away. Never fails. postgres: NULL: only NATS is asked. */
Figures *figures_gather(const Settings *settings, Bus *bus, Postgres *postgres);
void figures_free(Figures *figures); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figures, figures_free)

/* Takes in one program's answer to scopestream.status. Answers that are none are passed over. */
void figures_take_answer(Figures *figures, const void *body, gsize length);

/* Where frames are between disk and table, in that order. */
typedef struct {
    const char *name;
    gint64 count;
    char *remark; /* NULL: none; g_free it */
} FigureStage;
#define FIGURE_STAGES 6
void figures_stages(const Figures *figures, FigureStage ret_stages[FIGURE_STAGES]);

/* Parts of the screen, of whole lines: which servers; what became of frames; what else is known. */
void figures_add_servers(GString *text, const Figures *figures);
void figures_add_outcomes(GString *text, const Figures *figures);
void figures_add_details(GString *text, const Figures *figures);

/* The screen, lines ending with \n; and one JSON object, without. g_free them. */
char *figures_text(const Figures *figures);
char *figures_json(const Figures *figures);

/* An empty Figures: nothing known, nobody reached. */
Figures *figures_new(void);

#endif
