/* sheet and map as people call them, on a real database; and what is drawn, looked at. */
#include "store/pictures/sheet.h"
#include "store/pictures/strip.h"
#include "tests/store/place.h"
#include "tests/suite.h"
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <sys/wait.h>

enum { COLUMNS = 12, ROWS = 8 };

/* --- a plate --- */

/* Plate P1, 96 wells but H12, two channels; focus is 0 in A01 and grows well by well. Frames come a
 * second apart; GFP of B02 was broken. Plate 'Old' came before, a time-lapse of one well. */
static const char scene[] =
    "insert into scopestream_data.pipeline (name, version, definition) values ('quality', 1, 'x');"
    "select scopestream_data.ensure_partitions('2026-03-01', '2026-03-31');"
    "create function pg_temp.frame(plate text, well text, channel text, s integer, focus float8, "
    "    t integer default null, status text default 'ok') returns void language sql as $$"
    "    with f as (insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, "
    "        experiment, plate, well, site, channel, t, path) select gen_random_uuid(), at, at, "
    "        'scope', 'E1', plate, well, 1, channel, t, concat_ws('_', plate, well, channel, s) "
    "        from (select timestamptz '2026-03-02 12:00Z' + make_interval(secs => s) as at) a "
    "        returning frame_id, acquired_at)"
    "    insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status, focus) "
    "    select frame_id, acquired_at, (select pipeline_id from scopestream_data.pipeline), "
    "status, "
    "        case when status = 'ok' then focus end from f $$;"
    "select pg_temp.frame('Old', 'C03', 'DAPI', 20 * t, 1, t) from generate_series(1, 5) t "
    "    where t <> 4;"
    "select pg_temp.frame('P1', chr(65 + w / 12) || to_char(w % 12 + 1, 'FM00'), c, 1000 + w, w, "
    "null, "
    "    case when c = 'GFP' and w = 13 then 'broken' else 'ok' end) "
    "from generate_series(0, 94) w, unnest(array['DAPI', 'GFP']) c;";

/* A JPEG of one grey, as SQL writes bytes. g_free it. */
static char *jpeg_sql(guint8 grey) {
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, 96, 96);
    gdk_pixbuf_fill(pixbuf, grey * 0x01010100u | 0xff);
    g_autofree char *bytes = NULL;
    gsize length;
    ck_assert(gdk_pixbuf_save_to_buffer(pixbuf, &bytes, &length, "jpeg", NULL, NULL));
    g_autofree char *encoded = g_base64_encode((guchar *)bytes, length);
    return g_strdup_printf("decode('%s', 'base64')", encoded);
}

/* All frames of a plate and channel get one, of that grey and range; where: SQL, of frame f. */
static void set_thumbnails(const Place *place, const char *image, const char *range,
                           const char *where) {
    g_autofree char *sql = g_strdup_printf(
        "insert into scopestream_data.thumbnail (frame_id, acquired_at, mime, width, height, low, "
        "high, image) select f.frame_id, f.acquired_at, 'image/jpeg', 96, 96, %s, %s "
        "from scopestream_data.frame f join scopestream_data.result r using (frame_id, "
        "acquired_at) "
        "where r.status = 'ok' and %s on conflict (frame_id, acquired_at) do update set "
        "low = excluded.low, high = excluded.high, image = excluded.image",
        range, image, where);
    g_free(cluster_answer(place->admin, sql));
}

static Place place_with_plates(void) {
    Place place = place_make();
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('reader') is null then "
                                       "create role reader login in role scopestream_reader; "
                                       "create role stranger login; end if; end $$"));
    g_autoptr(Batch) batch = batch_new();
    add(batch, g_strdup("{\"kind\":\"catalogue\",\"measures\":[{\"name\":\"focus\","
                        "\"unit\":\"px\"}]}"));
    expect_stored(batch, place.store);
    GError *error = NULL;
    ck_assert_msg(postgres_run(place.admin, scene, &error), "%s",
                  error != NULL ? error->message : "");
    g_autofree char *grey = jpeg_sql(128);
    set_thumbnails(&place, grey, "0, 1", "true");
    return place;
}

