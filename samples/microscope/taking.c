#include "samples/microscope/taking.h"

#include "samples/microscope/image_file.h"
#include "samples/microscope/ome.h"
#include "samples/microscope/picture.h"
#include "samples/microscope/progress.h"
#include "samples/microscope/stopping.h"
#include "samples/microscope/written.h"
#include <string.h>

#define SHARP_WITHIN_NM 2000 /* the list calls nothing nearer to the focal plane defocused */

struct Taking {
    const Options *options;
    Scope *scope;
    Writer *writer;
    Written *written;
    GPtrArray *prepared; /* of ImageFile, with --reuse */
    Progress progress;
};

/* A file to be written, and what is on its pages. */
typedef struct {
    guint64 number;
    Place place;        /* of its first page; again and focus_nm are those of all pages */
    char *plate, *path; /* path below the output folder */
    guint faults;       /* of the way it is written */
} File;

/* --- faults --- */

static guint64 frame_of(const Plate *plate, guint64 file, guint page) {
    return file * plate_pages(plate) + page + 1;
}

static Place place_of(const Plate *plate, guint64 frame) {
    guint pages = plate_pages(plate);
    return plate_place(plate, (frame - 1) / pages, (guint)((frame - 1) % pages));
}

/* What a page of a file shows. */
typedef struct {
    Place place;  /* where the picture was really taken: a stuck camera shows another place */
    guint faults; /* of its pixels */
    gint32 off_focus_nm;
} Shown;

/* The camera is stuck for some frames of a run; a site imaged again is none of them. */
static Shown page_shown(const Taking *taking, const File *file, guint page) {
    const Options *options = taking->options;
    const guint64 frame = frame_of(&options->plate, file->number, page);
    const bool is_again = file->place.again > 0;
    const guint64 from = is_again ? frame : faults_shown_frame(options->faults, frame);
    Shown shown = {.place = place_of(&options->plate, from)};
    shown.place.again = file->place.again;
    shown.place.focus_nm = file->place.focus_nm;
    shown.faults = faults_at(options->faults, &shown.place) & FAULTS_IN_PIXELS;
    shown.off_focus_nm = scope_off_focus_nm(taking->scope, &shown.place, shown.faults);
    if (from != frame)
        shown.faults |= FAULT_STUCK;
    return shown;
}

/* What the list calls wrong: an offset may have brought into focus what was out of it. */
static guint shown_faults(const Shown *shown) {
    bool is_sharp = ABS(shown->off_focus_nm) < SHARP_WITHIN_NM;
    return is_sharp ? shown->faults & ~(guint)FAULT_DEFOCUS : shown->faults;
}

/* A file is written as badly as its worst page. What got lost once is not lost again. */
static guint file_faults(const Options *options, guint64 number, bool is_again) {
    const guint not_twice = is_again ? FAULT_TRUNCATED | FAULT_MISSING : 0;
    guint faults = 0;
    for (guint page = 0; page < plate_pages(&options->plate); page++) {
        Place place = plate_place(&options->plate, number, page);
        faults |= faults_at(options->faults, &place);
    }
    return faults & ~(guint)FAULTS_IN_PIXELS & ~not_twice;
}

static const Manner *manner_of(const Options *options, guint faults) {
    static const struct {
        FaultKind kind;
        const char *manner;
    } ways[] = {
        {FAULT_RENAMED, "renamed"}, {FAULT_PREALLOCATED, "preallocated"}, {FAULT_SLOW, "pieces"}};
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
        if (faults & ways[i].kind)
            return manner_find(ways[i].manner);
    return options->manner;
}

/* --- pictures --- */

static char *plate_text(const Options *options, guint64 plate) {
    if (plate == 0)
        return g_strdup(options->plate_name);
    return g_strdup_printf("%s-%" G_GUINT64_FORMAT, options->plate_name, plate + 1);
}

static char *file_path(const Options *options, const File *file) {
    const Naming *naming = options->naming;
    NamingContext context = {.plate = file->plate,
                             .date = options->date,
                             .seed = (guint64)options->seed,
                             .sites = options->plate.sites,
                             .zs = options->plate.zs,
                             .ts = options->plate.ts};
    bool is_stack = options->plate.stack != STACK_NONE;
    return (is_stack ? naming->stack_path : naming->path)(&context, &file->place);
}

/* again: 0, or the how-manieth time; such files have the name of the first ones in a folder of
 * their own, so that nothing is overwritten and the name still tells the same place. */
static File file_plan(const Options *options, guint64 number, guint again, gint32 focus_nm) {
    File file = {number, plate_place(&options->plate, number, 0)};
    file.place.again = again;
    file.place.focus_nm = focus_nm;
    file.plate = plate_text(options, file.place.plate);
    file.path = file_path(options, &file);
    if (again > 0) {
        g_autofree char *path = g_steal_pointer(&file.path);
        file.path = g_strdup_printf("again-%u/%s", again, path);
    }
    file.faults = file_faults(options, number, again > 0);
    return file;
}

static void file_clear(File *file) {
    g_free(file->plate);
    g_free(file->path);
}

static ImageFile *file_shoot(Taking *taking, const File *file, GError **error) {
    const Options *options = taking->options;
    const Plate *plate = &options->plate;
    ImageFormat format = {options->width,       options->height,     (guint)options->bits,
                          options->compression, options->is_bigtiff, options->pixel_size_um};
    gsize size_bytes = (gsize)options->width * options->height * format.bits / 8;
    g_autoptr(ImageFile) image =
        image_file_new(&format, size_bytes * plate_pages(plate) + 4096 * plate_pages(plate));
    bool has_ome = plate->stack != STACK_NONE && options->naming->is_ome_stack;
    g_autofree char *name = g_path_get_basename(file->path);
    *strchrnul(name, '.') = '\0';
    g_autofree char *description = has_ome ? ome_text(options, name) : NULL;
    for (guint page = 0; page < plate_pages(plate); page++) {
        Shown shown = page_shown(taking, file, page);
        const guint16 *pixels = scope_shoot(taking->scope, &shown.place, shown.faults);
        if (!image_file_add(image, pixels, page == 0 ? description : NULL, error))
            return NULL;
    }
    image_file_bytes(image);
    return g_steal_pointer(&image);
}

