/* Pictures are the same from the same seed, and their faults show in numbers a person would
 * compute: every threshold here is on pixels after the camera's noise. */
#include "samples/microscope/dice.h"
#include "samples/microscope/faults.h"
#include "samples/microscope/picture.h"
#include "tests/suite.h"

#include <string.h>

#define SIDE  320
#define WHITE 4095 /* of a 12-bit camera */

static char *channels[] = {"DAPI", "GFP", "TRITC", "Cy5", NULL};
static const ScopeSetup setup = {SIDE, SIDE, 12, 5, channels, 5, 24};

/* A place in focus: the middle one of five planes. */
static Place place_of(guint8 column, guint channel) {
    return (Place){.well = {0, column}, .well_index = column, .channel = channel, .z = 2};
}

typedef struct {
    double mean;        /* counts */
    double sharpness;   /* vollath_f4 */
    double clipped;     /* part of the pixels at white */
    double left, right; /* mean of the outer quarters */
    double bright;      /* part of the pixels twice as bright as the median or more */
} Numbers;

static gint compare_pixels(gconstpointer a, gconstpointer b) {
    return *(const guint16 *)a - *(const guint16 *)b;
}

static guint16 median_of(const guint16 *pixels) {
    g_autofree guint16 *sorted = g_memdup2(pixels, SIDE * SIDE * sizeof *pixels);
    qsort(sorted, SIDE * SIDE, sizeof *sorted, compare_pixels);
    return sorted[SIDE * SIDE / 2];
}

/* Vollath's F4, a pixel's: neighbours are more alike than next neighbours where a picture is sharp,
 * and noise cancels out. */
static double vollath_f4(const guint16 *pixels) {
    double sum = 0;
    for (gsize y = 0; y < SIDE; y++)
        for (gsize x = 0; x < SIDE - 2; x++) {
            const guint16 *at = pixels + y * SIDE + x;
            sum += at[0] * ((double)at[1] - at[2]);
        }
    return sum / (SIDE * (SIDE - 2));
}

static Numbers numbers_of(const guint16 *pixels) {
    Numbers numbers = {.sharpness = vollath_f4(pixels)};
    const guint16 median = median_of(pixels);
    for (gsize i = 0; i < SIDE * SIDE; i++) {
        numbers.mean += pixels[i] / (double)(SIDE * SIDE);
        numbers.clipped += (pixels[i] >= WHITE) / (double)(SIDE * SIDE);
        numbers.bright += (pixels[i] >= 2 * median) / (double)(SIDE * SIDE);
        numbers.left += i % SIDE < SIDE / 4 ? pixels[i] / (SIDE * SIDE / 4.0) : 0;
        numbers.right += i % SIDE >= SIDE * 3 / 4 ? pixels[i] / (SIDE * SIDE / 4.0) : 0;
    }
    return numbers;
}

static Numbers shoot(const Place *place, guint faults) {
    g_autoptr(Scope) scope = scope_new(&setup);
    return numbers_of(scope_shoot(scope, place, faults));
}

static char *hash_of(const guint16 *pixels) {
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)pixels,
                                       SIDE * SIDE * sizeof *pixels);
}

/* The dice are Java's SplittableRandom, whose first outputs for seed 0 are published. */
START_TEST(dice_give_the_published_numbers) {
    guint64 state = 0;
    ck_assert_uint_eq(dice_next(&state), 0xE220A8397B1DCDAFu);
    ck_assert_uint_eq(dice_next(&state), 0x6E789E6AA1B965F4u);
    ck_assert_uint_eq(dice_next(&state), 0x06C45D188009454Fu);
}
END_TEST

START_TEST(a_picture_does_not_depend_on_those_before_it) {
    g_autoptr(Scope) busy = scope_new(&setup);
    g_autoptr(Scope) fresh = scope_new(&setup);
    Place other = place_of(7, 2), place = place_of(3, 1);
    scope_shoot(busy, &other, FAULT_SATURATED | FAULT_UNEVEN | FAULT_DEFOCUS);
    g_autofree char *a = hash_of(scope_shoot(busy, &place, 0));
    g_autofree char *b = hash_of(scope_shoot(fresh, &place, 0));
    ck_assert_str_eq(a, b);
}
END_TEST

