#include "store/batch.h"
#include <string.h>

Batch *batch_new(void) {
    Batch *batch = g_new0(Batch, 1);
    batch->documents = g_ptr_array_new_with_free_func((GDestroyNotify)document_free);
    return batch;
}

void batch_free(Batch *batch) {
    if (batch == NULL)
        return;
    g_ptr_array_unref(batch->documents);
    g_free(batch);
}

void batch_add(Batch *batch, Document *document) {
    batch->size_bytes += document->length;
    g_ptr_array_add(batch->documents, document);
}

bool batch_is_full(const Batch *batch, guint count_limit) {
    return batch->documents->len >= count_limit || batch->size_bytes >= BATCH_LIMIT_BYTES;
}

/* --- one statement --- */

static bool store_together(Document *const documents[], guint count, Postgres *postgres,
                           GError **error) {
    g_autoptr(GString) array = g_string_sized_new(BATCH_LIMIT_BYTES / 8);
    for (guint i = 0; i < count; i++) {
        g_string_append_c(array, i == 0 ? '[' : ',');
        g_string_append(array, documents[i]->sql);
    }
    g_string_append_c(array, ']');
    g_autofree char *expected = g_strdup_printf("%u", count);
    const char *parameters[] = {array->str, expected};
    g_autoptr(PostgresRows) done =
        postgres_ask(postgres, "select scopestream_data.store_documents($1::jsonb, $2::integer)",
                     parameters, G_N_ELEMENTS(parameters), error);
    return done != NULL;
}

/* --- one that cannot be stored --- */

/* A result's frame gets a row that says broken: else it would be measured, and rejected, again and
 * again. false: try later. */
static bool store_stand_in(Document *document, const char *why, Postgres *postgres,
                           GError **error) {
    g_autofree char *reason = g_strdup_printf("result rejected: %s", why);
    g_autoptr(Document) stand_in = document_stand_in(document, reason);
    g_autoptr(GError) fault = NULL;
    if (stand_in == NULL || stand_in->refusal != NULL)
        return true;
    document->has_row = store_together(&stand_in, 1, postgres, &fault);
    if (fault == NULL || fault_is(fault, FAULT_BROKEN))
        return true;
    g_propagate_error(error, g_steal_pointer(&fault));
    return false;
}

/* sqlstate: NULL if PostgreSQL was not asked. */
static bool reject(Document *document, const char *sqlstate, const char *why, Postgres *postgres,
                   GError **error) {
    const char *parameters[] = {document->text, document->subject, sqlstate, why};
    g_autoptr(PostgresRows) kept =
        postgres_ask(postgres, "select scopestream_data.reject_document($1, $2, $3, $4)",
                     parameters, G_N_ELEMENTS(parameters), error);
    if (kept == NULL || !store_stand_in(document, why, postgres, error))
        return false;
    if (document->refusal == NULL) /* what the loop logs */
        document->refusal = g_strdup(why);
    document->outcome = DOCUMENT_REJECTED;
    return true;
}

/* --- halving --- */

static void set_stored(Document *const documents[], guint count) {
    for (guint i = 0; i < count; i++) {
        documents[i]->outcome = DOCUMENT_STORED;
        documents[i]->has_row = documents[i]->frame_id != NULL;
    }
}

/* Frames of hundreds of months, such as an old archive copied into the folder, make more tables in
 * one transaction than PostgreSQL has locks for; fewer frames make fewer. */
static bool locks_ran_out(const Postgres *postgres) {
    return g_str_equal(postgres_sqlstate(postgres), "53200");
}

static bool store_halving(Document *const documents[], guint count, Postgres *postgres,
                          GError **error) {
    g_autoptr(GError) fault = NULL;
    if (count == 0)
        return true;
    if (store_together(documents, count, postgres, &fault)) {
        set_stored(documents, count);
        return true;
    }
    if (!fault_is(fault, FAULT_BROKEN) && !(count > 1 && locks_ran_out(postgres))) {
        g_propagate_error(error, g_steal_pointer(&fault));
        return false;
    }
    if (count == 1) {
        g_autofree char *sqlstate = g_strdup(postgres_sqlstate(postgres));
        return reject(documents[0], sqlstate, fault->message, postgres, error);
    }
    guint half = count / 2;
    return store_halving(documents, half, postgres, error) &&
           store_halving(documents + half, count - half, postgres, error);
}

/* --- a batch --- */

static bool reject_refused(Batch *batch, Postgres *postgres, GError **error) {
    for (guint i = 0; i < batch->documents->len; i++) {
        Document *document = g_ptr_array_index(batch->documents, i);
        if (document->outcome == DOCUMENT_OPEN && document->refusal != NULL &&
            !reject(document, NULL, document->refusal, postgres, error))
            return false;
    }
    return true;
}

/* A catalogue that brings new columns needs the table to itself. While somebody's long query is on
 * it that cannot be had; results are not made to wait for it. */
static bool store_catalogues(Batch *batch, Postgres *postgres, GError **error) {
    for (guint i = 0; i < batch->documents->len; i++) {
        Document *document = g_ptr_array_index(batch->documents, i);
        g_autoptr(GError) fault = NULL;
        if (document->outcome != DOCUMENT_OPEN || document->kind != DOCUMENT_CATALOGUE)
            continue;
        if (store_halving(&document, 1, postgres, &fault))
            continue;
        if (!g_str_equal(postgres_sqlstate(postgres), "55P03")) {
            g_propagate_error(error, g_steal_pointer(&fault));
            return false;
        }
        document->outcome = DOCUMENT_POSTPONED;
    }
    return true;
}

bool batch_store(Batch *batch, Postgres *postgres, GError **error) {
    if (!reject_refused(batch, postgres, error) || !store_catalogues(batch, postgres, error))
        return false;
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    for (guint i = 0; i < batch->documents->len; i++) {
        Document *document = g_ptr_array_index(batch->documents, i);
        if (document->outcome == DOCUMENT_OPEN)
            g_ptr_array_add(open, document);
    }
    return store_halving((Document *const *)open->pdata, open->len, postgres, error);
}
