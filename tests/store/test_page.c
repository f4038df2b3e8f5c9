#include "store/page/reader.h"
#include "stream/json_read.h"
#include "tests/store/scene.h"
#include "tests/suite.h"
#include <curl/curl.h>
#include <gio/gio.h>
#include <signal.h>

/* --- the page of a test's own database --- */

typedef struct {
    Place place;
    char *address; /* of the database, as somebody who may look */
    GSubprocess *process;
    char *url;
} Shown;

static GSubprocess *page_start(const char *postgres, const char *listen, GSubprocessFlags flags) {
    g_autofree char *program =
        g_build_filename(g_getenv("SCOPESTREAM_BIN"), "scopestream-store", NULL);
    g_autoptr(GError) error = NULL;
    GSubprocess *process =
        g_subprocess_new(flags, &error, program, "page", "--postgres", postgres, "--page-listen",
                         listen, "--nats", "nats://127.0.0.1:9", NULL);
    ck_assert_msg(process != NULL, "%s", error != NULL ? error->message : "");
    return process;
}

static char *first_line(GSubprocess *process) {
    g_autoptr(GDataInputStream) lines =
        g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
    return g_data_input_stream_read_line(lines, NULL, NULL, NULL);
}

static void page_open(Shown *shown) {
    shown->process = page_start(shown->address, "127.0.0.1:0",
                                G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    shown->url = first_line(shown->process);
    ck_assert_ptr_nonnull(shown->url);
}

static Shown shown_make(void) {
    Shown shown = {.place = scene_make("select")};
    scene_run(shown.place.admin,
              "do $$ begin if to_regrole('looking') is null then "
              "create role looking login in role scopestream_reader; end if; end $$");
    g_autofree char *name = cluster_answer(shown.place.admin, "select current_database()");
    g_autofree char *address = cluster_address(name);
    shown.address = cluster_as(address, "looking");
    page_open(&shown);
    return shown;
}

static bool page_end(Shown *shown) {
    g_subprocess_send_signal(shown->process, SIGINT);
    bool ended = g_subprocess_wait_check(shown->process, NULL, NULL);
    g_clear_object(&shown->process);
    return ended;
}

static void shown_clear(Shown *shown) {
    if (shown->process != NULL)
        ck_assert(page_end(shown));
    place_clear(&shown->place);
    g_free(shown->address);
    g_free(shown->url);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shown, shown_clear)

/* --- asking --- */

typedef struct {
    long status;
    GString *body, *head;
} Answered;

static void answered_clear(Answered *answered) {
    g_string_free(answered->body, TRUE);
    g_string_free(answered->head, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answered, answered_clear)

static size_t take(char *data, size_t one, size_t length, void *text) {
    g_string_append_len(text, data, (gssize)length);
    return length;
}

static CURL *asking_new(const Shown *shown, const char *path, Answered *answered) {
    g_autofree char *url = g_strconcat(shown->url, path, NULL);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answered->body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answered->head);
    return curl;
}

/* path: without the slash it begins with. */
static Answered ask(const Shown *shown, const char *path) {
    Answered answered = {.body = g_string_new(NULL), .head = g_string_new(NULL)};
    CURL *curl = asking_new(shown, path, &answered);
    CURLcode code = curl_easy_perform(curl);
    ck_assert_msg(code == CURLE_OK, "%s: %s", path, curl_easy_strerror(code));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered.status);
    curl_easy_cleanup(curl);
    return answered;
}

/* The JSON object that answers path, as ck_assert wants it; json_node_unref it. */
static JsonNode *ask_object(const Shown *shown, const char *path) {
    g_auto(Answered) answered = ask(shown, path);
    ck_assert_msg(answered.status == 200, "%s: %ld %s", path, answered.status, answered.body->str);
    JsonNode *node = json_from_string(answered.body->str, NULL);
    ck_assert_msg(node != NULL && JSON_NODE_HOLDS_OBJECT(node), "%s", answered.body->str);
    return node;
}

static char *escaped(const char *text) {
    return g_uri_escape_string(text, NULL, FALSE);
}

