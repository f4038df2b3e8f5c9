/* metrics_server: tells the metrics of a program over HTTP:
 *
 *   /metrics   for Prometheus
 *   /healthz   200: the program is alive
 *   /readyz    200: what it needs is reached; 503, and the body says line by line what is missing
 */
#ifndef STREAM_METRICS_SERVER_H
#define STREAM_METRICS_SERVER_H

#include "stream/metrics.h"

/* What a program answers with. Both are called on the server's thread, one at a time, and must not
 * wait for anybody. */
typedef struct {
    /* Looks up what is not counted as it happens: gauges. */
    void (*look)(void *context);
    /* Adds to missing a line, ending with \n, for each thing that is not reached. */
    void (*ready)(GString *missing, void *context);
    void *context;
} MetricsSource;

typedef struct MetricsServer MetricsServer;

/* Listens where the program's metrics-listen says. *ret_server is NULL where that is empty, and
 * where the default address is somebody else's: a line in the log says so. FAULT_USAGE: an address
 * that was set and cannot be had. */
bool metrics_server_start(Program program, const Settings *settings, MetricsSource source,
                          MetricsServer **ret_server, GError **error);
void metrics_server_stop(MetricsServer *server); /* accepts NULL */

#endif
