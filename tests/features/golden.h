/* golden: known answers. The twelve images of images.h that other programs have measured, and the
 * check that a measure says the same of them.
 *
 *     static const Golden golden[] = {
 *         {"mean", 1e-9, {0.018, 0.017, ...}},
 *     };
 *     golden_check(golden, G_N_ELEMENTS(golden));
 *
 * or, at scales that are not the measure's own,
 *
 *     golden_check_in("correlation:10,20,50", golden, G_N_ELEMENTS(golden)); */
#ifndef TESTS_FEATURES_GOLDEN_H
#define TESTS_FEATURES_GOLDEN_H

#include "tests/features/images.h"
#include "tests/features/measuring.h"
#include <check.h>
#include <math.h>

#define GOLDEN_IMAGES 12

static const struct {
    const char *name;
    Plane *(*make)(void);
    guint32 crc; /* of the image that was measured */
} golden_images[GOLDEN_IMAGES] = {
    {"cells16_512x384", image_cells16, 0x2d16ff5f},
    {"cells16_odd_301x257", image_odd16, 0x618ded86},
    {"sat16_640x480", image_saturated16, 0x78be9525},
    {"noise16_256x256", image_noise16, 0x5c54ec73},
    {"ramp16_320x256", image_ramp16, 0x96567e09},
    {"const16_64x64", image_constant16, 0x35a79d5f},
    {"black16_64x64", image_black16, 0xd8f49994},
    {"cells8_400x300", image_cells8, 0xd8e86047},
    {"cells16_blur1_512x384", image_blur1, 0x38146038},
    {"cells16_blur4_512x384", image_blur4, 0x358d4f86},
    {"cells16_blur16_512x384", image_blur16, 0x53bd9c1a},
    {"bright16_512x512", image_bright16, 0xc9f181eb},
};

/* One number's values, an image each in the order above; NAN: it has none there, NULL is right. */
typedef struct {
    const char *name;
    double tolerance; /* how far it may lie off, relative to the value */
    double values[GOLDEN_IMAGES];
    double absolute; /* how far it may lie off in any case */
} Golden;

static inline bool golden_agrees(const Golden *golden, gsize image, double got) {
    double expected = golden->values[image];
    if (isnan(expected) || isnan(got))
        return isnan(expected) && isnan(got);
    return fabs(got - expected) <= golden->tolerance * fabs(expected) + golden->absolute;
}

/* The pipeline of those words, NULL for every measure at its own scales, says so of every image. */
static inline void golden_check_in(const char *words, const Golden *golden, gsize rows) {
    Pipeline *pipeline = measuring_pipeline(words);
    for (gsize image = 0; image < GOLDEN_IMAGES; image++) {
        g_autoptr(Plane) plane = golden_images[image].make();
        g_autoptr(Measurement) measured = pipeline_measure(pipeline, plane, NULL);
        for (gsize row = 0; row < rows; row++) {
            int index = pipeline_column_find(pipeline, golden[row].name);
            ck_assert_msg(index >= 0, "no number is called %s", golden[row].name);
            double got = measured->values[pipeline_column(pipeline, (guint)index)->place];
            ck_assert_msg(golden_agrees(&golden[row], image, got), "%s of %s is %.12g, not %.12g",
                          golden[row].name, golden_images[image].name, got,
                          golden[row].values[image]);
        }
    }
}

static inline void golden_check(const Golden *golden, gsize rows) {
    golden_check_in(NULL, golden, rows);
}

#endif
