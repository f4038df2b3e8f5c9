#include "features/pixels.h"
#include "tests/features/golden.h"
#include "tests/features/simulated.h"
#include "tests/suite.h"
#include <stdio.h>

/* What docs/focus.md promises of the number it recommends, and says against the others. */

/* ------------------------------------------------------------------- known answers --- */

/* Computed from the formula in Python, on whole images, without any code of this project. */
static const Golden golden_formula[] = {
    {"focus",
     1e-9,
     {0.027136168063779373, 0.04317959191929859, 0.024236903774575227, NAN, 0.0007326007326007325,
      NAN, NAN, 0.035985538575229965, 0.02546764870787966, 0.021580235818013722,
      0.01578616713350061, 0.18919413996921725}},
    {"focus_snr",
     1e-9,
     {17514.841895778394, 11871.431354192693, 54398.710369834684, 0, 1198720.5219988269, NAN, NAN,
      25074.74075145905, 48398.77935156786, 60431.382091257314, 83454.88990485833,
      789.485180657531}},
};

START_TEST(focus_is_what_its_formula_says) {
    golden_check_in("focus", golden_formula, G_N_ELEMENTS(golden_formula));
}
END_TEST

/* --------------------------------------------------------------- simulated defocus --- */

/* Fields of many, some and few cells, bright and dim, each several times. With the sanitizers they
 * are smaller, and hold fewer cells, so that there are as many a pixel. */
#ifdef SCOPESTREAM_SANITIZE
enum { SIDE = 540, SEEDS = 3 };
#else
enum { SIDE = 1080, SEEDS = 3 };
#endif
#define AS_DENSE_AS(cells) ((cells)*SIDE / 1080 * SIDE / 1080)

static const guint32 cells[] = {AS_DENSE_AS(220), AS_DENSE_AS(80)};
static const double brightness[] = {1, 0.1};
#define FIELDS G_N_ELEMENTS(cells)
#define LIGHTS G_N_ELEMENTS(brightness)

static const char words[] = "focus laplacian vollath power_slope spectrum blur_effect "
                            "laplacian_energy correlation:10,20";

/* What was measured of the series of one field. */
typedef struct {
    Measurement *measured[LIGHTS][LIGHT_BLURS];
} Series;
static Series series[FIELDS][SEEDS];

static double in_series(const Series *one, gsize light, gsize blur, const char *name) {
    const Pipeline *pipeline = measuring_pipeline(words);
    int column = pipeline_column_find(pipeline, name);
    ck_assert_msg(column >= 0, "no number is called %s", name);
    return one->measured[light][blur]->values[pipeline_column(pipeline, (guint)column)->place];
}

static void measure_series(Series *one, guint32 count, guint32 seed) {
    g_autoptr(Light) light = light_of_cells(SIDE, count, seed);
    for (gsize blur = 0; blur < LIGHT_BLURS; blur++) {
        g_autoptr(Light) blurred = light_blurred(light, blur);
        for (gsize i = 0; i < LIGHTS; i++) {
            g_autoptr(Plane) plane =
                light_frame(blurred, brightness[i], seed * 100 + (guint32)blur);
            one->measured[i][blur] = pipeline_measure(measuring_pipeline(words), plane, NULL);
        }
    }
}

static void measure_all_series(void) {
    for (gsize field = 0; field < FIELDS; field++)
        for (guint32 seed = 0; seed < SEEDS; seed++)
            measure_series(&series[field][seed], cells[field], seed + 1);
}

/* How many steps of defocus, of all that were simulated at that brightness, make the number go up
 * or stay. */
static guint steps_up(const char *name, gsize light) {
    guint steps = 0;
    for (gsize field = 0; field < FIELDS; field++)
        for (guint32 seed = 0; seed < SEEDS; seed++)
            for (gsize blur = 1; blur < LIGHT_BLURS; blur++) {
                const Series *one = &series[field][seed];
                steps +=
                    !(in_series(one, light, blur, name) < in_series(one, light, blur - 1, name));
            }
    return steps;
}

#define STEPS (FIELDS * SEEDS * (LIGHT_BLURS - 1))

START_TEST(focus_falls_with_every_step_of_defocus_bright_and_dim) {
    ck_assert_uint_eq(steps_up("focus", 0), 0);
    ck_assert_uint_eq(steps_up("focus", 1), 0);
}
END_TEST

