#include "features/pipeline.h"
#include "features/plug_ins/plug_in_host.h"
#include "features/plug_ins/plug_in_wire.h"
#include "features/plug_ins/plug_ins.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#ifndef PLUG_INS_FOLDER
#error "PLUG_INS_FOLDER is where the plug-ins for tests are built"
#endif

/* Plug-ins run in a process that is this program again. */
__attribute__((constructor)) static void serve_as_host(int argc, char **argv, char **environment) {
    if (argc > 1 && strcmp(argv[1], PLUG_IN_HOST_COMMAND) == 0)
        _exit(plug_in_host_run(argv + 2));
}

/* --- a folder with chosen plug-ins, and settings that name it --- */

static char *folder;
static Settings *settings;

static void set_up(void) {
    g_autoptr(GError) error = NULL;
    folder = g_dir_make_tmp("plug-ins.XXXXXX", &error);
    ck_assert_ptr_nonnull(folder);
    settings = settings_new();
    settings_set(settings, "plug-ins", folder, NULL);
    settings_set(settings, "memory-limit", "0", NULL);
}

static void empty_folder(void) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *file = g_build_filename(folder, name, NULL);
        g_remove(file);
    }
}

static void tear_down(void) {
    empty_folder();
    g_rmdir(folder);
    g_free(folder);
    settings_free(settings);
}

/* Puts the plug-in there, as the file called `as`. */
static void put_as(const char *name, const char *as) {
    g_autofree char *from = g_strdup_printf("%s/%s.so", PLUG_INS_FOLDER, name);
    g_autofree char *to = g_build_filename(folder, as, NULL);
    g_unlink(to);
    ck_assert_int_eq(symlink(from, to), 0);
}

static void put(const char *name) {
    g_autofree char *as = g_strconcat(name, ".so", NULL);
    put_as(name, as);
}

static PlugIns *open_folder(void) {
    g_autoptr(GError) error = NULL;
    PlugIns *plug_ins = plug_ins_open(settings, &error);
    ck_assert_msg(plug_ins != NULL, "%s", error != NULL ? error->message : "");
    return plug_ins;
}

static Pipeline *open_pipeline(const char *words) {
    g_autoptr(GError) error = NULL;
    Pipeline *pipeline = pipeline_from_words(settings, "test", words, &error);
    ck_assert_msg(pipeline != NULL, "%s", error != NULL ? error->message : "");
    return pipeline;
}

/* There is one line of news, and it says so. */
static void expect_news(char **news_taken, const char *words) {
    g_auto(GStrv) news = news_taken;
    ck_assert_msg(news != NULL, "nothing is told; expected '%s'", words);
    ck_assert_msg(g_strv_length(news) == 1 && strstr(news[0], words) != NULL,
                  "told is '%s' and %u more; expected '%s'", news[0], g_strv_length(news) - 1,
                  words);
}

static void expect_no_news(char **news_taken) {
    g_auto(GStrv) news = news_taken;
    ck_assert_msg(news == NULL, "told is '%s'", news != NULL ? news[0] : "");
}

/* A plane of bytes with those values in a row. */
static Plane *bytes(int width, const guint8 *values) {
    gint64 *pixels = g_new(gint64, width);
    for (int i = 0; i < width; i++)
        pixels[i] = values[i];
    return image_plane(PLANE_U8, width, 1, pixels);
}

static const double *column_of(const Pipeline *pipeline, const Measurement *measurement,
                               const char *name) {
    int index = pipeline_column_find(pipeline, name);
    ck_assert_msg(index >= 0, "there is no column %s", name);
    return measurement->values + pipeline_column(pipeline, (guint)index)->place;
}

static const char *reason_of(const Pipeline *pipeline, const Measurement *measurement,
                             const char *name) {
    int index = pipeline_column_find(pipeline, name);
    ck_assert_msg(index >= 0, "there is no column %s", name);
    return measurement->reasons[index];
}

