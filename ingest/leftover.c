#include "ingest/leftover.h"

/* A message that is really being worked on comes again after each ack wait; where somebody asks for
 * messages and none came for so many of them, none will. */
#define ACK_WAITS_STILL 3

/* Whether the consumer gave out nothing and was acknowledged nothing for long, while it could. */
static bool is_still(Leftover *leftover, const BusStream *stream, const BusStreamState *state,
                     gint64 now_us) {
    bool moved = leftover->since_us == 0 || leftover->deliveries != state->consumer_deliveries ||
                 leftover->in_work != state->consumer_in_work;
    if (state->consumer_waiting == 0) {
        leftover->since_us = 0;
        return false;
    }
    if (moved)
        *leftover = (Leftover){.since_us = now_us,
                               .deliveries = state->consumer_deliveries,
                               .in_work = state->consumer_in_work};
    return now_us - leftover->since_us > ACK_WAITS_STILL * stream->ack_wait_ms * 1000;
}

guint64 leftover_look(Leftover *leftover, const BusStream *stream, const BusStreamState *state,
                      gint64 now_us) {
    bool is_possible = state->consumer_messages > 0 && state->consumer_pending == 0 &&
                       state->first_sequence <= state->consumer_sequence;
    if (!is_possible) {
        leftover->since_us = 0;
        return 0;
    }
    bool nothing_to_do = state->consumer_in_work == 0;
    return nothing_to_do || is_still(leftover, stream, state, now_us) ? state->consumer_sequence
                                                                      : 0;
}
