#include "features/plug_ins/plug_in_host.h"
#include "features/plug_ins/plug_in_wire.h"
#include "stream/json_write.h"
#include "stream/program.h"
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUARD_WORDS 64
#define GUARD_WORD  G_GUINT64_CONSTANT(0xa5c35aa55a3cc3a5)

typedef struct {
    const ScopestreamMeasure *measure;
    guint places;
    double *values; /* places of them, between GUARD_WORDS on either side */
    const void *pixels;
    gsize pixels_bytes;
} Host;

/* --- the socket --- */

/* Nobody listens any more: the worker has ended. Nothing of the plug-in runs after this. */
static void end(void) {
    _exit(EXIT_SUCCESS);
}

static void send_all(const void *data, gsize length) {
    for (gsize sent = 0; sent < length;) {
        ssize_t count =
            send(PLUG_IN_SOCKET, (const char *)data + sent, length - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EINTR)
            end();
        sent += (gsize)MAX(count, 0);
    }
}

static void receive_all(void *data, gsize length) {
    for (gsize received = 0; received < length;) {
        ssize_t count = recv(PLUG_IN_SOCKET, (char *)data + received, length - received, 0);
        if (count == 0 || (count < 0 && errno != EINTR))
            end();
        received += (gsize)MAX(count, 0);
    }
}

static void say(PlugInMessageKind kind, const void *data, gsize length) {
    PlugInHeader header = {.kind = kind, .length_bytes = (guint32)length};
    send_all(&header, sizeof header);
    send_all(data, length);
}

static void refuse(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    say(PLUG_IN_REFUSED, words, strlen(words));
    end();
}

/* --- the process --- */

static void limit(int resource, rlim_t value) {
    struct rlimit both = {.rlim_cur = value, .rlim_max = value};
    setrlimit(resource, &both);
}

/* The worker ends this process, not the signals by which a person or a service manager asks the
 * worker to: that one first finishes its frame. A crash is told by its signal, whatever a sanitizer
 * would make of it. */
static void prepare(guint64 memory_limit_bytes) {
    static const int passed_over[] = {SIGINT, SIGTERM, SIGHUP};
    static const int deadly[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(passed_over); i++)
        signal(passed_over[i], SIG_IGN);
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        signal(deadly[i], SIG_DFL);
    limit(RLIMIT_CORE, 0);
#ifndef SCOPESTREAM_SANITIZE /* whose shadow memory is terabytes of address space */
    if (memory_limit_bytes > 0)
        limit(RLIMIT_AS, memory_limit_bytes);
#endif
}

/* --- loading --- */

static const ScopestreamMeasure *load(const char *file) {
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        const char *words = dlerror(), *told = words;
        if (g_str_has_prefix(words, file) && g_str_has_prefix(words + strlen(file), ": "))
            told += strlen(file) + strlen(": ");
        refuse("%s", told);
    }
    const ScopestreamMeasure *measure = dlsym(object, "scopestream_measure");
    if (measure == NULL)
        refuse("has no symbol scopestream_measure; scopestream/measure.h tells what it is");
    return measure;
}

static const ScopestreamNumber *number_at(const ScopestreamMeasure *measure, guint index) {
    return (const void *)((const char *)measure->numbers + (gsize)index * measure->number_bytes);
}

static guint places_of(const ScopestreamNumber *number) {
    if (number->kind > SCOPESTREAM_HASH)
        refuse("number '%s': kind %u is unknown", number->name, number->kind);
    bool is_array = number->kind == SCOPESTREAM_ARRAY;
    if (is_array && (number->length < 1 || number->length > PLUG_IN_LENGTH_LIMIT))
        refuse("number '%s': an array's length is 1 to %d, not %u", number->name,
               PLUG_IN_LENGTH_LIMIT, number->length);
    return is_array ? number->length : number->kind == SCOPESTREAM_HASH ? 2 : 1;
}

/* Structs may be longer than ours, made by a later header; not shorter. */
static guint check(const ScopestreamMeasure *measure) {
    if (measure->abi != SCOPESTREAM_MEASURE_ABI)
        refuse("was made for ABI %u of scopestream/measure.h, this program has %d", measure->abi,
               SCOPESTREAM_MEASURE_ABI);
    if (measure->struct_bytes < sizeof *measure ||
        measure->number_bytes < sizeof(ScopestreamNumber) || measure->number_bytes % 8 != 0)
        refuse("struct_bytes and number_bytes are not the sizes of its structs");
    if (measure->name == NULL || measure->numbers == NULL || measure->compute == NULL)
        refuse("name, numbers or compute is missing");
    if (measure->numbers_count < 1 || measure->numbers_count > PLUG_IN_NUMBERS_LIMIT)
        refuse("gives %u numbers, expected 1 to %d", measure->numbers_count, PLUG_IN_NUMBERS_LIMIT);
    guint places = 0;
    for (guint i = 0; i < measure->numbers_count; i++)
        places += places_of(number_at(measure, i));
    if (places > PLUG_IN_PLACES_LIMIT)
        refuse("its numbers take %u places, expected at most %d", places, PLUG_IN_PLACES_LIMIT);
    return places;
}