/* One frame, measured: a row of the scene with these numbers. */
static void store_frame(Shown *shown, const char *plate, const char *well, const char *mean) {
    g_autofree char *sql = g_strdup_printf(
        "create temporary table key as select * from scene.store(%s, '%s', 1, 'DAPI'); "
        "update scopestream_data.result r set mean = %s from key where r.frame_id = key.frame_id; "
        "drop table key",
        plate, well, mean);
    scene_run(shown->place.admin, sql);
}

static void announce_mean(Shown *shown) {
    scene_run(shown->place.admin,
              "select scopestream_data.announce_measures('{\"measures\":["
              "{\"name\":\"mean\",\"unit\":\"x\",\"detects\":\"exposure\"}]}')");
}

/* --- situations --- */

START_TEST(all_the_page_needs_comes_from_the_program) {
    static const struct {
        const char *path, *type;
    } files[] = {{"", "text/html"},
                 {"page.css", "text/css"},
                 {"page.js", "text/javascript"},
                 {"words.js", "text/javascript"},
                 {"choice.js", "text/javascript"},
                 {"map.js", "text/javascript"},
                 {"frames.js", "text/javascript"},
                 {"flow.js", "text/javascript"},
                 {"d3.min.js", "text/javascript"},
                 {"icon.svg", "image/svg+xml"}};
    g_auto(Shown) shown = shown_make();
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_auto(Answered) answered = ask(&shown, files[i].path);
        ck_assert_msg(answered.status == 200, "%s", files[i].path);
        ck_assert_msg(strstr(answered.head->str, files[i].type) != NULL, "%s", answered.head->str);
        ck_assert_ptr_nonnull(strstr(answered.head->str, "default-src 'self'"));
        ck_assert_ptr_null(strstr(answered.head->str, "unsafe-inline"));
        ck_assert_ptr_nonnull(strstr(answered.head->str, "nosniff"));
        bool is_ours = !g_str_equal(files[i].path, "d3.min.js");
        ck_assert(!is_ours || strstr(answered.body->str, "innerHTML") == NULL);
        ck_assert(!is_ours || strstr(answered.body->str, "https://") == NULL);
    }
    g_auto(Answered) none = ask(&shown, "../etc/passwd");
    ck_assert_int_eq(none.status, 404);
}
END_TEST

START_TEST(a_plate_is_a_map_of_numbers) {
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    store_frame(&shown, "'P1'", "B03", "0.25");
    store_frame(&shown, "'P1'", "H12", "0.5");
    g_autoptr(JsonNode) map = ask_object(&shown, "map?plate=P1&measure=mean&channel=DAPI");
    g_autofree char *wells =
        json_to_string(json_object_get_member(json_node_get_object(map), "wells"), FALSE);
    ck_assert_str_eq(wells, "[[\"B03\",2,3,0.25,1],[\"H12\",8,12,0.5,1]]");
    g_autoptr(JsonNode) frames = ask_object(&shown, "frames?show=lowest&plate=P1&measure=mean");
    JsonArray *found = json_object_get_array_member(json_node_get_object(frames), "frames");
    ck_assert_int_eq(json_array_get_length(found), 2);
    JsonObject *least = json_array_get_object_element(found, 0);
    ck_assert_str_eq(json_object_get_string_member(least, "well"), "B03");
    ck_assert(json_object_get_double_member(least, "value") == 0.25);
    g_autofree char *path =
        g_strdup_printf("frame?id=%s", json_object_get_string_member(least, "id"));
    g_autoptr(JsonNode) frame = ask_object(&shown, path);
    ck_assert(json_object_get_array_member(json_node_get_object(frame), "way") != NULL);
    g_autoptr(JsonNode) well = ask_object(&shown, "well?plate=P1&well=B03&channel=DAPI");
    JsonObject *numbers = json_object_get_object_member(json_node_get_object(well), "numbers");
    ck_assert(json_object_get_double_member(numbers, "mean") == 0.25);
}
END_TEST

