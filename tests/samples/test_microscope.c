/* The program as a whole: what it says it wrote is what stands on disk, and each fault is really
 * there. Runs simulated-microscope, into folders of its own. */
#include "tests/samples/bench.h"
#include "tests/suite.h"

#include <signal.h>
#include <string.h>
#include <tiffio.h>

/* --- pixels --- */

typedef struct {
    guint pages, width, height, bits;
    GByteArray *pixels; /* of all pages */
} Image;

static void image_clear(Image *image) {
    g_clear_pointer(&image->pixels, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Image, image_clear)

static bool page_read(TIFF *tiff, Image *image) {
    guint32 width = 0, height = 0;
    guint16 bits = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    g_autofree guint8 *row = g_malloc((gsize)TIFFScanlineSize(tiff));
    for (guint32 y = 0; y < height; y++) {
        if (TIFFReadScanline(tiff, row, y, 0) != 1)
            return false;
        g_byte_array_append(image->pixels, row, width * bits / 8);
    }
    image->width = width;
    image->height = height;
    image->bits = bits;
    image->pages++;
    return true;
}

/* No pages if libtiff cannot read the whole file. */
static Image image_read(const Bench *bench, const char *file) {
    Image image = {.pixels = g_byte_array_new()};
    g_autofree char *path = g_build_filename(bench->out, file, NULL);
    TIFFSetErrorHandler(NULL);
    TIFF *tiff = TIFFOpen(path, "r");
    bool is_good = tiff != NULL;
    do
        is_good = is_good && page_read(tiff, &image);
    while (is_good && TIFFReadDirectory(tiff));
    if (tiff)
        TIFFClose(tiff);
    if (!is_good)
        image.pages = 0;
    return image;
}

static bool images_equal(const Image *a, const Image *b) {
    return a->pixels->len == b->pixels->len &&
           memcmp(a->pixels->data, b->pixels->data, a->pixels->len) == 0;
}

/* SHA-256 over every file's name and bytes, in the order of the list. */
static char *hash_of_all(const Bench *bench) {
    g_autoptr(GPtrArray) rows = list_read(bench);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < rows->len; i++) {
        g_autofree char *bytes = NULL;
        gsize size = 0;
        g_autofree char *path = g_build_filename(bench->out, list_row(rows, i)[FILE_NAME], NULL);
        ck_assert(g_file_get_contents(path, &bytes, &size, NULL));
        g_checksum_update(sum, (const guchar *)list_row(rows, i)[FILE_NAME], -1);
        g_checksum_update(sum, (const guchar *)bytes, (gssize)size);
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* --- situations --- */

/* Every file in the list is on disk with as many pages, and nothing else is. */
static void expect_list_equals_disk(const Bench *bench) {
    g_autoptr(GPtrArray) rows = list_read(bench);
    g_autoptr(GHashTable) disk = files_on_disk(bench);
    g_autoptr(GHashTable) pages = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < rows->len; i++) {
        char **row = list_row(rows, i);
        guint before = GPOINTER_TO_UINT(g_hash_table_lookup(pages, row[FILE_NAME]));
        ck_assert_uint_eq(g_ascii_strtoull(row[PAGE], NULL, 10), before);
        g_hash_table_insert(pages, row[FILE_NAME], GUINT_TO_POINTER(before + 1));
    }
    ck_assert_uint_eq(g_hash_table_size(pages), g_hash_table_size(disk));
    GHashTableIter each;
    gpointer file, count;
    g_hash_table_iter_init(&each, pages);
    while (g_hash_table_iter_next(&each, &file, &count)) {
        g_auto(Image) image = image_read(bench, file);
        ck_assert_msg(g_hash_table_contains(disk, file), "%s is not on disk", (char *)file);
        ck_assert_uint_eq(image.pages, GPOINTER_TO_UINT(count));
    }
}

START_TEST(the_list_equals_the_disk_for_every_naming) {
    const char *const options[] = {
        "--naming imagexpress --wells A01-B02 --z 3 --t 2",
        "--naming imagexpress --wells A01-B02 --z 3 --t 2 --stack",
        "--naming phenix --wells A01-B02 --z 2",
        "--naming yokogawa --wells A01-B02 --t 2 --compression lzw",
        "--naming cellomics --wells A01-B02 --bits 8",
        "--naming micromanager --wells A01-B02 --z 2 --compression deflate",
        "--naming micromanager --wells A01-B02 --z 2 --t 2 --stack --bigtiff",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_auto(Bench) bench = bench_new();
        run_well(&bench, options[i]);
        expect_list_equals_disk(&bench);
    }
}
END_TEST

START_TEST(every_manner_of_writing_ends_with_the_same_bytes) {
    const char *const manners[] = {"whole", "pieces", "preallocated", "renamed", "hardlinked"};
    g_autofree char *first = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(manners); i++) {
        g_auto(Bench) bench = bench_new();
        g_autofree char *options =
            g_strdup_printf("--wells A01-A02 --sites 1 --pause 1ms --write %s", manners[i]);
        run_well(&bench, options);
        expect_list_equals_disk(&bench);
        g_autofree char *hash = hash_of_all(&bench);
        if (!first)
            first = g_steal_pointer(&hash);
        else
            ck_assert_str_eq(hash, first);
        g_autofree char *staging = g_strconcat(bench.out, ".staging", NULL);
        ck_assert(!g_file_test(staging, G_FILE_TEST_EXISTS));
    }
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bytes_at_any_pace) {
    g_auto(Bench) a = bench_new();
    g_auto(Bench) b = bench_new();
    g_auto(Bench) other = bench_new();
    run_well(&a, "--wells A01-A02 --seed 9");
    run_well(&b, "--wells A01-A02 --seed 9 --rate 50");
    run_well(&other, "--wells A01-A02 --seed 10");
    g_autofree char *hash_a = hash_of_all(&a);
    g_autofree char *hash_b = hash_of_all(&b);
    g_autofree char *hash_other = hash_of_all(&other);
    ck_assert_str_eq(hash_a, hash_b);
    ck_assert_str_ne(hash_a, hash_other);
}
END_TEST

