/* settle: which of the files that appeared have come to rest.
 *
 * Pure logic: it opens nothing and reads no clock, whoever calls it does. A file waits here from
 * its first sight until it is complete, gone or given up on. It is due for a look when it has been
 * quiet long enough; quiet is measured on a monotonic clock from the last change we saw, never from
 * the times in the file, which copying keeps and wrong clocks spoil. */
#ifndef INGEST_SETTLE_H
#define INGEST_SETTLE_H

#include "ingest/file.h"

typedef struct {
    gint64 quiet_us;        /* a file needs */
    gint64 quiet_closed_us; /* the same when its writer was seen to close it */
    gint64 unfinished_us;   /* after which a file that is still not complete is given up on */
} SettleTimes;

/* A file that waits. Borrowed from its Settle. */
typedef struct {
    char *path; /* raw bytes below the source's folder */
    FileSight sight;
    gint64 since_us;  /* monotonic: unchanged since then, as far as we saw */
    gint64 due_us;    /* monotonic: when to look again */
    gint64 closed_us; /* since 1970: when it was last seen closed; 0: it was not */
    guint looks;      /* at its structure, since it last changed */
    char *reason;     /* why it is not complete; NULL: not looked at yet */
    GSequenceIter *place;
} SettleFile;

typedef struct Settle Settle;

Settle *settle_new(SettleTimes times);
void settle_free(Settle *settle); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settle, settle_free)

guint settle_count(const Settle *settle);
/* Whether path waits. */
bool settle_has(const Settle *settle, const char *path);

/* A file was seen, by the scan or after a hint. closed_us: its writer just closed it, at that time
 * since 1970; 0: only seen. */
void settle_see(Settle *settle, const char *path, const FileSight *sight, gint64 closed_us,
                gint64 now_us);

/* When the next file is due; G_MAXINT64: none waits. */
gint64 settle_due_us(const Settle *settle);
/* The file that is due first, or NULL if none is due yet. */
SettleFile *settle_next(Settle *settle, gint64 now_us);

/* A fresh look at a file that was due. True: it has been quiet long enough, its structure decides.
 * False: it will be due again. */
bool settle_is_quiet(Settle *settle, SettleFile *file, const FileSight *sight, gint64 now_us);

/* Its structure, or reading it, says it is not complete; takes a copy of reason. True: it has been
 * so for unfinished_us, and the caller gives it up. False: it will be due again. */
bool settle_incomplete(Settle *settle, SettleFile *file, const char *reason, gint64 now_us);

/* It is complete, gone or given up on. Frees file. */
void settle_forget(Settle *settle, SettleFile *file);
void settle_forget_all(Settle *settle);

/* Calls visit for files of which a reason is known, at most most of them. */
void settle_visit_incomplete(const Settle *settle, guint most,
                             void (*visit)(const SettleFile *file, void *context), void *context);

#endif