/* --- calling --- */

typedef struct {
    char *folder;
    char *said, *complained;
    gsize said_length;
} Call;

static void call_clear(Call *call) {
    const char *words[] = {"rm", "-rf", call->folder, NULL};
    g_spawn_sync(NULL, (char **)words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_free(call->folder);
    g_free(call->said);
    g_free(call->complained);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Call, call_clear)

/* In a folder of its own; ends the test if it ends otherwise. */
static Call call_as(const Place *place, const char *role, const char *line, int status) {
    Call call = {.folder = g_dir_make_tmp("scopestream-call-XXXXXX", NULL)};
    g_autofree char *program =
        g_build_filename(g_getenv("SCOPESTREAM_BIN"), "scopestream-store", NULL);
    g_autofree char *database = cluster_answer(place->admin, "select current_database()");
    g_autofree char *address = cluster_address(database);
    g_autofree char *as_role = cluster_as(address, role);
    g_autofree char *whole = g_strdup_printf("%s %s --postgres '%s'", program, line, as_role);
    g_auto(GStrv) words = NULL;
    ck_assert(g_shell_parse_argv(whole, NULL, &words, NULL));
    g_autofree char *out = g_build_filename(call.folder, "said", NULL);
    int ended;
    /* Bytes, which may hold zeros: by way of a file. */
    g_autofree char *to_file = g_strdup_printf("exec \"$@\" > %s", out);
    const char *shell[] = {"sh", "-c", to_file, "sh", NULL};
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (const char **word = shell; *word != NULL; word++)
        g_ptr_array_add(all, (char *)*word);
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(all, *word);
    g_ptr_array_add(all, NULL);
    ck_assert(g_spawn_sync(call.folder, (char **)all->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                           NULL, &call.complained, &ended, NULL));
    ck_assert(g_file_get_contents(out, &call.said, &call.said_length, NULL));
    ck_assert_msg(WIFEXITED(ended) && WEXITSTATUS(ended) == status, "%s: status %d: %s%s", line,
                  ended, call.said, call.complained);
    g_unlink(out);
    return call;
}

static void expect_refusal(const Place *place, const char *role, const char *line,
                           const char *words) {
    g_auto(Call) call = call_as(place, role, line, 2);
    ck_assert_msg(strstr(call.complained, words) != NULL, "%s: '%s' misses '%s'", line,
                  call.complained, words);
    ck_assert_msg(strchr(call.complained, '\n') == call.complained + strlen(call.complained) - 1,
                  "%s: more than a line: %s", line, call.complained);
    g_autoptr(GDir) folder = g_dir_open(call.folder, 0, NULL);
    ck_assert_msg(g_dir_read_name(folder) == NULL, "%s: left a file", line);
}

static GdkPixbuf *drawn_by(const Call *call, const char *name) {
    g_autofree char *path = g_build_filename(call->folder, name, NULL);
    g_autoptr(GError) error = NULL;
    GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file(path, &error);
    ck_assert_msg(pixbuf != NULL, "%s: %s", name, error != NULL ? error->message : "");
    return pixbuf;
}

static const guint8 *pixel_at(const GdkPixbuf *pixbuf, double x, double y) {
    return gdk_pixbuf_read_pixels(pixbuf) + (int)y * gdk_pixbuf_get_rowstride(pixbuf) +
           (int)x * gdk_pixbuf_get_n_channels(pixbuf);
}

/* Where the wells of P1 stand on a sheet of one channel. */
static Box box_of(guint row, guint column) {
    const SheetForm form = {.rows = ROWS,
                            .columns = COLUMNS,
                            .panels = 1,
                            .tiles = 1,
                            .aspect = 1,
                            .title = "",
                            .subtitle = "",
                            .remark = ""};
    g_autoptr(Sheet) sheet = sheet_new(&form, NULL);
    return sheet_tile_box(sheet, 0, row, column, 0);
}

/* Near the corner of a well, where no number stands. */
static const guint8 *well_pixel(const GdkPixbuf *pixbuf, guint row, guint column) {
    Box box = box_of(row, column);
    return pixel_at(pixbuf, box.x + 5, box.y + 5);
}

static void expect_pixel(const GdkPixbuf *pixbuf, guint row, guint column, int red, int green,
                         int blue) {
    const guint8 *pixel = well_pixel(pixbuf, row, column);
    ck_assert_msg(ABS(pixel[0] - red) <= 2 && ABS(pixel[1] - green) <= 2 &&
                      ABS(pixel[2] - blue) <= 2,
                  "row %u, column %u: %d %d %d, not %d %d %d", row, column, pixel[0], pixel[1],
                  pixel[2], red, green, blue);
}

static bool is_marked(const GdkPixbuf *pixbuf, guint row, guint column) {
    Box box = box_of(row, column);
    int least = 255, most = 0;
    for (double y = box.y; y < box.y + box.height; y++)
        for (double x = box.x; x < box.x + box.width; x++) {
            const guint8 *pixel = pixel_at(pixbuf, x, y);
            ck_assert(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
            least = MIN(least, pixel[0]);
            most = MAX(most, pixel[0]);
        }
    return most - least > 50;
}

/* --- numbers --- */

START_TEST(numbers_become_colours_in_the_wells_places) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call =
        call_as(&place, "reader", "sheet --plate P1 --channel DAPI --measure focus", 0);
    ck_assert_ptr_nonnull(strstr(call.said, "P1_DAPI_focus.png: 95 wells with a number"));
    g_autoptr(GdkPixbuf) drawn = drawn_by(&call, "P1_DAPI_focus.png");
    expect_pixel(drawn, 0, 0, 0x44, 0x01, 0x54);  /* 0 */
    expect_pixel(drawn, 7, 10, 0xfd, 0xe7, 0x25); /* 94, the highest */
    expect_pixel(drawn, 3, 11, 0x21, 0x91, 0x8c); /* 47, the middle */
    ck_assert(is_marked(drawn, 7, 11));           /* missing */
    ck_assert_str_eq(call.complained, "");
}
END_TEST

START_TEST(a_range_that_is_given_counts) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader",
                                "sheet --plate P1 --channel DAPI --measure focus --range -94:94 "
                                "--out s.png",
                                0);
    g_autoptr(GdkPixbuf) drawn = drawn_by(&call, "s.png");
    expect_pixel(drawn, 0, 0, 0x21, 0x91, 0x8c);
    expect_pixel(drawn, 7, 10, 0xfd, 0xe7, 0x25);
}
END_TEST

