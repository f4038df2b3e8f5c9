/* page: serves one web page that shows what happens now: the plate being imaged as a map, its
 * frames, alerts, lag and backlog. It only reads. */
#ifndef STORE_PAGE_PAGE_H
#define STORE_PAGE_PAGE_H

#include "stream/settings.h"

int page_command(const Settings *settings, char **arguments);
/* Whether page-listen can be right. FAULT_USAGE. */
bool page_check(const Settings *settings, GError **error);

#endif
