/* naming: where a frame stands, as the names of its file and folders tell.
 *
 * One instrument is one row of namings.list, and no C. */
#ifndef STREAM_NAMING_H
#define STREAM_NAMING_H

#include "stream/frame.h"
#include "stream/settings.h"

typedef struct {
    const char *key;      /* as in Frame.naming and in the setting `naming` */
    const char *file;     /* regular expression for the file's name */
    const char *folder;   /* for the folders above it; "": they tell nothing */
    const char *example;  /* a path such an instrument writes */
    const char *sentence; /* which instrument */
} Naming;

#define NAMING_AUTO "auto" /* the setting's value for: try all rows, in order */

/* All rows in the order they are tried; ends with an empty row. */
const Naming *naming_table(void);

/* Whether key is NAMING_AUTO or the key of a row: what the setting `naming` may be. */
bool naming_exists(const char *key);

/* Sets frame's naming, experiment, plate, well, channel, site, z and t by frame->path and the
 * folder of the source: by the source's row, or with NAMING_AUTO by the first row that matches.
 *
 * Never fails. If no row matches, naming stays NULL and all else unknown, save that a name with one
 * token that reads like a well (A01 to P24, capital, two digits, alone between signs) is believed
 * to stand in that well, and on the plate of its folder's name. */
void naming_place(const SourceSettings *source, Frame *frame);

#endif