START_TEST(files_have_the_size_and_depth_that_was_asked_for) {
    const struct {
        const char *options;
        guint bits, white;
    } rows[] = {{"--bits 8", 8, 255}, {"--bits 16", 16, 4095}, {"--camera-bits 16", 16, 65535}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Bench) bench = bench_new();
        g_autofree char *options = g_strdup_printf(
            "--wells A01 --sites 1 --channels DAPI --side 130x70 --fault saturated:A01 %s",
            rows[i].options);
        run_well(&bench, options);
        g_autoptr(GPtrArray) list = list_read(&bench);
        g_auto(Image) image = image_read(&bench, list_row(list, 0)[FILE_NAME]);
        ck_assert(image.width == 130 && image.height == 70 && image.bits == rows[i].bits);
        guint most = 0;
        for (guint p = 0; p < 130 * 70; p++)
            most = MAX(most, rows[i].bits == 8 ? image.pixels->data[p]
                                               : ((guint16 *)(void *)image.pixels->data)[p]);
        ck_assert_uint_eq(most, rows[i].white);
    }
}
END_TEST

START_TEST(a_stuck_camera_writes_the_same_pixels_again) {
    g_auto(Bench) bench = bench_new();
    run_well(&bench, "--wells A01-A03 --sites 1 --fault stuck:3+2");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    g_auto(Image) second = image_read(&bench, list_row(rows, 1)[FILE_NAME]);
    for (guint i = 0; i < rows->len; i++) {
        bool is_stuck = i == 2 || i == 3;
        g_auto(Image) image = image_read(&bench, list_row(rows, i)[FILE_NAME]);
        ck_assert_str_eq(list_row(rows, i)[FAULTS], is_stuck ? "stuck" : "");
        ck_assert(images_equal(&image, &second) == (is_stuck || i == 1));
    }
}
END_TEST

