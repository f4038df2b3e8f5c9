/* source: one microscope's output folder, watched, scanned and settled: from "something may be new"
 * to complete files.
 *
 * It never gives up: a folder that is away is looked for again and again, and an empty or missing
 * folder means nothing for the frames that were found in it. */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "ingest/journal.h"
#include "ingest/settle.h"
#include "stream/settings.h"

typedef struct Source Source;

typedef enum {
    SOURCE_AWAY,          /* its folder is not there, or may not be read */
    SOURCE_WATCHING,      /* events and scans */
    SOURCE_SCANNING_ONLY, /* no events, or not from all folders */
} SourceState;

/* Something to tell: in the log, and where event is set in the stream. */
typedef struct {
    const char *event; /* EVENT_...; NULL: for the log alone */
    bool is_warning;
    bool is_given_up; /* path is a file that is not waited for any longer */
    char *path;       /* encoded, below the folder; NULL: the source itself */
    char *detail;     /* one phrase */
    FileSight sight;  /* of the file given up */
} SourceNews;

/* What a turn brought. */
typedef struct {
    GPtrArray *files; /* complete ones, each a GPtrArray of Frame: its pages */
    GPtrArray *news;  /* of SourceNews */
    guint frames;     /* in files, all together */
} SourceCatch;
SourceCatch source_catch_new(void);
void source_catch_clear(SourceCatch *caught); /* empties it */
void source_catch_free(SourceCatch *caught);

/* FAULT_USAGE, one line, if these settings can never be right: a folder that is a file, an unknown
 * naming. A folder that is not there is no error. */
bool source_check(const SourceSettings *source, GError **error);

/* All are borrowed. Nothing is opened before the first turn. */
Source *source_new(const SourceSettings *source, const Settings *settings, Journal *journal);
void source_free(Source *source); /* accepts NULL */

/* Readable when a turn is wanted; -1: there are no events. */
int source_fd(const Source *source);
/* When the next turn is wanted at the latest, on the monotonic clock. */
gint64 source_due_us(const Source *source);

/* Takes hints, looks at files that are due, scans on; a bounded piece of each. What was caught is
 * added to caught, which is the caller's to write down: a file in it is not given again unless it
 * changes or ingest starts anew. */
void source_turn(Source *source, SourceCatch *caught);

/* The next scan passes over no folder, though it may look unchanged. */
void source_scan_fully(Source *source);

const SourceSettings *source_settings(const Source *source);
SourceState source_state(const Source *source);
const char *source_state_text(const Source *source); /* "watching", "scanning only", "away" */
/* The folder as it was when it was last there; NULL: it is away. */
const FileSight *source_root(const Source *source);
/* Whether every file that stood in the folder at start has been looked at. */
bool source_caught_up(const Source *source);
/* Files that wait to be complete. */
const Settle *source_settle(const Source *source);

#endif
