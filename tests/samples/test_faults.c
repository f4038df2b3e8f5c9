/* What may be asked to go wrong, and where it then does. */
#include "samples/microscope/faults.h"
#include "tests/suite.h"

#include <string.h>

static char *channels[] = {"DAPI", "GFP", NULL};

static Plate plate_make(void) {
    WellSet set = {0};
    ck_assert(wells_parse("A01-D06", &set, NULL));
    return (Plate){wells_snake(&set), 2, 2, 1, 1, STACK_NONE};
}

/* The kinds one request puts at a place. */
static guint at(const char *request, guint8 row, guint8 column, guint channel, guint site) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    char *requests[] = {(char *)request, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Faults) faults = faults_new(requests, &plate, channels, 1, &error);
    ck_assert_msg(faults != NULL, "%s", error ? error->message : "");
    Place place = {.well = {row, column}, .channel = channel, .site = site};
    return faults_at(faults, &place);
}

START_TEST(a_fault_is_where_it_was_asked_for_and_nowhere_else) {
    ck_assert_uint_eq(at("defocus:B02", 1, 1, 0, 0), FAULT_DEFOCUS);
    ck_assert_uint_eq(at("defocus:B02", 1, 2, 0, 0), 0);
    ck_assert_uint_eq(at("empty:A01,C01-C03", 2, 2, 1, 1), FAULT_EMPTY);
    ck_assert_uint_eq(at("drift", 3, 3, 1, 1), FAULT_DRIFT);
}
END_TEST

START_TEST(a_fault_may_be_in_one_channel_only) {
    ck_assert_uint_eq(at("saturated:GFP@B02", 1, 1, 1, 0), FAULT_SATURATED);
    ck_assert_uint_eq(at("saturated:GFP@B02", 1, 1, 0, 0), 0);
    ck_assert_uint_eq(at("saturated:gfp", 3, 4, 1, 0), FAULT_SATURATED);
    ck_assert_uint_eq(at("saturated:gfp", 3, 4, 0, 0), 0);
}
END_TEST

START_TEST(a_fault_may_be_at_one_site_only) {
    ck_assert_uint_eq(at("truncated:GFP@B02/2", 1, 1, 1, 1), FAULT_TRUNCATED);
    ck_assert_uint_eq(at("truncated:GFP@B02/2", 1, 1, 1, 0), 0);
}
END_TEST

START_TEST(a_wrong_request_is_refused_and_quoted) {
    const char *const wrong[] = {
        "",          "nonsense:A01", "defocus",   "defocus:",  "dim:Cy5@A01", "dim:A01/3",
        "dim:A01/0", "drift:A01",    "stuck:A01", "stuck:1+1", "stuck:5+0",   "stuck:5"};
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        char *requests[] = {(char *)wrong[i], NULL};
        g_autoptr(GError) error = NULL;
        g_autoptr(Faults) faults = faults_new(requests, &plate, channels, 1, &error);
        ck_assert_msg(faults == NULL, "\"%s\" was taken", wrong[i]);
        ck_assert(g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE));
        ck_assert_ptr_nonnull(strstr(error->message, wrong[i]));
    }
}
END_TEST

START_TEST(a_stuck_camera_repeats_the_frame_before) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    char *requests[] = {"stuck:5+3", "stuck:8+1", NULL};
    g_autoptr(Faults) faults = faults_new(requests, &plate, channels, 1, NULL);
    const guint64 shown[] = {1, 2, 3, 4, 4, 4, 4, 4, 9};
    for (guint64 i = 0; i < G_N_ELEMENTS(shown); i++)
        ck_assert_uint_eq(faults_shown_frame(faults, i + 1), shown[i]);
}
END_TEST

static guint wells_with(const Faults *faults, const Plate *plate, FaultKind kind) {
    guint count = 0;
    for (guint64 file = 0; file < plate_files(plate); file += plate->sites * plate->channels) {
        guint kinds = 0;
        for (guint64 i = 0; i < plate->sites * plate->channels; i++) {
            Place place = plate_place(plate, file + i, 0);
            kinds |= faults_at(faults, &place);
        }
        count += (kinds & kind) != 0;
    }
    return count;
}

START_TEST(auto_spoils_a_few_wells_and_leaves_most_of_them_good) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    char *requests[] = {"auto", NULL};
    for (guint64 seed = 0; seed < 20; seed++) {
        g_autoptr(Faults) faults = faults_new(requests, &plate, channels, seed, NULL);
        ck_assert_uint_eq(wells_with(faults, &plate, FAULT_DEFOCUS), 3);
        ck_assert_uint_eq(wells_with(faults, &plate, FAULT_EMPTY), 1);
        ck_assert_uint_eq(wells_with(faults, &plate, FAULT_SATURATED), 1);
        ck_assert_uint_eq(wells_with(faults, &plate, FAULT_TRUNCATED), 1);
        ck_assert_uint_le(wells_with(faults, &plate, ~0u), 12);
        Place first = plate_place(&plate, 0, 0);
        ck_assert_uint_eq(faults_at(faults, &first), 0);
    }
}
END_TEST