START_TEST(an_unknown_measure_is_refused_in_words) {
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    store_frame(&shown, "'P1'", "B03", "0.25");
    g_auto(Answered) answered = ask(&shown, "map?plate=P1&measure=meen");
    ck_assert_int_eq(answered.status, 400);
    ck_assert_msg(strstr(answered.body->str, "meen") != NULL, "%s", answered.body->str);
    ck_assert_ptr_null(strstr(answered.body->str, "PostgreSQL:"));
}
END_TEST

START_TEST(an_unknown_show_is_refused_in_words) {
    static const char *const paths[] = {"frames?show=bogus", "frames?show=new", "frames?plate=P1"};
    g_auto(Shown) shown = shown_make();
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answered) answered = ask(&shown, paths[i]);
        ck_assert_msg(answered.status == 400, "%s: %ld", paths[i], answered.status);
        ck_assert_ptr_nonnull(strstr(answered.body->str, "interesting"));
    }
}
END_TEST

/* What the map says of the plate: whether there is one, and its channels. */
static void expect_plate(const Shown *shown, const char *path, bool is_known,
                         const char *channels) {
    g_autoptr(JsonNode) map = ask_object(shown, path);
    JsonObject *object = json_node_get_object(map);
    g_autofree char *found = json_to_string(json_object_get_member(object, "channels"), FALSE);
    ck_assert_msg(json_object_get_boolean_member(object, "is_known") == is_known, "%s", path);
    ck_assert_str_eq(found, channels);
}

START_TEST(a_plate_or_channel_that_is_not_there_is_told) {
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    store_frame(&shown, "'P1'", "B03", "0.25");
    scene_run(shown.place.admin, "select scene.store('P1', 'B03', 1, 'GFP')");
    expect_plate(&shown, "map?plate=P1&measure=mean", true, "[\"DAPI\",\"GFP\"]");
    expect_plate(&shown, "map?plate=P1&measure=mean&channel=Cy5", true, "[\"DAPI\",\"GFP\"]");
    expect_plate(&shown, "map?plate=P1&measure=mean&source=other", false, "[]");
    expect_plate(&shown, "map?plate=P2&measure=mean", false, "[]");
}
END_TEST

START_TEST(hostile_names_do_nothing) {
    static const char *const names[] = {"<img src=x onerror=alert(1)>",
                                        "'; drop schema scopestream cascade; --",
                                        "\\\"}]",
                                        "%00",
                                        "$1",
                                        "\xe2\x80\xae",
                                        "../../etc/passwd"};
    static const char *const looks[] = {"map?plate=%s&measure=mean&channel=%s&source=%s",
                                        "map?plate=P1&measure=%s",
                                        "frames?show=newest&plate=%s&measure=%s&channel=%s",
                                        "frames?show=%s&plate=%s&measure=%s",
                                        "frames?show=well&plate=%s&well=%s&channel=%s",
                                        "well?plate=%s&well=%s&channel=%s",
                                        "frame?id=%s",
                                        "thumbnail/%s",
                                        "map?plate=%s&measure=mean&plate=%s&&=&%s"};
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        for (guint k = 0; k < G_N_ELEMENTS(looks); k++) {
            g_autofree char *name = escaped(names[i]);
            g_autofree char *path = documents_replace(looks[k], "%s", name);
            g_auto(Answered) answered = ask(&shown, path);
            ck_assert_msg(answered.status == 200 || answered.status == 400, "%s: %ld %s", path,
                          answered.status, answered.body->str);
            bool is_json = strstr(answered.head->str, "application/json") != NULL;
            ck_assert(is_json || strstr(answered.head->str, "text/plain") != NULL);
            g_autoptr(JsonNode) json = is_json ? json_from_string(answered.body->str, NULL) : NULL;
            ck_assert_msg(!is_json || json != NULL, "%s: %s", path, answered.body->str);
        }
    cluster_expect(shown.place.admin, "select count(*) > 0 from scopestream.measures", "t");
}
END_TEST

