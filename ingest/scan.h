/* scan: everything that stands in a folder, file by file: the truth that events only hint at.
 *
 * A scan is walked in small steps and may rest at any of them; it holds one open folder a level and
 * nothing else, however many files there are. Links, pipes and devices are passed over. */
#ifndef INGEST_SCAN_H
#define INGEST_SCAN_H

#include "ingest/file.h"
#include "stream/filter.h"

#define SCAN_DEPTH_MAX 64 /* folders in folders */

/* What earlier scans learnt: folders in which everything is finished and nothing came or went need
 * not be looked at file by file. A file rewritten in its place does not change its folder, so a
 * memo is believed only for a while. */
typedef struct ScanMemo ScanMemo;
ScanMemo *scan_memo_new(void);
void scan_memo_free(ScanMemo *memo); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScanMemo, scan_memo_free)

typedef struct Scan Scan;

typedef enum {
    SCAN_FOLDER,     /* entered, nothing in it read yet: watch it now, and nothing is missed */
    SCAN_FILE,       /* a regular file whose name the filter takes */
    SCAN_UNREADABLE, /* a folder that is passed over, and why */
    SCAN_RESTED,     /* nothing to tell, but not at the end either */
    SCAN_END,
} ScanStep;

typedef struct {
    const char *path; /* raw bytes below the root, "" for the root; valid until the next step */
    FileSight sight;  /* SCAN_FILE */
    char *why;        /* SCAN_UNREADABLE; the caller g_frees */
} ScanEntry;

/* Of folder/below and all folders in it; below is "" for everything. memo may be NULL: every file
 * is looked at. folder, filter and memo are borrowed. memo_lasts_us: how long one is believed. */
Scan *scan_new(const char *folder, const char *below, const Filter *filter, ScanMemo *memo,
               gint64 memo_lasts_us);
void scan_free(Scan *scan); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scan, scan_free)

/* now_us: a monotonic clock. */
ScanStep scan_next(Scan *scan, gint64 now_us, ScanEntry *ret_entry);

/* The file given last is not finished: the memo must not pass over its folder. */
void scan_unfinished(Scan *scan);

#endif
