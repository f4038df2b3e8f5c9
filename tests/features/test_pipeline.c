#include "features/pipeline.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <math.h>
#include <string.h>

static Pipeline *pipeline_of(const char *words) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    Pipeline *pipeline = pipeline_from_words(settings, "quality", words, &error);
    ck_assert_msg(pipeline != NULL, "%s", error != NULL ? error->message : "");
    return pipeline;
}

static bool has_column(const Pipeline *pipeline, const char *name) {
    return pipeline_column_find(pipeline, name) >= 0;
}

START_TEST(without_words_it_is_every_measure_that_is_not_slow) {
    g_autoptr(Pipeline) nothing = pipeline_of(NULL);
    g_autoptr(Pipeline) standard = pipeline_of("standard");
    ck_assert_str_eq(pipeline_definition(nothing), pipeline_definition(standard));
    for (gsize i = 0; measures[i] != NULL; i++) {
        g_autofree char *word = g_strconcat("standard ", measures[i]->name, NULL);
        g_autoptr(Pipeline) with = pipeline_of(word);
        bool same = strcmp(pipeline_definition(with), pipeline_definition(standard)) == 0;
        ck_assert_msg(same == !measures[i]->slow, "%s", measures[i]->name);
    }
}
END_TEST

START_TEST(cellprofilers_are_those_with_a_number_it_has) {
    g_autoptr(Pipeline) pipeline = pipeline_of("cellprofiler");
    ck_assert(has_column(pipeline, "plls") && has_column(pipeline, "thr_mct"));
    ck_assert(!has_column(pipeline, "lap_var") && !has_column(pipeline, "granularity_1"));
}
END_TEST

START_TEST(a_name_adds_its_measure_and_a_minus_takes_it_out) {
    g_autoptr(Pipeline) two = pipeline_of("intensity  entropy");
    ck_assert(has_column(two, "mean") && has_column(two, "entropy"));
    ck_assert(!has_column(two, "lap_var"));
    g_autoptr(Pipeline) less = pipeline_of("standard -laplacian");
    ck_assert(has_column(less, "mean") && !has_column(less, "lap_var"));
}
END_TEST

START_TEST(scales_make_a_column_each_under_cellprofilers_names) {
    g_autoptr(Pipeline) pipeline = pipeline_of("intensity local_focus:10,50");
    int ten = pipeline_column_find(pipeline, "local_focus_10");
    int fifty = pipeline_column_find(pipeline, "local_focus_50");
    ck_assert_int_ge(ten, 0);
    ck_assert_int_eq(fifty, ten + 1);
    ck_assert(!has_column(pipeline, "local_focus_20"));
    const PipelineColumn *column = pipeline_column(pipeline, (guint)fifty);
    ck_assert_uint_eq(column->scale, 50);
    ck_assert_str_eq(column->cellprofiler, "ImageQuality_LocalFocusScore_{channel}_50");
    ck_assert_ptr_null(strstr(column->formula, "{scale}"));
    ck_assert_str_eq(column->measure, "local_focus");
}
END_TEST

START_TEST(places_follow_each_other_without_gap) {
    g_autoptr(Pipeline) pipeline = pipeline_of("standard texture:1,3");
    guint place = 0;
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++) {
        const PipelineColumn *column = pipeline_column(pipeline, i);
        ck_assert_uint_eq(column->place, place);
        ck_assert_uint_eq(column->places, measure_number_places(column->number));
        place += column->places;
    }
    ck_assert_uint_eq(pipeline_places(pipeline), place);
}
END_TEST

START_TEST(another_definition_has_another_id_and_the_same_words_the_same) {
    static const char *const words[] = {"intensity", "intensity entropy", "correlation:10",
                                        "correlation:20", "correlation:10,20"};
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(Pipeline) one = pipeline_of(words[i]);
        g_autoptr(Pipeline) again = pipeline_of(words[i]);
        ck_assert_str_eq(pipeline_definition_id(one), pipeline_definition_id(again));
        ck_assert_uint_eq(strlen(pipeline_definition_id(one)), 16);
        ck_assert(g_hash_table_add(ids, g_strdup(pipeline_definition_id(one))));
    }
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused_by_its_section_and_word) {
    static const char *const wrong[] = {
        "sharpness",         "standard sharpness:3",   "intensity:3",  "correlation:0",
        "correlation:10,10", "correlation:x",          "correlation:", "-entropy",
        "entropy -entropy",  "correlation:99999999999"};
    g_autoptr(Settings) settings = settings_new();
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        ck_assert_ptr_null(pipeline_from_words(settings, "quality", wrong[i], &error));
        ck_assert_msg(fault_is(error, FAULT_USAGE), "%s", wrong[i]);
        ck_assert(g_str_has_prefix(error->message, "[pipeline quality] measures"));
    }
}
END_TEST

START_TEST(a_settings_section_defines_it) {
    g_autoptr(Settings) settings = settings_new();
    ck_assert(settings_read_text(settings, "[pipeline small]\nmeasures = intensity correlation:5\n",
                                 "test", NULL));
    g_autoptr(Pipeline) small = pipeline_new(settings, "small", NULL);
    g_autoptr(Pipeline) quality = pipeline_new(settings, "quality", NULL);
    ck_assert(has_column(small, "correlation_5") && !has_column(small, "entropy"));
    ck_assert(has_column(quality, "entropy")); /* without a section: standard */
}
END_TEST

