/* What happens every second does not go through what is old. Counted in rows, which do not depend
 * on who else is busy. */
#include "tests/store/scene.h"
#include "tests/suite.h"

#define RULE                                                                                       \
    "insert into scopestream_data.rule (name, kind, severity) values "                             \
    "('missing', 'missing', 'warning')"

/* Ten are told: the plans that are kept are those of the sixth on. */
START_TEST(months_of_findings_and_a_week_of_pixels_are_not_gone_through) {
    g_auto(Place) place = scene_make(RULE);
    scene_run(place.admin,
              "select scene.image('P0', '{A01}'),"
              "scopestream_data.ensure_partitions('2026-02-01', '2026-02-01');"
              "insert into scopestream_data.finding (acquired_at, rule_id, source, found_at) "
              "select at, rule_id, 'scope', at from generate_series('2026-02-01 00:00+00'::"
              "timestamptz, '2026-02-20', '20 s') at, scopestream_data.rule;"
              "insert into scopestream_data.pixels_seen (source, pixel_hash, acquired_at, frame_id,"
              " file) select 'scope', n, scene.now() - n * interval '10 s', gen_random_uuid(), n "
              "from generate_series(1, 50000) n;"
              "update scopestream_data.watch set tidied_at = null");
    scene_run(place.admin, "analyze scopestream_data.finding, scopestream_data.pixels_seen");
    scene_run(place.admin,
              "select scene.image('P1', scene.wells(4, 6), but => '{A02 1 DAPI,A03 2 GFP,"
              "A05 2 DAPI,B01 1 GFP,B02 1 DAPI,B04 2 GFP,B05 2 DAPI,C01 1 GFP,C02 1 DAPI,"
              "C04 2 GFP}'), scene.wait(30);"
              "create table scene.looked as select relname, seq_tup_read + idx_tup_fetch as rows "
              "from pg_stat_xact_user_tables where relname in ('finding_2026_02', 'pixels_seen')");
    cluster_expect(place.admin, "select findings from scopestream.alerts", "10");
    cluster_expect(place.admin, "select tidied_at is null from scopestream_data.watch", "f");
    cluster_expect(place.admin,
                   "select string_agg(relname || ' ' || rows, ', ') from scene.looked "
                   "where rows > 100",
                   "");
    scene_expect_no_trouble(place);
}
END_TEST

SUITE_WITH("old_rows", cluster_start, cluster_stop,
           months_of_findings_and_a_week_of_pixels_are_not_gone_through)
