/* Plates as pictures and in the terminal, without a database: colours, places, pixels, letters. */
#include "store/pictures/legend.h"
#include "store/pictures/map.h"
#include "store/pictures/order.h"
#include "store/pictures/sheet.h"
#include "store/pictures/strip.h"
#include "store/status/status_page.h"
#include "tests/suite.h"
#include <fcntl.h>
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- colours --- */

static void expect_colour(Colour colour, int red, int green, int blue) {
    ck_assert_int_eq(colour.red, red);
    ck_assert_int_eq(colour.green, green);
    ck_assert_int_eq(colour.blue, blue);
}

START_TEST(the_colours_are_viridis_and_get_brighter_all_the_way) {
    expect_colour(colour_viridis(0), 0x44, 0x01, 0x54);
    expect_colour(colour_viridis(128 / 255.0), 0x21, 0x91, 0x8c);
    expect_colour(colour_viridis(1), 0xfd, 0xe7, 0x25);
    expect_colour(colour_viridis(7), 0xfd, 0xe7, 0x25);
    expect_colour(colour_viridis(-7), 0x44, 0x01, 0x54);
    expect_colour(colour_viridis(NAN), 0x44, 0x01, 0x54);
    double before = 0;
    for (int i = 0; i <= 16; i++) {
        Colour colour = colour_viridis(i / 16.0);
        double bright = 0.2126 * colour.red + 0.7152 * colour.green + 0.0722 * colour.blue;
        ck_assert_double_gt(bright, before);
        before = bright;
    }
    ck_assert(colour_is_dark(colour_viridis(0)) && !colour_is_dark(colour_viridis(1)));
}
END_TEST

static void expect_ticks(const ColourScale *scale, const char *expected) {
    g_autoptr(GString) ticks = g_string_new(NULL);
    for (guint i = 0; i < scale->tick_count; i++) {
        g_autofree char *text = colour_scale_tick_text(scale, scale->ticks[i]);
        g_string_append_printf(ticks, "%s%s", i > 0 ? " " : "", text);
    }
    ck_assert_str_eq(ticks->str, expected);
}

static void expect_ticks_between(double low, double high, const char *expected) {
    ColourScale scale = colour_scale_between(low, high, NULL, 0);
    expect_ticks(&scale, expected);
}

START_TEST(ticks_are_round_numbers_of_any_size) {
    expect_ticks_between(0.013, 0.094, "0.02 0.04 0.06 0.08");
    expect_ticks_between(-1.2, 1.1, "-1.0 -0.5 0.0 0.5 1.0");
    expect_ticks_between(0, 65535, "0 10000 20000 30000 40000 50000 60000");
    expect_ticks_between(1e-9, 5e-9,
                         "1.0e-9 1.5e-9 2.0e-9 2.5e-9 3.0e-9 3.5e-9 4.0e-9 4.5e-9 5.0e-9");
    expect_ticks_between(2e9, 2.4e9,
                         "2.00e9 2.05e9 2.10e9 2.15e9 2.20e9 2.25e9 2.30e9 2.35e9 2.40e9");
    expect_ticks_between(3, 3, "3");
}
END_TEST

START_TEST(one_hot_well_does_not_make_all_the_others_alike) {
    double values[20];
    for (int i = 0; i < 19; i++)
        values[i] = 100 + i;
    values[19] = 60000;
    ColourScale scale = colour_scale_make(values, 20);
    ck_assert_double_eq(scale.low, 100);
    ck_assert_double_eq(scale.high, 118);
    ck_assert(scale.has_above && !scale.has_below);
    ck_assert_double_eq(colour_scale_share(&scale, 60000), 1);
    g_autofree char *text = colour_scale_value_text(&scale, 60000);
    ck_assert_str_eq(text, "6e4");
}
END_TEST

START_TEST(values_that_are_equal_none_or_beyond_all_bounds_have_a_scale) {
    const double equal[] = {5, 5, NAN, 5}, none[] = {NAN, INFINITY}, vast[] = {-1.7e308, 1.7e308};
    ColourScale scale = colour_scale_make(equal, 4);
    ck_assert_double_eq(colour_scale_share(&scale, 5), 0.5);
    ck_assert_uint_eq(scale.tick_count, 1);
    scale = colour_scale_make(none, 2);
    ck_assert_uint_eq(scale.tick_count, 0);
    scale = colour_scale_make(vast, 2);
    ck_assert_double_eq(colour_scale_share(&scale, 0), 0.5);
    g_autofree char *text = colour_scale_value_text(&scale, 1.5e308);
    ck_assert_uint_lt(strlen(text), 20);
}
END_TEST

/* --- wells --- */

