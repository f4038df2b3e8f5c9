/* vitals: what the metrics tell of ingest beside what is counted as it happens, and whether all
 * that it needs is there. */
#ifndef INGEST_VITALS_H
#define INGEST_VITALS_H

#include "ingest/offer.h"
#include "ingest/source.h"

typedef struct Vitals Vitals;

/* Serves metrics where the settings say, until vitals_close. All are borrowed. FAULT_USAGE: the
 * address cannot be had. */
Vitals *vitals_open(const Settings *settings, Journal *journal, Offer *offer, Bus *bus,
                    GError **error);
void vitals_close(Vitals *vitals); /* accepts NULL */

/* The source at index of settings->sources, as the loop sees it now. */
void vitals_see(Vitals *vitals, guint index, const Source *source);
/* Files of source that were just written to the journal. */
void vitals_count_files(const Source *source, const SourceCatch *caught);

#endif
