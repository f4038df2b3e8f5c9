#include "ingest/check.h"
#include "ingest/file.h"
#include "ingest/source.h"
#include "ingest/understand.h"
#include "stream/filter.h"
#include "stream/json_write.h"
#include "stream/naming.h"
#include "stream/program.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static gboolean as_json;

const GOptionEntry check_options[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &as_json,
                                       "one JSON object a file and line, for programs", NULL},
                                      {NULL}};

/* One file under check. */
typedef struct {
    const char *argument;         /* as given */
    const SourceSettings *source; /* the one it lies in, or a stand-in */
    bool in_source;
    char *folder;            /* the source's, without links on the way */
    char *path;              /* below it, raw */
    char *encoded;           /* the same as Frame.path */
    FileSight sight;         /* at the time of reading */
    const char *passed_over; /* why its source would not look at it; NULL: it would */
    Structure *structure;    /* NULL: not complete */
    GPtrArray *frames;       /* of Frame; NULL: not complete */
    GError *reason;          /* why it is not complete */
} Check;

static void check_clear(Check *check) {
    g_free(check->folder);
    g_free(check->path);
    g_free(check->encoded);
    structure_free(check->structure);
    g_clear_pointer(&check->frames, g_ptr_array_unref);
    g_clear_error(&check->reason);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

/* realpath, but NULL-safe to free with g_free; NULL if there is none. */
static char *path_resolve(const char *path) {
    char *resolved = realpath(path, NULL);
    char *copy = g_strdup(resolved);
    free(resolved);
    return copy;
}

/* What ids and places are made with for a file in no source. Static. */
static const SourceSettings *source_stand_in(void) {
    static char name[] = "check", naming[] = NAMING_AUTO, none[] = "";
    static SourceSettings source = {.name = name, .naming = naming, .folder = none};
    return &source;
}

/* Where the file stands: in one of the sources, or in its own folder. */
static bool check_locate(Check *check, const Settings *settings, GError **error) {
    g_autofree char *parent = g_path_get_dirname(check->argument);
    g_autofree char *name = g_path_get_basename(check->argument);
    g_autofree char *folder = path_resolve(parent);
    if (folder == NULL)
        return fault_set(error, FAULT_VANISHED, "no such folder: %s", parent);
    g_autofree char *full = g_build_filename(folder, name, NULL);
    for (SourceSettings **source = settings->sources; source != NULL && *source != NULL; source++) {
        g_autofree char *root = path_resolve((*source)->folder);
        gsize length = root != NULL ? strlen(root) : 0;
        if (length == 0 || strncmp(full, root, length) != 0 || full[length] != '/')
            continue;
        check->source = *source;
        check->in_source = true;
        check->folder = g_steal_pointer(&root);
        check->path = g_strdup(full + length + 1);
        return true;
    }
    check->source = source_stand_in();
    check->folder = g_steal_pointer(&folder);
    check->path = g_steal_pointer(&name);
    return true;
}

/* Names the filter would stop at, from the source's folder down. */
static const char *passed_over(const SourceSettings *source, const char *path) {
    g_autoptr(Filter) filter = filter_new(source);
    g_auto(GStrv) names = g_strsplit(path, "/", -1);
    guint last = g_strv_length(names) - 1;
    for (guint i = 0; i < last; i++)
        if (!filter_takes_folder(filter, names[i]))
            return "a folder above it is excluded";
    return filter_takes_file(filter, names[last]) ? NULL : "its name is not included, or excluded";
}

/* A place is told by the folder's real name, so the stand-in borrows it. */
static GPtrArray *check_understand(const Check *check) {
    SourceSettings source = *check->source;
    source.folder = check->folder;
    return understand_frames(&source, check->encoded, check->sight.size_bytes,
                             check->sight.mtime_ns, check->sight.mtime_ns / 1000, check->structure);
}

/* Looks at the file as ingest does. False: it cannot be opened. */
static bool check_read(Check *check, const Settings *settings, GError **error) {
    if (!check_locate(check, settings, error))
        return false;
    int fd = file_open(check->folder, check->path, &check->sight, error);
    if (fd < 0)
        return false;
    check->structure = format_structure(fd, check->sight.size_bytes, &check->reason);
    close(fd);
    check->encoded = frame_path_encode(check->path);
    if (check->in_source)
        check->passed_over = passed_over(check->source, check->path);
    if (check->structure != NULL)
        check->frames = check_understand(check);
    return true;
}

/* --- for people --- */

static void add_word(GString *text, const char *name, const char *value) {
    if (value != NULL)
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "", name, value);
}

static void add_number(GString *text, const char *name, gint32 number) {
    if (number != FRAME_UNKNOWN)
        g_string_append_printf(text, "%s%s %d", text->len > 0 ? ", " : "", name, number);
}

/* "plate P1, well A01, site 2"; "unknown". Caller g_frees. */
static char *place_text(const Frame *frame) {
    GString *text = g_string_new(NULL);
    add_word(text, "experiment", frame->experiment);
    add_word(text, "plate", frame->plate);
    add_word(text, "well", frame->well);
    add_number(text, "site", frame->site);
    add_word(text, "channel", frame->channel);
    add_number(text, "z", frame->z);
    add_number(text, "t", frame->t);
    if (text->len == 0)
        g_string_append(text, "unknown");
    return g_string_free(text, FALSE);
}