START_TEST(names_that_are_too_long_are_not_looked_for) {
    g_auto(Shown) shown = shown_make();
    g_autofree char *name = g_strnfill(3000, 'x');
    g_autofree char *path = g_strdup_printf("map?measure=mean&plate=%s", name);
    g_auto(Answered) answered = ask(&shown, path);
    ck_assert_int_eq(answered.status, 400);
    g_autofree char *endless = g_strnfill(10 * 1024 * 1024 / 100, 'x');
    g_autofree char *whole = g_strdup_printf("map?plate=%s", endless);
    g_auto(Answered) refused = ask(&shown, whole);
    ck_assert_msg(refused.status >= 400 && refused.status < 500, "%ld", refused.status);
    g_auto(Answered) after = ask(&shown, "");
    ck_assert_int_eq(after.status, 200);
}
END_TEST

START_TEST(a_plate_named_like_markup_is_told_as_it_is) {
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    store_frame(&shown, "'<img src=x onerror=alert(1)>'", "A01", "1");
    g_autoptr(JsonNode) state = ask_object(&shown, "state");
    JsonObject *told = json_object_get_object_member(json_node_get_object(state), "told");
    JsonArray *plates = json_object_get_array_member(told, "plates");
    JsonObject *plate = json_array_get_object_element(plates, 0);
    ck_assert_str_eq(json_object_get_string_member(plate, "plate"), "<img src=x onerror=alert(1)>");
    g_autoptr(JsonNode) map =
        ask_object(&shown, "map?measure=mean&plate=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E");
    ck_assert_int_eq(
        json_array_get_length(json_object_get_array_member(json_node_get_object(map), "wells")), 1);
}
END_TEST

/* The page shows the first by itself: one frame of 2099 would stay there for seventy years. */
START_TEST(a_plate_of_a_clock_that_was_wrong_comes_last) {
    static const char *const expected[] = {"P2", NULL, "P1", "Tomorrow's"};
    g_auto(Shown) shown = shown_make();
    scene_run(shown.place.admin,
              "select scopestream_data.ensure_partitions('2099-01-01', '2099-01-01'); "
              "select scene.store('P1', 'A01', 1, 'DAPI'); "
              "select scene.store('P1', 'A01', 2, 'DAPI', at => scene.now() - interval '9 h'); "
              "select scene.store(null, null, null, 'DAPI', at => scene.now() + interval '1 s'); "
              "select scene.store('P2', 'A01', 1, 'GFP', at => scene.now() + interval '1 h'); "
              "select scene.store('Tomorrow''s', 'A01', 1, 'DAPI', at => '2099-01-01')");
    g_autoptr(JsonNode) state = ask_object(&shown, "state");
    JsonObject *told = json_object_get_object_member(json_node_get_object(state), "told");
    JsonArray *plates = json_object_get_array_member(told, "plates");
    ck_assert_uint_eq(json_array_get_length(plates), G_N_ELEMENTS(expected));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        JsonObject *plate = json_array_get_object_element(plates, i);
        ck_assert_pstr_eq(json_object_get_string_member_with_default(plate, "plate", NULL),
                          expected[i]);
    }
    ck_assert_int_eq(json_object_get_int_member(json_array_get_object_element(plates, 2), "frames"),
                     2);
}
END_TEST

static void store_thumbnail(Shown *shown, const char *id, const char *mime) {
    g_autofree char *sql = g_strdup_printf(
        "insert into scopestream_data.frame (frame_id, acquired_at, source, path) "
        "values ('%s', '2026-03-02', 'scope', 'x.tif'); "
        "insert into scopestream_data.thumbnail (frame_id, acquired_at, mime, image) "
        "values ('%s', '2026-03-02', '%s', '\\x00ff3c2f')",
        id, id, mime);
    scene_run(shown->place.admin, sql);
}

