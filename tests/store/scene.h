/* scene: a place in which a microscope images plates by a clock of the test's own (scene.sql). */
#ifndef TESTS_STORE_SCENE_H
#define TESTS_STORE_SCENE_H

#include "tests/store/place.h"

static inline void scene_run(Postgres *postgres, const char *sql) {
    GError *error = NULL;
    ck_assert_msg(postgres_run(postgres, sql, &error), "%s: %s", sql,
                  error != NULL ? error->message : "");
}

static inline Place scene_make(const char *rules) {
    Place place = place_make();
    g_autofree char *file =
        g_build_filename(g_getenv("SCOPESTREAM_SOURCE_DIR"), "tests", "store", "scene.sql", NULL);
    g_autofree char *sql = NULL;
    ck_assert(g_file_get_contents(file, &sql, NULL, NULL));
    scene_run(place.admin, sql);
    scene_run(place.admin, rules);
    return place;
}

/* All alerts there were, a line each: severity, state, plate, title. */
#define scene_expect_alerts(place, expected)                                                       \
    cluster_expect((place).admin, "select \"all\" from scene.alerts", expected)

/* Steps of the watch that fail do so quietly, and are told. */
#define scene_expect_no_trouble(place)                                                             \
    cluster_expect((place).admin,                                                                  \
                   "select string_agg(detail, '; ') from scopestream_data.event "                  \
                   "where event = 'steering-failed'",                                              \
                   "")

#endif
