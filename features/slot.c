#include "features/slot.h"
#include <sys/mman.h>

Board *board_new(guint jobs) {
    gsize size = sizeof(Board) + jobs * sizeof(Slot);
    Board *board = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return NULL;
    board->jobs = jobs;
    return board;
}

void slot_take(Slot *slot, const FrameId *frame, const char *reply) {
    slot->frame = *frame;
    g_strlcpy(slot->reply, reply != NULL ? reply : "", sizeof slot->reply);
    slot->started_us = g_get_monotonic_time();
    atomic_store(&slot->stage, SLOT_MEASURING);
}

void slot_tell(Slot *slot) {
    atomic_store(&slot->stage, SLOT_TELLING);
}

void slot_clear(Slot *slot) {
    atomic_store(&slot->stage, SLOT_EMPTY);
}

const Deaths *board_deaths(const Board *board, const FrameId *frame) {
    for (guint row = 0; row < DEATHS_KEPT; row++)
        if (atomic_load(&board->deaths[row].count) > 0 &&
            frame_id_equal(&board->deaths[row].frame, frame))
            return &board->deaths[row];
    return NULL;
}

/* The frame's row, or the oldest one made its own. */
static Deaths *row_for(Board *board, const FrameId *frame) {
    Deaths *known = (Deaths *)board_deaths(board, frame);
    if (known != NULL)
        return known;
    Deaths *row = &board->deaths[board->next_deaths++ % DEATHS_KEPT];
    atomic_store(&row->count, 0);
    row->frame = *frame;
    return row;
}

guint board_count_death(Board *board, Slot *slot, const char *reason) {
    atomic_fetch_add(&board->deaths_total, 1);
    SlotStage stage = atomic_load(&slot->stage);
    if (stage == SLOT_EMPTY)
        return 0;
    g_strlcpy(slot->orphan, slot->reply, sizeof slot->orphan);
    slot_clear(slot);
    if (stage == SLOT_TELLING)
        return 0;
    Deaths *row = row_for(board, &slot->frame);
    g_strlcpy(row->reason, reason, sizeof row->reason);
    return atomic_fetch_add(&row->count, 1) + 1;
}