/* Change this value only together with the pictures: lists of earlier runs then mean other pixels.
 */
START_TEST(the_pixels_of_a_seed_are_the_same_on_every_machine) {
    g_autoptr(Scope) scope = scope_new(&setup);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint channel = 0; channel < 4; channel++) {
        Place place = place_of(3, channel);
        const guint16 *pixels = scope_shoot(scope, &place, 0);
        for (gsize i = 0; i < SIDE * SIDE; i++) {
            guint8 bytes[2] = {(guint8)pixels[i], (guint8)(pixels[i] >> 8)};
            g_checksum_update(sum, bytes, sizeof bytes);
        }
    }
    ck_assert_str_eq(g_checksum_get_string(sum),
                     "299eaf9548b45323b3a3ba9c7733b213d1bd5cb23755286509dd95c4f64b75dc");
}
END_TEST

START_TEST(every_place_and_every_seed_has_its_own_picture) {
    ScopeSetup other_seed = setup;
    other_seed.seed++;
    g_autoptr(Scope) scope = scope_new(&setup);
    g_autoptr(Scope) other = scope_new(&other_seed);
    g_autoptr(GHashTable) hashes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Place base = place_of(3, 1);
    Place places[] = {base, base, base, base, base, base, base};
    places[1].well.column++;
    places[2].well.row++;
    places[3].site++;
    places[4].channel++;
    places[5].z++;
    places[6].t++;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        ck_assert(g_hash_table_add(hashes, hash_of(scope_shoot(scope, &places[i], 0))));
    ck_assert(g_hash_table_add(hashes, hash_of(scope_shoot(other, &base, 0))));
}
END_TEST

START_TEST(a_good_picture_has_cells_and_clips_nothing_but_hot_pixels) {
    for (guint8 column = 0; column < 6; column++)
        for (guint channel = 0; channel < 4; channel++) {
            Place place = place_of(column, channel);
            Numbers numbers = shoot(&place, 0);
            ck_assert_double_gt(numbers.bright, 0.01);
            ck_assert_double_lt(numbers.bright, 0.6);
            ck_assert_double_lt(numbers.clipped, 0.0001);
        }
}
END_TEST

/* The light of the background alone: its noise is that of its electrons and of reading them. */
START_TEST(noise_is_that_of_the_electrons) {
    Place place = place_of(0, 0);
    g_autoptr(Scope) scope = scope_new(&setup);
    const guint16 *pixels = scope_shoot(scope, &place, FAULT_EMPTY);
    double squares = 0;
    gsize count = 0;
    for (gsize y = 100; y < 200; y++)
        for (gsize x = 100; x < 200; x++, count++) {
            double step = (double)pixels[y * SIDE + x + 1] - pixels[y * SIDE + x];
            squares += MIN(step * step, 400); /* a hot pixel or a speck is no noise */
        }
    double deviation = 0.256 * 16.4; /* counts per electron, root of 260 + 3 * 3 electrons */
    ck_assert_double_eq_tol(squares / (double)count / (2 * deviation * deviation), 1, 0.15);
}
END_TEST

START_TEST(a_picture_out_of_focus_is_smoother_in_every_channel_and_well) {
    for (guint8 column = 0; column < 6; column++)
        for (guint channel = 0; channel < 4; channel++) {
            Place place = place_of(column, channel);
            double sharp = shoot(&place, 0).sharpness;
            double blurred = shoot(&place, FAULT_DEFOCUS).sharpness;
            ck_assert_msg(blurred < sharp * 0.8, "well %u, channel %u: %g of %g", column, channel,
                          blurred, sharp);
        }
}
END_TEST

START_TEST(a_picture_out_of_focus_keeps_its_light) {
    Place place = place_of(1, 0);
    double sharp = shoot(&place, 0).mean, blurred = shoot(&place, FAULT_DEFOCUS).mean;
    ck_assert_double_eq_tol(blurred / sharp, 1, 0.03);
}
END_TEST

