/* What is heard on NATS, and when: each message on SUBJECT as a line of the time it arrived, a tab
 * and its body, until a signal ends it. Says so on standard error when it listens.
 *
 *     bench_stream_heard NATS SUBJECT > heard.tsv */
#include "stream/bus.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In a thread of the bus, one message after the other. */
static void hear(BusMessage *heard, void *context) {
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(BusMessage) message = heard;
    g_autofree char *at = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
    gsize length;
    const guint8 *body = bus_message_data(message, &length);
    printf("%s\t%.*s\n", at, (int)length, (const char *)body);
    fflush(stdout);
}

int main(int argc, char **argv) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    if (argc != 3) {
        fputs("usage: bench_stream_heard NATS SUBJECT\n", stderr);
        return 2;
    }
    Bus *bus = settings_set(settings, "nats", argv[1], &error) ? bus_open(settings, "bench", &error)
                                                               : NULL;
    if (bus == NULL || !bus_subscribe(bus, argv[2], NULL, hear, NULL, &error) ||
        !bus_wait(bus, 10000, &error) || !bus_flush(bus, 2000, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    fputs("listening\n", stderr);
    pause();
    return EXIT_SUCCESS;
}
