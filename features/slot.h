/* slot: what a worker process has in hand, told to its parent through shared memory, so that a
 * frame that ends the process is known, counted and given back at once. */
#ifndef FEATURES_SLOT_H
#define FEATURES_SLOT_H

#include "stream/frame.h"
#include <stdatomic.h>

#define SLOT_REPLY_LIMIT  512
#define SLOT_REASON_LIMIT 160
#define DEATHS_KEPT       256
/* Worker processes a frame may end before its row says poison. */
#define DEATHS_TO_POISON 3

/* What a worker does with the frame in its hand. Only measuring can be the frame's own doing: a
 * result may wait for hours until a stream has room for it. */
typedef enum {
    SLOT_EMPTY,
    SLOT_MEASURING,
    SLOT_TELLING,
} SlotStage;

/* One worker process. Written by the worker while it lives, read by the parent. */
typedef struct {
    atomic_int stage; /* a SlotStage; but SLOT_EMPTY: the members down to started_us are filled */
    FrameId frame;
    char reply[SLOT_REPLY_LIMIT];  /* where the frame's message is settled */
    gint64 started_us;             /* monotonic */
    atomic_ulong measured, broken; /* rows told */
    atomic_int connected;          /* to NATS, and ready to take frames */

    atomic_int pid; /* of the worker; 0: none runs. Written by the parent, read by the teller */
    /* Written by the parent when the worker has died; read by its successor. */
    char orphan[SLOT_REPLY_LIMIT]; /* a message to give back; "": none */
} Slot;

/* A frame that has ended worker processes. Written by the parent. */
typedef struct {
    FrameId frame;
    atomic_uint count; /* 0: the row is free */
    char reason[SLOT_REASON_LIMIT];
} Deaths;

/* Shared by the parent and all workers. */
typedef struct {
    guint jobs;
    atomic_ulong deaths_total;
    atomic_int were_right; /* a worker came to work with these settings: a refusal may pass */
    char wrong[SLOT_REPLY_LIMIT]; /* why a worker cannot work with these settings; "": none said so
                                   */
    guint next_deaths;            /* the row overwritten when all are in use */
    Deaths deaths[DEATHS_KEPT];
    Slot slots[]; /* of jobs */
} Board;

/* Shared memory, zeroed; NULL if there is none. It lives as long as the processes. */
Board *board_new(guint jobs);

void slot_take(Slot *slot, const FrameId *frame, const char *reply);
void slot_tell(Slot *slot); /* the frame is measured; its result is on the way */
void slot_clear(Slot *slot);

/* What the board knows against a frame; NULL: nothing. */
const Deaths *board_deaths(const Board *board, const FrameId *frame);
/* Leaves the message of the frame in the slot, if it had one, to the successor, and counts a death
 * against the frame if it was being measured. Returns the frame's deaths so far; 0: it is not to
 * blame. */
guint board_count_death(Board *board, Slot *slot, const char *reason);

#endif