static Measurement *measure(Pipeline *pipeline, const Plane *plane) {
    g_autoptr(GError) error = NULL;
    Measurement *measurement = pipeline_measure(pipeline, plane, &error);
    ck_assert_msg(measurement != NULL, "%s", error != NULL ? error->message : "");
    return measurement;
}

static void expect_reason(Pipeline *pipeline, const Plane *plane, const char *name,
                          const char *words) {
    g_autoptr(Measurement) measurement = measure(pipeline, plane);
    const char *reason = reason_of(pipeline, measurement, name);
    if (words == NULL)
        ck_assert_msg(reason == NULL, "%s has no value: %s", name, reason);
    else
        ck_assert_msg(reason != NULL && strstr(reason, words) != NULL,
                      "the reason of %s is '%s', expected '%s'", name,
                      reason != NULL ? reason : "none", words);
}

/* --- good ones --- */

START_TEST(a_plug_in_is_a_measure_like_the_others) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("standard");
    expect_no_news(pipeline_take_news(pipeline));
    ck_assert(g_str_has_suffix(pipeline_definition(pipeline), " gives_all_kinds:3.3.3.3"));
    int index = pipeline_column_find(pipeline, "kinds_told");
    ck_assert_int_ge(index, 0);
    const PipelineColumn *told = pipeline_column(pipeline, (guint)index);
    ck_assert_str_eq(told->measure, "gives_all_kinds");
    ck_assert_str_eq(told->formula, "type, width, height, whole, offset, pixel size");
    ck_assert_str_eq(told->number->cost, "plug-in");
    ck_assert_str_eq(told->number->source, "tests");
    ck_assert_int_eq(told->number->version, 3);
    ck_assert_int_eq((int)told->places, 6);
}
END_TEST

START_TEST(it_sees_every_type_of_plane) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("intensity gives_all_kinds");
    for (int type = PLANE_U8; type <= PLANE_F64; type++) {
        gint64 *pixels = g_new(gint64, 6);
        for (int i = 0; i < 6; i++)
            pixels[i] = 10 * i + 5;
        g_autoptr(Plane) plane = image_plane((PlaneType)type, 3, 2, pixels);
        plane->offset = -128;
        plane->pixel_size_um = 0.65;
        g_autoptr(Measurement) measurement = measure(pipeline, plane);
        const double *told = column_of(pipeline, measurement, "kinds_told");
        const double expected[] = {type, 3, 2, plane->whole, -128, 0.65};
        for (int i = 0; i < 6; i++)
            ck_assert_double_eq(told[i], expected[i]);
        ck_assert_double_eq(*column_of(pipeline, measurement, "kinds_sum"), 180 / plane->scale);
        ck_assert_uint_eq(measure_hash_get(column_of(pipeline, measurement, "kinds_hash")),
                          G_GUINT64_CONSTANT(0x8123456789abcdef));
    }
}
END_TEST

START_TEST(planes_grow_and_shrink) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("gives_all_kinds");
    static const int sides[] = {1, 300, 20, 2000, 1999};
    for (gsize i = 0; i < G_N_ELEMENTS(sides); i++) {
        g_autoptr(Plane) plane = image_constant(PLANE_U16, sides[i], sides[i], 65535);
        g_autoptr(Measurement) measurement = measure(pipeline, plane);
        ck_assert_double_eq(*column_of(pipeline, measurement, "kinds_sum"),
                            (double)sides[i] * sides[i]);
    }
}
END_TEST

START_TEST(its_process_has_no_file_of_ours) {
    put("gives_all_kinds");
    int ours = dup(STDERR_FILENO); /* not closed by exec */
    g_autoptr(Pipeline) pipeline = open_pipeline("gives_all_kinds");
    g_autoptr(Plane) plane = bytes(1, (guint8[]){1});
    g_autoptr(Measurement) measurement = measure(pipeline, plane);
    ck_assert_double_eq(*column_of(pipeline, measurement, "kinds_files"), 2);
    close(ours);
}
END_TEST

