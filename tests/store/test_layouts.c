/* What stands in the wells, and the views that follow from it, with answers computed by hand. */
#include "tests/store/place.h"
#include "tests/suite.h"

static Place place_with_focus(void) {
    Place place = place_make();
    ck_assert_int_eq(
        store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE
                                   ",\"measures\":[{\"name\":\"focus\"},"
                                   "{\"name\":\"mean\"}]}")),
        DOCUMENT_STORED);
    return place;
}

/* The n-th frame, of a well. */
static void store_well(Place *place, int n, const char *well, int site, double focus) {
    g_autoptr(Frame) frame = documents_frame(n);
    g_autofree char *values = g_strdup_printf("{\"focus\": %g, \"mean\": 1}", focus);
    frame_set_text(&frame->naming, "some");
    frame_set_text(&frame->well, well);
    frame->site = site;
    ck_assert_int_eq(store_one(place, documents_result_of(frame, "ok", values)), DOCUMENT_STORED);
}

static void load(Place *place, const char *arguments) {
    g_autofree char *sql = g_strdup_printf("select scopestream.load_layout(%s)", arguments);
    g_free(cluster_answer(place->admin, sql));
}

/* Refused with words that contain these. */
static void refuse(Place *place, const char *arguments, const char *words) {
    g_autofree char *sql = g_strdup_printf("select scopestream.load_layout(%s)", arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = postgres_ask(place->admin, sql, NULL, 0, &error);
    ck_assert_ptr_null(rows);
    ck_assert_msg(strstr(error->message, words) != NULL, "%s: expected '%s'", error->message,
                  words);
}

START_TEST(a_layout_is_loaded_whole_or_not_at_all) {
    g_auto(Place) place = place_make();
    load(&place,
         "'P1', null, '[{\"well\":\"a1\",\"role\":\"Negative\",\"treatment\":\"DMSO\"},"
         "{\"well\":\"P24\",\"treatment\":\"X\",\"concentration\":\"1e-3\",\"unit\":\"uM\"}]'");
    static const char layouts[] =
        "select string_agg(format('%s %s %s %s %s/%s', well, role, treatment, concentration, rows, "
        "columns), ', ' order by well) from scopestream.layouts where plate = 'P1'";
    cluster_expect(place.admin, layouts, "A01 negative DMSO  16/24, P24 sample X 0.001 16/24");
    refuse(&place, "'P1', null, '[{\"well\":\"A0\"}]'", "'A0' is no well: expected A1 to AF48");
    refuse(&place, "'P1', 96, '[{\"well\":\"A01\"},{\"well\":\"I01\"}]'",
           "well 2: I01 lies outside a plate of 8 rows and 12 columns");
    refuse(&place, "'P1', 96, '[{\"well\":\"A01\",\"role\":\"control\"}]'",
           "role 'control': expected sample");
    refuse(&place, "'P1', 96, '[{\"well\":\"A01\",\"concentration\":\"-1\"}]'",
           "concentration '-1': expected a number");
    refuse(&place, "'P1', 96, '[{\"well\":\"A01\"},{\"well\":\"a1\"}]'",
           "A01 stands there twice, as number 1 and 2");
    refuse(&place, "'P1', 100", "format 100: expected 6, 12, 24");
    refuse(&place, "'P1'", "needs wells, or a format");
    refuse(&place, "' ', 96", "needs the plate");
    cluster_expect(place.admin, layouts, "A01 negative DMSO  16/24, P24 sample X 0.001 16/24");
    load(&place, "'P1', 1536");
    cluster_expect(place.admin,
                   "select count(*) || ' ' || min(well) || ' ' || max(well collate \"C\") from "
                   "scopestream.layouts where well ~ '^..\\d\\d$' and plate = 'P1'",
                   "288 AA01 AF48");
    cluster_expect(place.admin, "select scopestream.drop_layout('P1')", "t");
    cluster_expect(place.admin, "select scopestream.drop_layout('P1')", "f");
}
END_TEST

START_TEST(controls_tell_how_good_an_assay_is) {
    g_auto(Place) place = place_with_focus();
    load(&place,
         "'*', 96, "
         "'[{\"well\":\"A01\",\"role\":\"positive\"},{\"well\":\"A02\",\"role\":\"positive\"},"
         "{\"well\":\"B01\",\"role\":\"negative\"},{\"well\":\"B02\",\"role\":\"negative\"}]'");
    store_well(&place, 1, "A01", 1, 10);
    store_well(&place, 2, "A02", 1, 12);
    store_well(&place, 3, "B01", 1, 1);
    store_well(&place, 4, "B02", 1, 99);
    store_well(&place, 5, "B02", 1, 3); /* imaged again: this one counts */
    store_well(&place, 6, "C01", 1, 500);
    cluster_expect(place.admin,
                   "select concat_ws(' ', positives, negatives, round(z_prime::numeric, 5), "
                   "round(robust_z_prime::numeric, 5), round(ssmd::numeric, 5), "
                   "round(robust_ssmd::numeric, 5)) from scopestream.controls_quality "
                   "where plate = 'P1' and measure = 'focus'",
                   "2 2 0.05719 0.01160 4.50000 4.29243");
    cluster_expect(place.admin,
                   "select z_prime is null and ssmd is null from scopestream.controls_quality "
                   "where measure = 'mean'",
                   "t");
}
END_TEST

START_TEST(doses_stand_beside_each_other) {
    g_auto(Place) place = place_with_focus();
    load(&place, "'P1', 96, '[{\"well\":\"A01\",\"treatment\":\"X\",\"concentration\":1},"
                 "{\"well\":\"A02\",\"treatment\":\"X\",\"concentration\":1},"
                 "{\"well\":\"A03\",\"treatment\":\"X\",\"concentration\":10}]'");
    store_well(&place, 1, "A01", 1, 10);
    store_well(&place, 2, "A01", 2, 30);
    store_well(&place, 3, "A02", 1, 40);
    store_well(&place, 4, "A03", 1, 7);
    store_well(&place, 5, "D04", 1, 8);
    cluster_expect(
        place.admin,
        "select string_agg(format('%s %s: %s of %s', treatment, concentration, median, wells), ', "
        "' "
        "order by concentration) from scopestream.dose where plate = 'P1' and measure = 'focus'",
        "X 1: 30 of 2, X 10: 7 of 1");
}
END_TEST

START_TEST(the_edge_of_a_plate_is_compared_with_its_middle) {
    g_auto(Place) place = place_with_focus();
    /* Two by two of the inner wells of 96, and a well of each edge, which make it one. */
    static const char *const wells[] = {"C03", "C04", "D03", "D04", "A06", "F01", "H07", "E12"};
    static const double values[] = {8, 10, 10, 12, 5, 6, 6, 7};
    for (int i = 0; i < (int)G_N_ELEMENTS(wells); i++)
        store_well(&place, i + 1, wells[i], 1, values[i]);
    cluster_expect(
        place.admin,
        "select concat_ws(' ', outer_wells, inner_wells, outer_median, inner_median, ratio) "
        "from scopestream.edge_effects where plate = 'P1' and measure = 'focus'",
        "4 4 6 10 0.6");
    /* median 7.5, deviations 0.5 2.5 2.5 4.5 2.5 1.5 1.5 0.5: MAD 2; row D and column 4: 11 */
    cluster_expect(place.admin,
                   "select concat_ws(' ', round((row_effect * 1.4826 * 2)::numeric, 6), "
                   "round((column_effect * 1.4826 * 2)::numeric, 6)) "
                   "from scopestream.edge_effects where plate = 'P1' and measure = 'focus'",
                   "3.500000 3.500000");
}
END_TEST

START_TEST(missing_wells_and_sites_are_told) {
    g_auto(Place) place = place_with_focus();
    load(&place,
         "'P1', 6, '[{\"well\":\"A01\"},{\"well\":\"A02\"},{\"well\":\"A03\"},{\"well\":\"B01\"},"
         "{\"well\":\"B02\",\"role\":\"empty\"}]'");
    store_well(&place, 1, "A01", 1, 1);
    store_well(&place, 2, "A01", 2, 1);
    store_well(&place, 3, "A02", 1, 1);
    store_well(&place, 4, "A02", 2, 1);
    store_well(&place, 5, "A03", 1, 1);
    store_well(&place, 6, "A03", 1, 1); /* again: the same place */
    cluster_expect(
        place.admin,
        "select concat_ws(' ', places_per_well, wells_expected, wells_seen, wells_missing, "
        "wells_incomplete) from scopestream.completeness where plate = 'P1'",
        "2 4 3 {B01} {A03}");
}
END_TEST

START_TEST(scientists_load_layouts_and_readers_look) {
    g_auto(Place) place = place_with_focus();
    load(&place, "'P1', 6, '[{\"well\":\"A01\",\"role\":\"positive\",\"treatment\":\"X\"},"
                 "{\"well\":\"B01\",\"role\":\"negative\",\"treatment\":\"Y\"}]'");
    store_well(&place, 1, "A01", 1, 1);
    store_well(&place, 2, "B01", 1, 2);
    g_free(cluster_answer(place.admin, "set role scopestream_reader"));
    cluster_expect(
        place.admin,
        "select (select count(*) from scopestream.well_values where measure = 'focus') || ' ' || "
        "(select count(*) from scopestream.controls_quality where measure = 'focus') || ' ' || "
        "(select count(*) from scopestream.edge_effects) || ' ' || "
        "(select count(*) from scopestream.dose where measure = 'focus') || ' ' || "
        "(select count(*) from scopestream.completeness)",
        "2 1 0 2 1");
    refuse(&place, "'P1', 96", "permission denied");
    g_free(cluster_answer(place.admin, "reset role"));
    g_free(cluster_answer(place.admin, "set role scopestream_scientist"));
    load(&place, "'P1', 96");
}
END_TEST

SUITE_WITH("layouts", cluster_start, cluster_stop, a_layout_is_loaded_whole_or_not_at_all,
           controls_tell_how_good_an_assay_is, doses_stand_beside_each_other,
           the_edge_of_a_plate_is_compared_with_its_middle, missing_wells_and_sites_are_told,
           scientists_load_layouts_and_readers_look)
