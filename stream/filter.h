/* filter: which names of a source are images, and which are passed over. */
#ifndef STREAM_FILTER_H
#define STREAM_FILTER_H

#include "stream/settings.h"

typedef struct Filter Filter;

/* From the source's include and exclude patterns: shell globs, case ignored. NULL: from those a
 * source has that sets none. */
Filter *filter_new(const SourceSettings *source);
void filter_free(Filter *filter); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Filter, filter_free)

/* name: one name, without folders. */
bool filter_takes_file(const Filter *filter, const char *name);
bool filter_takes_folder(const Filter *filter, const char *name);

#endif