START_TEST(wells_are_read_as_people_write_them) {
    static const struct {
        const char *text;
        int row, column; /* -1: none */
    } rows[] = {{"A01", 0, 0},  {"a1", 0, 0},   {"P24", 15, 23}, {"AF48", 31, 47}, {"AG1", -1, 0},
                {"A49", -1, 0}, {"A0", -1, 0},  {"A", -1, 0},    {"12", -1, 0},    {"", -1, 0},
                {"A1x", -1, 0}, {"A 1", -1, 0}, {"A-1", -1, 0},  {"AAA1", -1, 0},  {NULL, -1, 0}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint row = 99, column = 99;
        bool ok = well_read(rows[i].text, &row, &column);
        ck_assert_msg(ok == (rows[i].row >= 0), "%s", rows[i].text);
        if (ok)
            ck_assert_msg((int)row == rows[i].row && (int)column == rows[i].column, "%s",
                          rows[i].text);
    }
    g_autofree char *name = well_name(31, 47);
    ck_assert_str_eq(name, "AF48");
}
END_TEST

START_TEST(the_plate_is_the_least_that_holds_the_wells) {
    static const guint rows[][4] = {{0, 0, 2, 3},    {1, 2, 2, 3},    {0, 3, 3, 4},
                                    {7, 0, 8, 12},   {0, 12, 16, 24}, {16, 0, 32, 48},
                                    {31, 47, 32, 48}};
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint down, across;
        plate_shape(rows[i][0], rows[i][1], &down, &across);
        ck_assert_uint_eq(down, rows[i][2]);
        ck_assert_uint_eq(across, rows[i][3]);
    }
}
END_TEST

/* --- thumbnails --- */

/* An image file of one grey; g_free it. */
static char *image_of(int width, int height, guint8 grey, const char *type, gsize *ret_length) {
    g_autoptr(GdkPixbuf) pixbuf = gdk_pixbuf_new(GDK_COLORSPACE_RGB, FALSE, 8, width, height);
    gdk_pixbuf_fill(pixbuf, grey * 0x01010100u | 0xff);
    char *bytes;
    ck_assert(gdk_pixbuf_save_to_buffer(pixbuf, &bytes, ret_length, type, NULL, NULL));
    return bytes;
}

static bool is_read(const char *mime, const void *bytes, gsize length) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Picture) picture = picture_read(mime, bytes, length, &error);
    ck_assert((picture != NULL) != fault_is(error, FAULT_BROKEN));
    return picture != NULL;
}

START_TEST(a_thumbnail_is_read_as_grey) {
    static const char *const types[][2] = {{"jpeg", "image/jpeg"}, {"png", "image/png"}};
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
        gsize length;
        g_autofree char *bytes = image_of(192, 144, 77, types[i][0], &length);
        g_autoptr(Picture) picture = picture_read(types[i][1], bytes, length, NULL);
        ck_assert_ptr_nonnull(picture);
        ck_assert_uint_eq(picture->width, 192);
        ck_assert_uint_eq(picture->height, 144);
        ck_assert_int_le(ABS(picture->pixels[192 * 100 + 5] - 77), 1);
    }
}
END_TEST

START_TEST(what_is_no_small_picture_is_refused) {
    gsize length;
    g_autofree char *jpeg = image_of(192, 144, 77, "jpeg", &length);
    ck_assert(is_read("image/jpeg", jpeg, length));
    ck_assert(!is_read("image/jpeg", "", 0));
    ck_assert(!is_read("image/jpeg", "not a picture at all", 20));
    ck_assert(!is_read("image/png", jpeg, length));
    ck_assert(!is_read("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", 41));
    ck_assert(!is_read(NULL, jpeg, length));
    for (gsize cut = 0; cut < length; cut += 37)
        ck_assert_msg(!is_read("image/jpeg", jpeg, cut), "the first %zu of %zu bytes", cut, length);
    g_autofree char *png = image_of(192, 144, 77, "png", &length);
    for (gsize cut = 0; cut < length; cut += 37)
        ck_assert_msg(!is_read("image/png", png, cut), "the first %zu of %zu bytes", cut, length);
    g_autofree char *large = image_of(1200, 1200, 77, "png", &length);
    ck_assert(!is_read("image/png", large, length));
}
END_TEST

/* A header alone says 100,000 x 100,000: nothing of that size may be made. */
START_TEST(a_picture_that_says_it_is_vast_costs_nothing) {
    gsize length;
    g_autofree guint8 *png = (guint8 *)image_of(8, 8, 1, "png", &length);
    static const guint8 size[] = {0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0};
    memcpy(png + 16, size, sizeof size);
    ck_assert(!is_read("image/png", png, length));
    g_autofree guint8 *jpeg = (guint8 *)image_of(8, 8, 1, "jpeg", &length);
    for (gsize i = 0; i + 9 < length; i++)
        if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0)
            memset(jpeg + i + 5, 0xff, 4); /* 65535 x 65535 */
    ck_assert(!is_read("image/jpeg", jpeg, length));
}
END_TEST

