/* The parent has no threads and no connection, because it forks for as long as it lives: it waits
 * for deaths, ends workers that take too long, and starts their successors. */
#include "features/crew.h"
#include "features/pipeline.h"
#include "features/teller.h"
#include "features/worker.h"
#include "stream/metrics.h"
#include "stream/program.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS_LIMIT = 1024,
    LOOK_EVERY_MS = 100,
    TELLER_END_MS = 2000,
    LOOK_WHILE_ENDING_MS = 10,
    /* A worker that dies without measuring a frame is not started again at once. */
    RESTART_PAUSE_MS = 1000,
};

typedef struct {
    pid_t pid;         /* 0: not running */
    bool too_long;     /* we ended it ourselves */
    gint64 restart_us; /* monotonic: not before */
} Member;

typedef struct {
    const Settings *settings;
    Board *board;
    Member *members;
    Member teller;       /* serves metrics: the parent has no thread that could */
    bool teller_ended;   /* by itself, and well: it is not started again */
    bool wrong_settings; /* a worker said so: nobody is started any more */
} Crew;

/* --- starting --- */

static void limit(int resource, rlim_t value) {
    struct rlimit both = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &both);
}

static void set_limits(const Settings *settings) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
#ifndef SCOPESTREAM_SANITIZE /* whose shadow memory is terabytes of address space */
    if (settings->memory_limit_bytes > 0)
        limit(RLIMIT_AS, (rlim_t)settings->memory_limit_bytes);
#endif
}

static void start_member(Crew *crew, guint job) {
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        log_error("cannot start a worker process: %s", g_strerror(errno));
        crew->members[job].restart_us = g_get_monotonic_time() + RESTART_PAUSE_MS * 1000;
        return;
    }
    if (pid > 0) {
        crew->members[job] = (Member){.pid = pid};
        atomic_store(&crew->board->slots[job].pid, pid);
        return;
    }
    setpgid(0, 0); /* Ctrl-C reaches the parent, which lets every worker finish its frame */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    program_forked();
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    set_limits(crew->settings);
    exit(worker_run(crew->settings, crew->board, job));
}

static void start_teller(Crew *crew) {
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0) { /* where there is no process to be had, the workers' starts say so */
        crew->teller = (Member){.pid = MAX(pid, 0)};
        crew->teller.restart_us = g_get_monotonic_time() + RESTART_PAUSE_MS * 1000;
        return;
    }
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    program_forked();
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    limit(RLIMIT_CORE, 0);
    exit(teller_run(crew->settings, crew->board, parent));
}

static void start_missing(Crew *crew) {
    gint64 now = g_get_monotonic_time();
    for (guint job = 0; job < crew->board->jobs; job++)
        if (crew->members[job].pid == 0 && crew->members[job].restart_us <= now)
            start_member(crew, job);
    if (crew->teller.pid == 0 && !crew->teller_ended && crew->teller.restart_us <= now)
        start_teller(crew);
}

/* --- deaths --- */

static char *death_reason(const Crew *crew, const Member *member, int status) {
    if (member->too_long)
        return g_strdup_printf("took longer than %g s ([features] frame-time-limit)",
                               (double)crew->settings->frame_time_limit_ms / 1000);
    if (WIFSIGNALED(status))
        return g_strdup_printf("ended by signal %d (%s)", WTERMSIG(status),
                               strsignal(WTERMSIG(status)));
    return g_strdup_printf("ended with status %d", WEXITSTATUS(status));
}

static const char *death_kind(const Member *member, int status) {
    return member->too_long ? "time_limit" : WIFSIGNALED(status) ? "signal" : "exit";
}

static void bury(Crew *crew, guint job, int status) {
    Member *member = &crew->members[job];
    Slot *slot = &crew->board->slots[job];
    char id[FRAME_ID_TEXT_LENGTH + 1];
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->connected, 0);
    bool stopped = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG_USE)
        crew->wrong_settings = true;
    else if (!stopped) {
        g_autofree char *reason = death_reason(crew, member, status);
        metrics_add(scopestream_features_worker_deaths_total, death_kind(member, status), 1);
        guint deaths = board_count_death(crew->board, slot, reason);
        if (deaths > 0)
            log_warning("worker %u %s while measuring frame %s (%u of %d)", job, reason,
                        frame_id_text(&slot->frame, id), deaths, DEATHS_TO_POISON);
        else
            log_warning("worker %u %s while it measured nothing", job, reason);
        if (deaths == 0)
            member->restart_us = g_get_monotonic_time() + RESTART_PAUSE_MS * 1000;
    }
    member->pid = 0;
    member->too_long = false;
}

