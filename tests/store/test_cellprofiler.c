/* What was measured under CellProfiler's names: the view, and Image.csv. */
#include "tests/store/place.h"
#include "tests/suite.h"

#define CATALOGUE                                                                                  \
    "{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["                   \
    "{\"name\":\"mean\",\"cellprofiler\":\"ImageQuality_MeanIntensity_{channel}\"},"               \
    "{\"name\":\"thr\",\"cellprofiler\":\"ImageQuality_ThresholdOtsu_{channel}_2W\"},"             \
    "{\"name\":\"own\"},{\"name\":\"tiles\",\"kind\":\"array\",\"length\":2,"                      \
    "\"cellprofiler\":\"No_{channel}\"},"                                                          \
    "{\"name\":\"hostile\",\"cellprofiler\":\"x\\\"; drop table {channel}\"}]}"

/* A frame of plate P1 at a site, in a channel; NULL: not known. frame_free it. */
static Frame *frame_at(int site, const char *channel) {
    Frame *frame = documents_frame(site);
    g_autofree char *path =
        g_strdup_printf("P1/A01_s%d_%.20s.tif", site, channel != NULL ? channel : "none");
    frame_set_text(&frame->naming, "some");
    frame_set_text(&frame->channel, channel);
    frame_set_text(&frame->path, path);
    frame_identify(frame);
    return frame;
}

static void store_frame(Place *place, Frame *frame, const char *values) {
    frame_identify(frame);
    ck_assert_int_eq(store_one(place, documents_result_of(frame, "ok", values)), DOCUMENT_STORED);
}

static void store_at(Place *place, int site, const char *channel, const char *values) {
    g_autoptr(Frame) frame = frame_at(site, channel);
    store_frame(place, frame, values);
}

static Place place_with_catalogue(void) {
    Place place = place_make();
    ck_assert_int_eq(store_one(&place, g_strdup(CATALOGUE)), DOCUMENT_STORED);
    return place;
}

/* --- the view --- */

START_TEST(a_row_is_an_image_set_and_a_column_a_number_of_a_channel) {
    g_auto(Place) place = place_with_catalogue();
    store_at(&place, 1, "DAPI", "{\"mean\": 1.5, \"thr\": 3}");
    store_at(&place, 1, "GFP", "{\"mean\": 2.5}");
    store_at(&place, 2, "GFP", "{\"mean\": 4}");
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s|%s %s %s|%s %s %s', \"ImageNumber\", "
                   "\"Metadata_Plate\", \"Metadata_Well\", \"Metadata_Site\", "
                   "\"ImageQuality_MeanIntensity_DAPI\", \"ImageQuality_MeanIntensity_GFP\", "
                   "\"ImageQuality_ThresholdOtsu_DAPI_2W\", \"FileName_GFP\", \"PathName_DAPI\", "
                   "\"Height_GFP\"), ', ' order by \"ImageNumber\") from scopestream.cellprofiler",
                   "1 P1 A01 1|1.5 2.5 3|A01_s1_GFP.tif P1 2160, "
                   "2 P1 A01 2| 4 |A01_s2_GFP.tif  2160");
    cluster_expect(place.admin,
                   "select string_agg(column_name, ' ') from scopestream.cellprofiler_columns "
                   "where channel is not null and name is not null",
                   "ImageQuality_MeanIntensity_DAPI ImageQuality_ThresholdOtsu_DAPI_2W "
                   "ImageQuality_MeanIntensity_GFP ImageQuality_ThresholdOtsu_GFP_2W");
}
END_TEST

