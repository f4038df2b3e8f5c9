/* written: the list of what a run wrote, and which faults it put where.
 *
 * CSV, one line a frame, in the order of writing, with the header
 *
 *     file,page,plate,well,site,channel,z,t,faults,closed_at,off_focus_um
 *
 * file       below the output folder, '/' between names
 * page       0-based page in the file
 * plate, well            where it was taken, also where the file's name does not tell
 * site, channel, z, t    as the file's name counts and writes them: Cellomics begins at 0,
 *                        Micro-Manager counts sites through the plate
 * faults     names with '+' between them, empty for none
 * closed_at  when the file was complete in its place, RFC 3339 in UTC with microseconds; empty for
 *            a file that is missing
 * off_focus_um  how far the objective stood from the focal plane, signed; empty likewise
 *
 * Each line reaches the disk's cache at once; the lines of a file come after the file. */
#ifndef MICROSCOPE_WRITTEN_H
#define MICROSCOPE_WRITTEN_H

#include "samples/microscope/naming.h"

typedef struct Written Written;

/* One frame. */
typedef struct {
    const char *file, *plate;
    guint page;
    Place place;
    guint faults;     /* bits of FaultKind */
    gint64 closed_us; /* since 1970; 0 for a missing file */
    gint32 off_focus_nm;
} WrittenFrame;

/* Begins the list at path, replacing what stands there, for an instrument that takes that many
 * sites in a well. G_FILE_ERROR names the list. */
Written *written_new(const char *path, const Naming *naming, guint sites, GError **error);
void written_free(Written *written); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Written, written_free)

/* Adds a line. G_FILE_ERROR names the list. */
bool written_add(Written *written, const WrittenFrame *frame, GError **error);

#endif
