#include "features/teller.h"
#include "stream/metrics_server.h"
#include "stream/program.h"
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    Board *board;
    pid_t parent;
} Teller;

typedef struct {
    guint running, connected, busy;
} Heads;

static Heads heads_count(const Board *board) {
    Heads heads = {0};
    for (guint job = 0; job < board->jobs; job++) {
        const Slot *slot = &board->slots[job];
        bool runs = atomic_load(&slot->pid) != 0;
        heads.running += runs;
        heads.connected += runs && atomic_load(&slot->connected) != 0;
        heads.busy += runs && atomic_load(&slot->stage) != SLOT_EMPTY;
    }
    return heads;
}

/* The parent's first, then the teller's own, then those of the workers; the last is 0. */
static pid_t *pids_of(const Teller *teller) {
    pid_t *pids = g_new0(pid_t, teller->board->jobs + 3);
    guint count = 0;
    pids[count++] = teller->parent;
    pids[count++] = getpid();
    for (guint job = 0; job < teller->board->jobs; job++) {
        pid_t pid = atomic_load(&teller->board->slots[job].pid);
        if (pid != 0)
            pids[count++] = pid;
    }
    return pids;
}

static void look(void *context) {
    const Teller *teller = context;
    Heads heads = heads_count(teller->board);
    g_autofree pid_t *pids = pids_of(teller);
    metrics_set(scopestream_features_workers, NULL, teller->board->jobs);
    metrics_set(scopestream_features_workers_running, NULL, heads.running);
    metrics_set(scopestream_features_workers_connected, NULL, heads.connected);
    metrics_set(scopestream_features_workers_busy, NULL, heads.busy);
    metrics_set(scopestream_nats_connected, NULL, heads.connected > 0);
    metrics_set(scopestream_features_largest_worker_bytes, NULL,
                (double)metrics_look_at_processes(pids));
}

static void ready(GString *missing, void *context) {
    const Teller *teller = context;
    Heads heads = heads_count(teller->board);
    if (heads.running == 0)
        g_string_append(missing, "no worker process runs\n");
    else if (heads.connected == 0)
        g_string_append(missing, "NATS is not reached by any worker\n");
}

int teller_run(const Settings *settings, Board *board, pid_t parent) {
    Teller teller = {board, parent};
    MetricsServer *server;
    g_autoptr(GError) error = NULL;
    MetricsSource source = {look, ready, &teller};
    if (!metrics_server_start(FEATURES, settings, source, &server, &error)) {
        g_strlcpy(board->wrong, error->message, sizeof board->wrong);
        return EXIT_WRONG_USE;
    }
    while (server != NULL && program_sleep(G_MAXINT))
        ;
    metrics_server_stop(server);
    return EXIT_SUCCESS;
}