START_TEST(frames_without_place_or_channel_stand_alone_as_image) {
    g_auto(Place) place = place_with_catalogue();
    for (int n = 1; n <= 2; n++) {
        g_autoptr(Frame) frame = frame_at(n, NULL);
        frame_set_text(&frame->naming, NULL);
        frame_set_text(&frame->plate, NULL);
        frame_set_text(&frame->well, NULL);
        frame->site = FRAME_UNKNOWN;
        store_frame(&place, frame, "{\"mean\": 1}");
    }
    store_at(&place, 3, "Image", "{\"mean\": 2}");
    cluster_expect(place.admin,
                   "select string_agg(\"ImageQuality_MeanIntensity_Image\"::text, ' ' "
                   "order by \"Metadata_Site\" nulls first) from scopestream.cellprofiler",
                   "1 1 2");
}
END_TEST

START_TEST(a_place_imaged_again_counts_with_its_newest_frame) {
    g_auto(Place) place = place_with_catalogue();
    g_autoptr(Frame) frame = frame_at(1, "DAPI");
    store_frame(&place, frame, "{\"mean\": 1}");
    frame->mtime_ns += G_GINT64_CONSTANT(5000000000);
    store_frame(&place, frame, "{\"mean\": 2}");
    store_one(&place, documents_result(7, "broken", "{}"));
    cluster_expect(place.admin,
                   "select string_agg(\"ImageQuality_MeanIntensity_DAPI\"::text, ' ') "
                   "from scopestream.cellprofiler",
                   "2");
}
END_TEST

START_TEST(pages_and_versions_are_rows_of_their_own) {
    g_auto(Place) place = place_with_catalogue();
    g_autoptr(Frame) frame = frame_at(1, "DAPI");
    frame->pages = 2;
    store_frame(&place, frame, "{\"mean\": 1}");
    frame->page = 1;
    store_frame(&place, frame, "{\"mean\": 2}");
    g_autofree char *text = documents_result_of(frame, "ok", "{\"mean\": 3}");
    store_one(&place, documents_replace(text, "0123456789abcdef", "another"));
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s', \"Metadata_Page\", "
                   "\"Metadata_PipelineVersion\", \"ImageQuality_MeanIntensity_DAPI\"), ', ' "
                   "order by 1) from scopestream.cellprofiler",
                   "0 1 1, 1 1 2, 1 2 3");
}
END_TEST

START_TEST(hostile_channel_names_harm_nothing) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *endless = g_strnfill(100000, 'x');
    const char *const channels[] = {"Alexa 488", "Alexa_488", "alexa_488", "a\"; drop table b; --",
                                    "new\nline", "'",         "\xc3\xa4",  "%s{channel}",
                                    "1",         "_",         endless,     "Plate"};
    for (int n = 0; n < (int)G_N_ELEMENTS(channels); n++) {
        g_autofree char *values = g_strdup_printf("{\"mean\": %d}", n);
        store_at(&place, 1, channels[n], values);
    }
    cluster_expect(place.admin, "select count(*) from scopestream.features", "12");
    cluster_expect(place.admin,
                   "select string_agg(column_name, ' ') from scopestream.cellprofiler_columns "
                   "where name = 'mean' and octet_length(channel) < 100 and channel <> 'Plate'",
                   "ImageQuality_MeanIntensity_Alexa_488 ImageQuality_MeanIntensity_Alexa_488_2 "
                   "ImageQuality_MeanIntensity_alexa_488_3 "
                   "ImageQuality_MeanIntensity_a___drop_table_b____ "
                   "ImageQuality_MeanIntensity_new_line ImageQuality_MeanIntensity__ "
                   "ImageQuality_MeanIntensity___ ImageQuality_MeanIntensity__s_channel_ "
                   "ImageQuality_MeanIntensity_1 ImageQuality_MeanIntensity___2");
    cluster_expect(place.admin,
                   "select format('%s %s', count(distinct lower(column_name)) = count(*), "
                   "max(octet_length(column_name))) from scopestream.cellprofiler_columns",
                   "t 63");
    cluster_expect(place.admin,
                   "select format('%s %s %s', \"ImageNumber\", "
                   "\"ImageQuality_MeanIntensity_Alexa_488_2\", "
                   "\"ImageQuality_MeanIntensity_Plate\") from scopestream.cellprofiler",
                   "1 1 11");
}
END_TEST

