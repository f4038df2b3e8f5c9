#include "ingest/withdraw.h"
#include "stream/program.h"

/* First the queue, then the journal: if only the first is done, it is done again. */
static bool lane_withdraw(const Settings *settings, Journal *journal, Bus *bus,
                          const JournalLane *lane, guint64 last_sequence, GError **error) {
    g_autofree char *subject =
        g_strdup_printf("scopestream.frame.%s.%s", lane->pipeline, lane->source);
    BusStream frames = bus_stream_frames(settings, lane->pipeline);
    frames.filter = subject;
    return bus_drop_until(bus, &frames, last_sequence, error) &&
           journal_set_withdrawn(journal, lane, error);
}

bool withdraw_abandoned(const Settings *settings, Journal *journal, Bus *bus, guint64 last_sequence,
                        GError **error) {
    g_autoptr(GPtrArray) lanes = journal_abandoned(journal, error);
    for (guint index = 0; lanes != NULL && index < lanes->len; index++) {
        const JournalLane *lane = g_ptr_array_index(lanes, index);
        if (!lane_withdraw(settings, journal, bus, lane, last_sequence, error))
            return false;
        log_info("source %s: frames that waited for pipeline %s are taken out of the queue, it is "
                 "not wanted any longer",
                 lane->source, lane->pipeline);
    }
    return lanes != NULL;
}
