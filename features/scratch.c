#include "features/scratch.h"
#include <stdlib.h>

#define ALIGNMENT 64

/* Blocks are taken from in order; after a reset there is one, as large as all of them were. */
struct Scratch {
    GPtrArray *blocks;
    gsize room_bytes, used_bytes; /* of the last block */
    gsize total_bytes;            /* of all */
    bool refused;                 /* something asked for since the last reset */
};

Scratch *scratch_new(void) {
    Scratch *scratch = g_new0(Scratch, 1);
    scratch->blocks = g_ptr_array_new_with_free_func(free);
    return scratch;
}

void scratch_free(Scratch *scratch) {
    if (scratch == NULL)
        return;
    g_ptr_array_unref(scratch->blocks);
    g_free(scratch);
}

static void *add_block(Scratch *scratch, gsize size_bytes) {
    void *block = aligned_alloc(ALIGNMENT, size_bytes);
    if (block == NULL)
        return NULL;
    g_ptr_array_add(scratch->blocks, block);
    scratch->room_bytes = size_bytes;
    scratch->used_bytes = 0;
    scratch->total_bytes += size_bytes;
    return block;
}

static void *take(Scratch *scratch, gsize size_bytes) {
    if (size_bytes > G_MAXSSIZE - ALIGNMENT)
        return NULL;
    size_bytes = (MAX(size_bytes, 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size_bytes > scratch->room_bytes - scratch->used_bytes &&
        add_block(scratch, size_bytes) == NULL)
        return NULL;
    char *block = scratch->blocks->pdata[scratch->blocks->len - 1];
    void *taken = block + scratch->used_bytes;
    scratch->used_bytes += size_bytes;
    return taken;
}

void *scratch_take(Scratch *scratch, gsize size_bytes) {
    void *taken = take(scratch, size_bytes);
    scratch->refused |= taken == NULL;
    return taken;
}

static void join_blocks(Scratch *scratch) {
    gsize total_bytes = scratch->total_bytes;
    if (scratch->blocks->len < 2)
        return;
    g_ptr_array_set_size(scratch->blocks, 0);
    scratch->room_bytes = scratch->total_bytes = 0;
    add_block(scratch, total_bytes); /* if there is no such piece, the next computation asks anew */
}

bool scratch_reset(Scratch *scratch) {
    bool sufficed = !scratch->refused;
    scratch->refused = false;
    scratch->used_bytes = 0;
    join_blocks(scratch);
    return sufficed;
}