/* Its label in CellProfiler is known from the first frame on; who reads the view does not notice.
 */
START_TEST(a_channel_met_during_a_long_query_gets_its_columns_later) {
    g_auto(Place) place = place_with_catalogue();
    store_at(&place, 1, "DAPI", "{\"mean\": 1}");
    ck_assert(
        postgres_run(place.admin, "begin; select count(*) from scopestream.cellprofiler", NULL));
    gint64 began_us = g_get_monotonic_time();
    store_at(&place, 1, "GFP", "{\"mean\": 2}");
    store_at(&place, 2, "GFP", "{\"mean\": 3}");
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 3 * G_USEC_PER_SEC);
    ck_assert(postgres_run(place.admin, "commit", NULL));
    static const char count[] = "select count(*) from pg_attribute where attname like "
                                "'ImageQuality_MeanIntensity_%' and attrelid = "
                                "'scopestream.cellprofiler'::regclass";
    cluster_expect(place.admin, count, "1");
    g_free(cluster_answer(place.admin, "update scopestream_data.channel set tried_at = tried_at - "
                                       "interval '11 s'"));
    store_at(&place, 3, "DAPI", "{\"mean\": 4}");
    cluster_expect(place.admin, count, "2");
    cluster_expect(place.admin,
                   "select \"ImageQuality_MeanIntensity_GFP\" from scopestream.cellprofiler "
                   "where \"Metadata_Site\" = 2",
                   "3");
}
END_TEST

static char *catalogue_of_many(int numbers, int textures) {
    GString *text = g_string_new("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE
                                 ",\"measures\":[{\"name\":\"mean\"}");
    for (int n = 0; n < textures; n++)
        g_string_append_printf(
            text, ",{\"name\":\"texture_%d\",\"cellprofiler\":\"Texture_T%d_{channel}_3_00_256\"}",
            n, n);
    for (int n = 0; n < numbers; n++)
        g_string_append_printf(
            text, ",{\"name\":\"number_%d\",\"cellprofiler\":\"Intensity_N%d_{channel}\"}", n, n);
    return g_string_free(g_string_append(text, "]}"), FALSE);
}

START_TEST(more_columns_than_there_is_room_for_leave_texture_out_first) {
    g_auto(Place) place = place_make();
    for (int n = 0; n < 20; n++) {
        g_autofree char *channel = g_strdup_printf("C%02d", n);
        store_at(&place, 1, channel, "{\"number_59\": 4}");
    }
    ck_assert_int_eq(store_one(&place, catalogue_of_many(60, 60)), DOCUMENT_STORED);
    cluster_expect(place.admin,
                   "select format('%s %s', count(*) filter (where column_name like 'Texture%'), "
                   "count(*) filter (where column_name like 'Intensity%')) "
                   "from scopestream.cellprofiler_columns",
                   "0 1200");
    store_at(&place, 1, "C20", "{\"number_59\": 4}");
    for (int n = 21; n < 30; n++) {
        g_autofree char *channel = g_strdup_printf("C%02d", n);
        store_at(&place, 1, channel, "{\"number_59\": 4}");
    }
    g_free(cluster_answer(place.admin, "update scopestream_data.channel set tried_at = null"));
    store_at(&place, 2, "C29", "{\"number_59\": 4}");
    cluster_expect(place.admin,
                   "select format('%s %s', count(column_name), count(*)) "
                   "from scopestream.cellprofiler_columns",
                   "1600 3731"); /* 11 + 30 * (4 + 120) */
    cluster_expect(place.admin,
                   "select obj_description('scopestream.cellprofiler'::regclass) like "
                   "'%; 2131 columns have no room, such as %'",
                   "t");
    cluster_expect(place.admin,
                   "select (cellprofiler).\"Intensity_N59_C19\" from scopestream.cellprofiler "
                   "where \"Metadata_Site\" = 1",
                   "4");
}
END_TEST

