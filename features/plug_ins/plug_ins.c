#include "features/plug_ins/plug_ins.h"
#include "features/plug_ins/plug_in_description.h"
#include "features/plug_ins/plug_in_process.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENDING      ".so"
#define COUNT_LIMIT 64 /* each has a process in each worker */
#define ENDS_TO_OFF 3
/* Room for the pixels that all processes have from their beginning; a larger frame starts them
 * again. The system gives of it what frames need. */
#define FIRST_ROOM_BYTES ((gsize)32 << 20)
#define START_LIMIT_US                                                                             \
    (5 * G_USEC_PER_SEC) /* at least: programs of many libraries start slowly                      \
                          */

typedef struct {
    char *file, *name;
    Measure measure;
    MeasureNumber *numbers; /* NULL: it cannot be used */
    guint places;
    GBytes *description;    /* as it said when the program started */
    PlugInProcess *process; /* NULL: not running; has described itself before anything else */
    const char *trouble;    /* as last told, without the name; NULL: none */
    guint ends_in_row;
    bool off;
} PlugIn;

struct PlugIns {
    gint64 memory_limit_bytes;  /* of one process */
    gint64 limit_us;            /* of one plug-in and frame */
    gint64 frame_limit_us;      /* of a frame's plug-ins together */
    GPtrArray *usable, *broken; /* of PlugIn */
    GPtrArray *news;            /* of char; ends with no NULL */
    GStringChunk *texts;        /* reasons; few, each kept once */

    /* The plane shown to all: memory they may only read. */
    int memory, memory_to_read;
    void *pixels;
    gsize room_bytes, taken_bytes; /* how far it reaches; what the system has given of it */
    PlugInImage image;
    const char *image_trouble; /* why there is none; NULL: it is there */
    gint64 deadline_us;        /* for all of them together */
};

/* --- being --- */

static void plug_in_free(PlugIn *plug_in) {
    plug_in_process_free(plug_in->process);
    g_clear_pointer(&plug_in->description, g_bytes_unref);
    plug_in_numbers_free(plug_in->numbers);
    g_free(plug_in->name);
    g_free(plug_in->file);
    g_free(plug_in);
}

static PlugIns *plug_ins_new(const Settings *settings) {
    PlugIns *plug_ins = g_new0(PlugIns, 1);
    gint64 frame_limit_us = MAX(settings->frame_time_limit_ms / 2, 1) * 1000;
    *plug_ins = (PlugIns){
        .memory_limit_bytes = settings->memory_limit_bytes,
        .limit_us = MIN(settings->plug_in_time_limit_ms * 1000, frame_limit_us),
        .frame_limit_us = frame_limit_us,
        .usable = g_ptr_array_new_with_free_func((GDestroyNotify)plug_in_free),
        .broken = g_ptr_array_new_with_free_func((GDestroyNotify)plug_in_free),
        .news = g_ptr_array_new_with_free_func(g_free),
        .texts = g_string_chunk_new(1024),
        .memory = -1,
        .memory_to_read = -1,
    };
    return plug_ins;
}

static void close_memory(PlugIns *plug_ins) {
    if (plug_ins->pixels != NULL)
        munmap(plug_ins->pixels, plug_ins->room_bytes);
    if (plug_ins->memory >= 0)
        close(plug_ins->memory);
    if (plug_ins->memory_to_read >= 0)
        close(plug_ins->memory_to_read);
    plug_ins->pixels = NULL;
    plug_ins->memory = plug_ins->memory_to_read = -1;
    plug_ins->room_bytes = plug_ins->taken_bytes = 0;
}

void plug_ins_free(PlugIns *plug_ins) {
    if (plug_ins == NULL)
        return;
    g_ptr_array_unref(plug_ins->usable);
    g_ptr_array_unref(plug_ins->broken);
    g_ptr_array_unref(plug_ins->news);
    g_string_chunk_free(plug_ins->texts);
    close_memory(plug_ins);
    g_free(plug_ins);
}

guint plug_ins_count(const PlugIns *plug_ins) {
    return plug_ins->usable->len;
}

const Measure *plug_ins_at(const PlugIns *plug_ins, guint index) {
    return &((const PlugIn *)plug_ins->usable->pdata[index])->measure;
}

