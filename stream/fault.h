/* fault: what can go wrong, named after what the caller does next.
 *
 * Every function that can fail takes a GError ** last and returns false or NULL when it did.
 * Whoever detects a fault writes its words (the file, the key, what was expected); everyone above
 * passes it on with g_propagate_prefixed_error at most. Modules are silent: the loop that gives up
 * logs, once.
 */
#ifndef STREAM_FAULT_H
#define STREAM_FAULT_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FAULT_AGAIN = 1, /* something outside is away, full or busy: nothing is lost, try later */
    FAULT_BROKEN,    /* these bytes are no readable image: the frame's row says so */
    FAULT_VANISHED,  /* the file is gone, or is no longer the one that was announced */
    FAULT_USAGE,     /* a setting or an argument is wrong, and stays wrong: exit status 2 */
    FAULT_STOP,      /* the program cannot do its work here: say why, exit status 1 */
} Fault;

#define FAULT fault_quark()
GQuark fault_quark(void);

/* Sets *error to (FAULT, fault, words) and returns false, so that a check fits one line:
 *     return fault_set(error, FAULT_BROKEN, "%s: strip %u ends at byte %llu of %llu", ...); */
bool fault_set(GError **error, Fault fault, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Whether error is (FAULT, fault); false for NULL. */
bool fault_is(const GError *error, Fault fault);

#endif
