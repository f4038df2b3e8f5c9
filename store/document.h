/* document: one message of RESULTS, looked at as far as the store must know it: what kind it is,
 * which frame and source it is about, and whether it can be stored at all. The text itself goes to
 * SQL as it came, but that an array of numbers, [1,null,3], is the text "{1,null,3}", as SQL writes
 * arrays: both json-glib and PostgreSQL read that ten times faster than numbers one by one. */
#ifndef STORE_DOCUMENT_H
#define STORE_DOCUMENT_H

#include "stream/fault.h"
#include "stream/frame.h"

typedef enum {
    DOCUMENT_RESULT,
    DOCUMENT_EVENT,
    DOCUMENT_CATALOGUE,
} DocumentKind;

typedef enum {
    DOCUMENT_OPEN,      /* not decided yet */
    DOCUMENT_STORED,    /* committed, or was there already */
    DOCUMENT_REJECTED,  /* never can be; kept in table rejected */
    DOCUMENT_POSTPONED, /* not now, while others can: to be delivered again later */
} DocumentOutcome;

typedef struct {
    char *subject;
    char *reply; /* by which it is acknowledged */
    char *text;  /* valid UTF-8 without NUL; where it was not, replaced, and refusal is set */
    gsize length;
    char *sql;     /* the same as SQL gets it */
    char *refusal; /* why it need not be tried; NULL: it may be stored */
    DocumentKind kind;

    /* Results only; NULL else. */
    char *frame_id;
    char *source;   /* [A-Za-z0-9_-]+ */
    char *pipeline; /* the same */
    char *status;
    gint64 closed_us; /* when its file was closed, since 1970; 0: not told */

    DocumentOutcome outcome;
    bool is_vanished; /* results: the row they ask for says so */
    bool has_row;     /* results: whether the frame has a committed row now, be it a stand-in's */
} Document;

/* Copies subject, reply and body, and looks the body over. Never fails: what cannot be stored has
 * its refusal. */
Document *document_new(const char *subject, const char *reply, const void *body, gsize length);
void document_free(Document *document); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Document, document_free)

/* For a result that was rejected though its frame is in order: a result that says `broken` with
 * reason, so that the frame has its row and is not measured again for ever. NULL if the document
 * does not tell a frame and a pipeline. The caller frees it. */
Document *document_stand_in(const Document *rejected, const char *reason);

#endif