/* Every byte of a JPEG wrong once, in one way: read or refused. */
START_TEST(a_damaged_picture_never_ends_the_program) {
    gsize length;
    g_autofree char *jpeg = image_of(32, 32, 77, "jpeg", &length);
    for (gsize i = 0; i < length; i++) {
        char before = jpeg[i];
        jpeg[i] = (char)(before ^ 0x5a);
        is_read("image/jpeg", jpeg, length);
        jpeg[i] = before;
    }
}
END_TEST

/* --- one range for all --- */

static Shot shot_of(double low, double high) {
    return (Shot){.low = low, .high = high, .is_kept = true};
}

START_TEST(the_same_intensity_is_the_same_grey_in_every_well) {
    Shot dim = shot_of(0, 0.5), bright = shot_of(0.25, 1), unknown = shot_of(NAN, NAN);
    guint8 one[256], other[256];
    shot_shades(&dim, 0, 1, one);
    shot_shades(&bright, 0, 1, other);
    ck_assert_uint_eq(one[255], 128);  /* 0.5 */
    ck_assert_uint_eq(other[85], 128); /* 0.25 + 0.75 / 3 */
    ck_assert_uint_eq(other[255], 255);
    shot_shades(&dim, 0.4, 0.45, one); /* beyond is black and white */
    ck_assert(one[0] == 0 && one[255] == 255);
    shot_shades(&unknown, 0, 1, one);
    ck_assert(one[0] == 0 && one[100] == 100);
}
END_TEST

START_TEST(the_range_is_that_of_most_wells) {
    Shot shots[41];
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    for (guint i = 0; i < G_N_ELEMENTS(shots); i++) {
        shots[i] = i == 0 ? shot_of(0, 50) : i == 1 ? shot_of(NAN, NAN) : shot_of(0.1, 0.5);
        g_ptr_array_add(all, &shots[i]);
    }
    double low, high;
    shots_range(all, &low, &high);
    ck_assert_double_eq_tol(low, 0.1, 1e-9);
    ck_assert_double_eq_tol(high, 0.5, 1e-9);
    g_ptr_array_set_size(all, 0);
    shots_range(all, &low, &high);
    ck_assert(isnan(low) && isnan(high));
}
END_TEST

/* --- sheets --- */

static char *test_file(void) {
    g_autofree char *folder = g_dir_make_tmp("scopestream-pictures-XXXXXX", NULL);
    return g_build_filename(folder, "sheet.png", NULL);
}

static void remove_file(const char *path) {
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    ck_assert_msg(g_rmdir(folder) == 0, "something else was left in %s", folder);
}

static Colour pixel_at(const GdkPixbuf *pixbuf, double x, double y) {
    const guint8 *pixel = gdk_pixbuf_read_pixels(pixbuf) +
                          (int)y * gdk_pixbuf_get_rowstride(pixbuf) +
                          (int)x * gdk_pixbuf_get_n_channels(pixbuf);
    return (Colour){pixel[0], pixel[1], pixel[2]};
}

/* Near a corner, where no number stands. */
static Colour corner_of(const GdkPixbuf *pixbuf, Box box) {
    return pixel_at(pixbuf, box.x + 3, box.y + 3);
}

static GdkPixbuf *read_back(const char *path) {
    g_autoptr(GError) error = NULL;
    GdkPixbuf *pixbuf = gdk_pixbuf_new_from_file(path, &error);
    ck_assert_msg(pixbuf != NULL, "%s", error != NULL ? error->message : "");
    return pixbuf;
}

static Sheet *sheet_of(guint rows, guint columns, guint tiles) {
    const SheetForm form = {.rows = rows,
                            .columns = columns,
                            .panels = 1,
                            .tiles = tiles,
                            .aspect = 1,
                            .title = "<b>P1</b> & \x1b[31m \xff",
                            .subtitle = "",
                            .remark = ""};
    g_autoptr(GError) error = NULL;
    Sheet *sheet = sheet_new(&form, &error);
    ck_assert_msg(sheet != NULL, "%s", error != NULL ? error->message : "");
    return sheet;
}

static void set_value(Plate *plate, guint row, guint column, double value) {
    *plate_well(plate, row, column) = (Well){.state = WELL_VALUE, .value = value, .frames = 1};
}