START_TEST(without_names_it_is_the_newest_plate_and_its_first_channel) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader", "sheet", 0);
    ck_assert_ptr_nonnull(strstr(call.said, "P1_DAPI.png: 95 pictures"));
    ck_assert_ptr_nonnull(strstr(call.complained, "channel DAPI of 2"));
    g_auto(Call) mosaic =
        call_as(&place, "reader", "sheet --site all", 0); /* beside the plain one */
    ck_assert_ptr_nonnull(strstr(mosaic.said, "P1_DAPI_all-sites.png: 95 pictures"));
    g_auto(Call) whole = call_as(&place, "reader", "sheet --all", 0);
    ck_assert_ptr_nonnull(strstr(whole.said, "P1.png: 189 pictures, 1 broken"));
    g_free(cluster_answer(place.admin,
                          "select scopestream_data.ensure_partitions('2073-08-01', '2073-10-01')"));
    g_free(cluster_answer(place.admin,
                          "select pg_temp.frame('Tomorrow', 'A01', 'DAPI', 1500000000, 1)"));
    g_auto(Call) later = call_as(&place, "reader", "map", 0);
    ck_assert_msg(g_str_has_prefix(later.said, "P1  channel DAPI"), "%s", later.said);
}
END_TEST

/* --- pictures --- */