/* --- Image.csv --- */

typedef struct {
    char *out, *words;
    int status;
} Run;

static void run_clear(Run *run) {
    g_free(run->out);
    g_free(run->words);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

/* Runs `scopestream-store export` on the place's database; options end with NULL. */
static Run run_export(const Place *place, ...) {
    g_autofree char *program =
        g_build_filename(g_getenv("SCOPESTREAM_BIN"), "scopestream-store", NULL);
    g_autofree char *database = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (const char *const *word =
             (const char *[]){program, "export", "--postgres", address, "--cellprofiler", NULL};
         *word != NULL; word++)
        g_ptr_array_add(words, (char *)*word);
    va_list options;
    va_start(options, place);
    for (char *word; (word = va_arg(options, char *)) != NULL;)
        g_ptr_array_add(words, word);
    va_end(options);
    g_ptr_array_add(words, NULL);
    Run run = {0};
    ck_assert(g_spawn_sync(NULL, (char **)words->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &run.out,
                           &run.words, &run.status, NULL));
    run.status = WEXITSTATUS(run.status);
    return run;
}

/* RFC 4180, read by the letter: rows of fields. */
static GPtrArray *csv_read(const char *text) {
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    GPtrArray *row = NULL;
    while (*text != '\0') {
        if (row == NULL)
            g_ptr_array_add(rows, row = g_ptr_array_new_with_free_func(g_free));
        g_autoptr(GString) field = g_string_new(NULL);
        if (*text == '"')
            for (text++; *text != '\0' && (*text != '"' || *++text == '"'); text++)
                g_string_append_c(field, *text);
        else
            for (; *text != ',' && *text != '\n' && *text != '\0'; text++)
                g_string_append_c(field, *text);
        ck_assert_msg(*text == ',' || *text == '\n', "after '%s'", field->str);
        g_ptr_array_add(row, g_strdup(field->str));
        if (*text++ == '\n')
            row = NULL;
    }
    return rows;
}

/* The field of a row under a column's name; row 0 is the first below the header. */
static const char *csv_field(const GPtrArray *rows, guint row, const char *column) {
    const GPtrArray *header = g_ptr_array_index(rows, 0);
    const GPtrArray *fields = g_ptr_array_index(rows, row + 1);
    ck_assert_uint_eq(header->len, fields->len);
    for (guint i = 0; i < header->len; i++)
        if (g_str_equal(g_ptr_array_index(header, i), column))
            return g_ptr_array_index(fields, i);
    ck_abort_msg("no column %s", column);
    return NULL;
}

START_TEST(image_csv_reads_back_what_was_measured) {
    g_auto(Place) place = place_with_catalogue();
    g_autoptr(Frame) odd = frame_at(2, "DAPI");
    frame_set_text(&odd->plate, "a \"plate\", of\ntwo lines");
    frame_set_text(&odd->path, "50%25/A02.tif");
    store_at(&place, 1, "DAPI", "{\"mean\": 0.1, \"thr\": -1e-300}");
    store_at(&place, 1, "Alexa 488", "{\"mean\": 12345.678901234567}");
    store_frame(&place, odd, "{\"mean\": 3}");
    g_auto(Run) run = run_export(&place, NULL);
    ck_assert_int_eq(run.status, 0);
    ck_assert_ptr_nonnull(strstr(run.words, "2 image sets of 2 channels, 2 numbers each"));
    ck_assert(g_str_has_prefix(
        run.out, "ImageNumber,Metadata_Plate,Metadata_Well,Metadata_Site,Metadata_Z,Metadata_T,"
                 "Metadata_Page,Metadata_Experiment,Metadata_Source,Metadata_Pipeline,"
                 "Metadata_PipelineVersion,FileName_Alexa_488,FileName_DAPI,PathName_Alexa_488,"
                 "PathName_DAPI,Height_Alexa_488,Height_DAPI,Width_Alexa_488,Width_DAPI,"
                 "ImageQuality_MeanIntensity_Alexa_488,ImageQuality_MeanIntensity_DAPI,"
                 "ImageQuality_ThresholdOtsu_Alexa_488_2W,ImageQuality_ThresholdOtsu_DAPI_2W\n"));
    g_autoptr(GPtrArray) rows = csv_read(run.out);
    ck_assert_uint_eq(rows->len, 3);
    guint one = g_str_equal(csv_field(rows, 0, "Metadata_Plate"), "P1") ? 0 : 1, other = 1 - one;
    ck_assert_str_eq(csv_field(rows, 0, "ImageNumber"), "1");
    ck_assert_str_eq(csv_field(rows, 1, "ImageNumber"), "2");
    ck_assert_str_eq(csv_field(rows, one, "ImageQuality_MeanIntensity_DAPI"), "0.1");
    ck_assert_str_eq(csv_field(rows, one, "ImageQuality_MeanIntensity_Alexa_488"),
                     "12345.678901234567");
    ck_assert_str_eq(csv_field(rows, one, "ImageQuality_ThresholdOtsu_DAPI_2W"), "-1e-300");
    ck_assert_str_eq(csv_field(rows, one, "ImageQuality_ThresholdOtsu_Alexa_488_2W"), "nan");
    ck_assert_str_eq(csv_field(rows, one, "Metadata_Z"), "");
    ck_assert_str_eq(csv_field(rows, other, "Metadata_Plate"), "a \"plate\", of\ntwo lines");
    ck_assert_str_eq(csv_field(rows, other, "PathName_DAPI"), "50%");
    ck_assert_str_eq(csv_field(rows, other, "FileName_Alexa_488"), "");
    ck_assert_str_eq(csv_field(rows, other, "Height_Alexa_488"), "nan");
    ck_assert_str_eq(csv_field(rows, other, "Metadata_PipelineVersion"), "1");
}
END_TEST

START_TEST(image_csv_says_what_the_view_says) {
    g_auto(Place) place = place_with_catalogue();
    static const char *const channels[] = {"DAPI", "GFP", NULL};
    for (int n = 0; n < 30; n++) {
        g_autofree char *values = g_strdup_printf("{\"mean\": %d.25, \"thr\": %d}", n, -n);
        if (n % 7 != 0)
            store_at(&place, n / 3, channels[n % 3], values);
    }
    g_auto(Run) run = run_export(&place, "--plate", "P1", NULL);
    ck_assert_int_eq(run.status, 0);
    g_autoptr(GPtrArray) rows = csv_read(run.out);
    GString *told = g_string_new(NULL);
    for (guint row = 0; row + 1 < rows->len; row++)
        g_string_append_printf(told, "%s %s %s %s;", csv_field(rows, row, "ImageNumber"),
                               csv_field(rows, row, "Metadata_Site"),
                               csv_field(rows, row, "ImageQuality_MeanIntensity_GFP"),
                               csv_field(rows, row, "ImageQuality_ThresholdOtsu_Image_2W"));
    cluster_expect(place.admin,
                   "select string_agg(format('%s %s %s %s;', \"ImageNumber\", \"Metadata_Site\", "
                   "coalesce(\"ImageQuality_MeanIntensity_GFP\"::text, 'nan'), "
                   "coalesce(\"ImageQuality_ThresholdOtsu_Image_2W\"::text, 'nan')), '' "
                   "order by \"ImageNumber\") from scopestream.cellprofiler",
                   told->str);
    g_string_free(told, TRUE);
}
END_TEST

START_TEST(names_longer_than_postgresql_holds_are_whole_in_image_csv) {
    g_auto(Place) place = place_make();
    store_one(&place,
              g_strdup("{\"kind\":\"catalogue\",\"pipeline\":" DOCUMENTS_PIPELINE ",\"measures\":["
                       "{\"name\":\"a\",\"cellprofiler\":\"ImageQuality_ThresholdRobustBackground_"
                       "{channel}_with_a_long_name_one\"},"
                       "{\"name\":\"b\",\"cellprofiler\":\"ImageQuality_ThresholdRobustBackground_"
                       "{channel}_with_a_long_name_two\"}]}"));
    store_at(&place, 1, "Brightfield", "{\"a\": 1, \"b\": 2}");
    static const char full[] =
        "ImageQuality_ThresholdRobustBackground_Brightfield_with_a_long_name_two";
    g_auto(Run) run = run_export(&place, NULL);
    g_autoptr(GPtrArray) rows = csv_read(run.out);
    ck_assert_str_eq(csv_field(rows, 0, full), "2");
    g_autofree char *column = cluster_answer(
        place.admin, "select column_name from scopestream.cellprofiler_columns where name = 'b'");
    ck_assert_uint_eq(strlen(column), 63);
    g_autofree char *value = g_strdup_printf("select \"%s\" from scopestream.cellprofiler", column);
    g_autofree char *comment =
        g_strdup_printf("select col_description(attrelid, attnum) like '%s: b, %%; channel "
                        "Brightfield' from pg_attribute where attname = '%s' "
                        "and attrelid = 'scopestream.cellprofiler'::regclass",
                        full, column);
    cluster_expect(place.admin, value, "2");
    cluster_expect(place.admin, comment, "t");
}
END_TEST

static void expect_export_refused(const Run *run, int status, const char *words) {
    ck_assert_int_eq(run->status, status);
    ck_assert_msg(strstr(run->words, words) != NULL, "%s", run->words);
    ck_assert_str_eq(run->out, "");
}

START_TEST(an_unknown_name_is_told_with_those_there_are) {
    g_auto(Place) place = place_with_catalogue();
    g_auto(Run) empty = run_export(&place, NULL);
    expect_export_refused(&empty, 1, "no measured frame");
    store_at(&place, 1, "DAPI", "{}");
    g_auto(Run) of_plate = run_export(&place, "--plate", "P9", NULL);
    expect_export_refused(&of_plate, 2, "--plate P9: no measured frame has it; there are: P1");
    g_auto(Run) of_source = run_export(&place, "--source", "other", NULL);
    expect_export_refused(&of_source, 2, "there are: scope");
    g_auto(Run) of_pipeline = run_export(&place, "--pipeline", "other", NULL);
    expect_export_refused(&of_pipeline, 2, "there are: quality");
    g_auto(Run) argument = run_export(&place, "P1", NULL);
    ck_assert_int_eq(argument.status, 2);
}
END_TEST

START_TEST(one_of_several_pipelines_must_be_named_and_gives_its_own_columns) {
    g_auto(Place) place = place_with_catalogue();
    store_one(&place, g_strdup("{\"kind\":\"catalogue\",\"pipeline\":{\"name\":\"deep\","
                               "\"definition\":\"d\"},\"measures\":[{\"name\":\"granularity_1\","
                               "\"cellprofiler\":\"Granularity_1_{channel}\"}]}"));
    g_autofree char *quick = documents_result(1, "ok", "{\"mean\": 1}");
    g_autofree char *deep = documents_result(1, "ok", "{\"granularity_1\": 2}");
    store_one(&place, g_strdup(quick));
    store_one(&place, documents_replace(deep, DOCUMENTS_PIPELINE,
                                        "{\"name\":\"deep\",\"definition\":\"d\"}"));
    g_auto(Run) both = run_export(&place, NULL);
    expect_export_refused(&both, 2, "name one with --pipeline: deep, quality");
    g_auto(Run) one = run_export(&place, "--pipeline", "deep", NULL);
    g_autoptr(GPtrArray) rows = csv_read(one.out);
    ck_assert_str_eq(csv_field(rows, 0, "Granularity_1_DAPI"), "2");
    ck_assert_ptr_null(strstr(one.out, "MeanIntensity"));
}
END_TEST

static guint files_in(const char *folder) {
    g_autoptr(GDir) files = g_dir_open(folder, 0, NULL);
    guint count = 0;
    while (g_dir_read_name(files) != NULL)
        count++;
    return count;
}

START_TEST(a_file_is_there_whole_or_as_it_was) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *folder = g_build_filename(cluster_folder, "export-XXXXXX", NULL);
    ck_assert_ptr_nonnull(g_mkdtemp(folder));
    g_autofree char *file = g_build_filename(folder, "Image.csv", NULL);
    g_autofree char *nowhere = g_build_filename(folder, "none", "Image.csv", NULL);
    ck_assert(g_file_set_contents(file, "of before", -1, NULL));
    store_at(&place, 1, "DAPI", "{\"mean\": 1}");

    g_auto(Run) unknown = run_export(&place, "--plate", "P9", "--output", file, NULL);
    ck_assert_int_eq(unknown.status, 2);
    g_autofree char *kept = NULL;
    ck_assert(g_file_get_contents(file, &kept, NULL, NULL));
    ck_assert_str_eq(kept, "of before");

    g_auto(Run) folderless = run_export(&place, "--output", nowhere, NULL);
    expect_export_refused(&folderless, 1, "No such file");
    g_auto(Run) full = run_export(&place, "--output", "/dev/full/x", NULL);
    ck_assert_int_eq(full.status, 1);

    g_auto(Run) written = run_export(&place, "--output", file, NULL);
    ck_assert_int_eq(written.status, 0);
    ck_assert_str_eq(written.out, "");
    g_autofree char *text = NULL;
    ck_assert(g_file_get_contents(file, &text, NULL, NULL));
    g_autoptr(GPtrArray) rows = csv_read(text);
    ck_assert_str_eq(csv_field(rows, 0, "ImageQuality_MeanIntensity_DAPI"), "1");
    ck_assert_uint_eq(files_in(folder), 1);
}
END_TEST

