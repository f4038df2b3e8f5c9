/* The views that tell what only several frames tell, with answers known beforehand. */
#include "tests/store/place.h"
#include "tests/suite.h"
#include <math.h>

#define CATALOGUE                                                                                  \
    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["                   \
    "{\"name\":\"tile_mean\",\"kind\":\"array\",\"length\":4},{\"name\":\"vollath_f4\"},"          \
    "{\"name\":\"fg_mean\"},{\"name\":\"bg_mean\"},{\"name\":\"pixel_hash\",\"kind\":\"hash\"},"   \
    "{\"name\":\"dhash\",\"kind\":\"hash\"}]}"

static Place place_with_catalogue(void) {
    Place place = place_make();
    ck_assert_int_eq(store_one(&place, g_strdup(CATALOGUE)), DOCUMENT_STORED);
    return place;
}

/* Site 1 of plate P1, one frame a second. */
static void store_frame(Place *place, int n, const char *channel, int z, int t,
                        const char *values) {
    g_autoptr(Frame) frame = documents_frame(n);
    frame_set_text(&frame->naming, "some");
    frame_set_text(&frame->channel, channel);
    frame->site = 1;
    frame->z = z;
    frame->t = t;
    ck_assert_int_eq(store_one(place, documents_result_of(frame, "ok", values)), DOCUMENT_STORED);
}

static void store_at_time(Place *place, int t, const char *values) {
    store_frame(place, t, "DAPI", FRAME_UNKNOWN, t, values);
}

START_TEST(views_appear_with_the_columns_they_need) {
    g_auto(Place) place = place_make();
    static const char views[] =
        "select string_agg(relname, ' ' order by relname) from pg_class where relnamespace = "
        "'scopestream'::regnamespace and relname in ('frame_changes', 'channel_correlation', "
        "'best_planes', 'bleaching', 'duplicates')";
    cluster_expect(place.admin, views, "");
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"vollath_f4\"},"
                               "{\"name\":\"pixel_hash\",\"kind\":\"hash\"}]}"));
    cluster_expect(place.admin, views, "best_planes duplicates");
    store_one(&place, g_strdup(CATALOGUE));
    cluster_expect(place.admin, views,
                   "best_planes bleaching channel_correlation duplicates frame_changes");
    cluster_expect(place.admin,
                   "select string_agg(relname || '.' || attname, ' ') from pg_class c "
                   "join pg_attribute a on attrelid = c.oid and attnum > 0 "
                   "where relnamespace = 'scopestream'::regnamespace and relkind = 'v' "
                   "and (col_description(c.oid, attnum) is null or obj_description(c.oid) is null)",
                   "");
}
END_TEST

START_TEST(a_frame_is_compared_with_that_of_the_time_before) {
    g_auto(Place) place = place_with_catalogue();
    store_at_time(&place, 1, "{\"tile_mean\": [1, 2, 3, 4]}");
    store_at_time(&place, 2, "{\"tile_mean\": [10, 20, 30, 40]}"); /* brighter: the same place */
    store_at_time(&place, 4, "{\"tile_mean\": [40, 30, 20, 10]}"); /* the contrary */
    store_at_time(&place, 5, "{\"tile_mean\": [7, 7, 7, 7]}");     /* nothing to compare */
    store_frame(&place, 6, "GFP", FRAME_UNKNOWN, 2, "{\"tile_mean\": [9, 1, 1, 9]}");
    cluster_expect(
        place.admin,
        "select string_agg(format('%s-%s %s %s', previous_t, t, round(change::numeric, 6), "
        "after_s), ', ' order by t) from scopestream.frame_changes",
        "1-2 0.000000 1, 2-4 2.000000 2, 4-5  1");
}
END_TEST

START_TEST(channels_of_a_site_are_correlated_in_pairs) {
    g_auto(Place) place = place_with_catalogue();
    store_frame(&place, 1, "DAPI", 1, 1, "{\"tile_mean\": [1, 2, 3, 4]}");
    store_frame(&place, 2, "GFP", 1, 1, "{\"tile_mean\": [2, 4, 6, 8]}");
    store_frame(&place, 3, "RFP", 1, 1, "{\"tile_mean\": [1, -1, -1, 1]}");
    store_frame(&place, 4, "GFP", 1, 2, "{\"tile_mean\": [2, 4, 6, 8]}"); /* alone */
    store_frame(&place, 5, "RFP", 1, 2, "{\"tile_mean\": null}");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', channel, other_channel, "
                   "round(r::numeric, 6)), ', ' order by channel, other_channel) "
                   "from scopestream.channel_correlation",
                   "DAPI GFP 1.000000, DAPI RFP 0.000000, GFP RFP 0.000000");
}
END_TEST

START_TEST(the_best_plane_is_the_one_with_the_largest_vollath) {
    g_auto(Place) place = place_with_catalogue();
    static const double vollath[] = {0.1, 0.5, 2.5, 0.4, -0.05};
    for (int z = 0; z < (int)G_N_ELEMENTS(vollath); z++) {
        g_autofree char *values = g_strdup_printf("{\"vollath_f4\": %g}", vollath[z]);
        g_autofree char *falling = g_strdup_printf("{\"vollath_f4\": %d}", -z);
        store_frame(&place, z, "DAPI", z + 1, FRAME_UNKNOWN, values);
        store_frame(&place, 10 + z, "GFP", z + 1, FRAME_UNKNOWN, falling);
    }
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s of %s-%s, %s %s %s', channel, best_z, first_z, "
                   "last_z, vollath_f4, least_vollath_f4, at_the_end), '; ' order by channel) "
                   "from scopestream.best_planes",
                   "DAPI 3 of 1-5, 2.5 -0.05 f; GFP 1 of 1-5, 0 -4 t");
}
END_TEST

