#include "features/plug_ins/plug_in_process.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process whose socket has closed is nearly always about to be dead. */
#define DEATH_WAIT_MS 1000

/* Descriptors above those the process shall have them as, so that none is overwritten before it is
 * copied. */
#define SAFE_FD 16

struct PlugInProcess {
    pid_t pid; /* 0: it has ended */
    int socket;
};

extern char **environ;

/* --- starting --- */

static int open_above(int fd) {
    int above = fcntl(fd, F_DUPFD_CLOEXEC, SAFE_FD);
    close(fd);
    return above;
}

static bool make_socket(int *ret_ours, int *ret_theirs) {
    int both[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) < 0)
        return false;
    *ret_ours = both[0];
    *ret_theirs = open_above(both[1]);
    return true;
}

/* Nothing it prints may stand among what measure prints; nothing of ours stays open in it. */
static void prepare_files(posix_spawn_file_actions_t *files, int socket, int pixels) {
    posix_spawn_file_actions_init(files);
    posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(files, STDERR_FILENO, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(files, socket, PLUG_IN_SOCKET);
    posix_spawn_file_actions_adddup2(files, pixels, PLUG_IN_PIXELS);
    posix_spawn_file_actions_addclosefrom_np(files, PLUG_IN_PIXELS + 1);
}

/* A group of its own: Ctrl-C is for the worker, and ending the group ends what it has started. */
static void prepare_attributes(posix_spawnattr_t *attributes) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
}

/* Returns 0 or an errno. The worker has threads, so it may not simply fork. */
static int spawn(const char *file, gint64 memory_limit_bytes, int socket, int pixels, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    g_autofree char *limit = g_strdup_printf("%" G_GINT64_FORMAT, memory_limit_bytes);
    char *arguments[] = {(char *)g_get_prgname(), (char *)PLUG_IN_HOST_COMMAND, (char *)file, limit,
                         NULL};
    if (arguments[0] == NULL)
        arguments[0] = (char *)PLUG_IN_HOST_COMMAND;
    prepare_files(&files, socket, pixels);
    prepare_attributes(&attributes);
    int wrong = posix_spawn(pid, "/proc/self/exe", &files, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return wrong;
}

PlugInProcess *plug_in_process_start(const char *file, int pixels_fd, gint64 memory_limit_bytes,
                                     GError **error) {
    int ours = -1, theirs = -1;
    pid_t pid = 0;
    int pixels = fcntl(pixels_fd, F_DUPFD_CLOEXEC, SAFE_FD);
    int wrong = pixels < 0 || !make_socket(&ours, &theirs) ? errno : 0;
    if (wrong == 0)
        wrong = spawn(file, memory_limit_bytes, theirs, pixels, &pid);
    if (pixels >= 0)
        close(pixels);
    if (theirs >= 0)
        close(theirs);
    if (wrong != 0) {
        if (ours >= 0)
            close(ours);
        fault_set(error, FAULT_AGAIN, "there is no process for it: %s", g_strerror(wrong));
        return NULL;
    }
    PlugInProcess *process = g_new0(PlugInProcess, 1);
    *process = (PlugInProcess){.pid = pid, .socket = ours};
    return process;
}

/* --- ending --- */

static int wait_for_death(PlugInProcess *process) {
    int status = 0;
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
    return status;
}

/* The process itself too, by its own id: until it has a group of its own there is none to end. */
static void kill_all(const PlugInProcess *process) {
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
}

void plug_in_process_free(PlugInProcess *process) {
    if (process == NULL)
        return;
    if (process->pid != 0) {
        kill_all(process);
        wait_for_death(process);
    }
    close(process->socket);
    g_free(process);
}

/* Whether it died by itself, soon; it stays to be waited for, so that its group is still its own.
 */
static bool dies_by_itself(const PlugInProcess *process) {
    for (int ms = 0; ms < DEATH_WAIT_MS; ms++) {
        siginfo_t death = {0};
        if (waitid(P_PID, (id_t)process->pid, &death, WEXITED | WNOHANG | WNOWAIT) < 0 ||
            death.si_pid != 0)
            return true;
        g_usleep(1000);
    }
    return false;
}

static bool tell_death(PlugInProcess *process, GError **error) {
    bool by_itself = dies_by_itself(process);
    kill_all(process);
    int status = wait_for_death(process);
    if (!by_itself)
        return fault_set(error, FAULT_BROKEN, "closed the files of its process");
    if (WIFSIGNALED(status))
        return fault_set(error, FAULT_BROKEN, "crashed (signal %d)", WTERMSIG(status));
    return fault_set(error, FAULT_BROKEN, "ended its process (exit status %d)",
                     WEXITSTATUS(status));
}

/* --- speaking --- */

bool plug_in_process_say(PlugInProcess *process, PlugInMessageKind kind, const void *data,
                         gsize length) {
    struct {
        PlugInHeader header;
        char data[sizeof(PlugInImage)];
    } message = {.header = {.kind = kind, .length_bytes = (guint32)length}};
    g_assert(length <= sizeof message.data);
    memcpy(message.data, data, length);
    gsize whole = sizeof message.header + length;
    return send(process->socket, &message, whole, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)whole;
}

static bool wait_until_readable(const PlugInProcess *process, gint64 deadline_us, GError **error) {
    for (;;) {
        gint64 left_us = deadline_us - g_get_monotonic_time();
        struct pollfd readable = {.fd = process->socket, .events = POLLIN};
        int count = left_us > 0 ? poll(&readable, 1, (int)(left_us / 1000) + 1) : 0;
        if (count > 0)
            return true;
        if (count == 0 && left_us <= 0)
            return fault_set(error, FAULT_AGAIN, "says nothing in time");
    }
}

static bool hear_all(PlugInProcess *process, gint64 deadline_us, void *data, gsize length,
                     GError **error) {
    for (gsize received = 0; received < length;) {
        if (!wait_until_readable(process, deadline_us, error))
            return false;
        ssize_t count =
            recv(process->socket, (char *)data + received, length - received, MSG_DONTWAIT);
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN))
            return tell_death(process, error);
        received += (gsize)MAX(count, 0);
    }
    return true;
}

GBytes *plug_in_process_hear(PlugInProcess *process, gint64 deadline_us,
                             PlugInMessageKind *ret_kind, GError **error) {
    PlugInHeader header;
    if (!hear_all(process, deadline_us, &header, sizeof header, error))
        return NULL;
    if (header.length_bytes > PLUG_IN_MESSAGE_LIMIT) {
        fault_set(error, FAULT_BROKEN, "wrote over the memory of its process");
        return NULL;
    }
    g_autofree char *data = g_malloc(header.length_bytes + 1);
    data[header.length_bytes] = '\0';
    if (!hear_all(process, deadline_us, data, header.length_bytes, error))
        return NULL;
    *ret_kind = (PlugInMessageKind)header.kind;
    return g_bytes_new_take(g_steal_pointer(&data), header.length_bytes);
}
