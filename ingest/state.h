/* state: what the metrics tell of ingest beside what is counted as it happens, and whether all that
 * it needs is there. */
#ifndef INGEST_STATE_H
#define INGEST_STATE_H

#include "ingest/offer.h"
#include "ingest/source.h"

typedef struct State State;

/* Serves metrics where the settings say, until state_close. All are borrowed. FAULT_USAGE: the
 * address cannot be had. */
State *state_open(const Settings *settings, Journal *journal, Offer *offer, Bus *bus,
                  GError **error);
void state_close(State *state); /* accepts NULL */

/* The source at index of settings->sources, as the loop sees it now. */
void state_see(State *state, guint index, const Source *source);
/* Files of source that were just written to the journal. */
void state_count_files(const Source *source, const SourceCatch *caught);

#endif