START_TEST(structs_of_a_later_header_are_understood) {
    put("grown");
    g_autoptr(Pipeline) pipeline = open_pipeline("grown");
    g_autoptr(Plane) plane = bytes(5, (guint8[]){1, 2, 3, 4, 5});
    g_autoptr(Measurement) measurement = measure(pipeline, plane);
    ck_assert_double_eq(*column_of(pipeline, measurement, "grown_width"), 5);
    ck_assert_double_eq(*column_of(pipeline, measurement, "grown_height"), 1);
    ck_assert_str_eq(pipeline_definition(pipeline), "grown:1.2");
}
END_TEST

START_TEST(a_pipeline_may_leave_one_out) {
    put("gives_all_kinds");
    put("grown");
    g_autoptr(Pipeline) pipeline = open_pipeline("standard -grown");
    ck_assert_int_ge(pipeline_column_find(pipeline, "kinds_sum"), 0);
    ck_assert_int_eq(pipeline_column_find(pipeline, "grown_width"), -1);
    g_auto(GStrv) others = pipeline_other_measures(pipeline);
    ck_assert(g_strv_contains((const char *const *)others, "grown"));
    ck_assert(!g_strv_contains((const char *const *)others, "gives_all_kinds"));
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(pipeline_from_words(settings, "test", "grown:20", &error));
    ck_assert(fault_is(error, FAULT_USAGE));
}
END_TEST

START_TEST(planes_without_a_finite_pixel_are_not_shown) {
    put("grown");
    g_autoptr(Pipeline) pipeline = open_pipeline("grown");
    g_autoptr(Plane) plane = image_floats(2, 1, (double[]){NAN, INFINITY});
    expect_reason(pipeline, plane, "grown_width", "no pixel is a finite number");
}
END_TEST

/* --- numbers that are none --- */

START_TEST(an_error_is_told_once_and_costs_one_frame) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("gives_all_kinds");
    g_autoptr(Plane) bad = bytes(2, (guint8[]){200, 1});
    g_autoptr(Plane) good = bytes(2, (guint8[]){1, 2});
    for (int i = 0; i < 5; i++) {
        expect_reason(pipeline, bad, "kinds_sum", "plug-in gives_all_kinds returned error 17");
        if (i == 0)
            expect_news(pipeline_take_news(pipeline), "gives_all_kinds.so: returned error 17");
        expect_no_news(pipeline_take_news(pipeline));
    }
    expect_reason(pipeline, good, "kinds_sum", NULL);
    expect_news(pipeline_take_news(pipeline), "gives_all_kinds.so: works again");
}
END_TEST

START_TEST(infinity_is_no_value) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("gives_all_kinds");
    g_autoptr(Plane) plane = bytes(2, (guint8[]){201, 1});
    g_autoptr(Measurement) measurement = measure(pipeline, plane);
    ck_assert_str_eq(reason_of(pipeline, measurement, "kinds_sum"),
                     "plug-in gives_all_kinds gave an infinite number for kinds_sum");
    ck_assert_ptr_null(reason_of(pipeline, measurement, "kinds_told"));
    expect_news(pipeline_take_news(pipeline), "gave an infinite number");
}
END_TEST

START_TEST(nothing_to_say_is_no_trouble) {
    put("gives_all_kinds");
    g_autoptr(Pipeline) pipeline = open_pipeline("gives_all_kinds");
    g_autoptr(Plane) plane = bytes(2, (guint8[]){202, 1});
    expect_reason(pipeline, plane, "kinds_sum", "the formula has no value for this image");
    expect_reason(pipeline, plane, "kinds_hash", "the formula has no value for this image");
    expect_no_news(pipeline_take_news(pipeline));
}
END_TEST