START_TEST(one_range_for_all_makes_wells_comparable) {
    g_auto(Place) place = place_with_plates();
    g_autofree char *middle = jpeg_sql(128), *white = jpeg_sql(255), *black = jpeg_sql(0);
    set_thumbnails(&place, middle, "0.25, 0.75", "f.well = 'A02'"); /* 0.5, as in A01 */
    set_thumbnails(&place, white, "0, 0.5", "f.well = 'A03'");      /* 0.5 too */
    set_thumbnails(&place, black, "0.75, 1", "f.well = 'A04'");     /* 0.75 */
    g_auto(Call) call = call_as(&place, "reader", "sheet --channel DAPI --out one.png", 0);
    g_autoptr(GdkPixbuf) one = drawn_by(&call, "one.png");
    for (guint column = 0; column < 3; column++)
        expect_pixel(one, 0, column, 128, 128, 128);
    expect_pixel(one, 0, 3, 191, 191, 191);
    g_auto(Call) again =
        call_as(&place, "reader", "sheet --channel DAPI --range each --out e.png", 0);
    g_autoptr(GdkPixbuf) each = drawn_by(&again, "e.png");
    expect_pixel(each, 0, 1, 128, 128, 128);
    expect_pixel(each, 0, 2, 255, 255, 255);
    expect_pixel(each, 0, 3, 0, 0, 0);
    g_auto(Call) given =
        call_as(&place, "reader", "sheet --channel DAPI --range 0.5:1 --out g.png", 0);
    g_autoptr(GdkPixbuf) cut = drawn_by(&given, "g.png");
    expect_pixel(cut, 0, 0, 0, 0, 0);
    expect_pixel(cut, 0, 3, 128, 128, 128);
}
END_TEST

START_TEST(broken_missing_and_hostile_pictures_are_marked) {
    g_auto(Place) place = place_with_plates();
    set_thumbnails(&place, "'\\xffd8ffd9'::bytea", "0, 1", "f.well = 'C03'");
    set_thumbnails(&place, "''::bytea", "0, 1", "f.well = 'C04'");
    set_thumbnails(&place, "convert_to(repeat('<svg/>', 1000), 'UTF8')", "0, 1", "f.well = 'C05'");
    g_free(cluster_answer(place.admin,
                          "update scopestream_data.thumbnail i set width = -5, height = 2000000000,"
                          " low = 'NaN', high = '-Infinity' from scopestream_data.frame f "
                          "where f.frame_id = i.frame_id and f.well = 'C06'"));
    g_free(cluster_answer(place.admin, "delete from scopestream_data.thumbnail i using "
                                       "scopestream_data.frame f where f.frame_id = i.frame_id "
                                       "and f.well = 'C07'"));
    g_auto(Call) call = call_as(&place, "reader", "sheet --channel GFP --out b.png", 0);
    ck_assert_ptr_nonnull(strstr(call.said, "90 pictures, 4 broken, 1 not kept"));
    g_autoptr(GdkPixbuf) drawn = drawn_by(&call, "b.png");
    for (guint column = 2; column < 5; column++)
        ck_assert(is_marked(drawn, 2, column));
    ck_assert(is_marked(drawn, 1, 1));        /* broken */
    ck_assert(is_marked(drawn, 7, 11));       /* missing */
    expect_pixel(drawn, 2, 5, 128, 128, 128); /* as it was stored */
    expect_pixel(drawn, 2, 6, 226, 226, 226); /* not kept */
}
END_TEST

