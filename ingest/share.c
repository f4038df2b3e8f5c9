#include "ingest/share.h"

/* Messages that fit into one share. Each pipeline is offered the same frames, so the messages of
 * all are of one size on average. At least one, or a tiny queue would stand still. */
static guint64 share_messages(const BusStream *frames, const BusStreamState *state,
                              guint pipelines) {
    guint64 messages = (guint64)frames->max_messages / pipelines;
    if (state->messages > 0) {
        guint64 message_bytes = MAX(state->bytes / state->messages, 1);
        messages = MIN(messages, (guint64)frames->max_bytes / pipelines / message_bytes);
    }
    return MAX(messages, 1);
}

guint share_room(const BusStream *frames, const BusStreamState *state, guint pipelines,
                 guint most) {
    guint64 messages = share_messages(frames, state, pipelines);
    guint64 room = messages - MIN(messages, state->consumer_messages);
    return (guint)MIN(room, most);
}