static void describe(const ScopestreamMeasure *measure) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_write_text(builder, "name", measure->name);
    json_write_array(builder, "numbers");
    for (guint i = 0; i < measure->numbers_count; i++) {
        const ScopestreamNumber *number = number_at(measure, i);
        json_builder_begin_object(builder);
        json_write_text(builder, "name", number->name);
        json_write_text(builder, "unit", number->unit);
        json_write_text(builder, "formula", number->formula);
        json_write_text(builder, "source", number->source);
        json_write_text(builder, "detects", number->detects);
        json_write_count(builder, "version", number->version);
        json_write_count(builder, "kind", number->kind);
        json_write_count(builder, "length", number->length);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    gsize length;
    g_autofree char *description = json_write_finish(builder, &length);
    say(PLUG_IN_DESCRIBED, description, length);
}

/* --- computing --- */

static guint64 *guard_before(const Host *host) {
    return (guint64 *)(void *)host->values - GUARD_WORDS;
}
static guint64 *guard_behind(const Host *host) {
    return (guint64 *)(void *)(host->values + host->places);
}

/* A little too far is seen by the guards, much too far ends the process: behind the second guard
 * there is a page nobody may touch. */
static void make_values(Host *host) {
    gsize page = (gsize)sysconf(_SC_PAGESIZE);
    gsize needed = sizeof(guint64) * (host->places + 2 * GUARD_WORDS);
    gsize room = (needed + page - 1) / page * page;
    char *start =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + room, page, PROT_NONE) < 0)
        refuse("no memory for its values");
    host->values = (double *)(void *)(start + room - needed) + GUARD_WORDS;
    for (guint i = 0; i < GUARD_WORDS; i++)
        guard_before(host)[i] = guard_behind(host)[i] = GUARD_WORD;
}

static bool guards_hold(const Host *host) {
    for (guint i = 0; i < GUARD_WORDS; i++)
        if (guard_before(host)[i] != GUARD_WORD || guard_behind(host)[i] != GUARD_WORD)
            return false;
    return true;
}

static const void *map_pixels(Host *host, gsize bytes) {
    if (bytes <= host->pixels_bytes)
        return host->pixels;
    if (host->pixels != NULL)
        munmap((void *)host->pixels, host->pixels_bytes);
    void *pixels = mmap(NULL, bytes, PROT_READ, MAP_SHARED, PLUG_IN_PIXELS, 0);
    host->pixels = pixels == MAP_FAILED ? NULL : pixels;
    host->pixels_bytes = host->pixels == NULL ? 0 : bytes;
    return host->pixels;
}

static void compute(Host *host) {
    PlugInHeader header;
    PlugInImage asked;
    receive_all(&header, sizeof header);
    if (header.kind != PLUG_IN_IMAGE || header.length_bytes != sizeof asked)
        end();
    receive_all(&asked, sizeof asked);
    ScopestreamImage image = asked.image;
    image.pixels = map_pixels(host, asked.pixels_bytes);
    if (image.pixels == NULL)
        end();
    for (guint i = 0; i < host->places; i++)
        host->values[i] = NAN;
    gint32 returned = host->measure->compute(&image, host->values);
    if (!guards_hold(host))
        say(PLUG_IN_WROTE_BEYOND, NULL, 0);
    else if (returned != 0)
        say(PLUG_IN_FAILED, &returned, sizeof returned);
    else
        say(PLUG_IN_COMPUTED, host->values, sizeof *host->values * host->places);
}

int plug_in_host_run(char **arguments) {
    guint64 memory_limit_bytes;
    if (g_strv_length(arguments) != 2 ||
        !g_ascii_string_to_unsigned(arguments[1], 10, 0, G_MAXINT64, &memory_limit_bytes, NULL)) {
        fprintf(stderr, "%s is started by workers, for [features] plug-ins\n",
                PLUG_IN_HOST_COMMAND);
        return EXIT_WRONG_USE;
    }
    prepare(memory_limit_bytes);
    Host host = {.measure = load(arguments[0])};
    host.places = check(host.measure);
    make_values(&host);
    describe(host.measure);
    for (;;)
        compute(&host);
}
