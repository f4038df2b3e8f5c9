/* taking: a file of a plate is planned, its pictures are taken, it is written and listed. */
#ifndef MICROSCOPE_TAKING_H
#define MICROSCOPE_TAKING_H

#include "samples/microscope/options.h"

typedef struct Taking Taking;

/* Makes what it needs: optics, folder, list, and with --reuse the pictures. G_FILE_ERROR. */
Taking *taking_new(const Options *options, GError **error);
void taking_free(Taking *taking); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Taking, taking_free)

/* Tells a person at the terminal what is going to be taken, and what was. */
void taking_begin(Taking *taking, guint64 files);
void taking_end(Taking *taking);

/* The name of a run's plate, which count from 0. The caller g_frees. */
char *taking_plate(const Taking *taking, guint64 plate);

/* again: 0, or the how-manieth time a site is imaged again. Such a file has the name of the first
 * one below a folder again-1, again-2, ..., so that nothing is overwritten and its name still tells
 * the same place. */

/* Whether that file stands on disk. */
bool taking_stands(const Taking *taking, guint64 number, guint again);
/* Takes a file of the run when it is due, unless the run is asked to stop before. G_FILE_ERROR if
 * it or the list cannot be written. */
bool taking_file(Taking *taking, guint64 number, guint again, gint32 focus_nm, GError **error);

#endif
