/* nats_server: a real NATS server with JetStream for a test, in a folder of its own. */
#ifndef TESTS_NATS_SERVER_H
#define TESTS_NATS_SERVER_H

#include "stream/settings.h"
#include <arpa/inet.h>
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *folder;
    int port;
    pid_t pid; /* 0: not running */
    const char *options[4];
} NatsServer;

static inline int free_port(void) {
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    ck_assert_int_eq(bind(probe, (struct sockaddr *)&address, length), 0);
    getsockname(probe, (struct sockaddr *)&address, &length);
    close(probe);
    return ntohs(address.sin_port);
}

static inline void nats_server_run(NatsServer *server) {
    char port[16];
    g_snprintf(port, sizeof port, "%d", server->port);
    server->pid = fork();
    if (server->pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves no server behind */
    g_autofree char *log = g_build_filename(server->folder, "log", NULL);
    execlp("nats-server", "nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd",
           server->folder, "-l", log, server->options[0], server->options[1], server->options[2],
           NULL);
    _exit(127);
}

static inline NatsServer nats_server_start(void) {
    NatsServer server = {.folder = g_dir_make_tmp("scopestream-nats-XXXXXX", NULL),
                         .port = free_port()};
    nats_server_run(&server);
    return server;
}

static inline void nats_server_kill(NatsServer *server) {
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

static inline void folder_delete(const char *folder) {
    const char *arguments[] = {"rm", "-rf", "--", folder, NULL};
    g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

static inline void nats_server_stop(NatsServer *server) {
    nats_server_kill(server);
    folder_delete(server->folder);
    g_clear_pointer(&server->folder, g_free);
}

static inline Settings *nats_server_settings(const NatsServer *server) {
    Settings *settings = settings_new();
    g_free(settings->nats_url);
    settings->nats_url = g_strdup_printf("nats://127.0.0.1:%d", server->port);
    settings->frames_limit_bytes = 64 << 20;
    settings->results_limit_bytes = 64 << 20;
    return settings;
}

#endif
