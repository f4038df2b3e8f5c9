/* Which wells are visited, in which order, and which picture is on which page. */
#include "samples/microscope/plate.h"
#include "tests/suite.h"

#include <string.h>

/* "A01 A02 ..." of what `text` asks for; NULL if it is refused. */
static char *snake(const char *text) {
    WellSet set = {0};
    if (!wells_parse(text, &set, NULL))
        return NULL;
    g_autoptr(GArray) wells = wells_snake(&set);
    GString *names = g_string_new(NULL);
    for (guint i = 0; i < wells->len; i++) {
        g_autofree char *name = well_text(g_array_index(wells, Well, i));
        g_string_append_printf(names, "%s%s", i ? " " : "", name);
    }
    return g_string_free(names, false);
}

static void expect_snake(const char *text, const char *wells) {
    g_autofree char *got = snake(text);
    ck_assert_ptr_nonnull(got);
    ck_assert_str_eq(got, wells);
}

static guint wells_in(const char *text) {
    WellSet set = {0};
    ck_assert(wells_parse(text, &set, NULL));
    g_autoptr(GArray) wells = wells_snake(&set);
    return wells->len;
}

START_TEST(a_list_of_wells_may_be_written_in_many_ways) {
    expect_snake("A01", "A01");
    expect_snake("b3", "B03");
    expect_snake("A02,A01", "A01 A02");
    expect_snake("A01-A03, A02", "A01 A02 A03");
    expect_snake("AF48", "AF48");
    ck_assert_uint_eq(wells_in("all96"), 96);
    ck_assert_uint_eq(wells_in("all384"), 384);
    ck_assert_uint_eq(wells_in("all1536"), 1536);
}
END_TEST

START_TEST(what_is_no_well_is_refused) {
    const char *const wrong[] = {"",    "A",    "A00",     "A49",     "AG01", "1A",
                                 "A1x", "A01-", "B01-A02", "A02-A01", "all",  "A01,,A02"};
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *wells = snake(wrong[i]);
        ck_assert_msg(wells == NULL, "\"%s\" was read as %s", wrong[i], wells);
    }
}
END_TEST

START_TEST(a_refusal_quotes_the_wrong_part) {
    WellSet set = {0};
    g_autoptr(GError) error = NULL;
    ck_assert(!wells_parse("A01,Q99", &set, &error));
    ck_assert(g_error_matches(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE));
    ck_assert_ptr_nonnull(strstr(error->message, "\"Q99\""));
}
END_TEST

START_TEST(the_stage_turns_back_at_the_end_of_a_row) {
    expect_snake("A01-C02", "A01 A02 B02 B01 C01 C02");
}
END_TEST

START_TEST(rows_without_wells_do_not_turn_the_stage) {
    expect_snake("A01-A02,D01-D02", "A01 A02 D02 D01");
}
END_TEST

static Plate plate_of(const char *wells, Stack stack) {
    WellSet set = {0};
    ck_assert(wells_parse(wells, &set, NULL));
    return (Plate){wells_snake(&set), 2, 3, 2, 2, stack};
}

/* Everything of a place in one number, in the order wells, sites, channels, planes, times. */
static guint place_number(const Plate *plate, const Place *place) {
    guint number = place->well_index;
    number = number * plate->sites + place->site;
    number = number * plate->channels + place->channel;
    number = number * plate->zs + place->z;
    return number * plate->ts + place->t;
}

START_TEST(every_place_is_on_exactly_one_page) {
    for (Stack stack = STACK_NONE; stack <= STACK_SITE; stack++) {
        Plate plate = plate_of("A01-B02", stack);
        g_autoptr(GArray) wells = plate.wells;
        bool seen[4 * 2 * 3 * 2 * 2] = {false};
        ck_assert_uint_eq(plate_files(&plate) * plate_pages(&plate), G_N_ELEMENTS(seen));
        for (guint64 file = 0; file < plate_files(&plate); file++)
            for (guint page = 0; page < plate_pages(&plate); page++) {
                Place place = plate_place(&plate, file, page);
                guint number = place_number(&plate, &place);
                ck_assert_uint_lt(number, G_N_ELEMENTS(seen));
                ck_assert(!seen[number]);
                ck_assert_uint_eq(place.plate, 0);
                seen[number] = true;
            }
    }
}
END_TEST

START_TEST(the_whole_plate_is_visited_at_each_time) {
    Plate plate = plate_of("A01-A02", STACK_NONE);
    g_autoptr(GArray) wells = plate.wells;
    guint64 files = plate_files(&plate);
    ck_assert_uint_eq(plate_place(&plate, files / 2 - 1, 0).t, 0);
    ck_assert_uint_eq(plate_place(&plate, files / 2, 0).t, 1);
    ck_assert_uint_eq(plate_place(&plate, 0, 0).channel, 0);
    ck_assert_uint_eq(plate_place(&plate, 1, 0).channel, 1);
}
END_TEST

START_TEST(a_site_s_stack_has_its_channels_next_to_each_other) {
    Plate plate = plate_of("A01", STACK_SITE);
    g_autoptr(GArray) wells = plate.wells;
    ck_assert_uint_eq(plate_pages(&plate), 12);
    Place second = plate_place(&plate, 0, 1), fourth = plate_place(&plate, 0, 3),
          last = plate_place(&plate, 0, 11);
    ck_assert(second.channel == 1 && second.z == 0 && second.t == 0);
    ck_assert(fourth.channel == 0 && fourth.z == 1 && fourth.t == 0);
    ck_assert(last.channel == 2 && last.z == 1 && last.t == 1);
}
END_TEST

START_TEST(a_run_that_loops_goes_on_with_the_next_plate) {
    Plate plate = plate_of("A01-A02", STACK_Z);
    g_autoptr(GArray) wells = plate.wells;
    Place place = plate_place(&plate, plate_files(&plate), 0);
    ck_assert_uint_eq(place.plate, 1);
    ck_assert(place.well_index == 0 && place.site == 0 && place.channel == 0 && place.t == 0);
}
END_TEST

SUITE("plate", a_list_of_wells_may_be_written_in_many_ways, what_is_no_well_is_refused,
      a_refusal_quotes_the_wrong_part, the_stage_turns_back_at_the_end_of_a_row,
      rows_without_wells_do_not_turn_the_stage, every_place_is_on_exactly_one_page,
      the_whole_plate_is_visited_at_each_time, a_site_s_stack_has_its_channels_next_to_each_other,
      a_run_that_loops_goes_on_with_the_next_plate)
