/* What a catalogue and a result may say: definitions, kinds of numbers, reasons. */
#include "tests/store/place.h"
#include "tests/suite.h"
#include <sys/wait.h>

#define NUMBER(name)                                                                               \
    "{\"name\":\"" name "\",\"unit\":\"x\",\"formula\":\"sum/n\",\"version\":1,"                   \
    "\"kind\":\"number\",\"measure\":\"intensity\",\"detects\":\"a dim lamp\","                    \
    "\"cellprofiler\":\"ImageQuality_MeanIntensity_{channel}\"}"
#define ARRAY(name, length)                                                                        \
    "{\"name\":\"" name "\",\"kind\":\"array\",\"length\":" length ",\"version\":1}"
#define HASH(name) "{\"name\":\"" name "\",\"kind\":\"hash\",\"version\":1}"

#define CATALOGUE_OF(pipeline, measures)                                                           \
    "{\"kind\":\"catalogue\",\"pipeline\":" pipeline ",\"measures\":[" measures "]}"
#define CATALOGUE(measures) CATALOGUE_OF(DOCUMENTS_PIPELINE, measures)

/* A result by another pipeline, told as JSON. g_free it. */
static char *result_by(const char *pipeline, int n, const char *values) {
    g_autofree char *text = documents_result(n, "ok", values);
    return documents_replace(text, DOCUMENTS_PIPELINE, pipeline);
}

static void announce(Place *place, const char *catalogue) {
    ck_assert_int_eq(store_one(place, g_strdup(catalogue)), DOCUMENT_STORED);
}

/* --- definitions --- */

START_TEST(a_changed_definition_is_a_new_version_and_old_rows_keep_theirs) {
    g_auto(Place) place = place_make();
    store_one(&place, result_by("{\"name\":\"quality\",\"definition\":\"aaaa\"}", 1, "{}"));
    store_one(&place, result_by("{\"name\":\"quality\",\"definition\":\"bbbb\"}", 2, "{}"));
    store_one(&place, result_by("{\"name\":\"other\",\"definition\":\"bbbb\"}", 3, "{}"));
    store_one(&place, result_by("{\"name\":\"quality\",\"definition\":\"aaaa\"}", 4, "{}"));
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', site, pipeline, pipeline_version), ', ' "
                   "order by site) from scopestream.features",
                   "1 quality 1, 2 quality 2, 3 other 1, 4 quality 1");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', name, version, definition), ', ' "
                   "order by name, version) from scopestream.pipelines",
                   "other 1 bbbb, quality 1 aaaa, quality 2 bbbb");
}
END_TEST

START_TEST(documents_of_before_keep_the_version_they_tell) {
    g_auto(Place) place = place_make();
    store_one(&place, result_by("{\"name\":\"quality\",\"version\":7}", 1, "{}"));
    store_one(&place, result_by("{\"name\":\"quality\",\"definition\":\"aaaa\"}", 2, "{}"));
    store_one(&place, result_by("{\"name\":\"quality\",\"version\":8}", 3, "{}")); /* it is taken */
    store_one(&place, result_by("{\"name\":\"quality\",\"version\":2147483647}", 4, "{}"));
    store_one(&place, result_by("{\"name\":\"quality\",\"version\":7}", 5, "{}"));
    cluster_expect(place.admin,
                   "select string_agg(pipeline_version::text, ' ' order by site) "
                   "from scopestream.features",
                   "7 8 9 10 7");
}
END_TEST

START_TEST(a_pipeline_without_a_definition_is_refused_and_one_too_long) {
    g_auto(Place) place = place_make();
    ck_assert_int_eq(store_one(&place, result_by("{\"name\":\"quality\"}", 1, "{}")),
                     DOCUMENT_REJECTED);
    g_autofree char *long_one = g_strnfill(65, 'a');
    g_autofree char *pipeline =
        g_strdup_printf("{\"name\":\"quality\",\"definition\":\"%s\"}", long_one);
    ck_assert_int_eq(store_one(&place, result_by(pipeline, 2, "{}")), DOCUMENT_REJECTED);
    cluster_expect(place.admin, "select count(*) from scopestream.pipelines", "0");
}
END_TEST