START_TEST(names_that_are_markup_and_worse_are_only_text) {
    g_auto(Place) place = place_with_plates();
    g_free(cluster_answer(place.admin, "select pg_temp.frame(E'../<b>x</b>\x1b[31m''; --', 'A01', "
                                       "'<span foreground=\"red\">&', 9000, 5)"));
    g_auto(Call) call = call_as(&place, "reader", "sheet --measure focus", 0);
    ck_assert_str_eq(call.said, "____b_x__b___31m___--__span_foreground__red____focus.png: "
                                "1 well with a number\n");
    g_autoptr(GdkPixbuf) drawn =
        drawn_by(&call, "____b_x__b___31m___--__span_foreground__red____focus.png");
    g_auto(Call) map = call_as(&place, "reader", "map --measure focus", 0);
    ck_assert_ptr_null(strchr(map.said, '\033'));
    ck_assert(
        g_str_has_prefix(map.said, "../<b>x</b> [31m'; --  channel <span foreground=\"red\">&"));
}
END_TEST

START_TEST(a_time_lapse_is_a_strip_with_its_gaps) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader", "sheet --strip --plate Old --well c3", 0);
    ck_assert_ptr_nonnull(strstr(call.said, "Old_C03_DAPI.png: 4 pictures"));
    g_autoptr(GdkPixbuf) drawn = drawn_by(&call, "Old_C03_DAPI.png");
    const StripForm form = {
        .rows = 1, .times = 5, .aspect = 1, .title = "", .subtitle = "", .remark = ""};
    g_autoptr(Strip) strip = strip_new(&form, NULL);
    for (guint time = 0; time < 5; time++) {
        Box box = strip_box(strip, 0, time);
        const guint8 *pixel = pixel_at(drawn, box.x + 5, box.y + 5);
        ck_assert_msg((ABS(pixel[0] - 128) <= 2) == (time != 3), "time %u: %d", time, pixel[0]);
    }
}
END_TEST

/* --- files --- */

START_TEST(a_dash_is_standard_output_and_nothing_else_is_said_there) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader", "sheet --all --out -", 0);
    ck_assert_uint_gt(call.said_length, 1000);
    ck_assert_int_eq(memcmp(call.said, "\x89PNG\r\n\x1a\n", 8), 0);
    ck_assert_int_eq(memcmp(call.said + call.said_length - 8, "IEND\xae\x42\x60\x82", 8), 0);
    ck_assert_ptr_nonnull(strstr(call.complained, "189 pictures"));
}
END_TEST

START_TEST(a_sheet_is_there_whole_or_not_at_all) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader", "sheet --channel DAPI --out none/x.png", 1);
    ck_assert_ptr_nonnull(strstr(call.complained, "none/x.png: No such file"));
    g_autoptr(GDir) folder = g_dir_open(call.folder, 0, NULL);
    ck_assert_ptr_null(g_dir_read_name(folder));
}
END_TEST

START_TEST(what_cannot_be_drawn_is_refused_in_one_line) {
    g_auto(Place) place = place_with_plates();
    expect_refusal(&place, "reader", "sheet --plate P2", "the newest plates are: P1, Old");
    expect_refusal(&place, "reader", "map --plate \"x' or true --\"",
                   "no frame of plate x' or true");
    expect_refusal(&place, "reader", "sheet --channel DAP", "it has: DAPI, GFP");
    expect_refusal(&place, "reader", "sheet --channel DAPI --measure focsu", "focus");
    expect_refusal(&place, "reader", "map --measure 'focus; drop table x'", "focus");
    expect_refusal(&place, "reader", "sheet --channel DAPI --site 9", "--site 9");
    expect_refusal(&place, "reader", "sheet --channel DAPI --t 1", "--t 1");
    expect_refusal(&place, "reader", "sheet --channel DAPI --site 1x", "whole number");
    expect_refusal(&place, "reader", "sheet --range 3:1", "LOW below HIGH");
    expect_refusal(&place, "reader", "sheet --measure focus --range each", "for thumbnails");
    expect_refusal(&place, "reader", "sheet --measure focus --strip --well A01",
                   "do not go together");
    expect_refusal(&place, "reader", "sheet --strip", "name it with --well");
    expect_refusal(&place, "reader", "sheet --strip --well A99", "A01 to AF48");
    expect_refusal(&place, "reader", "sheet --strip --well H12", "no frame");
    expect_refusal(&place, "reader", "sheet --cell 5", "16 to 1024");
    expect_refusal(&place, "reader", "map --well A01,Q", "A01,C12");
    expect_refusal(&place, "stranger", "map", "scopestream_reader");
}
END_TEST