/* Least and largest focus of all fields with that blur, whatever their cells and brightness. */
static void focus_range(gsize blur, double *ret_least, double *ret_largest) {
    *ret_least = INFINITY;
    *ret_largest = -INFINITY;
    for (gsize field = 0; field < FIELDS; field++)
        for (guint32 seed = 0; seed < SEEDS; seed++)
            for (gsize light = 0; light < LIGHTS; light++) {
                double focus = in_series(&series[field][seed], light, blur, "focus");
                *ret_least = MIN(*ret_least, focus);
                *ret_largest = MAX(*ret_largest, focus);
            }
}

START_TEST(in_focus_ranks_above_out_of_focus_whatever_the_light_and_the_cells) {
    double least_in_focus, largest_in_focus, least, largest;
    focus_range(0, &least_in_focus, &largest_in_focus);
    ck_assert_double_lt(largest_in_focus / least_in_focus, 2);
    for (gsize blur = 2; blur < LIGHT_BLURS; blur++) { /* 2 pixels and more */
        focus_range(blur, &least, &largest);
        ck_assert_msg(largest < least_in_focus,
                      "a field %d pixels out of focus has %g, one in it %g",
                      light_blurs[blur].sigma_px, largest, least_in_focus);
    }
}
END_TEST

START_TEST(a_tenth_of_the_light_hardly_moves_focus) {
    for (gsize blur = 0; blur < LIGHT_BLURS; blur++)
        for (guint32 seed = 0; seed < SEEDS; seed++) {
            double bright = in_series(&series[0][seed], 0, blur, "focus");
            double dim = in_series(&series[0][seed], 1, blur, "focus");
            ck_assert_double_le(fabs(dim / bright - 1), 0.2);
        }
}
END_TEST

/* --- what the page says against the others --- */

/* Not one direction: the number goes up with some steps of defocus and down with others. */
static void check_turns(const char *name, gsize light) {
    guint up = steps_up(name, light);
    ck_assert_msg(up > 0 && up < STEPS, "%s does not turn: it goes up %u times of %u", name, up,
                  (guint)STEPS);
}