static void print_frame(const Frame *frame) {
    char id[FRAME_ID_TEXT_LENGTH + 1];
    printf("  page %-8u %s  %u x %u pixels, %u x %u bits", frame->page,
           frame_id_text(&frame->id, id), frame->width, frame->height, frame->samples, frame->bits);
    if (frame->pixel_size_um > 0)
        printf(", %.4g um a pixel", frame->pixel_size_um);
    printf("\n");
}

static void print_for_people(const Check *check) {
    printf("%s\n", check->argument);
    if (check->in_source)
        printf("  source        %s, path %s\n", check->source->name, check->encoded);
    else
        printf("  source        none has it; ids are those of path %s in a source named %s\n",
               check->encoded, check->source->name);
    if (check->passed_over != NULL)
        printf("  passed over   %s\n", check->passed_over);
    if (check->structure == NULL) {
        printf("  NOT COMPLETE  %s\n", check->reason->message);
        return;
    }
    guint pages = check->structure->pages->len;
    const Frame *first = g_ptr_array_index(check->frames, 0);
    g_autofree char *place = place_text(first);
    printf("  complete      %s, %u page%s, %" G_GUINT64_FORMAT " bytes\n", check->structure->format,
           pages, pages == 1 ? "" : "s", check->sight.size_bytes);
    printf("  naming        %s\n", first->naming != NULL ? first->naming : "none matches");
    printf("  place         %s\n", place);
    for (guint page = 0; page < pages; page++)
        print_frame(g_ptr_array_index(check->frames, page));
}

/* --- for programs --- */

static void json_frames(JsonBuilder *builder, const GPtrArray *frames) {
    json_write_array(builder, "frames");
    for (guint i = 0; i < frames->len; i++) {
        json_builder_begin_object(builder);
        frame_to_json(g_ptr_array_index(frames, i), builder);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
}

static void print_json(const Check *check) {
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree char *file = frame_path_encode(check->argument);
    json_builder_begin_object(builder);
    json_write_text(builder, "file", file);
    json_builder_set_member_name(builder, "complete");
    json_builder_add_boolean_value(builder, check->structure != NULL);
    json_write_text(builder, "passed_over", check->passed_over);
    if (check->structure != NULL)
        json_frames(builder, check->frames);
    else
        json_write_text(builder, "reason", check->reason->message);
    json_builder_end_object(builder);
    g_autofree char *line = json_write_finish(builder, NULL);
    printf("%s\n", line);
}

/* --- commands --- */

typedef struct {
    guint files, complete, frames;
    bool unreadable;
} CheckCount;

static void check_file(const char *argument, const Settings *settings, CheckCount *count) {
    g_auto(Check) check = {.argument = argument};
    GError *error = NULL;
    if (!check_read(&check, settings, &error)) {
        g_prefix_error(&error, "%s: ", argument);
        program_fail(error);
        count->unreadable = true;
        return;
    }
    count->files++;
    count->complete += check.structure != NULL;
    count->frames += check.frames != NULL ? check.frames->len : 0;
    if (as_json)
        print_json(&check);
    else
        print_for_people(&check);
}

/* FAULT_USAGE if a source is set wrong, or no file is given. */
static bool check_use(const Settings *settings, char **arguments, GError **error) {
    for (SourceSettings **source = settings->sources; source != NULL && *source != NULL; source++)
        if (!source_check(*source, error))
            return false;
    return arguments[0] != NULL ||
           fault_set(error, FAULT_USAGE, "check: no file given; call it as check FILE...");
}

int check_run(const Settings *settings, char **arguments) {
    CheckCount count = {0};
    GError *error = NULL;
    if (!check_use(settings, arguments, &error))
        return program_fail(error);
    for (char **argument = arguments; *argument != NULL; argument++)
        check_file(*argument, settings, &count);
    if (!as_json && count.files > 1)
        printf("%u files: %u complete with %u frames, %u not complete\n", count.files,
               count.complete, count.frames, count.files - count.complete);
    if (count.unreadable)
        return EXIT_WRONG_USE;
    return count.complete == count.files ? EXIT_SUCCESS : EXIT_FAILURE;
}

int namings_run(const Settings *settings, char **arguments) {
    static char name[] = "example", automatic[] = NAMING_AUTO, none[] = "/";
    const SourceSettings source = {.name = name, .naming = automatic, .folder = none};
    for (const Naming *naming = naming_table(); naming->key != NULL; naming++) {
        g_autoptr(Frame) frame = frame_new();
        g_autofree char *path = frame_path_encode(naming->example);
        frame_set_text(&frame->path, path);
        naming_place(&source, frame);
        g_autofree char *place = place_text(frame);
        printf("%-18s %s\n%-18s %s\n%-18s %s\n", naming->key, naming->sentence, "", naming->example,
               "", place);
    }
    return EXIT_SUCCESS;
}
