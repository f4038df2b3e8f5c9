/* journal: what ingest remembers across restarts, in one SQLite file: which files it has seen
 * finished, which frames they hold, and how far each frame is on its way.
 *
 * It is a cache. Without it a scan finds the same files, the same frames get the same ids, and the
 * store is asked which of them have rows. So it may be deleted at any time ingest does not run, and
 * it favours speed over surviving a loss of power.
 *
 * All functions may be called from any thread. Errors are FAULT_STOP, naming the journal, unless
 * said otherwise: what cannot be remembered must not be done. */
#ifndef INGEST_JOURNAL_H
#define INGEST_JOURNAL_H

#include "ingest/file.h"
#include "stream/frame.h"

typedef struct Journal Journal;

/* Opens the journal, made when missing, for offers to pipelines (ends with NULL): a frame that is
 * added waits for each of them, and those told with a pipeline below are among them. Files known
 * from before one of them was there are to be looked at again. FAULT_USAGE if its folder is not
 * there; FAULT_STOP if another ingest uses it, or if it is damaged or no journal. */
Journal *journal_open(const char *file, char *const *pipelines, GError **error);
void journal_close(Journal *journal); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_close)

/* As given to journal_open; the journal's. */
const char *const *journal_pipelines(const Journal *journal);
/* 32 random bytes, the same for the journal's whole life: delivery keys are derived from them. */
const guint8 *journal_secret(const Journal *journal);
/* Whether it was made by this journal_open. */
bool journal_is_new(const Journal *journal);

/* --- files --- */

/* Whether this version of a file needs no further look: its frames are written down, or it was
 * given up on and is unchanged since. path is encoded (frame_path_encode). */
bool journal_knows(Journal *journal, const char *source, const char *path, const FileSight *sight);

/* Writes down complete files, in one transaction. files: of GPtrArray of Frame, all pages of one
 * file. Their frames wait for every pipeline from now on, unless they are known already. */
bool journal_add(Journal *journal, GPtrArray *files, GError **error);

/* Gives a file up, for reason. event: body of the event that tells it, kept for journal_events
 * unless this version was given up on before. */
bool journal_add_unfinished(Journal *journal, const char *source, const char *path,
                            const FileSight *sight, const char *reason, const char *event,
                            GError **error);

/* Where the bytes of a frame lie. Texts are the caller's: journal_place_clear. */
typedef struct {
    char *source, *path;
    guint64 size_bytes;
    gint64 mtime_ns;
    guint32 page;
} JournalPlace;
void journal_place_clear(JournalPlace *place);
/* Answers beside everything else, on a connection of its own. FAULT_VANISHED if the frame is
 * unknown. */
bool journal_find(Journal *journal, const FrameId *id, JournalPlace *ret_place, GError **error);

/* --- offers: waiting -> in the queue -> stored; of a frame one for each pipeline --- */

typedef struct {
    gint64 id;
    guint32 attempt; /* from 1 */
    Frame *frame;
    guint64 sequence; /* in stream FRAMES; 0 while it waits */
} JournalOffer;
void journal_offer_free(JournalOffer *offer); /* accepts NULL */

/* The oldest offers of source that wait, at most most. The caller unrefs the array. */
GPtrArray *journal_waiting(Journal *journal, const char *pipeline, const char *source, guint most,
                           GError **error);

typedef struct {
    gint64 id;
    guint64 sequence;
    gint64 stream_created_ns;
    gint64 offered_us; /* since 1970 */
} JournalReceipt;
/* These stand in the queue now. One that was stored meanwhile stays so. */
bool journal_set_queued(Journal *journal, const JournalReceipt receipts[], guint count,
                        GError **error);

/* These frames have rows of pipeline. ret_count: how many that was news for; may be NULL. */
bool journal_set_stored(Journal *journal, const char *pipeline, const FrameId ids[], guint count,
                        guint *ret_count, GError **error);

/* These have rows of pipeline that say `vanished`: their files are looked at again when they are
 * seen again, and then they wait again, attempt + 1. Those already stored otherwise stay so. */
bool journal_set_vanished(Journal *journal, const char *pipeline, const FrameId ids[], guint count,
                          GError **error);

/* These left the queue without a row: they wait again, attempt + 1. offers: of JournalOffer. */
bool journal_set_lost(Journal *journal, GPtrArray *offers, GError **error);

/* All offers to pipeline that a stream made at another time took, or that stand beyond its last
 * sequence: the stream was lost, they wait again, attempt + 1. */
bool journal_set_stream_lost(Journal *journal, const char *pipeline, gint64 stream_created_ns,
                             guint64 last_sequence, guint *ret_count, GError **error);

/* Offers to pipeline in the queue by sequence, from after_sequence + 1 to before_sequence - 1,
 * offered before offered_before_us, at most most. The caller unrefs the array. */
GPtrArray *journal_queued(Journal *journal, const char *pipeline, guint64 after_sequence,
                          guint64 before_sequence, gint64 offered_before_us, guint most,
                          GError **error);

typedef struct {
    gint64 waiting, queued, stored; /* frames */
    gint64 oldest_us;               /* closed_us of the oldest frame not stored; 0: none */
} JournalCounts;
bool journal_count(Journal *journal, const char *pipeline, const char *source,
                   JournalCounts *ret_counts, GError **error);

/* --- pipelines that frames are not offered to any longer --- */

typedef struct {
    char *pipeline, *source;
} JournalLane;
void journal_lane_free(JournalLane *lane); /* accepts NULL */

/* Those with offers in the queue, of JournalLane. The caller unrefs the array. */
GPtrArray *journal_abandoned(Journal *journal, GError **error);
/* The offers of one of them left the queue. Should its pipeline return, they wait again, attempt
 * + 1. */
bool journal_set_withdrawn(Journal *journal, const JournalLane *lane, GError **error);

/* --- files given up on --- */

bool journal_count_unfinished(Journal *journal, const char *source, gint64 *ret_files,
                              GError **error);
/* Calls visit for files of source, at most most, in order of path. */
bool journal_visit_unfinished(Journal *journal, const char *source, guint most,
                              void (*visit)(const char *path, const char *reason, void *context),
                              void *context, GError **error);

/* --- events, kept until they are in the stream --- */

typedef struct {
    gint64 id;
    char *source, *body;
} JournalEvent;
void journal_event_free(JournalEvent *event); /* accepts NULL */

bool journal_tell(Journal *journal, const char *source, const char *body, GError **error);
/* The oldest events, at most most. The caller unrefs the array. */
GPtrArray *journal_events(Journal *journal, guint most, GError **error);
bool journal_set_told(Journal *journal, gint64 event, GError **error);

#endif