/* Each child brings the same new definitions, in another order. */
static void bring_definitions(const char *address, int child) {
    g_autoptr(Postgres) postgres = cluster_connect(address);
    for (int n = 0; n < 12; n++) {
        g_autoptr(Batch) batch = batch_new();
        g_autofree char *pipeline = g_strdup_printf("{\"name\":\"quality\",\"definition\":\"%d\"}",
                                                    child % 2 == 0 ? n : 11 - n);
        add(batch, result_by(pipeline, child, "{}"));
        g_autoptr(GError) error = NULL;
        if (!batch_store(batch, postgres, &error) || outcome(batch, 0) != DOCUMENT_STORED)
            _exit(1);
    }
    _exit(0);
}

START_TEST(stores_that_meet_definitions_at_once_count_each_once) {
    g_autofree char *address = cluster_database();
    GPid children[4];
    for (int i = 0; i < (int)G_N_ELEMENTS(children); i++) {
        children[i] = fork();
        if (children[i] == 0)
            bring_definitions(address, i);
    }
    for (guint i = 0; i < G_N_ELEMENTS(children); i++) {
        int status;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    g_autoptr(Postgres) postgres = cluster_connect(address);
    cluster_expect(postgres,
                   "select format('%s %s %s', count(*), min(version), max(version)) "
                   "from scopestream.pipelines",
                   "12 1 12");
    cluster_expect(postgres, "select count(*) from scopestream.frames", "48");
}
END_TEST

START_TEST(two_pipelines_measure_the_same_frames_each_its_own_numbers) {
    g_auto(Place) place = place_make();
    announce(&place, CATALOGUE(NUMBER("mean")));
    announce(&place, CATALOGUE_OF("{\"name\":\"deep\",\"definition\":\"dddd\","
                                  "\"measures\":\"texture(3):1\"}",
                                  NUMBER("texture_3") "," NUMBER("mean")));
    for (int n = 1; n <= 2; n++) {
        store_one(&place, documents_result(n, "ok", "{\"mean\": 4}"));
        store_one(&place, result_by("{\"name\":\"deep\",\"definition\":\"dddd\"}", n,
                                    "{\"texture_3\": 9}"));
    }
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s', site, pipeline, mean, texture_3), ', ' "
                   "order by site, pipeline desc) from scopestream.features",
                   "1 quality 4 , 1 deep  9, 2 quality 4 , 2 deep  9");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s', name, pipelines), ', ' order by name) "
                   "from scopestream.measures",
                   "mean {deep,quality}, texture_3 {deep}");
    cluster_expect(place.admin, "select measures from scopestream.pipelines where name = 'deep'",
                   "texture(3):1");
}
END_TEST

/* --- kinds --- */

static const char kinds[] = CATALOGUE(NUMBER("mean") "," ARRAY("tiles", "3") "," HASH("pixels"));

START_TEST(arrays_hashes_and_reasons_have_columns) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    g_autofree char *text = documents_result(
        1, "ok",
        "{\"mean\": null, \"tiles\": [1.5, null, -2e3], \"pixels\": -9223372036854775808}");
    store_one(&place,
              documents_replace(text, "\"delivery\"",
                                "\"nulls\":{\"mean\":\"all pixels are equal\"},\"delivery\""));
    cluster_expect(place.admin,
                   "select format('%s %s %s %s', tiles, pixels, null_reasons ->> 'mean', "
                   "other_values) from scopestream.features",
                   "{1.5,NULL,-2000} -9223372036854775808 all pixels are equal ");
    cluster_expect(place.admin,
                   "select string_agg(format_type(atttypid, -1), ', ' order by attnum) "
                   "from pg_attribute where attrelid = 'scopestream.features'::regclass "
                   "and attname in ('mean', 'tiles', 'pixels', 'null_reasons')",
                   "jsonb, double precision, real[], bigint");
}
END_TEST

START_TEST(numbers_alone_have_medians) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    store_one(&place, documents_result(1, "ok", "{\"mean\": 3, \"tiles\": [1, 2, 3]}"));
    cluster_expect(place.admin,
                   "select string_agg(attname, ' ') from pg_attribute "
                   "where attrelid = 'scopestream.wells'::regclass "
                   "and attname in ('mean', 'tiles', 'pixels', 'null_reasons')",
                   "mean");
    cluster_expect(place.admin, "select mean from scopestream.wells", "3");
}
END_TEST