START_TEST(each_well_stands_in_its_place_in_its_colour) {
    static const guint shapes[][2] = {{2, 3}, {3, 4}, {4, 6}, {6, 8}, {8, 12}, {16, 24}, {32, 48}};
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++) {
        guint rows = shapes[i][0], columns = shapes[i][1];
        g_autoptr(Plate) plate = plate_new(rows, columns);
        g_autoptr(Sheet) sheet = sheet_of(rows, columns, 1);
        g_autofree char *path = test_file();
        set_value(plate, 0, 0, 10);
        set_value(plate, rows - 1, columns - 1, 20);
        set_value(plate, 0, columns - 1, 15);
        gsize count;
        g_autofree double *values = plate_values(plate, &count);
        ColourScale scale = colour_scale_make(values, count);
        sheet_draw_values(sheet, 0, "DAPI", plate, &scale, "focus");
        ck_assert(sheet_write(sheet, path, NULL));
        g_autoptr(GdkPixbuf) drawn = read_back(path);
        expect_colour(corner_of(drawn, sheet_tile_box(sheet, 0, 0, 0, 0)), 0x44, 0x01, 0x54);
        expect_colour(corner_of(drawn, sheet_tile_box(sheet, 0, rows - 1, columns - 1, 0)), 0xfd,
                      0xe7, 0x25);
        expect_colour(corner_of(drawn, sheet_tile_box(sheet, 0, 0, columns - 1, 0)), 0x21, 0x91,
                      0x8c);
        remove_file(path);
    }
}
END_TEST

/* Two pixels of it differ, and none has a colour of the scale: all are grey. */
static void expect_hatched(const GdkPixbuf *pixbuf, Box box) {
    bool differs = false;
    Colour first = corner_of(pixbuf, box);
    for (double y = box.y; y < box.y + box.height; y++)
        for (double x = box.x; x < box.x + box.width; x++) {
            Colour colour = pixel_at(pixbuf, x, y);
            ck_assert(colour.red == colour.green && colour.green == colour.blue);
            differs |= colour.red != first.red;
        }
    ck_assert(differs);
}

START_TEST(what_is_missing_has_no_colour_of_the_scale) {
    g_autoptr(Plate) plate = plate_new(8, 12);
    g_autoptr(Sheet) sheet = sheet_of(8, 12, 1);
    g_autofree char *path = test_file();
    set_value(plate, 0, 0, 1);
    plate_well(plate, 3, 3)->state = WELL_SILENT;
    plate_well(plate, 4, 4)->state = WELL_EMPTY;
    ColourScale scale = colour_scale_between(0, 1, NULL, 0);
    sheet_draw_values(sheet, 0, "DAPI", plate, &scale, "focus");
    ck_assert(sheet_write(sheet, path, NULL));
    g_autoptr(GdkPixbuf) drawn = read_back(path);
    expect_hatched(drawn, sheet_tile_box(sheet, 0, 7, 11, 0));
    expect_hatched(drawn, sheet_tile_box(sheet, 0, 3, 3, 0));
    Box empty = sheet_tile_box(sheet, 0, 4, 4, 0);
    expect_colour(pixel_at(drawn, empty.x + empty.width / 2, empty.y + empty.height / 2), 255, 255,
                  255);
    remove_file(path);
}
END_TEST

/* Blurred wells, say: their colour is that of the least good one, the mark is theirs alone. */
START_TEST(wells_beyond_the_scale_are_marked) {
    g_autoptr(Plate) plate = plate_new(8, 12);
    g_autoptr(Sheet) sheet = sheet_of(8, 12, 1);
    g_autofree char *path = test_file();
    ColourScale scale = colour_scale_between(10, 20, NULL, 0);
    const double values[] = {10, 3, 20, 99};
    for (guint column = 0; column < G_N_ELEMENTS(values); column++)
        set_value(plate, 0, column, values[column]);
    sheet_draw_values(sheet, 0, "DAPI", plate, &scale, "focus");
    ck_assert(sheet_write(sheet, path, NULL));
    g_autoptr(GdkPixbuf) drawn = read_back(path);
    for (guint column = 0; column < G_N_ELEMENTS(values); column++) {
        Box box = sheet_tile_box(sheet, 0, 0, column, 0);
        Colour corner = corner_of(drawn, box);
        Colour lower = pixel_at(drawn, box.x + box.width - 18, box.y + box.height - 18);
        bool is_marked = corner.red != lower.red || corner.green != lower.green;
        ck_assert_msg(is_marked == (column % 2 == 1), "column %u", column);
    }
    remove_file(path);
}
END_TEST