START_TEST(a_database_without_a_frame_says_so) {
    g_auto(Place) place = place_make();
    g_free(cluster_answer(place.admin, "do $$ begin if to_regrole('reader') is null then "
                                       "create role reader login in role scopestream_reader; "
                                       "create role stranger login; end if; end $$"));
    g_auto(Call) call = call_as(&place, "reader", "map", 1);
    ck_assert_ptr_nonnull(strstr(call.complained, "no frame of any plate is stored yet"));
}
END_TEST

START_TEST(a_database_that_is_away_is_told_with_the_next_step) {
    static const char *const commands[] = {"map", "sheet", "status"};
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *line = g_strdup_printf("%s/scopestream-store %s --postgres host=/nowhere",
                                                g_getenv("SCOPESTREAM_BIN"), commands[i]);
        g_autofree char *said = NULL, *complained = NULL;
        ck_assert(g_spawn_command_line_sync(line, &said, &complained, NULL, NULL));
        const char *words = i < 2 ? complained : said;
        ck_assert_msg(strstr(words, "--postgres, the PG* variables or [store] postgres\n") != NULL,
                      "%s: %s", commands[i], words);
    }
}
END_TEST

/* --- the terminal --- */

START_TEST(a_map_that_is_no_terminals_is_plain_and_80_columns_wide) {
    g_auto(Place) place = place_with_plates();
    g_auto(Call) call = call_as(&place, "reader", "map --measure focus --well B02,H12", 0);
    g_auto(GStrv) lines = g_strsplit(call.said, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        ck_assert_msg(strlen(*line) <= 80, "%s", *line);
        ck_assert(g_str_is_ascii(*line));
    }
    ck_assert(g_str_has_prefix(lines[0], "P1  channel DAPI (one of 2)  190 frames"));
    ck_assert_ptr_nonnull(strstr(call.said, "focus (px)"));
    ck_assert_ptr_nonnull(strstr(call.said, "\nlowest   A01 0  A02 1  A03 2"));
    ck_assert_ptr_nonnull(strstr(call.said, "\nB02      13, of 1 frame\n"));
    ck_assert_ptr_nonnull(strstr(call.said, "\nH12      no number, of 0 frames\n"));
    ck_assert_ptr_nonnull(strstr(call.said, "1 well without a frame (.)"));
}
END_TEST

START_TEST(a_layout_names_what_is_empty) {
    g_auto(Place) place = place_with_plates();
    g_free(cluster_answer(place.admin, "select scopestream.load_layout('P1', null, "
                                       "'[{\"well\": \"A01\", \"role\": \"negative\"}, "
                                       "  {\"well\": \"H12\", \"role\": \"empty\"}]')"));
    g_auto(Call) call = call_as(&place, "reader", "map --measure frames", 0);
    ck_assert_ptr_null(strstr(call.said, "without a frame"));
}
END_TEST

SUITE_WITH("pictures_commands", cluster_start, cluster_stop,
           numbers_become_colours_in_the_wells_places, a_range_that_is_given_counts,
           without_names_it_is_the_newest_plate_and_its_first_channel,
           one_range_for_all_makes_wells_comparable, broken_missing_and_hostile_pictures_are_marked,
           names_that_are_markup_and_worse_are_only_text, a_time_lapse_is_a_strip_with_its_gaps,
           a_dash_is_standard_output_and_nothing_else_is_said_there,
           a_sheet_is_there_whole_or_not_at_all, what_cannot_be_drawn_is_refused_in_one_line,
           a_database_without_a_frame_says_so, a_database_that_is_away_is_told_with_the_next_step,
           a_map_that_is_no_terminals_is_plain_and_80_columns_wide, a_layout_names_what_is_empty)