START_TEST(arrays_and_hashes_wait_for_their_columns_too) {
    g_auto(Place) place = place_make();
    store_one(&place, documents_result(1, "ok",
                                       "{\"tiles\": [1,null,3], \"pixels\": 5, \"mean\": 2, "
                                       "\"later\": [7, 8]}"));
    cluster_expect(place.admin, "select other_values from scopestream.features",
                   "{\"mean\": 2, \"later\": [7, 8], \"tiles\": [1, null, 3], \"pixels\": 5}");
    announce(&place, kinds);
    cluster_expect(place.admin,
                   "select format('%s %s %s %s', mean, tiles, pixels, other_values) "
                   "from scopestream.features",
                   "2 {1,NULL,3} 5 {\"later\": [7, 8]}");
}
END_TEST

START_TEST(values_of_another_kind_than_their_column_cost_no_other_number) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    static const char *const values[] = {"{\"mean\": 1, \"tiles\": [1, 2, 3, 4]}",
                                         "{\"mean\": 1, \"tiles\": []}",
                                         "{\"mean\": 1, \"tiles\": 5}",
                                         "{\"mean\": [1, 2], \"pixels\": 4}",
                                         "{\"mean\": 1, \"pixels\": 1.5}",
                                         "{\"mean\": 1, \"pixels\": [1]}",
                                         "{\"mean\": 1, \"pixels\": 1e30}",
                                         "{\"mean\": 1, \"tiles\": [\n1, 2]}",
                                         "{\"mean\": 1, \"tiles\": [1, null, 3.5]}"};
    g_autoptr(Batch) batch = batch_new();
    for (int n = 0; n < (int)G_N_ELEMENTS(values); n++)
        add(batch, documents_result(n, "ok", values[n]));
    expect_stored(batch, place.store);
    for (guint n = 0; n < G_N_ELEMENTS(values); n++)
        ck_assert_int_eq(outcome(batch, n), DOCUMENT_STORED);
    cluster_expect(place.admin,
                   "select string_agg(format('%s|%s|%s|%s', mean, tiles, pixels, other_values), "
                   "' ' order by site) from scopestream.features",
                   "1|||{\"tiles\": [1, 2, 3, 4]} 1|||{\"tiles\": []} 1|||{\"tiles\": 5} "
                   "||4|{\"mean\": [1, 2]} 1|||{\"pixels\": 1.5} 1|||{\"pixels\": [1]} "
                   "1|||{\"pixels\": 1000000000000000000000000000000} 1|||{\"tiles\": [1, 2]} "
                   "1|{1,NULL,3.5}||");
}
END_TEST

START_TEST(text_within_values_is_refused_and_the_rest_of_the_batch_stored) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    static const char *const values[] = {
        "{\"mean\": \"NaN\"}",        "{\"tiles\": [1, \"two\", 3]}",
        "{\"tiles\": \"{1,2,x}\"}",   "{\"tiles\": [1,,2]}",
        "{\"tiles\": [[1,2,3]]}",     "{\"tiles\": [1,2,nul]}",
        "{\"tiles\": [1e999, 2, 3]}", "{\"mean\": 1}"};
    g_autoptr(Batch) batch = batch_new();
    guint count = G_N_ELEMENTS(values);
    for (guint n = 0; n < count; n++)
        add(batch, documents_result((int)n, "ok", values[n]));
    expect_stored(batch, place.store);
    for (guint n = 0; n < count; n++)
        ck_assert_msg(outcome(batch, n) == (n == count - 1 ? DOCUMENT_STORED : DOCUMENT_REJECTED),
                      "%s", values[n]);
    cluster_expect(place.admin,
                   "select count(*) from scopestream.rejected where document like "
                   "'%\"tiles\": [1,,2]%'",
                   "1"); /* as it came */
}
END_TEST

START_TEST(a_number_announced_as_another_kind_is_refused_alone_and_told) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    announce(&place, CATALOGUE(ARRAY("mean", "4") "," NUMBER("new_one") "," ARRAY(
                         "endless", "0") ","
                                         "{\"name\":\"odd\",\"kind\":\"matrix\"}"));
    announce(&place, CATALOGUE(ARRAY("mean", "4") "," NUMBER("new_one") "," ARRAY(
                         "endless", "0") ","
                                         "{\"name\":\"odd\",\"kind\":\"matrix\"}"));
    cluster_expect(place.admin,
                   "select string_agg(name || ' ' || kind, ', ' order by name) "
                   "from scopestream.measures",
                   "mean number, new_one number, pixels hash, tiles array");
    cluster_expect(place.admin, "select count(*) from scopestream.rejected", "3");
    cluster_expect(place.admin,
                   "select count(*) from scopestream.rejected where error like "
                   "'''mean'' is announced as array, but its column holds kind number: %' "
                   "and subject = 'scopestream.catalogue.quality'",
                   "1");
    store_one(&place, documents_result(1, "ok", "{\"mean\": [1,2,3,4], \"new_one\": 6}"));
    cluster_expect(place.admin,
                   "select format('%s %s', new_one, other_values) from scopestream.features",
                   "6 {\"mean\": [1, 2, 3, 4]}");
}
END_TEST

