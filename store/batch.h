/* batch: documents on their way into the database, together in one statement. A document that
 * cannot be stored is found by halving, kept in table rejected, and holds nobody up. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/document.h"
#include "store/postgres.h"

/* Text one statement carries at most; a single document may be larger. */
#define BATCH_LIMIT_BYTES (8 * 1024 * 1024)

typedef struct {
    GPtrArray *documents; /* of Document *, owned */
    gsize size_bytes;     /* of their texts */
} Batch;

Batch *batch_new(void);
void batch_free(Batch *batch); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Batch, batch_free)

/* Takes over document. */
void batch_add(Batch *batch, Document *document);
/* Whether it holds count_limit documents, or as much text as one statement should carry. */
bool batch_is_full(const Batch *batch, guint count_limit);

/* Stores every document that is still open, and sets its outcome. All that can be stored is
 * committed when it returns true: none is open any more. On an error what has an outcome keeps it,
 * and a second call goes on with the rest: FAULT_AGAIN, the connection was lost or the server is
 * busy; FAULT_STOP, a function or a right is missing. */
bool batch_store(Batch *batch, Postgres *postgres, GError **error);

#endif
