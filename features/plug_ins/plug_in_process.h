/* plug_in_process: a worker's end of the process a plug-in lives in: started, spoken to, and ended,
 * within given times. */
#ifndef FEATURES_PLUG_IN_PROCESS_H
#define FEATURES_PLUG_IN_PROCESS_H

#include "features/plug_ins/plug_in_wire.h"
#include "stream/fault.h"

typedef struct PlugInProcess PlugInProcess;

/* Starts this program anew, as the process of the plug-in in file, an absolute path. It has no file
 * or connection of ours but standard error and pixels_fd, and ends with us. memory_limit_bytes: of
 * its address space; 0: none. Returns at once: what it first says is heard like everything else.
 * FAULT_AGAIN if there is no process to be had. */
PlugInProcess *plug_in_process_start(const char *file, int pixels_fd, gint64 memory_limit_bytes,
                                     GError **error);
/* Ends it at once and all it has started. Accepts NULL. */
void plug_in_process_free(PlugInProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PlugInProcess, plug_in_process_free)

/* False if it is not there any more; hearing tells why. */
bool plug_in_process_say(PlugInProcess *process, PlugInMessageKind kind, const void *data,
                         gsize length);
/* What it says next, at most PLUG_IN_MESSAGE_LIMIT bytes; ends with a NUL that does not count.
 * NULL, with FAULT_BROKEN and words like "crashed (signal 11)", if it has ended or what it says
 * makes no sense; with FAULT_AGAIN if it says nothing until deadline_us (monotonic). It is good for
 * nothing but plug_in_process_free then. */
GBytes *plug_in_process_hear(PlugInProcess *process, gint64 deadline_us,
                             PlugInMessageKind *ret_kind, GError **error);

#endif