START_TEST(a_picture_is_kept_by_whoever_has_it) {
    g_auto(Shown) shown = shown_make();
    store_thumbnail(&shown, "00000000-0000-8000-8000-000000000001", "image/jpeg");
    store_thumbnail(&shown, "00000000-0000-8000-8000-000000000002", "text/html");
    g_auto(Answered) picture = ask(&shown, "thumbnail/00000000-0000-8000-8000-000000000001");
    ck_assert_int_eq(picture.status, 200);
    ck_assert_int_eq(picture.body->len, 4);
    ck_assert_mem_eq(picture.body->str, "\0\xff<\x2f", 4);
    ck_assert_ptr_nonnull(strstr(picture.head->str, "image/jpeg"));
    ck_assert_ptr_nonnull(strstr(picture.head->str, "immutable"));
    g_auto(Answered) page = ask(&shown, "thumbnail/00000000-0000-8000-8000-000000000002");
    ck_assert_int_eq(page.status, 404);
    g_auto(Answered) none = ask(&shown, "thumbnail/00000000-0000-8000-8000-000000000003");
    ck_assert_int_eq(none.status, 404);
    ck_assert_ptr_nonnull(strstr(none.head->str, "no-store"));
    g_auto(Answered) wrong = ask(&shown, "thumbnail/x.jpg");
    ck_assert_int_eq(wrong.status, 400);
}
END_TEST

/* --- many viewers --- */

enum { VIEWERS = 60 };

/* All at once; the bodies as they are when ms have passed, or all have ended. */
static void ask_together(const Shown *shown, const char *path, Answered answers[], int count,
                         int ms) {
    CURLM *all = curl_multi_init();
    CURL **curls = g_newa(CURL *, count);
    int running = count;
    for (int i = 0; i < count; i++) {
        answers[i] = (Answered){.body = g_string_new(NULL), .head = g_string_new(NULL)};
        curls[i] = asking_new(shown, path, &answers[i]);
        curl_multi_add_handle(all, curls[i]);
    }
    gint64 until_us = g_get_monotonic_time() + ms * 1000;
    while (running > 0 && g_get_monotonic_time() < until_us) {
        curl_multi_perform(all, &running);
        curl_multi_poll(all, NULL, 0, 50, NULL);
    }
    for (int i = 0; i < count; i++) {
        curl_easy_getinfo(curls[i], CURLINFO_RESPONSE_CODE, &answers[i].status);
        curl_multi_remove_handle(all, curls[i]);
        curl_easy_cleanup(curls[i]);
    }
    curl_multi_cleanup(all);
}

static bool is_kept(const Shown *shown, const char *path) {
    g_auto(Answered) soon = ask(shown, path);
    g_auto(Answered) later = ask(shown, path);
    return g_str_equal(soon.body->str, later.body->str);
}

/* An answer says when the database was asked: the same everywhere means that it was asked once. */
START_TEST(viewers_of_the_same_share_one_answer) {
    g_auto(Shown) shown = shown_make();
    announce_mean(&shown);
    store_frame(&shown, "'P1'", "B03", "0.25");
    Answered answers[VIEWERS];
    ask_together(&shown, "map?plate=P1&measure=mean", answers, VIEWERS, 20000);
    g_autoptr(GHashTable) different = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; i < VIEWERS; i++) {
        ck_assert_int_eq(answers[i].status, 200);
        g_hash_table_add(different, answers[i].body->str);
    }
    /* The second of it may be over between the two. */
    ck_assert(is_kept(&shown, "map?plate=P1&measure=mean") ||
              is_kept(&shown, "map?plate=P1&measure=mean"));
    /* Some may have connected a second later, on a busy machine. */
    ck_assert_int_le(g_hash_table_size(different), 3);
    for (int i = 0; i < VIEWERS; i++)
        answered_clear(&answers[i]);
}
END_TEST

static int occurrences(const char *text, const char *word) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        count++;
    return count;
}

START_TEST(all_viewers_are_told_together_over_two_connections) {
    g_auto(Shown) shown = shown_make();
    Answered answers[VIEWERS];
    ask_together(&shown, "events", answers, VIEWERS, 6000);
    for (int i = 0; i < VIEWERS; i++) {
        int told = occurrences(answers[i].body->str, "event: state");
        ck_assert_msg(told >= 1 && told <= 7, "viewer %d was told %d times in 6 s", i, told);
        answered_clear(&answers[i]);
    }
    cluster_expect(shown.place.admin,
                   "select count(*) between 1 and 2 from pg_stat_activity "
                   "where datname = current_database() and usename = 'looking'",
                   "t");
}
END_TEST

