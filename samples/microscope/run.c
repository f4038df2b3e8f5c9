#include "samples/microscope/run.h"

#include "samples/microscope/image_file.h"
#include "samples/microscope/ome.h"
#include "samples/microscope/picture.h"
#include "samples/microscope/progress.h"
#include "samples/microscope/stopping.h"
#include "samples/microscope/written.h"
#include <string.h>

struct Run {
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
    Place place;        /* of its first page */
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

/* What is wrong with the pixels of a frame. A stuck camera shows another place, and its faults. */
static guint page_faults(const Options *options, guint64 frame, Place *ret_shown) {
    guint64 shown = faults_shown_frame(options->faults, frame);
    *ret_shown = place_of(&options->plate, shown);
    guint faults = faults_at(options->faults, ret_shown) & FAULTS_IN_PIXELS;
    return shown == frame ? faults : faults | FAULT_STUCK;
}

/* A file is written as badly as its worst page. */
static guint file_faults(const Options *options, guint64 number) {
    guint faults = 0;
    for (guint page = 0; page < plate_pages(&options->plate); page++) {
        Place place = plate_place(&options->plate, number, page);
        faults |= faults_at(options->faults, &place);
    }
    return faults & ~(guint)FAULTS_IN_PIXELS;
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

static File file_plan(const Options *options, guint64 number) {
    Place place = plate_place(&options->plate, number, 0);
    File file = {number, place};
    file.plate = place.plate == 0 ? g_strdup(options->plate_name)
                                  : g_strdup_printf("%s-%" G_GUINT64_FORMAT, options->plate_name,
                                                    place.plate + 1);
    NamingContext context = {.plate = file.plate,
                             .date = options->date,
                             .seed = (guint64)options->seed,
                             .sites = options->plate.sites,
                             .zs = options->plate.zs,
                             .ts = options->plate.ts};
    const Naming *naming = options->naming;
    bool is_stack = options->plate.stack != STACK_NONE;
    file.path = (is_stack ? naming->stack_path : naming->path)(&context, &place);
    file.faults = file_faults(options, number);
    return file;
}

static void file_clear(File *file) {
    g_free(file->plate);
    g_free(file->path);
}

static ImageFile *file_shoot(Run *run, const File *file, GError **error) {
    const Options *options = run->options;
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
        Place shown;
        guint faults = page_faults(options, frame_of(plate, file->number, page), &shown);
        const guint16 *pixels = scope_shoot(run->scope, &shown, faults);
        if (!image_file_add(image, pixels, page == 0 ? description : NULL, error))
            return NULL;
    }
    image_file_bytes(image);
    return g_steal_pointer(&image);
}

static bool pictures_prepare(Run *run, GError **error) {
    for (gint i = 0; i < run->options->reuse; i++) {
        File file = file_plan(run->options, (guint64)i);
        ImageFile *image = file_shoot(run, &file, error);
        file_clear(&file);
        if (!image)
            return false;
        g_ptr_array_add(run->prepared, image);
    }
    return true;
}

/* One of the prepared pictures, made different by its number in the first pixels. */
static ImageFile *file_reuse(Run *run, guint64 number) {
    ImageFile *image = g_ptr_array_index(run->prepared, number % run->prepared->len);
    const Plate *plate = &run->options->plate;
    for (guint page = 0; page < plate_pages(plate); page++)
        image_file_stamp(image, page, frame_of(plate, number, page));
    return image;
}

/* --- one file --- */

static bool file_write(Run *run, const File *file, ImageFile *image, GError **error) {
    const Manner *manner = manner_of(run->options, file->faults);
    GByteArray *bytes = image_file_bytes(image);
    guint size = file->faults & FAULT_TRUNCATED ? bytes->len / 5 * 3 : bytes->len;
    run->progress.files++;
    run->progress.bytes += size;
    bool is_linked = run->prepared->len > 0 && manner == manner_find("hardlinked");
    if (is_linked && size == bytes->len)
        return writer_link(run->writer, (guint)(file->number % run->prepared->len), file->path,
                           bytes->data, size, error);
    return writer_write(run->writer, manner, file->path, bytes->data, size, error);
}

static bool file_list(Run *run, const File *file, gint64 closed_us, GError **error) {
    const Plate *plate = &run->options->plate;
    for (guint page = 0; page < plate_pages(plate); page++) {
        Place shown;
        guint faults = page_faults(run->options, frame_of(plate, file->number, page), &shown);
        WrittenFrame frame = {.file = file->path,
                              .plate = file->plate,
                              .page = page,
                              .place = plate_place(plate, file->number, page),
                              .faults = faults | file->faults,
                              .closed_us = closed_us};
        if (!written_add(run->written, &frame, error))
            return false;
    }
    return true;
}

/* A frame is due at its place in the rhythm; one that comes late does not move those after it. */
static void wait_until_due(const Run *run, guint64 frames) {
    if (run->options->rate == 0)
        return;
    double due_s = (double)frames / run->options->rate;
    gint64 due_us = run->progress.started_us + (gint64)(due_s * G_USEC_PER_SEC);
    stopping_sleep(due_us - g_get_monotonic_time());
}

static bool file_take(Run *run, File *file, GError **error) {
    bool is_reused = run->prepared->len > 0, is_missing = file->faults & FAULT_MISSING;
    g_autoptr(ImageFile) own = is_reused ? NULL : file_shoot(run, file, error);
    if (!is_reused && !own)
        return false;
    wait_until_due(run, run->progress.frames);
    if (stopping())
        return true;
    ImageFile *image = is_reused ? file_reuse(run, file->number) : own;
    if (!is_missing && !file_write(run, file, image, error))
        return false;
    run->progress.frames += plate_pages(&run->options->plate);
    progress_show(&run->progress, &file->place);
    return file_list(run, file, is_missing ? 0 : g_get_real_time(), error);
}

/* --- the run --- */

Run *run_new(const Options *options, GError **error) {
    g_autoptr(Run) run = g_new0(Run, 1);
    run->options = options;
    run->prepared = g_ptr_array_new_with_free_func((GDestroyNotify)image_file_free);
    ScopeSetup setup = {options->width,           options->height,   (guint)options->camera_bits,
                        (guint64)options->seed,   options->channels, options->plate.zs,
                        options->plate.wells->len};
    run->scope = scope_new(&setup);
    run->writer = writer_new(options->out, (guint)options->pieces, options->pause_ms, error);
    if (!run->writer || !pictures_prepare(run, error))
        return NULL;
    run->written = written_new(options->list, options->naming, options->plate.sites, error);
    return run->written ? g_steal_pointer(&run) : NULL;
}

void run_free(Run *run) {
    if (!run)
        return;
    scope_free(run->scope);
    writer_free(run->writer);
    written_free(run->written);
    g_ptr_array_unref(run->prepared);
    g_free(run);
}

static guint64 files_wanted(const Options *options) {
    guint64 pages = plate_pages(&options->plate);
    guint64 files = options->loops ? G_MAXUINT64 : plate_files(&options->plate);
    if (options->frames == 0)
        return files;
    return MIN(files, ((guint64)options->frames + pages - 1) / pages);
}

bool run_plate(Run *run, GError **error) {
    const guint64 files = files_wanted(run->options);
    run->progress = progress_start(run->options, files);
    bool goes_well = true;
    for (guint64 number = 0; goes_well && number < files && !stopping(); number++) {
        File file = file_plan(run->options, number);
        goes_well = file_take(run, &file, error);
        file_clear(&file);
    }
    progress_end(&run->progress);
    return goes_well;
}
