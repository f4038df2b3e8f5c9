/* metrics: what the programs count, for Prometheus. Every number is a row of metrics.list.
 *
 * The numbers stand in memory that a program shares with the processes it forks, and are added to
 * without a lock: counting costs a frame nothing to speak of. Before metrics_open, and in programs
 * that never call it, counting does nothing. Any thread, any process forked later. */
#ifndef STREAM_METRICS_H
#define STREAM_METRICS_H

#include "stream/settings.h"
#include <glib.h>

typedef enum {
#define METRIC(name, type, label, buckets, programs, sentence) name,
#include "stream/metrics.list"
    METRICS_COUNT
} Metric;

/* Makes room for what program counts; before it forks. Without memory nothing is counted. */
void metrics_open(Program program);
void metrics_close(void);

/* Adds to a COUNTER. value: what stands behind its label; NULL for one without. */
void metrics_add(Metric metric, const char *value, guint64 count);
/* Sets a GAUGE or a TOTAL. */
void metrics_set(Metric metric, const char *value, double number);
/* Puts one observation into a HISTOGRAM. */
void metrics_observe(Metric metric, const char *value, double number);
/* The same for the time since a moment of the clock that g_get_real_time reads, or between two;
 * nothing if the first is 0, the moment was not reached. */
void metrics_observe_between(Metric metric, const char *value, gint64 from_us, gint64 to_us);
/* Has a value of a label be told from now on, though it counts 0. */
void metrics_mention(Metric metric, const char *value);

/* Everything, in Prometheus' text format 0.0.4. g_free it. */
char *metrics_text(void);
/* The table of all metrics, as docs/metrics.md shows it. g_free it. */
char *metrics_table(void);

/* Looks up what is told of processes by name of process_*: pids end with 0, the first is the
 * program's own. Returns the memory of the largest of the others, in bytes. */
gint64 metrics_look_at_processes(const pid_t pids[]);

#endif
