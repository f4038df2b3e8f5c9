/* What Linux tells of processes, summed: of a program that forks workers they are one. */
#include "stream/metrics.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Fields of /proc/<pid>/stat, counted behind the program's name. */
enum {
    FIELD_USER_TIME = 11,
    FIELD_SYSTEM_TIME,
    FIELD_CHILDREN_USER_TIME,
    FIELD_CHILDREN_SYSTEM_TIME,
    FIELD_STARTED = 19,
    FIELD_PAGES = 21,
    FIELDS_COUNT
};

typedef struct {
    double cpu_s, started_s;
    gint64 memory_bytes, open_files;
} Process;

static gint64 open_files(pid_t pid) {
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    gint64 count = 0;
    while (dir != NULL && g_dir_read_name(dir) != NULL)
        count++;
    return count;
}

/* Seconds since 1970 when the machine was started. */
static double boot_s(void) {
    struct timespec up;
    clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)g_get_real_time() / G_USEC_PER_SEC - (double)up.tv_sec -
           (double)up.tv_nsec / 1e9;
}

/* The program's name stands in brackets, and may hold brackets itself. */
static bool process_look(pid_t pid, Process *ret_process) {
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL) || strrchr(text, ')') == NULL)
        return false;
    g_auto(GStrv) fields = g_strsplit(g_strstrip(strrchr(text, ')') + 1), " ", -1);
    if (g_strv_length(fields) < FIELDS_COUNT)
        return false;
    double ticks_a_second = (double)sysconf(_SC_CLK_TCK), ticks = 0;
    for (guint field = FIELD_USER_TIME; field <= FIELD_CHILDREN_SYSTEM_TIME; field++)
        ticks += g_ascii_strtod(fields[field], NULL);
    ret_process->cpu_s = ticks / ticks_a_second;
    ret_process->started_s =
        boot_s() + g_ascii_strtod(fields[FIELD_STARTED], NULL) / ticks_a_second;
    ret_process->memory_bytes =
        g_ascii_strtoll(fields[FIELD_PAGES], NULL, 10) * sysconf(_SC_PAGESIZE);
    ret_process->open_files = open_files(pid);
    return true;
}

gint64 metrics_look_at_processes(const pid_t pids[]) {
    Process sum = {0}, one;
    gint64 largest_bytes = 0;
    for (guint i = 0; pids[i] != 0; i++) {
        if (!process_look(pids[i], &one))
            continue;
        sum.cpu_s += one.cpu_s;
        sum.memory_bytes += one.memory_bytes;
        sum.open_files += one.open_files;
        if (i == 0)
            sum.started_s = one.started_s;
        else
            largest_bytes = MAX(largest_bytes, one.memory_bytes);
    }
    metrics_set(process_start_time_seconds, NULL, sum.started_s);
    metrics_set(process_cpu_seconds_total, NULL, sum.cpu_s);
    metrics_set(process_resident_memory_bytes, NULL, (double)sum.memory_bytes);
    metrics_set(process_open_fds, NULL, (double)sum.open_files);
    return largest_bytes;
}
