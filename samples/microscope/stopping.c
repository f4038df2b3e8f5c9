#include "samples/microscope/stopping.h"

#include <signal.h>

static volatile sig_atomic_t asked; /* a signal handler reaches nothing else */

static void on_signal(int signal_number) {
    asked = 1;
}

void stopping_listen(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* nobody has to listen to answers */
}

bool stopping(void) {
    return asked != 0;
}

/* In short naps: a signal that comes just before a long one would be overslept. */
void stopping_sleep(gint64 us) {
    gint64 until = g_get_monotonic_time() + us;
    for (gint64 left = us; left > 0 && !asked; left = until - g_get_monotonic_time())
        g_usleep((gulong)MIN(left, 50000));
}