START_TEST(measures_said_to_turn_on_bright_fields_do) {
    static const char *const names[] = {"plls", "psd_slope_mean", "blur_effect", "lap_var",
                                        "lap_energy"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        check_turns(names[i], 0);
}
END_TEST

START_TEST(measures_said_to_turn_on_dim_fields_do) {
    static const char *const names[] = {"plls",           "psd_slope_mean", "blur_effect",
                                        "lap_var",        "lap_energy",     "lap_excess",
                                        "correlation_10", "correlation_20"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        check_turns(names[i], 1);
}
END_TEST

START_TEST(lap_excess_falls_with_every_step_where_there_is_light) {
    ck_assert_uint_eq(steps_up("lap_excess", 0), 0);
}
END_TEST

/* ------------------------------------------------------- nothing there to focus on --- */

static double one_number(const Plane *plane, const char *name) {
    Pipeline *pipeline = measuring_pipeline(words);
    g_autoptr(Measurement) measured = pipeline_measure(pipeline, plane, NULL);
    int column = pipeline_column_find(pipeline, name);
    return measured->values[pipeline_column(pipeline, (guint)column)->place];
}

START_TEST(noise_alone_has_no_focus) {
    g_autoptr(Light) none = light_of_cells(SIDE, 0, 1);
    for (guint32 seed = 1; seed <= 10; seed++) {
        g_autoptr(Plane) plane = light_frame(none, 1, seed);
        ck_assert(isnan(one_number(plane, "focus")));
        ck_assert_double_lt(one_number(plane, "focus_snr"), 1);
    }
}
END_TEST

/* A tenth less light at one side than at the other: a structure, and the coarsest there is. */
START_TEST(an_empty_field_with_a_tilted_lamp_is_not_in_focus) {
    g_autoptr(Light) lamp = light_of_cells(SIDE, 0, 1);
    for (guint32 y = 0; y < SIDE; y++)
        for (guint32 x = 0; x < SIDE; x++)
            lamp->counts[y * SIDE + x] = SIMULATED_BACKGROUND / 10. * x / SIDE;
    double least_in_focus, largest_in_focus;
    focus_range(0, &least_in_focus, &largest_in_focus);
    for (guint32 seed = 1; seed <= 5; seed++) {
        g_autoptr(Plane) plane = light_frame(lamp, 1, seed);
        double focus = one_number(plane, "focus");
        ck_assert(isnan(focus) || focus < least_in_focus / 5);
    }
}
END_TEST

/* A quarter of the light, a quarter of what is left ...: at some point the noise hides the cells.
 * Until then they are not said to be sharper than they are. */
START_TEST(cells_that_drown_in_noise_lose_focus_and_then_have_none) {
    g_autoptr(Light) light = light_of_cells(SIDE, AS_DENSE_AS(80), 1);
    double brighter = in_series(&series[1][0], 0, 0, "focus") * 1.05;
    bool gone = false;
    for (double bright = 0.25; bright > 1e-4; bright /= 4) {
        g_autoptr(Plane) plane = light_frame(light, bright, 1);
        double focus = one_number(plane, "focus");
        ck_assert(!gone || isnan(focus));
        ck_assert(isnan(focus) || focus <= brighter);
        gone = isnan(focus);
        brighter = focus;
    }
    ck_assert(gone);
}
END_TEST

/* ------------------------------------------------------------ what must not matter --- */

static Plane *turned(const Plane *plane) {
    guint32 side = plane->width;
    const guint16 *from = plane->pixels;
    guint16 *to = g_new(guint16, side * side);
    for (guint32 y = 0; y < side; y++)
        for (guint32 x = 0; x < side; x++)
            to[x * side + side - 1 - y] = from[y * side + x];
    Plane *copy = plane_new(plane->type, side, side, to, g_bytes_new_take(to, 2 * side * side));
    copy->whole = plane->whole;
    copy->scale = plane->scale;
    return copy;
}

START_TEST(a_turned_frame_is_as_sharp) {
    g_autoptr(Light) light = light_of_cells(512, 40, 3);
    g_autoptr(Plane) plane = light_frame(light, 1, 3);
    g_autoptr(Plane) sideways = turned(plane);
    ck_assert_double_eq_tol(one_number(sideways, "focus"), one_number(plane, "focus"), 1e-12);
}
END_TEST

START_TEST(an_offset_and_a_gain_leave_focus) {
    g_autoptr(Plane) plane = image_cells16();
    guint16 *pixels = (guint16 *)plane->pixels;
    double focus = one_number(plane, "focus"), snr = one_number(plane, "focus_snr");
    for (gsize i = 0; i < plane_pixels(plane); i++)
        pixels[i] = (guint16)(2 * pixels[i] + 5000);
    ck_assert_double_eq_tol(one_number(plane, "focus"), focus, 1e-12);
    ck_assert_double_eq_tol(one_number(plane, "focus_snr"), snr, 1e-9 * snr);
}
END_TEST

/* A camera's hot pixels, and pixels of a float image that are not finite: one in two thousand. */
START_TEST(single_wrong_pixels_hardly_move_focus) {
    g_autoptr(Light) light = light_of_cells(512, 40, 3);
    g_autoptr(Plane) plane = light_frame(light, 1, 3);
    double focus = one_number(plane, "focus");
    g_autoptr(Plane) unknown = plane_new(PLANE_F32, 512, 512, NULL, NULL);
    float *values = g_new(float, 512 * 512);
    unknown->pixels = values;
    unknown->keeper = g_bytes_new_take(values, 4 * 512 * 512);
    guint16 *pixels = (guint16 *)plane->pixels;
    for (guint32 i = 0; i < 512 * 512; i++) {
        bool wrong = image_hash(i) % 2000 == 0;
        values[i] = wrong ? (i % 2 ? NAN : INFINITY) : pixels[i];
        pixels[i] = wrong ? 6000 : pixels[i];
    }
    ck_assert_double_eq_tol(one_number(plane, "focus"), focus, 0.1 * focus);
    ck_assert_double_eq_tol(one_number(unknown, "focus"), focus, 0.03 * focus);
}
END_TEST

/* --------------------------------------------------------------------- real frames --- */

static const char *sample_data(void) {
    const char *folder = g_getenv("SCOPESTREAM_SAMPLE_DATA");
    if (folder == NULL)
        printf("skipped: SCOPESTREAM_SAMPLE_DATA names no folder of real images\n");
    return folder;
}

static double focus_of_file(const char *path) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    char *data = NULL;
    gsize size = 0;
    ck_assert_msg(g_file_get_contents(path, &data, &size, &error), "%s: %s", path,
                  error ? error->message : "");
    g_autoptr(GBytes) bytes = g_bytes_new_take(data, size);
    g_autoptr(Plane) plane = pixels_decode(bytes, 0, settings, &error);
    ck_assert_msg(plane != NULL, "%s: %s", path, error ? error->message : "");
    return one_number(plane, "focus");
}

/* The one file of the folder whose name begins so; NULL if there is none. Thumbnails do not count.
 */
static char *find_file(const char *folder, const char *prefix) {
    g_autoptr(GDir) entries = g_dir_open(folder, 0, NULL);
    const char *name;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL)
        if (g_str_has_prefix(name, prefix) && strstr(name, "thumb") == NULL)
            return g_build_filename(folder, name, NULL);
    return NULL;
}

