/* have: asks the store which frames have rows. */
#ifndef INGEST_HAVE_H
#define INGEST_HAVE_H

#include "ingest/journal.h"
#include "stream/bus.h"

#define HAVE_FRAMES_MAX 500 /* in one question */

/* Asks about offers, of JournalOffer, at most HAVE_FRAMES_MAX. Those whose frames have a row for
 * pipeline are noted as stored in the journal, and taken out of offers; ret_stored tells for how
 * many that was news. FAULT_AGAIN if no store answers within two seconds, or its database is away;
 * FAULT_STOP from the journal. */
bool have_sort_out(Bus *bus, Journal *journal, const char *pipeline, GPtrArray *offers,
                   guint *ret_stored, GError **error);

/* The FrameIds of a JSON array of texts, at most most; what is no id is left out. */
GArray *have_read_ids(JsonArray *texts, guint most);

#endif