START_TEST(auto_tells_its_choice_so_that_it_can_be_typed) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    char *requests[] = {"auto", NULL};
    g_autoptr(Faults) chosen = faults_new(requests, &plate, channels, 7, NULL);
    g_autoptr(Faults) typed = faults_new(faults_chosen(chosen), &plate, channels, 8, NULL);
    ck_assert_ptr_nonnull(typed);
    ck_assert_uint_gt(g_strv_length((char **)faults_chosen(chosen)), 5);
    for (guint64 file = 0; file < plate_files(&plate); file++) {
        Place place = plate_place(&plate, file, 0);
        ck_assert_uint_eq(faults_at(chosen, &place), faults_at(typed, &place));
    }
}
END_TEST

START_TEST(auto_on_a_single_well_spoils_nothing) {
    Plate plate = plate_make();
    g_autoptr(GArray) wells = plate.wells;
    g_array_set_size(wells, 1);
    char *requests[] = {"auto", NULL};
    g_autoptr(Faults) faults = faults_new(requests, &plate, channels, 7, NULL);
    ck_assert_uint_eq(faults_anywhere(faults), 0);
}
END_TEST

static Plate plate_of(const char *text, guint sites, guint channels_count) {
    WellSet set = {0};
    ck_assert(wells_parse(text, &set, NULL));
    return (Plate){wells_snake(&set), sites, channels_count, 1, 1, STACK_NONE};
}

/* Wells where the camera repeats itself. */
static guint wells_stuck(const Faults *faults, const Plate *plate) {
    g_autoptr(GHashTable) wells = g_hash_table_new(NULL, NULL);
    for (guint64 frame = 1; frame <= plate_files(plate); frame++) {
        Place place = plate_place(plate, frame - 1, 0);
        Place shown = plate_place(plate, faults_shown_frame(faults, frame) - 1, 0);
        if (faults_shown_frame(faults, frame) == frame)
            continue;
        ck_assert_uint_eq(shown.well_index, place.well_index);
        ck_assert_uint_eq(faults_at(faults, &shown), 0);
        g_hash_table_add(wells, GUINT_TO_POINTER(place.well_index));
    }
    return g_hash_table_size(wells);
}

START_TEST(each_spoils_as_many_wells_of_every_kind_and_no_well_twice) {
    char *four[] = {"DAPI", "GFP", "TRITC", "Cy5", NULL};
    Plate plate = plate_of("all384", 2, 4);
    g_autoptr(GArray) wells = plate.wells;
    char *requests[] = {"each:12", NULL};
    for (guint64 seed = 0; seed < 5; seed++) {
        g_autoptr(Faults) faults = faults_new(requests, &plate, four, seed, NULL);
        const FaultKind kinds[] = {FAULT_DEFOCUS, FAULT_SATURATED, FAULT_EMPTY, FAULT_MISSING};
        for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
            ck_assert_uint_eq(wells_with(faults, &plate, kinds[i]), 12);
        ck_assert_uint_eq(wells_stuck(faults, &plate), 12);
        ck_assert_uint_eq(wells_with(faults, &plate, ~0u), 48);
    }
}
END_TEST

START_TEST(each_asks_for_no_more_wells_than_half_of_the_plate) {
    Plate plate = plate_of("all384", 2, 2);
    g_autoptr(GArray) wells = plate.wells;
    char *most[] = {"each:38", NULL}, *more[] = {"each:39", NULL}, *none[] = {"each:0", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Faults) fits = faults_new(most, &plate, channels, 1, NULL);
    ck_assert_ptr_nonnull(fits);
    ck_assert_ptr_null(faults_new(more, &plate, channels, 1, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "1 to 38"));
    ck_assert_ptr_null(faults_new(none, &plate, channels, 1, NULL));
}
END_TEST

START_TEST(several_faults_have_one_text) {
    g_autofree char *none = faults_text(0);
    g_autofree char *two = faults_text(FAULT_SLOW | FAULT_DEFOCUS);
    ck_assert_str_eq(none, "");
    ck_assert_str_eq(two, "defocus+slow");
}
END_TEST

SUITE("faults", a_fault_is_where_it_was_asked_for_and_nowhere_else,
      a_fault_may_be_in_one_channel_only, a_fault_may_be_at_one_site_only,
      a_wrong_request_is_refused_and_quoted, a_stuck_camera_repeats_the_frame_before,
      auto_spoils_a_few_wells_and_leaves_most_of_them_good,
      auto_tells_its_choice_so_that_it_can_be_typed, auto_on_a_single_well_spoils_nothing,
      each_spoils_as_many_wells_of_every_kind_and_no_well_twice,
      each_asks_for_no_more_wells_than_half_of_the_plate, several_faults_have_one_text)
