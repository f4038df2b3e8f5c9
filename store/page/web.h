/* web: the files of the page and the questions it asks, which stand in the program itself. */
#ifndef STORE_PAGE_WEB_H
#define STORE_PAGE_WEB_H

#include <glib.h>

/* A file of the page by the path it is asked for, and what it is; NULL: there is none. Unref it. */
GBytes *web_file(const char *path, const char **ret_type, const char **ret_cache_control);

/* store/page/sql/NAME.sql; borrowed for ever. The name must be that of one. */
const char *web_sql(const char *name);

#endif