START_TEST(pictures_of_several_sites_share_their_well) {
    g_autoptr(Plate) plate = plate_new(8, 12);
    g_autoptr(Sheet) sheet = sheet_of(8, 12, 4);
    g_autofree char *path = test_file();
    guint8 pixels[4 * 4], shades[256];
    Picture picture = {4, 4, pixels};
    for (int v = 0; v < 256; v++)
        shades[v] = (guint8)(255 - v);
    sheet_draw_wells(sheet, 0, "DAPI", plate);
    for (guint tile = 0; tile < 3; tile++) {
        memset(pixels, (int)(50 * tile), sizeof pixels);
        sheet_draw_tile(sheet, 0, 2, 5, tile, &picture, shades);
    }
    sheet_draw_tile(sheet, 0, 2, 5, 3, NULL, NULL);
    ck_assert(sheet_write(sheet, path, NULL));
    g_autoptr(GdkPixbuf) drawn = read_back(path);
    for (guint tile = 0; tile < 3; tile++) {
        int grey = 255 - 50 * (int)tile;
        expect_colour(corner_of(drawn, sheet_tile_box(sheet, 0, 2, 5, tile)), grey, grey, grey);
    }
    expect_hatched(drawn, sheet_tile_box(sheet, 0, 2, 5, 3));
    remove_file(path);
}
END_TEST

START_TEST(names_are_drawn_as_text_and_not_as_markup) {
    static const TextStyle style = {20, false, TEXT_LEFT, {0, 0, 0}};
    g_autoptr(Canvas) canvas = canvas_new(100, 100, NULL);
    double plain = canvas_text_width(canvas, &style, "bold");
    ck_assert_double_gt(canvas_text_width(canvas, &style, "<b>bold</b>"), 1.5 * plain);
    ck_assert_double_gt(canvas_text_width(canvas, &style, "&amp;&amp;"), plain);
    ck_assert_double_eq(canvas_text_width(canvas, &style,
                                          "a\xe2\x80\xae"
                                          "bc"), /* turns the writing */
                        canvas_text_width(canvas, &style, "a bc"));
    canvas_text(canvas, (Box){0, 0, 100, 20}, &style, "\xff\xfe \x1b[2J \n </span> %s%n");
    g_autofree char *endless = g_strnfill(1000000, 'W');
    canvas_text(canvas, (Box){0, 0, 100, 20}, &style, endless);
}
END_TEST

START_TEST(a_sheet_beyond_all_bounds_is_refused) {
    const SheetForm form = {.rows = 32,
                            .columns = 48,
                            .panels = 20,
                            .cell = 600,
                            .tiles = 1,
                            .aspect = 1,
                            .title = "",
                            .subtitle = "",
                            .remark = ""};
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(sheet_new(&form, &error));
    ck_assert(fault_is(error, FAULT_USAGE));
}
END_TEST

START_TEST(a_file_that_cannot_be_written_leaves_nothing) {
    g_autoptr(Canvas) canvas = canvas_new(100, 100, NULL);
    g_autofree char *path = test_file();
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;
    ck_assert_int_eq(g_mkdir(path, 0755), 0); /* a folder stands where the file shall be */
    ck_assert(!canvas_write(canvas, path, &error));
    ck_assert(fault_is(error, FAULT_STOP));
    ck_assert_int_eq(g_rmdir(path), 0);
    ck_assert_int_eq(g_rmdir(folder), 0);
    ck_assert(!canvas_write(canvas, path, NULL));
}
END_TEST

START_TEST(a_pipe_stays_a_pipe) {
    g_autoptr(Canvas) canvas = canvas_new(10, 10, NULL);
    g_autofree char *path = test_file();
    g_autoptr(GError) error = NULL;
    GStatBuf found;
    char begins[8];
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = g_open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    ck_assert_int_ge(reader, 0);
    ck_assert(canvas_write(canvas, path, &error));
    ck_assert_int_eq(g_stat(path, &found), 0);
    ck_assert(S_ISFIFO(found.st_mode));
    ck_assert_int_eq(read(reader, begins, sizeof begins), sizeof begins);
    ck_assert_mem_eq(begins, "\x89PNG\r\n\x1a\n", sizeof begins);
    close(reader);
    remove_file(path);
}
END_TEST

START_TEST(a_strip_goes_on_in_the_next_line) {
    const StripForm form = {
        .rows = 2, .times = 30, .aspect = 0.5, .title = "", .subtitle = "", .remark = ""};
    g_autoptr(Strip) strip = strip_new(&form, NULL);
    Box first = strip_box(strip, 0, 0), second = strip_box(strip, 1, 0);
    Box next = strip_box(strip, 0, 1), last = strip_box(strip, 0, 29);
    ck_assert_double_eq(first.x, second.x);
    ck_assert_double_ge(second.y, first.y + first.height);
    ck_assert_double_ge(next.x, first.x + first.width);
    ck_assert_double_gt(last.y, second.y + second.height);
    ck_assert_double_eq_tol(first.height / first.width, 0.5, 0.02);
}
END_TEST

START_TEST(a_title_says_that_1_is_a_channel) {
    const char *channels[] = {"1", "2"};
    PlateName name = {.plate = "Demo"};
    Order order = {.name = &name, .channels = channels, .channel_count = 1, .measure = "focus"};
    g_autofree char *one = order_title(&order);
    ck_assert_str_eq(one, "Demo  \u00b7  channel 1  \u00b7  focus");
    order.channel_count = 2;
    g_autofree char *both = order_title(&order);
    ck_assert_str_eq(both, "Demo  \u00b7  focus");
}
END_TEST

