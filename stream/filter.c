#include "stream/filter.h"
#include <fnmatch.h>

struct Filter {
    GStrv include, exclude;
};

/* What a source has that sets nothing. */
static const struct {
#define SOURCE_SETTING(key, type, field, fallback, sentence) const char *field;
#include "stream/source.list"
#undef SOURCE_SETTING
} fallbacks = {
#define SOURCE_SETTING(key, type, field, fallback, sentence) .field = fallback,
#include "stream/source.list"
#undef SOURCE_SETTING
};

/* Words between spaces; several spaces in a row make empty words, which match no name. */
static GStrv patterns_split(const char *text) {
    return g_strsplit_set(text, " \t", -1);
}

Filter *filter_new(const SourceSettings *source) {
    Filter *filter = g_new0(Filter, 1);
    filter->include = patterns_split(source != NULL ? source->include : fallbacks.include);
    filter->exclude = patterns_split(source != NULL ? source->exclude : fallbacks.exclude);
    return filter;
}

void filter_free(Filter *filter) {
    if (filter == NULL)
        return;
    g_strfreev(filter->include);
    g_strfreev(filter->exclude);
    g_free(filter);
}

static bool any_matches(char *const *patterns, const char *name) {
    for (; *patterns != NULL; patterns++)
        if (fnmatch(*patterns, name, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

bool filter_takes_file(const Filter *filter, const char *name) {
    return any_matches(filter->include, name) && !any_matches(filter->exclude, name);
}

bool filter_takes_folder(const Filter *filter, const char *name) {
    return !any_matches(filter->exclude, name);
}