/* --- bad ones --- */

/* Named in the order of their files. */
static const struct {
    const char *name, *news;
} unusable[] = {
    {"clashes", "number 'mean': another column is called so"},
    {"crashes_when_loaded", "while it was loaded, it crashed (signal 6)"},
    {"grown_again", "number 'grown_width': plug-in grown has one called so"},
    {"of_another_abi", "was made for ABI 2 of scopestream/measure.h, this program has 1"},
    {"of_another_name", "calls itself 'another', expected 'of_another_name'"},
    {"takes_a_well", "number 'well': another column is called so"},
    {"without_symbol", "has no symbol scopestream_measure"},
    {"without_unit", "number 'without_unit': unit is missing"},
};

START_TEST(what_cannot_be_used_is_left_out_and_told) {
    for (gsize i = 0; i < G_N_ELEMENTS(unusable); i++)
        put(unusable[i].name);
    put("grown");
    g_autoptr(PlugIns) plug_ins = open_folder();
    ck_assert_int_eq((int)plug_ins_count(plug_ins), 1);
    ck_assert_str_eq(plug_ins_at(plug_ins, 0)->name, "grown");
    g_auto(GStrv) news = plug_ins_take_news(plug_ins);
    ck_assert_int_eq((int)g_strv_length(news), G_N_ELEMENTS(unusable));
    for (gsize i = 0; i < G_N_ELEMENTS(unusable); i++) {
        g_autofree char *file =
            g_strdup_printf("plug-in %s/%s.so: cannot be used: ", folder, unusable[i].name);
        ck_assert_msg(g_str_has_prefix(news[i], file), "%s", news[i]);
        ck_assert_msg(strstr(news[i], unusable[i].news) != NULL, "%s", news[i]);
        ck_assert(plug_ins_is_broken(plug_ins, unusable[i].name));
    }
    expect_no_news(plug_ins_take_news(plug_ins));
}
END_TEST

START_TEST(files_that_are_no_plug_ins) {
    g_autofree char *text = g_build_filename(folder, "text.so", NULL);
    g_autofree char *other = g_build_filename(folder, "README", NULL);
    g_file_set_contents(text, "no ELF file", -1, NULL);
    g_file_set_contents(other, "passed over", -1, NULL);
    g_autoptr(PlugIns) plug_ins = open_folder();
    ck_assert_int_eq((int)plug_ins_count(plug_ins), 0);
    expect_news(plug_ins_take_news(plug_ins), "text.so: cannot be used: ");
    empty_folder();
    put_as("grown", "Grown.so");
    g_autoptr(PlugIns) misspelt = open_folder();
    expect_news(plug_ins_take_news(misspelt), "Grown.so: cannot be used: expected a file name");
    empty_folder();
    put_as("grown", "entropy.so"); /* a built-in measure's name */
    g_autoptr(PlugIns) taken = open_folder();
    expect_news(plug_ins_take_news(taken), "entropy.so: cannot be used: expected a file name");
    empty_folder();
    put_as("grown", ".grown.so"); /* somebody's, on its way */
    g_autoptr(PlugIns) hidden = open_folder();
    expect_no_news(plug_ins_take_news(hidden));
}
END_TEST