bool plug_ins_is_broken(const PlugIns *plug_ins, const char *name) {
    for (guint i = 0; i < plug_ins->broken->len; i++)
        if (strcmp(((const PlugIn *)plug_ins->broken->pdata[i])->name, name) == 0)
            return true;
    return false;
}

/* --- news --- */

static void tell(PlugIns *plug_ins, const PlugIn *plug_in, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
static void tell(PlugIns *plug_ins, const PlugIn *plug_in, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(plug_ins->news, g_strdup_printf("plug-in %s: %s", plug_in->file, words));
}

char **plug_ins_take_news(PlugIns *plug_ins) {
    if (plug_ins->news->len == 0)
        return NULL;
    g_ptr_array_add(plug_ins->news, NULL);
    char **news = (char **)g_ptr_array_steal(plug_ins->news, NULL);
    return news;
}

static const char *kept(PlugIns *plug_ins, const char *format, ...) G_GNUC_PRINTF(2, 3);
static const char *kept(PlugIns *plug_ins, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return g_string_chunk_insert_const(plug_ins->texts, text);
}

/* --- the process of one --- */

static bool start(PlugIns *plug_ins, PlugIn *plug_in, GError **error) {
    plug_in->process = plug_in_process_start(plug_in->file, plug_ins->memory_to_read,
                                             plug_ins->memory_limit_bytes, error);
    return plug_in->process != NULL;
}

static void stop(PlugIn *plug_in) {
    g_clear_pointer(&plug_in->process, plug_in_process_free);
}

/* Replaces the words of silence: whoever listened knows how long. */
static void tell_silence(GError **error, gint64 limit_us) {
    g_clear_error(error);
    fault_set(error, FAULT_BROKEN, "took longer than it may, at most %g s",
              (double)limit_us / G_USEC_PER_SEC);
}

/* In one line, and of a length that rows and logs can hold, whatever it is. */
static void set_refusal(const char *said, GError **error) {
    g_autofree char *start = g_strndup(said, PLUG_IN_TEXT_LIMIT);
    g_autofree char *words = g_utf8_make_valid(start, -1);
    for (char *at = words; *at != '\0'; at++)
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    fault_set(error, FAULT_BROKEN, "%s", words);
}

/* What the process says when it has loaded the plug-in. */
static GBytes *hear_description(PlugIn *plug_in, gint64 limit_us, GError **error) {
    GError *wrong = NULL;
    PlugInMessageKind kind;
    gint64 deadline_us = g_get_monotonic_time() + limit_us;
    g_autoptr(GBytes) said = plug_in_process_hear(plug_in->process, deadline_us, &kind, &wrong);
    if (fault_is(wrong, FAULT_AGAIN))
        tell_silence(&wrong, limit_us);
    if (wrong != NULL) {
        g_propagate_prefixed_error(error, wrong, "while it was loaded, it ");
        return NULL;
    }
    if (kind == PLUG_IN_DESCRIBED)
        return g_steal_pointer(&said);
    set_refusal(g_bytes_get_data(said, NULL), error);
    return NULL;
}

/* --- opening --- */

static bool is_told_twice(const PlugIns *plug_ins, const MeasureNumber *number, GError **error) {
    for (guint i = 0; i < plug_ins->usable->len; i++) {
        const Measure *other = plug_ins_at(plug_ins, i);
        for (const MeasureNumber *its = other->numbers; its->name != NULL; its++)
            if (strcmp(its->name, number->name) == 0)
                return !fault_set(error, FAULT_BROKEN, "number '%s': plug-in %s has one called so",
                                  number->name, other->name);
    }
    return false;
}

static bool describe(PlugIns *plug_ins, PlugIn *plug_in, GError **error) {
    gint64 limit_us = MAX(plug_ins->limit_us, START_LIMIT_US);
    plug_in->description = hear_description(plug_in, limit_us, error);
    MeasureNumber *numbers =
        plug_in->description != NULL
            ? plug_in_description_read(plug_in->description, plug_in->name, error)
            : NULL;
    plug_in->numbers = numbers;
    if (numbers == NULL)
        return false;
    plug_in->measure = (Measure){.name = plug_in->name, .numbers = numbers};
    for (const MeasureNumber *number = numbers; number->name != NULL; number++) {
        plug_in->places += measure_number_places(number);
        if (is_told_twice(plug_ins, number, error))
            return false;
    }
    return true;
}

static bool check_file(const PlugIn *plug_in, GError **error) {
    if (!plug_in_name_is_free(plug_in->name))
        return fault_set(error, FAULT_BROKEN,
                         "expected a file name of a letter a-z, then at most 62 of a-z 0-9 _, "
                         "that is no built-in measure's");
    return g_file_test(plug_in->file, G_FILE_TEST_IS_REGULAR) ||
           fault_set(error, FAULT_BROKEN, "is no file");
}

/* Takes over plug_in and wrong. */
static void leave_out(PlugIns *plug_ins, PlugIn *plug_in, GError *wrong) {
    tell(plug_ins, plug_in, "cannot be used: %s", wrong->message);
    g_error_free(wrong);
    stop(plug_in);
    g_ptr_array_add(plug_ins->broken, plug_in);
}

/* All at once, for each takes a while; then what they say, in their order. */
static void describe_all(PlugIns *plug_ins, GPtrArray *found) {
    g_autofree GError **wrong = g_new0(GError *, found->len);
    for (guint i = 0; i < found->len; i++)
        if (i >= COUNT_LIMIT)
            fault_set(&wrong[i], FAULT_BROKEN, "there are more than %d plug-ins", COUNT_LIMIT);
        else if (check_file(found->pdata[i], &wrong[i]))
            start(plug_ins, found->pdata[i], &wrong[i]);
    for (guint i = 0; i < found->len; i++)
        if (wrong[i] == NULL && describe(plug_ins, found->pdata[i], &wrong[i]))
            g_ptr_array_add(plug_ins->usable, found->pdata[i]);
        else
            leave_out(plug_ins, found->pdata[i], wrong[i]);
}

/* Whoever has a file of memory can open it again, to write. So it is sealed: only what is mapped
 * now can write, and nobody can make it shorter under the eyes of others. Kernels before 5.1 cannot
 * seal it from writing. */
static bool seal(int memory) {
    const int size = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    return fcntl(memory, F_ADD_SEALS, size | F_SEAL_FUTURE_WRITE) == 0 ||
           fcntl(memory, F_ADD_SEALS, size) == 0;
}

/* Memory that we write and they can only read: opened a second time, to be read. */
static bool open_memory(PlugIns *plug_ins, gsize bytes) {
    plug_ins->memory = memfd_create("scopestream-plane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (plug_ins->memory < 0 || ftruncate(plug_ins->memory, (off_t)bytes) < 0)
        return false;
    void *pixels = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, plug_ins->memory, 0);
    if (pixels == MAP_FAILED)
        return false;
    plug_ins->pixels = pixels;
    plug_ins->room_bytes = bytes;
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", plug_ins->memory);
    plug_ins->memory_to_read = open(path, O_RDONLY | O_CLOEXEC);
    return plug_ins->memory_to_read >= 0 && seal(plug_ins->memory);
}

static int compare_names(gconstpointer a, gconstpointer b) {
    const PlugIn *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* The files that end like shared objects; those that begin with a dot are somebody's on the way. */
static GPtrArray *find_files(const char *folder, GError **error) {
    g_autoptr(GError) wrong = NULL;
    g_autofree char *absolute = realpath(folder, NULL);
    const char *missing = absolute == NULL ? g_strerror(errno) : NULL;
    g_autoptr(GDir) dir = absolute != NULL ? g_dir_open(absolute, 0, &wrong) : NULL;
    if (dir == NULL) {
        fault_set(error, FAULT_USAGE, "[features] plug-ins = %s: expected a folder: %s", folder,
                  missing != NULL ? missing : wrong->message);
        return NULL;
    }
    GPtrArray *found = g_ptr_array_new();
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (*name == '.' || !g_str_has_suffix(name, ENDING))
            continue;
        PlugIn *plug_in = g_new0(PlugIn, 1);
        plug_in->file = g_build_filename(absolute, name, NULL);
        plug_in->name = g_strndup(name, strlen(name) - strlen(ENDING));
        g_ptr_array_add(found, plug_in);
    }
    g_ptr_array_sort(found, compare_names);
    return found;
}

PlugIns *plug_ins_open(const Settings *settings, GError **error) {
    g_autoptr(PlugIns) plug_ins = plug_ins_new(settings);
    if (*settings->plug_ins_folder == '\0')
        return g_steal_pointer(&plug_ins);
    if (!open_memory(plug_ins, FIRST_ROOM_BYTES)) {
        fault_set(error, FAULT_STOP, "no memory to share with plug-ins: %s", g_strerror(errno));
        return NULL;
    }
    g_autoptr(GPtrArray) found = find_files(settings->plug_ins_folder, error);
    if (found == NULL)
        return NULL;
    describe_all(plug_ins, found);
    return g_steal_pointer(&plug_ins);
}

void plug_ins_rest(PlugIns *plug_ins, guint index) {
    stop(plug_ins->usable->pdata[index]);
}

/* --- the plane --- */

/* What has been sealed cannot grow: other memory takes its place, and processes that have it. */
static bool make_room(PlugIns *plug_ins, gsize bytes) {
    if (bytes > plug_ins->room_bytes) {
        for (guint i = 0; i < plug_ins->usable->len; i++)
            stop(plug_ins->usable->pdata[i]);
        close_memory(plug_ins);
        if (!open_memory(plug_ins, bytes)) {
            close_memory(plug_ins);
            return false;
        }
    }
    if (bytes > plug_ins->taken_bytes) {
        if (posix_fallocate(plug_ins->memory, 0, (off_t)bytes) != 0)
            return false;
        plug_ins->taken_bytes = bytes;
    }
    return true;
}

void plug_ins_show(PlugIns *plug_ins, const Plane *plane) {
    static const guint32 types[] = {[PLANE_U8] = SCOPESTREAM_U8,
                                    [PLANE_U16] = SCOPESTREAM_U16,
                                    [PLANE_F32] = SCOPESTREAM_F32,
                                    [PLANE_F64] = SCOPESTREAM_F64};
    gsize bytes = plane_pixels(plane) * plane_type_bytes(plane->type);
    plug_ins->deadline_us = g_get_monotonic_time() + plug_ins->frame_limit_us;
    plug_ins->image_trouble =
        make_room(plug_ins, bytes) ? NULL : "memory does not suffice to show plug-ins the image";
    if (plug_ins->image_trouble != NULL)
        return;
    memcpy(plug_ins->pixels, plane->pixels, bytes);
    plug_ins->image = (PlugInImage){.image = {.struct_bytes = sizeof(ScopestreamImage),
                                              .type = types[plane->type],
                                              .width = plane->width,
                                              .height = plane->height,
                                              .whole = plane->whole,
                                              .scale = plane->scale,
                                              .offset = plane->offset,
                                              .pixel_size_um = plane->pixel_size_um},
                                    .pixels_bytes = bytes};
}

/* --- computing --- */

/* What became of one plug-in and one plane. */
typedef enum { WELL, COMPLAINED, ENDED, OUT_OF_TIME } Outcome;

/* The process, started if it is not there, and still the plug-in we know. */
static bool prepare(PlugIns *plug_ins, PlugIn *plug_in, GError **error) {
    if (plug_in->process != NULL)
        return true;
    gint64 left_us = plug_ins->deadline_us - g_get_monotonic_time();
    gint64 limit_us = MIN(MAX(plug_ins->limit_us, START_LIMIT_US), left_us);
    if (!start(plug_ins, plug_in, error))
        return false;
    g_autoptr(GBytes) description = hear_description(plug_in, limit_us, error);
    if (description == NULL)
        return false;
    plug_in->off = !g_bytes_equal(description, plug_in->description);
    return !plug_in->off ||
           fault_set(error, FAULT_BROKEN, "is no longer what it was when the program started");
}

/* The values, the complaint, or why there is neither. */
static Outcome understand(const PlugIn *plug_in, PlugInMessageKind kind, GBytes *said,
                          double *values, GError **error) {
    gsize length;
    const void *data = g_bytes_get_data(said, &length);
    if (kind == PLUG_IN_COMPUTED && length == plug_in->places * sizeof *values) {
        memcpy(values, data, length);
        return WELL;
    }
    if (kind == PLUG_IN_FAILED && length == sizeof(gint32)) {
        gint32 returned = *(const gint32 *)data;
        if (returned >= 1 && returned <= 255)
            fault_set(error, FAULT_BROKEN, "returned error %d", returned);
        else
            fault_set(error, FAULT_BROKEN, "returned an error that is not 1 to 255");
        return COMPLAINED;
    }
    fault_set(error, FAULT_BROKEN,
              kind == PLUG_IN_WROTE_BEYOND ? "wrote beyond its values"
                                           : "wrote over the memory of its process");
    return ENDED;
}

static Outcome ask(PlugIns *plug_ins, PlugIn *plug_in, double *values, GError **error) {
    if (!prepare(plug_ins, plug_in, error))
        return fault_is(*error, FAULT_AGAIN) ? COMPLAINED : ENDED;
    /* If it is gone already, hearing tells why. */
    plug_in_process_say(plug_in->process, PLUG_IN_IMAGE, &plug_ins->image, sizeof plug_ins->image);
    gint64 started_us = g_get_monotonic_time();
    gint64 own_us = MIN(plug_ins->limit_us, plug_ins->deadline_us - started_us);
    PlugInMessageKind kind;
    g_autoptr(GBytes) said =
        plug_in_process_hear(plug_in->process, started_us + own_us, &kind, error);
    if (said != NULL)
        return understand(plug_in, kind, said, values, error);
    if (!fault_is(*error, FAULT_AGAIN))
        return ENDED;
    tell_silence(error, plug_ins->limit_us);
    return own_us >= plug_ins->limit_us / 2 ? ENDED : OUT_OF_TIME;
}

static bool is_half_a_hash(double value) {
    return value >= 0 && value <= G_MAXUINT32 && value == floor(value);
}

/* NaN in the place of what is no value of its kind; error says if there was such a thing. */
static void check_values(const PlugIn *plug_in, double *values, GError **error) {
    for (const MeasureNumber *number = plug_in->numbers; number->name != NULL; number++) {
        guint places = measure_number_places(number);
        for (guint i = 0; i < places; i++)
            if (isinf(values[i])) {
                values[i] = NAN;
                g_clear_error(error);
                fault_set(error, FAULT_BROKEN, "gave an infinite number for %s", number->name);
            }
        if (number->kind == MEASURE_HASH &&
            !(is_half_a_hash(values[0]) && is_half_a_hash(values[1])))
            values[0] = values[1] = NAN;
        values += places;
    }
}

static void note_well(PlugIns *plug_ins, PlugIn *plug_in) {
    if (plug_in->trouble != NULL)
        tell(plug_ins, plug_in, "works again");
    plug_in->trouble = NULL;
    plug_in->ends_in_row = 0;
}

/* Once for each change: what it is, and what follows. */
static void note_trouble(PlugIns *plug_ins, PlugIn *plug_in, Outcome outcome, const char *words) {
    const char *trouble = kept(plug_ins, "%s", words);
    bool is_new = trouble != plug_in->trouble;
    plug_in->trouble = trouble;
    plug_in->ends_in_row = outcome == ENDED ? plug_in->ends_in_row + 1 : 0;
    plug_in->off |= plug_in->ends_in_row >= ENDS_TO_OFF;
    if (plug_in->off)
        tell(plug_ins, plug_in, "%s: it is switched off until the program starts again", trouble);
    else if (is_new)
        tell(plug_ins, plug_in, "%s: its numbers are empty until it works again", trouble);
}

const char *plug_ins_compute(PlugIns *plug_ins, guint index, double *values) {
    PlugIn *plug_in = plug_ins->usable->pdata[index];
    g_autoptr(GError) wrong = NULL;
    if (plug_in->off)
        return kept(plug_ins, "plug-in %s is switched off: it %s", plug_in->name, plug_in->trouble);
    if (plug_ins->image_trouble != NULL)
        return plug_ins->image_trouble;
    bool in_time = g_get_monotonic_time() < plug_ins->deadline_us;
    Outcome outcome = in_time ? ask(plug_ins, plug_in, values, &wrong) : OUT_OF_TIME;
    if (outcome == WELL)
        check_values(plug_in, values, &wrong);
    if (outcome == WELL && wrong != NULL)
        outcome = COMPLAINED;
    if (outcome == ENDED || (outcome == OUT_OF_TIME && in_time))
        stop(plug_in);
    if (outcome == OUT_OF_TIME)
        return kept(plug_ins, "the plug-ins before %s left it no time", plug_in->name);
    if (outcome == WELL)
        note_well(plug_ins, plug_in);
    else
        note_trouble(plug_ins, plug_in, outcome, wrong->message);
    return wrong == NULL ? NULL : kept(plug_ins, "plug-in %s %s", plug_in->name, wrong->message);
}