/* --- the terminal --- */

START_TEST(colours_are_those_the_terminal_has) {
    static const struct {
        bool is_terminal;
        const char *no_color, *colorterm, *term;
        ScreenColours expected;
    } rows[] = {
        {true, NULL, "truecolor", "xterm-256color", COLOURS_TRUE},
        {true, NULL, "24bit", "screen", COLOURS_TRUE},
        {true, NULL, NULL, "xterm-direct", COLOURS_TRUE},
        {true, NULL, NULL, "xterm-256color", COLOURS_256},
        {true, "", "", "screen-256color", COLOURS_256},
        {true, "1", "truecolor", "xterm-256color", COLOURS_NONE},
        {false, NULL, "truecolor", "xterm-256color", COLOURS_NONE},
        {true, NULL, "truecolor", "dumb", COLOURS_NONE},
        {true, NULL, NULL, "vt100", COLOURS_NONE},
        {true, NULL, NULL, NULL, COLOURS_NONE},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        ck_assert_msg(screen_colours(rows[i].is_terminal, rows[i].no_color, rows[i].colorterm,
                                     rows[i].term) == rows[i].expected,
                      "row %u", i);
}
END_TEST

START_TEST(lines_are_cut_to_the_screen_and_escapes_are_not) {
    g_autofree char *cut =
        screen_clip("\033[31mabcdef\033[0m\n\xe6\xbc\xa2\xe5\xad\x97x\nthird\n", 4, 2);
    ck_assert_str_eq(cut, "\033[31mabcd\033[0m\n\xe6\xbc\xa2\xe5\xad\x97\n");
    ck_assert_int_eq(screen_width("\033[38;2;1;2;3mab\xe6\xbc\xa2\033[0m"), 4);
    g_autofree char *unended = screen_clip("a\033[3", 4, 0);
    ck_assert_str_eq(unended, "a\033[3\n");
    g_autofree char *plain = screen_plain("P1\x1b[2J\xe2\x80\xaeX\n\xff");
    ck_assert_str_eq(plain, "P1 [2J X \xef\xbf\xbd");
}
END_TEST

static Plate *numbered_plate(guint rows, guint columns) {
    Plate *plate = plate_new(rows, columns);
    for (guint i = 0; i < rows * columns; i++)
        set_value(plate, i / columns, i % columns, i);
    *plate_well(plate, 0, 1) = (Well){.state = WELL_MISSING, .value = NAN};
    *plate_well(plate, 0, 2) = (Well){.state = WELL_SILENT, .value = NAN, .frames = 1, .failed = 1};
    return plate;
}

static char *map_of(guint rows, guint columns, const Screen *screen) {
    g_autoptr(Plate) plate = numbered_plate(rows, columns);
    gsize count;
    g_autofree double *values = plate_values(plate, &count);
    ColourScale scale = colour_scale_make(values, count);
    char *wells[] = {"b3", "A3", "AF48", NULL};
    const MapForm form = {plate, &scale, "P1", "focus (px)", wells};
    return map_text(&form, screen);
}

static int widest_line(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    int widest = 0;
    for (char **line = lines; *line != NULL; line++)
        widest = MAX(widest, screen_width(*line));
    return widest;
}

START_TEST(every_plate_fits_a_terminal_of_80_columns) {
    static const guint shapes[][2] = {{2, 3}, {3, 4}, {4, 6}, {6, 8}, {8, 12}, {16, 24}, {32, 48}};
    static const Screen screens[] = {{.columns = 80},
                                     {true, true, COLOURS_TRUE, 80, 0},
                                     {true, true, COLOURS_256, 80, 24},
                                     {true, false, COLOURS_256, 80, 24},
                                     {true, true, COLOURS_TRUE, 30, 10}};
    for (guint i = 0; i < G_N_ELEMENTS(shapes); i++)
        for (guint s = 0; s < G_N_ELEMENTS(screens); s++) {
            g_autofree char *map = map_of(shapes[i][0], shapes[i][1], &screens[s]);
            ck_assert_msg(widest_line(map) <= screens[s].columns, "%s", map);
        }
}
END_TEST

START_TEST(without_colours_a_map_is_plain_ascii) {
    const Screen screen = {.columns = 80};
    g_autofree char *map = map_of(16, 24, &screen);
    for (const char *at = map; *at != '\0'; at++)
        ck_assert_msg((*at >= ' ' && *at <= '~') || *at == '\n', "%s", map);
    ck_assert_ptr_nonnull(strstr(map, "\n A  0  .  x  0 "));
    ck_assert_ptr_nonnull(strstr(map, "\n P  9 "));
    ck_assert_ptr_nonnull(
        strstr(map, "1 well without a frame (.), 1 with frames but no number (x)"));
    ck_assert_ptr_nonnull(strstr(map, "\nlowest   A01 0  A04 3  A05 4"));
    ck_assert_ptr_nonnull(strstr(map, "\nhighest  P24 383  P23 382"));
    ck_assert_ptr_nonnull(strstr(map, "\nB03      26, of 1 frame\n"));
    ck_assert_ptr_nonnull(strstr(map, "\nA03      no number, of 1 frame, 1 failed\n"));
    ck_assert_ptr_nonnull(strstr(map, "\nAF48     not on this plate\n"));
    ck_assert_msg(strstr(map, "\n   0    50    100   150") != NULL, "%s", map); /* ticks */
}
END_TEST

START_TEST(numbers_stand_in_wells_that_are_wide_enough) {
    const Screen screen = {.columns = 80};
    g_autofree char *map = map_of(8, 12, &screen);
    ck_assert_ptr_nonnull(strstr(map, " 95 "));
    ck_assert_ptr_nonnull(strstr(map, " 48 "));
}
END_TEST

static char *map_with_some_beyond(guint rows, guint columns, const Screen *screen) {
    g_autoptr(Plate) plate = numbered_plate(rows, columns);
    ColourScale scale = colour_scale_between(1, rows * columns - 3, NULL, 0);
    scale.is_whole = true;
    const MapForm form = {plate, &scale, "P1", "focus (px)", NULL};
    return map_text(&form, screen);
}

START_TEST(wells_beyond_the_scale_are_marked_in_the_map) {
    const Screen plain = {.columns = 80}, coloured = {true, true, COLOURS_TRUE, 80, 0};
    g_autofree char *numbers = map_with_some_beyond(8, 12, &plain);
    ck_assert_msg(strstr(numbers, " 0<") != NULL, "%s", numbers);
    ck_assert_msg(strstr(numbers, "  93    94>   95> \n") != NULL, "%s", numbers);
    ck_assert_ptr_nonnull(strstr(numbers, "\n1 well below the scale (<), 2 above it (>)\n"));
    ck_assert_ptr_nonnull(strstr(numbers, "\nlowest   A01 0<  A04 3  "));
    g_autofree char *digits = map_with_some_beyond(16, 24, &plain);
    ck_assert_ptr_nonnull(strstr(digits, "\n A  < "));
    ck_assert_ptr_nonnull(strstr(digits, " 9  >  > \n"));
    g_autofree char *colours = map_with_some_beyond(16, 24, &coloured);
    ck_assert_ptr_nonnull(strstr(colours, "\033[48;2;253;231;37m\033[38;2;16;16;16m > \033[0m\n"));
    g_autofree char *within = map_of(8, 12, &plain);
    ck_assert(strstr(within, "the scale") == NULL && strchr(within, '>') == NULL);
}
END_TEST

START_TEST(wells_have_the_colours_of_the_scale) {
    const Screen screen = {true, true, COLOURS_TRUE, 80, 0};
    g_autofree char *map = map_of(16, 24, &screen);
    ck_assert_ptr_nonnull(strstr(map, "\n A \033[48;2;68;1;84m   \033[0m"));
    ck_assert_ptr_nonnull(strstr(map, "\033[48;2;253;231;37m   \033[0m\n"));
    const Screen fewer = {true, true, COLOURS_256, 80, 0};
    g_autofree char *coarse = map_of(16, 24, &fewer);
    ck_assert_ptr_nonnull(strstr(coarse, "\n A \033[48;5;53m   \033[0m"));
    ck_assert_ptr_nonnull(strstr(coarse, "\033[48;5;220m   \033[0m\n"));
}
END_TEST

START_TEST(a_low_terminal_shows_two_rows_a_line) {
    const Screen screen = {true, true, COLOURS_TRUE, 80, 27};
    g_autofree char *map = map_of(32, 48, &screen);
    g_auto(GStrv) lines = g_strsplit(map, "\n", -1);
    ck_assert_uint_le(g_strv_length(lines) - 1, 27);
    ck_assert_ptr_nonnull(strstr(map, "\n A \033[38;2;68;1;84m\033[48;2;"));
    ck_assert_ptr_nonnull(strstr(map, "\nAE "));
    ck_assert_ptr_null(strstr(map, "\nAF "));
}
END_TEST

START_TEST(a_page_that_stays_says_how_to_end_it) {
    const Screen screen = {.is_terminal = true, .columns = 80, .lines = 3};
    g_autofree char *few = screen_frame(&screen, "one\n");
    ck_assert_ptr_nonnull(strstr(few, "one\033[0m\033[K\r\nCtrl-C ends\033[0m"));
    g_autofree char *many = screen_frame(&screen, "one\ntwo\nthree\nfour\n");
    ck_assert_ptr_nonnull(strstr(many, "two\033[0m\033[K\r\nCtrl-C ends\033[0m"));
    ck_assert_ptr_null(strstr(many, "three"));
}
END_TEST

/* --- status as a page --- */

static Figures *busy_figures(void) {
    Figures *figures = figures_new();
    figures->nats_reached = figures->database_reached = true;
    figures->waiting = 10;
    figures->queued = 40;
    figures->measuring = 1;
    figures->results_queued = 0;
    figures->stored = 123456;
    return figures;
}

START_TEST(bars_show_where_frames_wait) {
    g_autoptr(Figures) figures = busy_figures();
    g_autoptr(StatusPage) page = status_page_new();
    const Screen screen = {.is_terminal = true, .columns = 100, .lines = 40};
    g_autofree char *text = status_page_text(page, figures, &screen);
    ck_assert_ptr_nonnull(
        strstr(text, "queued                            40  ########################\n"));
    ck_assert_ptr_nonnull(strstr(text, "not yet queued          10  ######\n"));
    ck_assert_ptr_nonnull(strstr(text, "being measured                     1  #  by 0 workers\n"));
    ck_assert_ptr_nonnull(strstr(text, "measured, not yet stored           0\n"));
    ck_assert_ptr_nonnull(strstr(text, "on disk, not complete              ?\n"));
    ck_assert_ptr_nonnull(strstr(text, "open alerts ?"));
    for (const char *at = text; *at != '\0'; at++)
        ck_assert((*at >= ' ' && *at <= '~') || *at == '\n');
}
END_TEST

START_TEST(the_last_minutes_are_drawn_the_newest_at_the_right) {
    g_autoptr(Figures) figures = busy_figures();
    g_autoptr(StatusPage) page = status_page_new();
    const Screen screen = {.is_terminal = true, .columns = 100, .lines = 40};
    status_page_add_rate(page, 1000, 8);
    status_page_add_rate(page, 1005, 0);
    status_page_add_rate(page, 1005, 99); /* told twice */
    status_page_add_rate(page, 1020, 4);  /* two steps are not known */
    g_autofree char *text = status_page_text(page, figures, &screen);
    ck_assert_ptr_nonnull(strstr(text, "  #_  ~\nstored in the last 5 min, at most 8.0/s\n"));
    status_page_add_rate(page, 100000, 1); /* all before is too old */
    ck_assert(isnan(page->rates[STATUS_RATES - 2]));
}
END_TEST

START_TEST(the_page_is_as_narrow_as_the_terminal) {
    g_autoptr(Figures) figures = busy_figures();
    g_autoptr(StatusPage) page = status_page_new();
    status_page_add_rate(page, 1000, 8);
    for (int columns = 20; columns <= 120; columns += 10) {
        const Screen screen = {true, true, COLOURS_256, columns, 10};
        g_autofree char *text = status_page_text(page, figures, &screen);
        ck_assert_int_le(widest_line(text), columns);
    }
}
END_TEST

SUITE("pictures", the_colours_are_viridis_and_get_brighter_all_the_way,
      ticks_are_round_numbers_of_any_size, one_hot_well_does_not_make_all_the_others_alike,
      values_that_are_equal_none_or_beyond_all_bounds_have_a_scale,
      wells_are_read_as_people_write_them, the_plate_is_the_least_that_holds_the_wells,
      a_thumbnail_is_read_as_grey, what_is_no_small_picture_is_refused,
      a_picture_that_says_it_is_vast_costs_nothing, a_damaged_picture_never_ends_the_program,
      the_same_intensity_is_the_same_grey_in_every_well, the_range_is_that_of_most_wells,
      each_well_stands_in_its_place_in_its_colour, what_is_missing_has_no_colour_of_the_scale,
      wells_beyond_the_scale_are_marked, wells_beyond_the_scale_are_marked_in_the_map,
      pictures_of_several_sites_share_their_well, names_are_drawn_as_text_and_not_as_markup,
      a_sheet_beyond_all_bounds_is_refused, a_file_that_cannot_be_written_leaves_nothing,
      a_pipe_stays_a_pipe, a_title_says_that_1_is_a_channel, a_strip_goes_on_in_the_next_line,
      colours_are_those_the_terminal_has, lines_are_cut_to_the_screen_and_escapes_are_not,
      every_plate_fits_a_terminal_of_80_columns, without_colours_a_map_is_plain_ascii,
      numbers_stand_in_wells_that_are_wide_enough, wells_have_the_colours_of_the_scale,
      a_low_terminal_shows_two_rows_a_line, a_page_that_stays_says_how_to_end_it,
      bars_show_where_frames_wait, the_last_minutes_are_drawn_the_newest_at_the_right,
      the_page_is_as_narrow_as_the_terminal)