/* The database's clock stands for how often it is asked. */
START_TEST(nothing_is_asked_while_nobody_looks) {
    static const char last[] = "select extract(epoch from max(query_start)) from pg_stat_activity "
                               "where datname = current_database() and usename = 'looking'";
    g_auto(Shown) shown = shown_make();
    Answered answer;
    ask_together(&shown, "events", &answer, 1, 3000);
    answered_clear(&answer);
    g_usleep(4 * G_USEC_PER_SEC); /* it is noticed that he went */
    g_autofree char *before = cluster_answer(shown.place.admin, last);
    g_usleep(3 * G_USEC_PER_SEC);
    cluster_expect(shown.place.admin, last, before);
}
END_TEST

/* --- rights, and what is away --- */

START_TEST(it_can_only_read_whoever_it_is) {
    g_auto(Place) place = scene_make("select");
    g_autofree char *name = cluster_answer(place.admin, "select current_database()");
    g_autofree char *address = cluster_address(name); /* the superuser */
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(Reader) reader = NULL;
    ck_assert(settings_set(settings, "postgres", address, NULL));
    reader = reader_new(settings, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(PostgresRows) rows = reader_ask(
        reader, "select current_user, current_setting('transaction_read_only')", NULL, 0, &error);
    ck_assert_msg(rows != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_str_eq(postgres_text(rows, 0, 0), "scopestream_reader");
    ck_assert_str_eq(postgres_text(rows, 0, 1), "on");
    ck_assert_ptr_null(reader_ask(reader, "delete from scopestream_data.frame", NULL, 0, &error));
}
END_TEST

/* Runs page until it ends: its exit status, and what it complained of. */
static int page_fails(const char *postgres, const char *listen, char **ret_words) {
    g_autoptr(GSubprocess) process = page_start(
        postgres, listen, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    ck_assert(g_subprocess_communicate_utf8(process, NULL, NULL, NULL, ret_words, NULL));
    return g_subprocess_get_exit_status(process);
}

START_TEST(wrong_settings_end_it_at_once) {
    g_auto(Shown) shown = shown_make();
    scene_run(shown.place.admin, "do $$ begin if to_regrole('nobody_here') is null then "
                                 "create role nobody_here login; end if; end $$");
    g_autofree char *as_nobody = cluster_as(shown.address, "nobody_here");
    const char *busy = shown.url + strlen("http://");
    g_autofree char *taken = g_strndup(busy, strlen(busy) - 1);
    const struct {
        const char *postgres, *listen, *words;
    } wrong[] = {{shown.address, "7810", "page-listen"},
                 {shown.address, taken, taken},
                 {shown.address, taken, "a page runs there already"},
                 {as_nobody, "127.0.0.1:0", "scopestream_reader"}};
    for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *words = NULL;
        int status = page_fails(wrong[i].postgres, wrong[i].listen, &words);
        ck_assert_msg(status == 2, "%s: %d %s", wrong[i].words, status, words);
        ck_assert_msg(strstr(words, wrong[i].words) != NULL, "%s", words);
    }
}
END_TEST

static char *away_words(const Shown *shown) {
    g_autoptr(JsonNode) state = ask_object(shown, "state");
    const char *words = json_read_member_text(json_node_get_object(state), "database_away");
    return g_strdup(words != NULL ? words : "");
}

static void wait_until_away(const Shown *shown, bool is_away) {
    gint64 until_us = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    for (;;) {
        g_autofree char *words = away_words(shown);
        if ((*words != '\0') == is_away)
            return;
        ck_assert_msg(g_get_monotonic_time() < until_us, "still '%s'", words);
        g_usleep(200000);
    }
}

START_TEST(the_database_goes_and_comes_back) {
    g_auto(Shown) shown = shown_make();
    wait_until_away(&shown, false);
    postgres_disconnect(shown.place.admin);
    postgres_disconnect(shown.place.store);
    ck_assert(cluster_server_stop());
    wait_until_away(&shown, true);
    g_auto(Answered) map = ask(&shown, "map?plate=P1&measure=mean");
    ck_assert_int_eq(map.status, 503);
    g_auto(Answered) page = ask(&shown, "");
    ck_assert_int_eq(page.status, 200);
    ck_assert(cluster_server_start());
    wait_until_away(&shown, false);
    g_auto(Answered) again = ask(&shown, "catalogue");
    ck_assert_int_eq(again.status, 200);
}
END_TEST

/* What serves the page at PostgreSQL, stopped or going on. */
static void signal_backends(Shown *shown, int signal_number) {
    static const char backends[] = "select string_agg(pid::text, ' ') from pg_stat_activity "
                                   "where application_name = 'scopestream-page'";
    g_autofree char *pids = cluster_answer(shown->place.admin, backends);
    g_auto(GStrv) each = g_strsplit(pids, " ", -1);
    for (char **pid = each; *pid != NULL; pid++)
        kill((pid_t)atoi(*pid), signal_number);
}

/* It takes questions and answers none: no limit of its own helps. */
START_TEST(a_database_that_hangs_is_given_up) {
    g_auto(Shown) shown = shown_make();
    wait_until_away(&shown, false);
    json_node_unref(ask_object(&shown, "catalogue"));
    signal_backends(&shown, SIGSTOP);
    g_auto(Answered) map = ask(&shown, "map?plate=P1&measure=mean");
    ck_assert_int_eq(map.status, 503);
    ck_assert_ptr_nonnull(strstr(map.body->str, "no answer in"));
    signal_backends(&shown, SIGCONT);
    wait_until_away(&shown, false);
    signal_backends(&shown, SIGSTOP);
    gint64 begun_us = g_get_monotonic_time();
    ck_assert(page_end(&shown));
    ck_assert_int_lt(g_get_monotonic_time() - begun_us, 5 * G_USEC_PER_SEC);
    signal_backends(&shown, SIGCONT);
}
END_TEST

START_TEST(it_starts_without_the_database) {
    g_auto(Shown) shown = shown_make();
    ck_assert(page_end(&shown));
    g_clear_pointer(&shown.url, g_free);
    g_clear_pointer(&shown.address, g_free);
    shown.address = g_strdup("host=/nowhere user=looking dbname=none");
    page_open(&shown);
    wait_until_away(&shown, true);
}
END_TEST

START_TEST(a_signal_ends_it_at_once_whoever_looks) {
    g_auto(Shown) shown = shown_make();
    Answered answers[8];
    ask_together(&shown, "events", answers, G_N_ELEMENTS(answers), 1500);
    for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
        answered_clear(&answers[i]);
    gint64 begun_us = g_get_monotonic_time();
    ck_assert(page_end(&shown));
    ck_assert_int_lt(g_get_monotonic_time() - begun_us, 3 * G_USEC_PER_SEC);
}
END_TEST

SUITE_WITH("page", cluster_start, cluster_stop, all_the_page_needs_comes_from_the_program,
           a_plate_is_a_map_of_numbers, an_unknown_measure_is_refused_in_words,
           an_unknown_show_is_refused_in_words, a_plate_or_channel_that_is_not_there_is_told,
           hostile_names_do_nothing, names_that_are_too_long_are_not_looked_for,
           a_plate_named_like_markup_is_told_as_it_is, a_plate_of_a_clock_that_was_wrong_comes_last,
           a_picture_is_kept_by_whoever_has_it, viewers_of_the_same_share_one_answer,
           all_viewers_are_told_together_over_two_connections, nothing_is_asked_while_nobody_looks,
           it_can_only_read_whoever_it_is, wrong_settings_end_it_at_once,
           the_database_goes_and_comes_back, a_database_that_hangs_is_given_up,
           it_starts_without_the_database, a_signal_ends_it_at_once_whoever_looks)
