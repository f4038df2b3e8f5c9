/* written: the list of what a run wrote, and which faults it put where.
 *
 * CSV, one line a frame, in the order of writing, with the header
 *
 *     file,page,plate,well,site,channel,z,t,faults,closed_at
 *
 * file       below the output folder, '/' between names
 * page       0-based page in the file
 * site, channel, z, t    as the file's name counts them (a Micro-Manager's first z is 0)
 * faults     names with '+' between them, empty for none
 * closed_at  when the file was complete in its place, RFC 3339 in UTC with microseconds; empty for
 *            a file that is missing
 *
 * Each line reaches the disk's cache at once; the lines of a file come after the file. */
#ifndef MICROSCOPE_WRITTEN_H
#define MICROSCOPE_WRITTEN_H

#include "samples/microscope/naming.h"

typedef struct Written Written;

/* Begins the list at path, replacing what stands there. G_FILE_ERROR names it. */
Written *written_new(const char *path, GError **error);
void written_free(Written *written); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Written, written_free)

/* One line. faults: bits of FaultKind. closed_us: since 1970, 0 for a missing file. G_FILE_ERROR
 * names the list. */
bool written_add(Written *written, const Naming *naming, const char *plate, const char *file,
                 guint page, const Place *place, guint faults, gint64 closed_us, GError **error);

#endif