static bool pictures_prepare(Taking *taking, GError **error) {
    for (gint i = 0; i < taking->options->reuse; i++) {
        File file = file_plan(taking->options, (guint64)i, 0, 0);
        ImageFile *image = file_shoot(taking, &file, error);
        file_clear(&file);
        if (!image)
            return false;
        g_ptr_array_add(taking->prepared, image);
    }
    return true;
}

/* One of the prepared pictures, made different by its number in the first pixels. */
static ImageFile *file_reuse(Taking *taking, guint64 number) {
    ImageFile *image = g_ptr_array_index(taking->prepared, number % taking->prepared->len);
    const Plate *plate = &taking->options->plate;
    for (guint page = 0; page < plate_pages(plate); page++)
        image_file_stamp(image, page, frame_of(plate, number, page));
    return image;
}

/* --- one file --- */

static bool file_write(Taking *taking, const File *file, ImageFile *image, GError **error) {
    const Manner *manner = manner_of(taking->options, file->faults);
    GByteArray *bytes = image_file_bytes(image);
    guint size = file->faults & FAULT_TRUNCATED ? bytes->len / 5 * 3 : bytes->len;
    taking->progress.files++;
    taking->progress.bytes += size;
    bool is_linked = taking->prepared->len > 0 && manner == manner_find("hardlinked");
    if (is_linked && size == bytes->len)
        return writer_link(taking->writer, (guint)(file->number % taking->prepared->len),
                           file->path, bytes->data, size, error);
    return writer_write(taking->writer, manner, file->path, bytes->data, size, error);
}

static bool file_list(Taking *taking, const File *file, gint64 closed_us, GError **error) {
    const Plate *plate = &taking->options->plate;
    for (guint page = 0; page < plate_pages(plate); page++) {
        Shown shown = page_shown(taking, file, page);
        WrittenFrame frame = {.file = file->path,
                              .plate = file->plate,
                              .page = page,
                              .place = plate_place(plate, file->number, page),
                              .faults = shown_faults(&shown) | file->faults,
                              .closed_us = closed_us,
                              .off_focus_nm = shown.off_focus_nm};
        if (!written_add(taking->written, &frame, error))
            return false;
    }
    return true;
}

/* A frame is due at its place in the rhythm; one that comes late does not move those after it. */
static void wait_until_due(const Taking *taking, guint64 frames) {
    if (taking->options->rate == 0)
        return;
    double due_s = (double)frames / taking->options->rate;
    gint64 due_us = taking->progress.started_us + (gint64)(due_s * G_USEC_PER_SEC);
    stopping_sleep(due_us - g_get_monotonic_time());
}

static bool file_take(Taking *taking, File *file, GError **error) {
    bool is_reused = taking->prepared->len > 0, is_missing = file->faults & FAULT_MISSING;
    g_autoptr(ImageFile) own = is_reused ? NULL : file_shoot(taking, file, error);
    if (!is_reused && !own)
        return false;
    wait_until_due(taking, taking->progress.frames);
    if (stopping())
        return true;
    ImageFile *image = is_reused ? file_reuse(taking, file->number) : own;
    if (!is_missing && !file_write(taking, file, image, error))
        return false;
    taking->progress.frames += plate_pages(&taking->options->plate);
    progress_show(&taking->progress, &file->place);
    return file_list(taking, file, is_missing ? 0 : g_get_real_time(), error);
}

/* --- the module --- */

Taking *taking_new(const Options *options, GError **error) {
    g_autoptr(Taking) taking = g_new0(Taking, 1);
    taking->options = options;
    taking->prepared = g_ptr_array_new_with_free_func((GDestroyNotify)image_file_free);
    ScopeSetup setup = {options->width,           options->height,   (guint)options->camera_bits,
                        (guint64)options->seed,   options->channels, options->plate.zs,
                        options->plate.wells->len};
    taking->scope = scope_new(&setup);
    taking->writer = writer_new(options->out, (guint)options->pieces, options->pause_ms, error);
    if (!taking->writer || !pictures_prepare(taking, error))
        return NULL;
    taking->written = written_new(options->list, options->naming, options->plate.sites, error);
    return taking->written ? g_steal_pointer(&taking) : NULL;
}

void taking_free(Taking *taking) {
    if (!taking)
        return;
    scope_free(taking->scope);
    writer_free(taking->writer);
    written_free(taking->written);
    g_ptr_array_unref(taking->prepared);
    g_free(taking);
}

void taking_begin(Taking *taking, guint64 files) {
    taking->progress = progress_start(taking->options, files);
}

void taking_end(Taking *taking) {
    progress_end(&taking->progress);
}

char *taking_plate(const Taking *taking, guint64 plate) {
    return plate_text(taking->options, plate);
}

bool taking_stands(const Taking *taking, guint64 number, guint again) {
    File file = file_plan(taking->options, number, again, 0);
    g_autofree char *path = g_build_filename(taking->options->out, file.path, NULL);
    file_clear(&file);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

bool taking_file(Taking *taking, guint64 number, guint again, gint32 focus_nm, GError **error) {
    File file = file_plan(taking->options, number, again, focus_nm);
    bool is_taken = file_take(taking, &file, error);
    file_clear(&file);
    return is_taken;
}