START_TEST(the_middle_plane_is_the_sharpest) {
    double sharpness[5];
    for (guint z = 0; z < 5; z++) {
        Place place = place_of(2, 2);
        place.z = z;
        sharpness[z] = shoot(&place, 0).sharpness;
    }
    for (guint z = 0; z < 5; z++)
        ck_assert(z == 2 || sharpness[z] < sharpness[2] * 0.95);
    ck_assert_double_lt(sharpness[0], sharpness[1]);
    ck_assert_double_lt(sharpness[4], sharpness[3]);
}
END_TEST

START_TEST(focus_drifts_from_the_first_well_to_the_last) {
    Place place = place_of(2, 2);
    place.well_index = 0;
    double first = shoot(&place, FAULT_DRIFT).sharpness, unspoilt = shoot(&place, 0).sharpness;
    place.well_index = setup.wells - 1;
    double last = shoot(&place, FAULT_DRIFT).sharpness;
    ck_assert_double_eq(first, unspoilt);
    ck_assert_double_lt(last, first * 0.8);
}
END_TEST

static gint32 off_focus_of(const Place *place, guint faults) {
    g_autoptr(Scope) scope = scope_new(&setup);
    return scope_off_focus_nm(scope, place, faults);
}

/* Whether the objective is too high or too low shows only by trying. */
START_TEST(an_offset_that_undoes_the_defocus_brings_cells_into_focus) {
    for (guint8 column = 0; column < 6; column++) {
        Place place = place_of(column, 1), right = place, wrong = place;
        const gint32 off = off_focus_of(&place, FAULT_DEFOCUS);
        right.focus_nm = -off;
        wrong.focus_nm = off;
        double sharp = shoot(&place, 0).sharpness;
        ck_assert(ABS(off) >= 9000 && ABS(off) <= 12000);
        ck_assert_int_eq(off_focus_of(&right, FAULT_DEFOCUS), 0);
        ck_assert_double_eq(shoot(&right, FAULT_DEFOCUS).sharpness, sharp);
        ck_assert_double_lt(shoot(&wrong, FAULT_DEFOCUS).sharpness, sharp * 0.8);
    }
}
END_TEST

START_TEST(within_the_depth_of_field_nothing_is_lost) {
    Place place = place_of(3, 2), near = place, farther = place;
    near.focus_nm = -1000;
    farther.focus_nm = -2000;
    double sharp = shoot(&place, 0).sharpness;
    ck_assert_double_eq(shoot(&near, 0).sharpness, sharp);
    ck_assert_double_lt(shoot(&farther, 0).sharpness, sharp * 0.97);
}
END_TEST

START_TEST(sites_are_out_of_focus_to_both_sides) {
    guint above = 0;
    for (guint8 column = 0; column < 40; column++) {
        Place place = place_of(column, 0);
        above += off_focus_of(&place, FAULT_DEFOCUS) > 0;
    }
    ck_assert(above >= 10 && above <= 30);
}
END_TEST

START_TEST(all_channels_of_a_site_are_as_far_out_of_focus) {
    Place dapi = place_of(3, 0), cy5 = place_of(3, 3);
    ck_assert_int_eq(off_focus_of(&dapi, FAULT_DEFOCUS), off_focus_of(&cy5, FAULT_DEFOCUS));
}
END_TEST

START_TEST(an_offset_undoes_drift_too) {
    Place place = place_of(2, 2);
    place.well_index = setup.wells - 1;
    double drifted = shoot(&place, FAULT_DRIFT).sharpness, sharp = shoot(&place, 0).sharpness;
    place.focus_nm = -off_focus_of(&place, FAULT_DRIFT);
    ck_assert_int_ge(ABS(place.focus_nm), 8000);
    ck_assert_double_eq(shoot(&place, FAULT_DRIFT).sharpness, sharp);
    ck_assert_double_lt(drifted, sharp * 0.8);
}
END_TEST