START_TEST(a_truncated_file_cannot_be_read_and_its_neighbours_can) {
    g_auto(Bench) bench = bench_new();
    run_well(&bench, "--wells A01-A03 --sites 1 --fault truncated:GFP@A02");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_eq(rows->len, 6);
    for (guint i = 0; i < rows->len; i++) {
        g_auto(Image) image = image_read(&bench, list_row(rows, i)[FILE_NAME]);
        bool is_truncated = strcmp(list_row(rows, i)[FAULTS], "truncated") == 0;
        ck_assert(is_truncated == (i == 3));
        ck_assert_uint_eq(image.pages, is_truncated ? 0 : 1);
    }
}
END_TEST

START_TEST(a_missing_file_is_in_the_list_without_a_time) {
    g_auto(Bench) bench = bench_new();
    run_well(&bench, "--wells A01-A03 --sites 1 --channels DAPI --fault missing:A02");
    g_autoptr(GPtrArray) rows = list_read(&bench);
    g_autoptr(GHashTable) disk = files_on_disk(&bench);
    ck_assert_uint_eq(rows->len, 3);
    ck_assert_uint_eq(g_hash_table_size(disk), 2);
    ck_assert_str_eq(list_row(rows, 1)[FAULTS], "missing");
    ck_assert_str_eq(list_row(rows, 1)[CLOSED_AT], "");
    ck_assert_str_eq(list_row(rows, 1)[OFF_FOCUS], "");
    ck_assert(!g_hash_table_contains(disk, list_row(rows, 1)[FILE_NAME]));
}
END_TEST

START_TEST(the_list_tells_when_a_file_was_closed) {
    g_auto(Bench) bench = bench_new();
    g_autoptr(GDateTime) before = g_date_time_new_now_utc();
    run_well(&bench, "--wells A01 --sites 1 --channels DAPI --fault slow:A01 --pieces 3 "
                     "--pause 100ms");
    g_autoptr(GDateTime) after = g_date_time_new_now_utc();
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z$",
                                   list_row(rows, 0)[CLOSED_AT], 0, 0));
    g_autoptr(GDateTime) closed = g_date_time_new_from_iso8601(list_row(rows, 0)[CLOSED_AT], NULL);
    ck_assert_int_ge(g_date_time_difference(closed, before), 200000);
    ck_assert_int_ge(g_date_time_difference(after, closed), 0);
}
END_TEST

START_TEST(reused_pictures_differ_by_their_stamp) {
    g_auto(Bench) bench = bench_new();
    run_well(&bench, "--wells A01-A06 --sites 1 --channels DAPI --reuse 2");
    expect_list_equals_disk(&bench);
    g_autoptr(GPtrArray) rows = list_read(&bench);
    g_auto(Image) first = image_read(&bench, list_row(rows, 0)[FILE_NAME]);
    g_auto(Image) third = image_read(&bench, list_row(rows, 2)[FILE_NAME]);
    ck_assert(!images_equal(&first, &third));
    ck_assert_mem_eq(first.pixels->data + 16, third.pixels->data + 16, first.pixels->len - 16);
    ck_assert_uint_eq(first.pixels->data[0], 1);
    ck_assert_uint_eq(third.pixels->data[0], 3);
}
END_TEST

START_TEST(linked_pictures_are_not_written_again) {
    g_auto(Bench) bench = bench_new();
    run_well(&bench, "--wells A01-A06 --sites 1 --channels DAPI --reuse 2 --write hardlinked");
    expect_list_equals_disk(&bench);
    g_autoptr(GPtrArray) rows = list_read(&bench);
    GStatBuf info;
    g_autofree char *path = g_build_filename(bench.out, list_row(rows, 4)[FILE_NAME], NULL);
    ck_assert_int_eq(g_stat(path, &info), 0);
    ck_assert_uint_eq(info.st_nlink, 3);
    run_well(&bench, "--wells A01-A06 --sites 1 --channels DAPI --reuse 2 --write hardlinked");
    expect_list_equals_disk(&bench);
}
END_TEST