static void bury_teller(Crew *crew, int status) {
    crew->teller.pid = 0;
    crew->teller_ended = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_WRONG_USE)
        crew->wrong_settings = true;
    else if (!crew->teller_ended)
        log_warning("the process that tells metrics ended; another takes its place");
}

static void bury_the_dead(Crew *crew) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == crew->teller.pid)
            bury_teller(crew, status);
        for (guint job = 0; job < crew->board->jobs; job++)
            if (crew->members[job].pid == pid)
                bury(crew, job, status);
    }
}

static void end_those_that_take_too_long(Crew *crew) {
    gint64 oldest_us = g_get_monotonic_time() - crew->settings->frame_time_limit_ms * 1000;
    for (guint job = 0; job < crew->board->jobs; job++) {
        const Slot *slot = &crew->board->slots[job];
        Member *member = &crew->members[job];
        if (member->pid == 0 || member->too_long || atomic_load(&slot->stage) != SLOT_MEASURING ||
            slot->started_us > oldest_us)
            continue;
        member->too_long = true;
        kill(member->pid, SIGKILL);
    }
}

/* --- the end --- */

static guint count_alive(const Crew *crew) {
    guint alive = 0;
    for (guint job = 0; job < crew->board->jobs; job++)
        alive += crew->members[job].pid != 0;
    return alive;
}

static void tell_all(const Crew *crew, int signal_number) {
    for (guint job = 0; job < crew->board->jobs; job++)
        if (crew->members[job].pid != 0)
            kill(crew->members[job].pid, signal_number);
}

/* Last, for it tells of the end, too. Nothing is lost with it: one that does not end is made to. */
static void end_teller(Crew *crew) {
    gint64 until_us = g_get_monotonic_time() + TELLER_END_MS * 1000;
    if (crew->teller.pid != 0)
        kill(crew->teller.pid, SIGTERM);
    while (crew->teller.pid != 0) {
        g_usleep(LOOK_WHILE_ENDING_MS * 1000);
        if (g_get_monotonic_time() > until_us)
            kill(crew->teller.pid, SIGKILL);
        bury_the_dead(crew);
    }
}

static void wait_for_all(Crew *crew) {
    tell_all(crew, SIGTERM);
    while (count_alive(crew) > 0) {
        g_usleep(LOOK_WHILE_ENDING_MS * 1000);
        end_those_that_take_too_long(crew);
        bury_the_dead(crew);
    }
    end_teller(crew);
}

/* --- the loop --- */

static guint jobs_of(const Settings *settings) {
    gint64 jobs = settings->jobs > 0 ? settings->jobs : g_get_num_processors();
    return (guint)MIN(jobs, JOBS_LIMIT);
}

bool crew_check(const Settings *settings, GError **error) {
    for (PipelineSettings **section = settings->pipeline_sections; *section != NULL; section++) {
        g_autoptr(Pipeline) pipeline = pipeline_new(settings, (*section)->name, error);
        if (pipeline == NULL)
            return false;
    }
    return true;
}

int crew_run(const Settings *settings, char **arguments) {
    Crew crew = {.settings = settings,
                 .board = board_new(jobs_of(settings)),
                 .teller_ended = *settings->features_metrics_listen == '\0'};
    if (crew.board == NULL) {
        log_error("no shared memory for %u workers", jobs_of(settings));
        return EXIT_FAILURE;
    }
    crew.members = g_new0(Member, crew.board->jobs);
    metrics_open(FEATURES);
    metrics_set(scopestream_features_info, settings->pipeline, 1);
    log_info("%u workers for pipeline %s, NATS at %s", crew.board->jobs, settings->pipeline,
             settings->nats_url);
    program_notify("READY=1");
    do {
        bury_the_dead(&crew);
        if (crew.wrong_settings)
            break;
        start_missing(&crew);
        end_those_that_take_too_long(&crew);
    } while (program_sleep(LOOK_EVERY_MS));
    program_notify("STOPPING=1");
    wait_for_all(&crew);
    g_free(crew.members);
    if (!crew.wrong_settings)
        return EXIT_SUCCESS;
    GError *wrong = NULL;
    fault_set(&wrong, FAULT_USAGE, "%s", crew.board->wrong);
    return program_fail(wrong);
}