START_TEST(an_array_may_get_another_length_with_another_version) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    store_one(&place, documents_result(1, "ok", "{\"tiles\": [1,2,3]}"));
    announce(&place,
             CATALOGUE("{\"name\":\"tiles\",\"kind\":\"array\",\"length\":2,\"version\":2}"));
    store_one(&place, documents_result(2, "ok", "{\"tiles\": [4,5]}"));
    store_one(&place, documents_result(3, "ok", "{\"tiles\": [6,7,8]}"));
    cluster_expect(
        place.admin,
        "select string_agg(coalesce(tiles::text, other_values::text), ' ' order by site) "
        "from scopestream.features",
        "{1,2,3} {4,5} {\"tiles\": [6, 7, 8]}");
}
END_TEST

START_TEST(a_month_made_after_the_announcement_takes_arrays) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    announce(&place,
             CATALOGUE("{\"name\":\"tiles\",\"kind\":\"array\",\"length\":2,\"version\":2}"));
    g_autoptr(Frame) frame = documents_frame(1);
    frame->mtime_ns = G_GINT64_CONSTANT(1709251199) * 1000000000; /* February 2024 */
    frame_identify(frame);
    ck_assert_int_eq(store_one(&place, documents_result_of(frame, "ok", "{\"tiles\": [1,2]}")),
                     DOCUMENT_STORED);
    cluster_expect(place.admin, "select tiles from scopestream.features", "{1,2}");
    cluster_expect(place.admin,
                   "select attstorage from pg_attribute where attname = 'tiles' "
                   "and attrelid = 'scopestream_data.result_2024_02'::regclass",
                   "e");
}
END_TEST

START_TEST(a_column_tells_formula_unit_purpose_and_cellprofilers_name) {
    g_auto(Place) place = place_make();
    announce(&place, kinds);
    static const char comment[] =
        "select col_description(attrelid, attnum) from pg_attribute where attname = '%s' and "
        "attrelid = 'scopestream.%s'::regclass";
    g_autofree char *of_mean = g_strdup_printf(comment, "mean", "features");
    g_autofree char *of_median = g_strdup_printf(comment, "mean", "wells");
    g_autofree char *of_tiles = g_strdup_printf(comment, "tiles", "features");
    cluster_expect(place.admin, of_mean,
                   "sum/n [x]; detects: a dim lamp; CellProfiler: "
                   "ImageQuality_MeanIntensity_<channel>");
    cluster_expect(place.admin, of_median,
                   "median over the frames of: sum/n [x]; detects: a dim lamp; CellProfiler: "
                   "ImageQuality_MeanIntensity_<channel>");
    cluster_expect(place.admin, of_tiles, "formula not told (3 values)");
    cluster_expect(place.admin,
                   "select format('%s %s %s %s', kind, length, scale, measure) "
                   "from scopestream.measures where name = 'mean'",
                   "number   intensity");
}
END_TEST

SUITE_WITH("kinds", cluster_start, cluster_stop,
           a_changed_definition_is_a_new_version_and_old_rows_keep_theirs,
           documents_of_before_keep_the_version_they_tell,
           a_pipeline_without_a_definition_is_refused_and_one_too_long,
           stores_that_meet_definitions_at_once_count_each_once,
           two_pipelines_measure_the_same_frames_each_its_own_numbers,
           arrays_hashes_and_reasons_have_columns, numbers_alone_have_medians,
           arrays_and_hashes_wait_for_their_columns_too,
           values_of_another_kind_than_their_column_cost_no_other_number,
           text_within_values_is_refused_and_the_rest_of_the_batch_stored,
           a_number_announced_as_another_kind_is_refused_alone_and_told,
           an_array_may_get_another_length_with_another_version,
           a_month_made_after_the_announcement_takes_arrays,
           a_column_tells_formula_unit_purpose_and_cellprofilers_name)