static void check_best_plane_is_the_fifth(const char *measurement, const char *prefix) {
    double focus[11] = {0};
    for (int z = 1; z <= 10; z++) {
        g_autofree char *folder = g_strdup_printf("%s/ZStep_%d", measurement, z);
        g_autofree char *path = find_file(folder, prefix);
        ck_assert_msg(path != NULL, "no %s... in %s", prefix, folder);
        focus[z] = focus_of_file(path);
    }
    for (int z = 2; z <= 10; z++) /* up to the fifth, and down from there */
        ck_assert_msg(z <= 5 ? focus[z] > focus[z - 1] : focus[z] < focus[z - 1],
                      "%s: step %d has %g, step %d has %g", prefix, z, focus[z], z - 1,
                      focus[z - 1]);
}

START_TEST(the_best_plane_of_every_real_series_is_the_middle_one) {
    static const char *const prefixes[] = {"Projection-Mix_E07_s1_w1", "Projection-Mix_E07_s1_w2",
                                           "Projection-Mix_E07_s2_w1"};
    if (sample_data() == NULL)
        return;
    g_autofree char *measurement = g_build_filename(
        sample_data(), "focus/imagexpress_zseries/Projection-Mix/2023-02-21/1334", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        check_best_plane_is_the_fifth(measurement, prefixes[i]);
}
END_TEST

START_TEST(real_nuclei_in_focus_rank_above_those_out_of_it) {
    static const char *const in[] = {"BBBC006_z_aligned__a04__s1", "BBBC006_z_aligned__a05__s1"};
    static const char *const out[] = {"00_mcf-z-stacks-03212011_l01",
                                      "00_mcf-z-stacks-03212011_n06"};
    if (sample_data() == NULL)
        return;
    g_autofree char *folder = g_build_filename(sample_data(), "focus/BBBC006_subset", NULL);
    for (gsize i = 0; i < 2; i++)
        for (gsize j = 0; j < 2; j++) {
            g_autofree char *sharp = find_file(folder, in[i]), *blurred = find_file(folder, out[j]);
            ck_assert_double_gt(focus_of_file(sharp), 3 * focus_of_file(blurred));
        }
}
END_TEST

SUITE_WITH("focus", measure_all_series, NULL, focus_is_what_its_formula_says,
           focus_falls_with_every_step_of_defocus_bright_and_dim,
           in_focus_ranks_above_out_of_focus_whatever_the_light_and_the_cells,
           a_tenth_of_the_light_hardly_moves_focus, measures_said_to_turn_on_bright_fields_do,
           measures_said_to_turn_on_dim_fields_do,
           lap_excess_falls_with_every_step_where_there_is_light, noise_alone_has_no_focus,
           an_empty_field_with_a_tilted_lamp_is_not_in_focus,
           cells_that_drown_in_noise_lose_focus_and_then_have_none, a_turned_frame_is_as_sharp,
           an_offset_and_a_gain_leave_focus, single_wrong_pixels_hardly_move_focus,
           the_best_plane_of_every_real_series_is_the_middle_one,
           real_nuclei_in_focus_rank_above_those_out_of_it)