START_TEST(a_run_can_end_early_or_go_on_with_more_plates) {
    g_auto(Bench) early = bench_new();
    run_well(&early, "--frames 3");
    g_autoptr(GPtrArray) three = list_read(&early);
    ck_assert_uint_eq(three->len, 3);
    g_auto(Bench) more = bench_new();
    run_well(&more, "--wells A01 --sites 1 --channels DAPI --loop --frames 3 --plate Q");
    g_autoptr(GPtrArray) plates = list_read(&more);
    ck_assert_uint_eq(plates->len, 3);
    ck_assert_str_eq(list_row(plates, 0)[PLATE], "Q");
    ck_assert_str_eq(list_row(plates, 2)[PLATE], "Q-3");
    expect_list_equals_disk(&more);
}
END_TEST

START_TEST(asked_to_stop_it_finishes_the_file_in_hand) {
    g_auto(Bench) bench = bench_new();
    g_auto(GStrv) argv = command(&bench, "--rate 20 --write pieces --pieces 3 --pause 1s");
    GPid pid;
    ck_assert(g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
    for (int i = 0; i < 200 && !g_file_test(bench.list, G_FILE_TEST_EXISTS); i++)
        g_usleep(20000);
    g_usleep(300000); /* somewhere in its first file */
    kill(pid, SIGINT);
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    expect_list_equals_disk(&bench);
    g_autoptr(GPtrArray) rows = list_read(&bench);
    ck_assert_uint_ge(rows->len, 1);
    ck_assert_uint_le(rows->len, 2);
}
END_TEST

START_TEST(a_wrong_option_is_one_line_and_status_2) {
    const char *const wrong[] = {"--side 3",
                                 "--wells Z99",
                                 "--naming none",
                                 "--fault x:A01",
                                 "--bits 12",
                                 "--camera-bits 17",
                                 "--pause soon",
                                 "--sites 0",
                                 "--plate a/b",
                                 "--channels ,",
                                 "--write fast",
                                 "--compression zip",
                                 "--no-such-option",
                                 "word",
                                 "--stack --side 20000 --z 20",
                                 "--reuse 2 --compression lzw",
                                 "--rate -1",
                                 "--naming cellomics --z 2",
                                 "--wait",
                                 "--linger 2s",
                                 "--obey --linger later",
                                 "--obey --reuse 2",
                                 "--fault each:2"};
    g_auto(Bench) bench = bench_new();
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *complaint = NULL;
        ck_assert_msg(run(&bench, wrong[i], &complaint) == 2, "%s: %s", wrong[i], complaint);
        ck_assert_ptr_eq(strchr(complaint, '\n'), complaint + strlen(complaint) - 1);
    }
    ck_assert(!g_file_test(bench.out, G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(a_list_inside_the_watched_folder_is_refused) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *options = g_strdup_printf("--list %s/list.csv", bench.out);
    g_autofree char *complaint = NULL;
    ck_assert_int_eq(run(&bench, options, &complaint), 2);
    ck_assert_ptr_nonnull(strstr(complaint, "outside"));
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_status_1) {
    g_auto(Bench) bench = bench_new();
    g_autofree char *complaint = NULL;
    ck_assert(g_file_set_contents(bench.out, "a file", -1, NULL));
    ck_assert_int_eq(run(&bench, "--frames 1", &complaint), 1);
    ck_assert_ptr_nonnull(strstr(complaint, bench.out));
}
END_TEST

SUITE("microscope", the_list_equals_the_disk_for_every_naming,
      every_manner_of_writing_ends_with_the_same_bytes,
      the_same_seed_gives_the_same_bytes_at_any_pace,
      files_have_the_size_and_depth_that_was_asked_for, a_stuck_camera_writes_the_same_pixels_again,
      a_truncated_file_cannot_be_read_and_its_neighbours_can,
      a_missing_file_is_in_the_list_without_a_time, the_list_tells_when_a_file_was_closed,
      reused_pictures_differ_by_their_stamp, linked_pictures_are_not_written_again,
      a_run_can_end_early_or_go_on_with_more_plates, asked_to_stop_it_finishes_the_file_in_hand,
      a_wrong_option_is_one_line_and_status_2, a_list_inside_the_watched_folder_is_refused,
      a_folder_that_cannot_be_made_is_status_1)