START_TEST(bleaching_is_the_slope_of_the_signals_logarithm) {
    g_auto(Place) place = place_with_catalogue();
    for (int t = 0; t < 10; t++) { /* 3 % at each time point, one a second */
        g_autofree char *values =
            g_strdup_printf("{\"fg_mean\": %.15g, \"bg_mean\": 0.5}", 0.5 + pow(0.97, t));
        store_at_time(&place, t, values);
    }
    store_at_time(&place, 10, "{\"fg_mean\": 0.2, \"bg_mean\": 0.3}"); /* no signal */
    cluster_expect(place.admin,
                   "select format('%s %s %s %s %s-%s', round(rate_per_t::numeric, 9), "
                   "round(rate_per_hour::numeric, 5), round(r2::numeric, 9), frames, first_t, "
                   "last_t) from scopestream.bleaching",
                   "-0.030459207 -109.65315 1.000000000 10 0-9"); /* ln 0.97, 3600 times that */
}
END_TEST

START_TEST(duplicates_are_the_same_pixels_or_nearly) {
    g_auto(Place) place = place_with_catalogue();
    static const char *const values[] = {
        "{\"pixel_hash\": 11, \"dhash\": -1}",
        "{\"pixel_hash\": 12, \"dhash\": 4611686018427387904}", /* bit 62 */
        "{\"pixel_hash\": 11, \"dhash\": -1}",                  /* as the first */
        "{\"pixel_hash\": 13, \"dhash\": -8}",                  /* 3 bits from that */
        "{\"pixel_hash\": 14, \"dhash\": -16}",                 /* 4 bits: of the one before, 1 */
        "{\"pixel_hash\": null, \"dhash\": null}",
        "{\"pixel_hash\": 15, \"dhash\": 4611968597210693632}", /* bits 62, 48, 40, 32: 3 more */
        "{\"pixel_hash\": 16, \"dhash\": 281474976710656}",     /* bit 48: 3 from that */
        "{\"pixel_hash\": 17, \"dhash\": 281474976710656}"};    /* alike, other pixels */
    for (int n = 0; n < (int)G_N_ELEMENTS(values); n++)
        store_at_time(&place, n, values[n]);
    cluster_expect(place.admin,
                   "select string_agg(format('%s: %s%s of %s', t, differing_bits, "
                   "case when same_pixels then '!' end, "
                   "substring(of_path from '_(\\d+)')), ', ' order by t, differing_bits) "
                   "from scopestream.duplicates",
                   "2: 0! of 0, 3: 3 of 2, 4: 1 of 3, 6: 3 of 1, 7: 2 of 1, 8: 0 of 7");
    cluster_expect(place.admin, "select count(*) from scopestream.duplicates where plate = 'P2'",
                   "0");
}
END_TEST

START_TEST(a_file_written_again_is_no_duplicate_of_itself) {
    g_auto(Place) place = place_with_catalogue();
    for (int n = 1; n <= 2; n++) {
        g_autoptr(Frame) frame = documents_frame(1);
        frame->mtime_ns += n * G_GINT64_CONSTANT(1000000000);
        frame_identify(frame);
        store_one(&place, documents_result_of(frame, "ok", "{\"pixel_hash\": 5, \"dhash\": 5}"));
    }
    cluster_expect(place.admin, "select count(*) from scopestream.duplicates", "0");
}
END_TEST

START_TEST(two_pipelines_do_not_make_duplicates_of_each_other) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *text = documents_result(1, "ok", "{\"pixel_hash\": 5, \"dhash\": 5}");
    store_one(&place, g_strdup(text));
    store_one(&place, documents_replace(text, "0123456789abcdef", "another"));
    cluster_expect(place.admin, "select count(*) from scopestream.duplicates", "0");
}
END_TEST

START_TEST(a_reader_may_ask_them_all) {
    g_auto(Place) place = place_with_catalogue();
    store_at_time(&place, 1,
                  "{\"tile_mean\": [1, 2, 3, 4], \"fg_mean\": 2, \"bg_mean\": 1, "
                  "\"pixel_hash\": 1, \"dhash\": 2, \"vollath_f4\": 3}");
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('looking') is null then "
                                       "create role looking login in role scopestream_reader; "
                                       "end if; end $$"));
    g_autofree char *all_views = cluster_answer(
        place.admin, "select string_agg(format('select * from scopestream.%I', relname), '; ') "
                     "from pg_class where relnamespace = 'scopestream'::regnamespace "
                     "and relkind = 'v'");
    g_free(cluster_answer(place.admin, "set role looking"));
    GError *error = NULL;
    ck_assert_msg(postgres_run(place.admin, all_views, &error), "%s",
                  error != NULL ? error->message : "");
}
END_TEST

SUITE_WITH("between_frames", cluster_start, cluster_stop, views_appear_with_the_columns_they_need,
           a_frame_is_compared_with_that_of_the_time_before,
           channels_of_a_site_are_correlated_in_pairs,
           the_best_plane_is_the_one_with_the_largest_vollath,
           bleaching_is_the_slope_of_the_signals_logarithm,
           duplicates_are_the_same_pixels_or_nearly, a_file_written_again_is_no_duplicate_of_itself,
           two_pipelines_do_not_make_duplicates_of_each_other, a_reader_may_ask_them_all)