START_TEST(a_site_imaged_again_shows_the_same_cells_in_other_noise) {
    g_autoptr(Scope) scope = scope_new(&setup);
    Place first = place_of(3, 1), again = first;
    again.again = 1;
    g_autofree guint16 *before =
        g_memdup2(scope_shoot(scope, &first, 0), SIDE * SIDE * sizeof(guint16));
    const guint16 *after = scope_shoot(scope, &again, 0);
    double light = 0, difference = 0;
    for (gsize i = 0; i < SIDE * SIDE; i++) {
        light += before[i];
        difference += ABS((double)after[i] - before[i]);
    }
    ck_assert_double_gt(difference, 0);
    ck_assert_double_lt(difference, light * 0.05);
}
END_TEST

START_TEST(a_saturated_picture_is_clipped) {
    for (guint channel = 0; channel < 4; channel++) {
        Place place = place_of(4, channel);
        ck_assert_double_gt(shoot(&place, FAULT_SATURATED).clipped, 0.005);
    }
}
END_TEST

START_TEST(a_dim_picture_has_an_eighth_of_the_light) {
    Place place = place_of(4, 1);
    double offset = WHITE / 40;
    double good = shoot(&place, 0).mean - offset, dim = shoot(&place, FAULT_DIM).mean - offset;
    ck_assert_double_eq_tol(dim / good, 0.125, 0.01);
}
END_TEST

START_TEST(uneven_light_falls_off_to_the_right) {
    Place place = place_of(4, 0);
    Numbers good = shoot(&place, FAULT_EMPTY), uneven = shoot(&place, FAULT_EMPTY | FAULT_UNEVEN);
    ck_assert_double_eq_tol(good.right / good.left, 1, 0.02);
    ck_assert_double_lt(uneven.right / uneven.left, 0.85);
}
END_TEST

START_TEST(an_empty_well_has_no_cells) {
    for (guint8 column = 0; column < 6; column++) {
        Place place = place_of(column, 1);
        ck_assert_double_lt(shoot(&place, FAULT_EMPTY).bright, 0.002);
    }
}
END_TEST

/* Pictures of one place belong together: cells lie where their nuclei lie. */
START_TEST(channels_show_the_same_cells) {
    g_autoptr(Scope) scope = scope_new(&setup);
    Place nuclei = place_of(3, 0), bodies = place_of(3, 1);
    g_autofree guint16 *dapi =
        g_memdup2(scope_shoot(scope, &nuclei, 0), SIDE * SIDE * sizeof(guint16));
    const guint16 *gfp = scope_shoot(scope, &bodies, 0);
    guint16 dapi_median = median_of(dapi), gfp_median = median_of(gfp);
    double inside = 0, outside = 0;
    gsize in_nuclei = 0;
    for (gsize i = 0; i < SIDE * SIDE; i++) {
        bool is_nucleus = dapi[i] > 2 * dapi_median;
        *(is_nucleus ? &inside : &outside) += gfp[i];
        in_nuclei += is_nucleus;
    }
    inside /= (double)in_nuclei;
    outside /= (double)(SIDE * SIDE - in_nuclei);
    ck_assert_double_gt(inside, outside * 1.5);
    ck_assert_uint_gt(gfp_median, 0);
}
END_TEST

SUITE("picture", dice_give_the_published_numbers, a_picture_does_not_depend_on_those_before_it,
      the_pixels_of_a_seed_are_the_same_on_every_machine,
      every_place_and_every_seed_has_its_own_picture,
      a_good_picture_has_cells_and_clips_nothing_but_hot_pixels, noise_is_that_of_the_electrons,
      a_picture_out_of_focus_is_smoother_in_every_channel_and_well,
      a_picture_out_of_focus_keeps_its_light, the_middle_plane_is_the_sharpest,
      focus_drifts_from_the_first_well_to_the_last,
      an_offset_that_undoes_the_defocus_brings_cells_into_focus,
      within_the_depth_of_field_nothing_is_lost, sites_are_out_of_focus_to_both_sides,
      all_channels_of_a_site_are_as_far_out_of_focus, an_offset_undoes_drift_too,
      a_site_imaged_again_shows_the_same_cells_in_other_noise, a_saturated_picture_is_clipped,
      a_dim_picture_has_an_eighth_of_the_light, uneven_light_falls_off_to_the_right,
      an_empty_well_has_no_cells, channels_show_the_same_cells)
