/* What every focus-like number makes of defocus under a camera's noise: the tables of
 * docs/focus.md.
 *
 *     build/release/bench/bench_features_focus [SEEDS]
 *
 * Two tables show one field, bright and dim. The last counts steps of defocus over fields of many,
 * some and few cells, SEEDS of each (3 if not given), and tells what the number does where the
 * focus is the same and the rest is not. */
#include "tests/features/measuring.h"
#include "tests/features/simulated.h"
#include <stdio.h>
#include <stdlib.h>

static const char words[] =
    "focus vollath vollath_f5 laplacian laplacian_energy tenengrad brenner gradient focus_score "
    "power_slope spectrum correlation:10,20 local_focus:20 blur_effect";
static const char *const numbers[] = {
    "focus",          "focus_snr",      "vollath_f4",     "vollath_f5",  "lap_excess",
    "lap_var",        "lap_energy",     "tenengrad",      "brenner_h",   "grad_h",
    "focus_score",    "plls",           "psd_slope_mean", "blur_effect", "correlation_10",
    "correlation_20", "local_focus_20",
};
#define NUMBERS G_N_ELEMENTS(numbers)

enum { SIDE = 1080 };
static const guint32 cells[] = {220, 60, 15};
static const double brightness[] = {1, 0.1, 0.03};
#define FIELDS G_N_ELEMENTS(cells)
#define LIGHTS G_N_ELEMENTS(brightness)

typedef double Frame[NUMBERS];
/* All frames of one field. */
typedef struct {
    Frame frames[LIGHTS][LIGHT_BLURS];
} Field;

/* --- measuring --- */

static void measure_frame(const Light *light, double bright, guint32 seed, Frame ret_frame) {
    Pipeline *pipeline = measuring_pipeline(words);
    g_autoptr(Plane) plane = light_frame(light, bright, seed);
    g_autoptr(Measurement) measured = pipeline_measure(pipeline, plane, NULL);
    for (gsize i = 0; i < NUMBERS; i++) {
        int column = pipeline_column_find(pipeline, numbers[i]);
        if (column < 0)
            g_error("no number is called %s", numbers[i]);
        ret_frame[i] = measured->values[pipeline_column(pipeline, (guint)column)->place];
    }
}

static void measure_field(guint32 count, guint32 seed, Field *ret_field) {
    g_autoptr(Light) light = light_of_cells(SIDE, count, seed);
    for (gsize blur = 0; blur < LIGHT_BLURS; blur++) {
        g_autoptr(Light) blurred = light_blurred(light, blur);
        for (gsize i = 0; i < LIGHTS; i++) {
            guint32 noise = image_hash(count * 10000 + seed * 100 + (guint32)(blur * LIGHTS + i));
            measure_frame(blurred, brightness[i], noise, ret_field->frames[i][blur]);
        }
    }
}

/* --- telling --- */

static void print_field(const Field *field, gsize light, const Frame empty) {
    printf("\n%u cells, brightness %g:\n\n| number |", cells[0], brightness[light]);
    for (gsize blur = 0; blur < LIGHT_BLURS; blur++)
        printf(" %d px |", light_blurs[blur].sigma_px);
    printf(" no cells |\n|---|%s---|\n", "---|---|---|---|---|---|---|");
    for (gsize number = 0; number < NUMBERS; number++) {
        printf("| `%s` |", numbers[number]);
        for (gsize blur = 0; blur < LIGHT_BLURS; blur++)
            printf(" %.3g |", field->frames[light][blur][number]);
        printf(" %.3g |\n", empty[number]);
    }
}

/* Steps of defocus, of all the series at that brightness, by what the number does. */
typedef struct {
    guint down, all;
} Steps;

static Steps count_steps(const Field *fields, gsize count, gsize light, gsize number) {
    Steps steps = {0, 0};
    for (gsize i = 0; i < count; i++)
        for (gsize blur = 1; blur < LIGHT_BLURS; blur++) {
            const Frame *frames = fields[i].frames[light];
            steps.down += frames[blur][number] < frames[blur - 1][number];
            steps.all += !isnan(frames[blur][number]);
        }
    return steps;
}

/* The mean over seeds of the number in focus. */
static double in_focus(const Field *fields, guint32 seeds, gsize light, gsize number) {
    double sum = 0;
    for (guint32 seed = 0; seed < seeds; seed++)
        sum += fields[seed].frames[light][0][number];
    return sum / seeds;
}

static void print_verdicts(const Field *fields, guint32 seeds) {
    printf(
        "\nSteps down of all steps; in focus, dim / bright, and few cells / many:\n\n| number |");
    for (gsize light = 0; light < LIGHTS; light++)
        printf(" down, %g |", brightness[light]);
    printf(" %g / %g | %u / %u cells |\n|---|---|---|---|---|---|\n", brightness[1], brightness[0],
           cells[FIELDS - 1], cells[0]);
    for (gsize number = 0; number < NUMBERS; number++) {
        printf("| `%s` |", numbers[number]);
        for (gsize light = 0; light < LIGHTS; light++) {
            Steps steps = count_steps(fields, FIELDS * seeds, light, number);
            printf(" %u of %u |", steps.down, steps.all);
        }
        double usual = in_focus(fields, seeds, 0, number);
        printf(" %.2g | %.2g |\n", in_focus(fields, seeds, 1, number) / usual,
               in_focus(fields + (FIELDS - 1) * seeds, seeds, 0, number) / usual);
    }
}

int main(int argc, char *argv[]) {
    guint32 seeds = argc > 1 ? (guint32)MAX(atoi(argv[1]), 1) : 3;
    g_autofree Field *fields = g_new(Field, FIELDS * seeds);
    for (gsize i = 0; i < FIELDS; i++)
        for (guint32 seed = 0; seed < seeds; seed++)
            measure_field(cells[i], seed + 1, &fields[i * seeds + seed]);
    g_autoptr(Light) none = light_of_cells(SIDE, 0, 1);
    Frame empty;
    measure_frame(none, 1, 1, empty);
    print_field(&fields[0], 0, empty);
    print_field(&fields[0], 1, empty);
    print_verdicts(fields, seeds);
    return 0;
}