/* So that CellProfiler finds the file again. */
START_TEST(a_path_is_absolute_where_the_sources_folder_is_known) {
    g_auto(Place) place = place_with_catalogue();
    g_autofree char *conf = g_build_filename(cluster_folder, "folders.conf", NULL);
    ck_assert(g_file_set_contents(conf, "[source scope]\nfolder = /data/scope\n", -1, NULL));
    store_at(&place, 1, "DAPI", "{}");
    g_auto(Run) run = run_export(&place, "--config", conf, NULL);
    ck_assert_int_eq(run.status, 0);
    g_autoptr(GPtrArray) rows = csv_read(run.out);
    ck_assert_str_eq(csv_field(rows, 0, "PathName_DAPI"), "/data/scope/P1");
}
END_TEST

SUITE_WITH("cellprofiler", cluster_start, cluster_stop,
           a_row_is_an_image_set_and_a_column_a_number_of_a_channel,
           frames_without_place_or_channel_stand_alone_as_image,
           a_place_imaged_again_counts_with_its_newest_frame,
           pages_and_versions_are_rows_of_their_own, hostile_channel_names_harm_nothing,
           a_channel_met_during_a_long_query_gets_its_columns_later,
           more_columns_than_there_is_room_for_leave_texture_out_first,
           image_csv_reads_back_what_was_measured, image_csv_says_what_the_view_says,
           names_longer_than_postgresql_holds_are_whole_in_image_csv,
           an_unknown_name_is_told_with_those_there_are,
           one_of_several_pipelines_must_be_named_and_gives_its_own_columns,
           a_file_is_there_whole_or_as_it_was, a_path_is_absolute_where_the_sources_folder_is_known)
