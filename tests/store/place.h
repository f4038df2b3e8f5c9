/* place: a database of a test's own, and documents on their way into it. */
#ifndef TESTS_STORE_PLACE_H
#define TESTS_STORE_PLACE_H

#include "store/batch.h"
#include "tests/store/cluster.h"
#include "tests/store/documents.h"

/* A database of the test's own, as the role the store has. */
typedef struct {
    Postgres *admin, *store;
} Place;

static inline Place place_make(void) {
    g_autofree char *address = cluster_database();
    Place place = {.admin = cluster_connect(address)};
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('storing') is null then "
                                       "create role storing login in role scopestream_store; "
                                       "end if; end $$"));
    g_autofree char *as_store = cluster_as(address, "storing");
    place.store = cluster_connect(as_store);
    return place;
}

static inline void place_clear(Place *place) {
    postgres_free(place->admin);
    postgres_free(place->store);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static inline void add(Batch *batch, char *text) {
    batch_add(batch, document_new("scopestream.result.quality.scope", "reply", text, strlen(text)));
    g_free(text);
}

static inline DocumentOutcome outcome(const Batch *batch, guint i) {
    return ((Document *)g_ptr_array_index(batch->documents, i))->outcome;
}

static inline void expect_stored(Batch *batch, Postgres *postgres) {
    g_autoptr(GError) error = NULL;
    bool ok = batch_store(batch, postgres, &error);
    ck_assert_msg(ok, "%s", error != NULL ? error->message : "");
}

/* Stores one document and returns what became of it. */
static inline DocumentOutcome store_one(Place *place, char *text) {
    g_autoptr(Batch) batch = batch_new();
    add(batch, text);
    expect_stored(batch, place->store);
    return outcome(batch, 0);
}

#endif
