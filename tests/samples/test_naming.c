/* Names are what the instruments write: the patterns are those other programs read their files by.
 */
#include "samples/microscope/naming.h"
#include "tests/suite.h"

#include <string.h>

static const NamingContext context = {"P-7", "2025-01-31", 42, 3, 5, 2};
static const Place place = {
    .well = {1, 10}, .well_index = 4, .site = 2, .channel = 1, .z = 3, .t = 1};

typedef struct {
    const char *key, *path, *stack_path; /* patterns */
} Wanted;

#define GUID "[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}"

static const Wanted wanted[] = {
    {"imagexpress", "^P-7/2025-01-31/\\d{4}/TimePoint_2/ZStep_4/P-7_B11_s3_w2" GUID "\\.tif$",
     "^P-7/2025-01-31/\\d{4}/TimePoint_2/P-7_B11_s3_w2" GUID "\\.tif$"},
    {"phenix", "^P-7__2025-01-31T09_00_00-Measurement 1/Images/r02c11f03p04-ch2sk2fk1fl1\\.tiff$",
     "^P-7__2025-01-31T09_00_00-Measurement 1/Images/r02c11f03p04-ch2sk2fk1fl1\\.tiff$"},
    {"yokogawa", "^P-7/P-7_B11_T0002F003L01A02Z04C02\\.tif$",
     "^P-7/P-7_B11_T0002F003L01A02Z04C02\\.tif$"},
    {"cellomics", "^P-7/P-7i3t001B11f02d1\\.TIF$", "^P-7/P-7i3t001B11f02d1\\.TIF$"},
    {"micromanager", "^P-7/Pos014/img_channel001_position014_time000000001_z003\\.tif$",
     "^P-7/P-7_MMStack_Pos14\\.ome\\.tif$"},
};

START_TEST(each_instrument_s_names_are_its_own) {
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++) {
        const Naming *naming = naming_find(wanted[i].key);
        ck_assert_ptr_nonnull(naming);
        g_autofree char *path = naming->path(&context, &place);
        g_autofree char *stack_path = naming->stack_path(&context, &place);
        ck_assert_msg(g_regex_match_simple(wanted[i].path, path, 0, 0), "%s", path);
        ck_assert_msg(g_regex_match_simple(wanted[i].stack_path, stack_path, 0, 0), "%s",
                      stack_path);
    }
}
END_TEST

START_TEST(every_row_of_the_table_is_tested_here) {
    gsize rows = 0;
    for (const Naming *naming = namings; naming->key; naming++)
        rows++;
    ck_assert_uint_eq(rows, G_N_ELEMENTS(wanted));
}
END_TEST

START_TEST(no_two_places_share_a_name) {
    for (const Naming *naming = namings; naming->key; naming++) {
        g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (guint i = 0; i < 5 * 3 * 2 * 2 * 2; i++) {
            guint z = naming->zs_max > 1 ? i / 12 % 2 : 0;
            if (z != i / 12 % 2)
                continue;
            Place each = {.well = {0, (guint8)(i % 3)},
                          .well_index = i % 3,
                          .site = i / 3 % 2,
                          .channel = i / 6 % 2,
                          .z = z,
                          .t = i / 24};
            ck_assert(g_hash_table_add(names, naming->path(&context, &each)));
        }
    }
}
END_TEST

START_TEST(folders_for_one_plane_or_one_time_are_left_out) {
    NamingContext single = context;
    single.zs = single.ts = 1;
    Place first = {.well = {0, 0}};
    g_autofree char *path = naming_find("imagexpress")->path(&single, &first);
    ck_assert_ptr_null(strstr(path, "TimePoint_"));
    ck_assert_ptr_null(strstr(path, "ZStep_"));
    g_autofree char *still = naming_find("cellomics")->path(&single, &first);
    ck_assert_str_eq(still, "P-7/P-7_A01f00d0.TIF");
}
END_TEST

START_TEST(identifiers_in_names_come_from_the_seed) {
    const Naming *naming = naming_find("imagexpress");
    NamingContext other = context;
    other.seed = 43;
    g_autofree char *path = naming->path(&context, &place);
    g_autofree char *again = naming->path(&context, &place);
    g_autofree char *different = naming->path(&other, &place);
    ck_assert_str_eq(path, again);
    ck_assert_str_ne(path, different);
}
END_TEST

START_TEST(sites_and_channels_are_told_as_the_names_write_them) {
    const struct {
        const char *key, *channel;
        guint site;
    } rows[] = {{"imagexpress", "2", 3},
                {"phenix", "2", 3},
                {"yokogawa", "A02C02", 3},
                {"cellomics", "1", 2},
                {"micromanager", "001", 14}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Naming *naming = naming_find(rows[i].key);
        g_autofree char *channel = naming_channel(naming, &place);
        ck_assert_str_eq(channel, rows[i].channel);
        ck_assert_uint_eq(naming_site(naming, context.sites, &place), rows[i].site);
    }
}
END_TEST

SUITE("naming", each_instrument_s_names_are_its_own, every_row_of_the_table_is_tested_here,
      no_two_places_share_a_name, folders_for_one_plane_or_one_time_are_left_out,
      identifiers_in_names_come_from_the_seed, sites_and_channels_are_told_as_the_names_write_them)