START_TEST(where_others_have_a_section_a_name_without_is_mistyped) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(Pipeline) early = pipeline_new(settings, "texturr", &error);
    ck_assert_ptr_nonnull(early);
    ck_assert(
        settings_read_text(settings, "[pipeline texture]\nmeasures = texture\n", "test", NULL));
    ck_assert_ptr_null(pipeline_new(settings, "texturr", &error));
    ck_assert(fault_is(error, FAULT_USAGE));
    ck_assert(settings_read_text(settings, "[pipeline texturr]\n", "test", NULL));
    g_autoptr(Pipeline) empty = pipeline_new(settings, "texturr", NULL);
    ck_assert_str_eq(pipeline_definition(empty), pipeline_definition(early));
}
END_TEST

START_TEST(a_number_in_place_of_its_measure_is_told_whose_it_is) {
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(pipeline_from_words(settings, "quality", "mean", &error));
    ck_assert_ptr_nonnull(strstr(error->message, "measure intensity"));
}
END_TEST

START_TEST(a_scale_beyond_the_image_is_told_as_such) {
    g_autoptr(Plane) plane = image_noise16();
    g_autoptr(Pipeline) pipeline = pipeline_of("texture:3,1000");
    g_autoptr(Measurement) measurement = pipeline_measure(pipeline, plane, NULL);
    int far = pipeline_column_find(pipeline, "texture_contrast_1000_00");
    ck_assert_int_ge(far, 0);
    ck_assert_str_eq(measurement->reasons[far], "the image is smaller than the computation needs");
    ck_assert_ptr_null(measurement->reasons[0]);
}
END_TEST

static void check_alone_and_together(const Plane *plane) {
    g_autoptr(Pipeline) all = pipeline_of("standard correlation:10,20 local_focus:7,10,20,50");
    g_autoptr(Measurement) together = pipeline_measure(all, plane, NULL);
    for (gsize i = 0; measures[i] != NULL; i++) {
        if (measures[i]->slow)
            continue;
        g_autoptr(Pipeline) one = pipeline_of(measures[i]->name);
        g_autoptr(Measurement) alone = pipeline_measure(one, plane, NULL);
        for (guint c = 0; c < pipeline_columns_count(one); c++) {
            const PipelineColumn *column = pipeline_column(one, c);
            int index = pipeline_column_find(all, column->name);
            ck_assert_int_ge(index, 0);
            ck_assert_msg(memcmp(alone->values + column->place,
                                 together->values + pipeline_column(all, (guint)index)->place,
                                 column->places * sizeof(double)) == 0,
                          "%s", column->name);
        }
    }
}

START_TEST(a_number_is_the_same_whatever_is_measured_beside_it) {
    g_autoptr(Plane) whole = image_odd16();
    check_alone_and_together(whole);
    gint64 *pixels = image_cells(301, 257, 25, 5, 14, 12000, 400, 2);
    g_autoptr(Plane) floats = image_plane(PLANE_F32, 301, 257, pixels);
    floats->scale = 0.7; /* so that sums are rounded */
    check_alone_and_together(floats);
    double reals[131 * 127];
    for (guint32 i = 0; i < G_N_ELEMENTS(reals); i++)
        reals[i] = sqrt(1 + image_noise(i, 3)) * 1e3;
    g_autoptr(Plane) doubles = image_floats(131, 127, reals);
    check_alone_and_together(doubles);
}
END_TEST

START_TEST(what_is_not_defined_says_why) {
    static const struct {
        const char *number, *reason;
    } expected[] = {{"skewness", "all pixels are equal"},
                    {"mean", NULL},
                    {"contrast_ratio", "the pixel size is not known"},
                    {"obj_area_median_um2", "the pixel size is not known"},
                    {"obj_area_median", "all pixels are equal"}};
    g_autoptr(Plane) plane = image_constant(PLANE_U16, 64, 64, 7);
    g_autoptr(Pipeline) pipeline = pipeline_of(NULL);
    g_autoptr(Measurement) measurement = pipeline_measure(pipeline, plane, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        int index = pipeline_column_find(pipeline, expected[i].number);
        ck_assert_msg(index >= 0, "%s", expected[i].number);
        ck_assert_msg(g_strcmp0(measurement->reasons[index], expected[i].reason) == 0, "%s: %s",
                      expected[i].number, measurement->reasons[index]);
    }
    for (guint i = 0; i < pipeline_columns_count(pipeline); i++) {
        const PipelineColumn *column = pipeline_column(pipeline, i);
        bool none = isnan(measurement->values[column->place]);
        ck_assert_msg(none == (measurement->reasons[i] != NULL), "%s", column->name);
    }
}
END_TEST

SUITE("pipeline", without_words_it_is_every_measure_that_is_not_slow,
      cellprofilers_are_those_with_a_number_it_has,
      a_name_adds_its_measure_and_a_minus_takes_it_out,
      scales_make_a_column_each_under_cellprofilers_names, places_follow_each_other_without_gap,
      another_definition_has_another_id_and_the_same_words_the_same,
      what_cannot_be_meant_is_refused_by_its_section_and_word, a_settings_section_defines_it,
      where_others_have_a_section_a_name_without_is_mistyped,
      a_number_in_place_of_its_measure_is_told_whose_it_is,
      a_scale_beyond_the_image_is_told_as_such, a_number_is_the_same_whatever_is_measured_beside_it,
      what_is_not_defined_says_why)
