#include "features/measures/label.h"
#include "tests/features/images.h"
#include "tests/suite.h"

/* The regions of a mask and the room they lie in. */
typedef struct {
    guint32 count;
    LabelRegion *regions;
    void *room;
} Found;

/* The room is exactly as large as promised, so that the sanitizer sees a step beyond it. */
static Found find_regions(const guint8 *mask, guint32 width, guint32 height) {
    Found found = {.room = g_malloc(label_room_bytes(width, height))};
    found.count = label_regions(mask, width, height, found.room, &found.regions);
    return found;
}

/* Rows of '#' and '.', all of the same length. */
static Found find_drawn(const char *const *rows, guint32 height) {
    guint32 width = (guint32)strlen(rows[0]);
    g_autofree guint8 *mask = g_malloc((gsize)width * height);
    for (guint32 y = 0; y < height; y++)
        for (guint32 x = 0; x < width; x++)
            mask[y * width + x] = rows[y][x] == '#';
    return find_regions(mask, width, height);
}

#define EXPECT(found, ...)                                                                         \
    do {                                                                                           \
        const LabelRegion expected_[] = {__VA_ARGS__};                                             \
        ck_assert_uint_eq((found).count, G_N_ELEMENTS(expected_));                                 \
        for (guint i_ = 0; i_ < (found).count; i_++) {                                             \
            ck_assert_uint_eq((found).regions[i_].area, expected_[i_].area);                       \
            ck_assert_int_eq((found).regions[i_].at_border, expected_[i_].at_border);              \
        }                                                                                          \
        g_free((found).room);                                                                      \
    } while (0)

START_TEST(places_that_touch_at_a_corner_belong_together) {
    static const char *const rows[] = {
        "......", ".#..#.", "..#...", "...#..", "......",
    };
    Found found = find_drawn(rows, G_N_ELEMENTS(rows));
    EXPECT(found, {3, false}, {1, false});
}
END_TEST

START_TEST(two_arms_that_meet_further_down_are_one_region) {
    static const char *const rows[] = {
        "........", ".#.#.#..", ".#.#.#..", ".#.###..",
        ".#......", ".######.", "........", "..##....",
    };
    Found found = find_drawn(rows, G_N_ELEMENTS(rows));
    EXPECT(found, {10, false}, {7, false}, {2, true});
}
END_TEST

START_TEST(a_ring_and_what_is_inside_are_two) {
    static const char *const rows[] = {
        "#####..", "#...#..", "#.#.#..", "#...#..", "#####..", "......#",
    };
    Found found = find_drawn(rows, G_N_ELEMENTS(rows));
    EXPECT(found, {16, true}, {1, false}, {1, true});
}
END_TEST

START_TEST(each_of_the_four_edges_is_the_border) {
    static const char *const rows[] = {
        "..#....", ".......", "#..#..#", ".......", "....#..",
    };
    Found found = find_drawn(rows, G_N_ELEMENTS(rows));
    EXPECT(found, {1, true}, {1, true}, {1, false}, {1, true}, {1, true});
}
END_TEST

START_TEST(an_empty_mask_has_no_region_and_a_full_one_has_one) {
    guint8 mask[5 * 7] = {0};
    Found found = find_regions(mask, 5, 7);
    ck_assert_uint_eq(found.count, 0);
    g_free(found.room);
    memset(mask, 1, sizeof mask);
    found = find_regions(mask, 5, 7);
    EXPECT(found, {35, true});
}
END_TEST

START_TEST(one_place_one_row_and_one_column_are_masks_too) {
    const guint8 mask[] = {1, 0, 1, 1, 0};
    Found one = find_regions(mask, 1, 1), row = find_regions(mask, 5, 1),
          column = find_regions(mask, 1, 5);
    EXPECT(one, {1, true});
    EXPECT(row, {1, true}, {2, true});
    EXPECT(column, {1, true}, {2, true});
}
END_TEST

/* No mask has more regions than single places in every second row and column. */
START_TEST(the_room_suffices_for_as_many_regions_as_there_can_be) {
    for (guint32 height = 1; height < 7; height++)
        for (guint32 width = 1; width < 7; width++) {
            guint8 mask[36] = {0};
            for (guint32 y = 0; y < height; y += 2)
                for (guint32 x = 0; x < width; x += 2)
                    mask[y * width + x] = 1;
            Found found = find_regions(mask, width, height);
            ck_assert_uint_eq(found.count, ((width + 1) / 2) * ((height + 1) / 2));
            g_free(found.room);
        }
}
END_TEST

/* Takes the region that holds a place out of the mask. */
static LabelRegion flood(guint8 *mask, guint32 width, guint32 height, guint32 x, guint32 y) {
    LabelRegion region = {.area = 1,
                          .at_border = x == 0 || y == 0 || x + 1 == width || y + 1 == height};
    mask[y * width + x] = 0;
    for (guint32 i = 0; i < 9; i++) {
        guint32 nx = x + i % 3 - 1, ny = y + i / 3 - 1; /* -1 becomes large */
        if (nx >= width || ny >= height || mask[ny * width + nx] == 0)
            continue;
        LabelRegion rest = flood(mask, width, height, nx, ny);
        region.area += rest.area;
        region.at_border |= rest.at_border;
    }
    return region;
}

static void expect_as_flooded(guint8 *mask, guint32 width, guint32 height) {
    Found found = find_regions(mask, width, height);
    guint32 seen = 0;
    for (guint32 i = 0; i < width * height; i++) {
        if (mask[i] == 0)
            continue;
        LabelRegion expected = flood(mask, width, height, i % width, i / width);
        ck_assert_uint_lt(seen, found.count);
        ck_assert_uint_eq(found.regions[seen].area, expected.area);
        ck_assert_int_eq(found.regions[seen].at_border, expected.at_border);
        seen++;
    }
    ck_assert_uint_eq(seen, found.count);
    g_free(found.room);
}

START_TEST(random_masks_have_the_regions_that_flooding_finds) {
    for (guint32 round = 0; round < 600; round++) {
        guint32 width = 1 + image_hash(round) % 40, height = 1 + image_hash(round + 9999) % 30;
        guint32 share = 20 + 30 * (round % 8); /* of 256 places */
        g_autofree guint8 *mask = g_malloc((gsize)width * height);
        for (guint32 i = 0; i < width * height; i++)
            mask[i] = image_noise(i, round) < share;
        expect_as_flooded(mask, width, height);
    }
}
END_TEST

SUITE("label", places_that_touch_at_a_corner_belong_together,
      two_arms_that_meet_further_down_are_one_region, a_ring_and_what_is_inside_are_two,
      each_of_the_four_edges_is_the_border, an_empty_mask_has_no_region_and_a_full_one_has_one,
      one_place_one_row_and_one_column_are_masks_too,
      the_room_suffices_for_as_many_regions_as_there_can_be,
      random_masks_have_the_regions_that_flooding_finds)