START_TEST(a_named_one_that_is_broken_stops_no_pipeline) {
    put("crashes_when_loaded");
    g_autoptr(Pipeline) named = open_pipeline("intensity crashes_when_loaded");
    expect_news(pipeline_take_news(named), "crashes_when_loaded.so: cannot be used");
    ck_assert_int_ge(pipeline_column_find(named, "mean"), 0);
    g_autoptr(Pipeline) alone = open_pipeline("crashes_when_loaded");
    ck_assert_int_eq((int)pipeline_columns_count(alone), 0);
    g_autoptr(Plane) plane = bytes(2, (guint8[]){1, 2});
    g_autoptr(Measurement) nothing = measure(alone, plane);
    g_autoptr(Pipeline) without = open_pipeline("standard -crashes_when_loaded");
    ck_assert_int_ge(pipeline_column_find(without, "mean"), 0);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(pipeline_from_words(settings, "test", "no_such_file", &error));
    ck_assert(fault_is(error, FAULT_USAGE));
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_a_wrong_setting) {
    settings_set(settings, "plug-ins", "/no/such/folder", NULL);
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(plug_ins_open(settings, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    ck_assert_ptr_nonnull(strstr(error->message, "[features] plug-ins = /no/such/folder"));
}
END_TEST

START_TEST(a_crash_costs_the_others_nothing) {
    put("crashes");
    put("grown");
    g_autoptr(Pipeline) pipeline = open_pipeline("intensity crashes grown");
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    g_autoptr(Measurement) measurement = measure(pipeline, bad);
    ck_assert_str_eq(reason_of(pipeline, measurement, "crashes_width"),
                     "plug-in crashes crashed (signal 11)");
    ck_assert_double_eq(*column_of(pipeline, measurement, "grown_width"), 3);
    ck_assert_double_eq_tol(*column_of(pipeline, measurement, "mean"), 2 / 255., 1e-12);
    expect_news(pipeline_take_news(pipeline), "crashes.so: crashed (signal 11): its numbers are");
}
END_TEST

START_TEST(one_that_crashed_is_started_again) {
    put("crashes");
    g_autoptr(Pipeline) pipeline = open_pipeline("crashes");
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    g_autoptr(Plane) good = bytes(7, (guint8[]){1, 2, 3, 4, 5, 6, 7});
    for (int i = 0; i < 4; i++) { /* never three times in a row */
        expect_reason(pipeline, bad, "crashes_width", "crashed (signal 11)");
        expect_reason(pipeline, bad, "crashes_width", "crashed (signal 11)");
        expect_news(pipeline_take_news(pipeline), "crashed (signal 11)");
        expect_reason(pipeline, good, "crashes_width", NULL);
        expect_news(pipeline_take_news(pipeline), "works again");
    }
}
END_TEST

START_TEST(three_crashes_in_a_row_switch_it_off) {
    put("crashes");
    g_autoptr(Pipeline) pipeline = open_pipeline("crashes");
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    g_autoptr(Plane) good = bytes(7, (guint8[]){1, 2, 3, 4, 5, 6, 7});
    expect_reason(pipeline, bad, "crashes_width", "plug-in crashes crashed");
    expect_news(pipeline_take_news(pipeline), "until it works again");
    expect_reason(pipeline, bad, "crashes_width", "plug-in crashes crashed");
    expect_no_news(pipeline_take_news(pipeline));
    expect_reason(pipeline, bad, "crashes_width", "plug-in crashes crashed");
    expect_news(pipeline_take_news(pipeline), "switched off until the program starts again");
    expect_reason(pipeline, good, "crashes_width", "is switched off: it crashed (signal 11)");
    expect_no_news(pipeline_take_news(pipeline));
}
END_TEST

START_TEST(one_that_hangs_is_ended) {
    put("hangs");
    settings_set(settings, "plug-in-time-limit", "300ms", NULL);
    g_autoptr(Pipeline) pipeline = open_pipeline("hangs");
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    g_autoptr(Plane) good = bytes(7, (guint8[]){1, 2, 3, 4, 5, 6, 7});
    gint64 started_us = g_get_monotonic_time();
    expect_reason(pipeline, bad, "hangs_width",
                  "plug-in hangs took longer than it may, at most 0.3 s");
    gint64 took_us = g_get_monotonic_time() - started_us;
    ck_assert_int_ge(took_us, 300000);
    ck_assert_int_lt(took_us, 3000000);
    expect_news(pipeline_take_news(pipeline), "hangs.so: took longer than it may, at most 0.3 s");
    expect_reason(pipeline, good, "hangs_width", NULL);
}
END_TEST

/* The frame's own limit would end the worker: plug-ins together get half of it. */
START_TEST(plug_ins_together_leave_the_frame_time) {
    put("hangs");
    put_as("hangs", "hangs_too.so"); /* calls itself otherwise: left out */
    put("writes_too_far");
    settings_set(settings, "plug-in-time-limit", "60s", NULL);
    settings_set(settings, "frame-time-limit", "1s", NULL);
    g_autoptr(Pipeline) pipeline = open_pipeline("hangs writes_too_far intensity");
    g_strfreev(pipeline_take_news(pipeline));
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    gint64 started_us = g_get_monotonic_time();
    g_autoptr(Measurement) measurement = measure(pipeline, bad);
    ck_assert_int_lt(g_get_monotonic_time() - started_us, 1000000);
    ck_assert_str_eq(reason_of(pipeline, measurement, "hangs_width"),
                     "plug-in hangs took longer than it may, at most 0.5 s");
    ck_assert_str_eq(reason_of(pipeline, measurement, "writes_too_far"),
                     "the plug-ins before writes_too_far left it no time");
    ck_assert_ptr_null(reason_of(pipeline, measurement, "mean"));
}
END_TEST

static const struct {
    const char *name, *column, *reason;
} ends[] = {
    {"exits", "exits_width", "plug-in exits ended its process (exit status 3)"},
    {"writes_too_far", "writes_too_far", "plug-in writes_too_far wrote beyond its values"},
    {"writes_pixels", "writes_pixels", "plug-in writes_pixels crashed (signal 11)"},
};

START_TEST(other_ways_of_doing_harm) {
    g_autoptr(Plane) plane = bytes(3, (guint8[]){9, 2, 3});
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        put(ends[i].name);
        g_autoptr(Pipeline) pipeline = open_pipeline(ends[i].name);
        expect_reason(pipeline, plane, ends[i].column, ends[i].reason);
    }
    ck_assert_int_eq(*(const guint8 *)plane->pixels, 9);
}
END_TEST

/* The worker stands, and the others see the pixels as they are; also those of a larger frame, for
 * which all processes get other memory. */
START_TEST(the_image_cannot_be_harmed) {
    put("grown");
    put("harms_the_image");
    g_autoptr(Pipeline) pipeline = open_pipeline("harms_the_image grown");
    for (int side = 1; side <= 8192; side *= 8192) {
        gint64 *pixels = g_new0(gint64, side * side);
        g_autoptr(Plane) plane = image_plane(PLANE_U8, side, side, pixels);
        for (int frame = 0; frame < 3; frame++) {
            g_autoptr(Measurement) measurement = measure(pipeline, plane);
            ck_assert_double_eq(*column_of(pipeline, measurement, "harms_the_image"), 0);
            ck_assert_double_eq(*column_of(pipeline, measurement, "grown_width"), side);
        }
    }
    expect_no_news(pipeline_take_news(pipeline));
}
END_TEST

START_TEST(one_that_never_listens_holds_nobody_up) {
    put("answers_unasked");
    g_autoptr(Pipeline) pipeline = open_pipeline("answers_unasked");
    g_autoptr(Plane) plane = bytes(1, (guint8[]){1});
    for (int frame = 0; frame < 1000; frame++) /* many times what a socket holds */
        expect_reason(pipeline, plane, "answers_unasked", NULL);
}
END_TEST

START_TEST(what_it_says_fits_a_line) {
    put("talks_too_much");
    g_autoptr(PlugIns) plug_ins = open_folder();
    g_auto(GStrv) news = plug_ins_take_news(plug_ins);
    ck_assert_uint_eq(g_strv_length(news), 1);
    ck_assert_ptr_nonnull(strstr(news[0], "talks_too_much.so: cannot be used: a aaaa"));
    ck_assert_uint_lt(strlen(news[0]), 1000);
    ck_assert_ptr_null(strchr(news[0], '\n'));
}
END_TEST

START_TEST(one_that_was_exchanged_is_not_taken_for_the_old_one) {
    put_as("gives_all_kinds", "crashes.so");
    put("crashes");
    g_autoptr(Pipeline) pipeline = open_pipeline("crashes");
    g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
    expect_reason(pipeline, bad, "crashes_width", "crashed (signal 11)");
    g_strfreev(pipeline_take_news(pipeline));
    put_as("gives_all_kinds", "crashes.so");
    expect_reason(pipeline, bad, "crashes_width", "is no longer what it was");
    expect_news(pipeline_take_news(pipeline), "switched off until the program starts again");
}
END_TEST

/* A worker that is killed takes the processes of its plug-ins along, even one that hangs. */
START_TEST(processes_end_with_their_worker) {
    put("hangs");
    int pids[2];
    ck_assert_int_eq(pipe(pids), 0);
    pid_t worker = fork();
    if (worker == 0) {
        g_autoptr(Pipeline) pipeline = open_pipeline("hangs");
        g_autofree char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
        g_autofree char *children = NULL;
        g_file_get_contents(path, &children, NULL, NULL);
        int host = atoi(children);
        if (write(pids[1], &host, sizeof host) != sizeof host)
            _exit(1);
        g_autoptr(Plane) bad = bytes(3, (guint8[]){1, 2, 3});
        g_autoptr(Measurement) never = pipeline_measure(pipeline, bad, NULL);
        _exit(0);
    }
    int host = 0;
    ck_assert_int_eq(read(pids[0], &host, sizeof host), sizeof host);
    ck_assert_int_gt(host, 1);
    g_usleep(100000); /* it hangs by now */
    ck_assert_int_eq(kill(host, 0), 0);
    kill(worker, SIGKILL);
    for (int tries = 0; tries < 500 && kill(host, 0) == 0; tries++) {
        g_autofree char *path = g_strdup_printf("/proc/%d/stat", host);
        g_autofree char *stat = NULL;
        if (g_file_get_contents(path, &stat, NULL, NULL) && strstr(stat, ") Z ") != NULL)
            break; /* dead, and nobody's to bury here */
        ck_assert_int_lt(tries, 499);
        g_usleep(10000);
    }
    close(pids[0]);
    close(pids[1]);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("plug_ins");
    TCase *situations = tcase_create("plug_ins");
    tcase_set_timeout(situations, 120);
    tcase_add_checked_fixture(situations, set_up, tear_down);
    const TTest *const tests[] = {
        a_plug_in_is_a_measure_like_the_others,
        it_sees_every_type_of_plane,
        planes_grow_and_shrink,
        its_process_has_no_file_of_ours,
        structs_of_a_later_header_are_understood,
        a_pipeline_may_leave_one_out,
        planes_without_a_finite_pixel_are_not_shown,
        an_error_is_told_once_and_costs_one_frame,
        infinity_is_no_value,
        nothing_to_say_is_no_trouble,
        what_cannot_be_used_is_left_out_and_told,
        files_that_are_no_plug_ins,
        a_named_one_that_is_broken_stops_no_pipeline,
        a_folder_that_is_not_there_is_a_wrong_setting,
        a_crash_costs_the_others_nothing,
        one_that_crashed_is_started_again,
        three_crashes_in_a_row_switch_it_off,
        one_that_hangs_is_ended,
        plug_ins_together_leave_the_frame_time,
        other_ways_of_doing_harm,
        the_image_cannot_be_harmed,
        one_that_never_listens_holds_nobody_up,
        what_it_says_fits_a_line,
        one_that_was_exchanged_is_not_taken_for_the_old_one,
        processes_end_with_their_worker,
    };
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        tcase_add_test(situations, tests[i]);
    suite_add_tcase(suite, situations);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
