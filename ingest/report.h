/* report: how ingest is, for whoever asks on scopestream.status (docs/wire.md). */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include "ingest/offer.h"
#include "ingest/source.h"

typedef struct Report Report;

/* Answers from now on, from a thread of the bus. All are borrowed; free it after bus is closed. */
Report *report_open(const Settings *settings, Journal *journal, Offer *offer, Bus *bus,
                    GError **error);
void report_free(Report *report); /* accepts NULL */

/* The source at index of settings->sources, as the loop sees it now. */
void report_source(Report *report, guint index, const Source *source);

/* The answer, as JSON. Caller g_frees. */
char *report_text(Report *report);

#endif
