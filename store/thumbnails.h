/* thumbnails: the pictures of the frames are let go after a while, a month at once. */
#ifndef STORE_THUMBNAILS_H
#define STORE_THUMBNAILS_H

#include "store/postgres.h"

/* Drops the pictures of whole months that are older than keep_ms, and says so in the log; 0 keeps
 * all. A month that somebody is reading stays until the next time. */
bool thumbnails_drop_old(Postgres *postgres, gint64 keep_ms, GError **error);

#endif
