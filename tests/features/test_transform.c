#include "features/measures/transform.h"
#include "tests/features/images.h"
#include "tests/suite.h"
#include <math.h>

enum { LANES = TRANSFORM_LANES };

/* A scan has the memory. */
static Plane *plane;
static Scan *scan;

static void scan_begin(void) {
    plane = image_constant(PLANE_U8, 1, 1, 7);
    scan = scan_plane(plane, NULL);
}

static void scan_end(void) {
    scan_free(scan);
    plane_free(plane);
}

static bool is_smooth(guint32 length) {
    for (guint32 factor = 2; factor <= 5; factor++)
        while (length % factor == 0)
            length /= factor;
    return length == 1;
}

START_TEST(a_length_is_the_next_one_without_a_large_factor) {
    guint32 next = 1;
    for (guint32 least = 0; least <= 1025; least++) {
        while (next < least || !is_smooth(next))
            next++;
        ck_assert_uint_eq(transform_length(least), next);
    }
}
END_TEST

static TransformPoint *noise(guint32 length) {
    TransformPoint *points = scan_scratch(scan, transform_padded(length) * sizeof *points);
    for (guint32 n = 0; n < length; n++)
        for (guint32 lane = 0; lane < LANES; lane++) {
            guint32 place = (n * LANES + lane) * 2;
            points[n].re[lane] = (float)image_noise(place, 1) - 100;
            points[n].im[lane] = (float)image_noise(place + 1, 1);
        }
    return points;
}

/* How far lane is from what the definition gives, relative to its root mean square. */
static double error_of(const TransformPoint *points, const TransformPoint *waves, guint32 length,
                       guint32 lane) {
    double off = 0, power = 0;
    for (guint32 k = 0; k < length; k++) {
        double re = 0, im = 0;
        for (guint32 n = 0; n < length; n++) {
            double angle = -2 * G_PI * (k * n % length) / length;
            double x = (double)points[n].re[lane], y = (double)points[n].im[lane];
            re += x * cos(angle) - y * sin(angle);
            im += x * sin(angle) + y * cos(angle);
        }
        off += pow((double)waves[k].re[lane] - re, 2) + pow((double)waves[k].im[lane] - im, 2);
        power += re * re + im * im;
    }
    return sqrt(off / power);
}

/* Every length up to 100, and those that frames of usual sides lead to. */
START_TEST(every_lane_has_the_transform_that_the_definition_gives) {
    static const guint32 large[] = {256, 360, 375, 384, 512, 625, 720, 729};
    for (guint32 i = 1; i <= 100 + G_N_ELEMENTS(large); i++) {
        guint32 length = i <= 100 ? transform_length(i) : large[i - 101];
        const TransformPoint *points = noise(length);
        Transform *transform = transform_make(scan, length);
        TransformPoint *lines = noise(length);
        const TransformPoint *waves = transform_lanes(transform, lines);
        for (guint32 lane = i % 5; lane < LANES; lane += 5)
            ck_assert_msg(error_of(points, waves, length, lane) < 3e-7, "lane %u of length %u",
                          lane, length);
        scan_scratch_reset(scan);
    }
}
END_TEST

START_TEST(a_transform_serves_again_and_again) {
    Transform *transform = transform_make(scan, 48);
    const TransformPoint *points = noise(48);
    for (int round = 0; round < 3; round++)
        ck_assert(error_of(points, transform_lanes(transform, noise(48)), 48, 3) < 3e-7);
    scan_scratch_reset(scan);
}
END_TEST

START_TEST(points_and_lanes_change_places) {
    TransformPoint *points = noise(LANES), turned[LANES];
    transform_turn(points, turned);
    for (guint a = 0; a < LANES; a++)
        for (guint b = 0; b < LANES; b++) {
            ck_assert(turned[a].re[b] == points[b].re[a]);
            ck_assert(turned[a].im[b] == points[b].im[a]);
        }
    scan_scratch_reset(scan);
}
END_TEST

START_TEST(lines_that_lie_apart_become_lanes) {
    enum { APART = 37 };
    float lines[LANES * APART], lanes[LANES * LANES];
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        lines[i] = (float)i;
    transform_turn_lines(lines, APART, lanes);
    for (guint line = 0; line < LANES; line++)
        for (guint i = 0; i < LANES; i++)
            ck_assert(lanes[i * LANES + line] == lines[line * APART + i]);
}
END_TEST

SUITE_WITH("transform", scan_begin, scan_end, a_length_is_the_next_one_without_a_large_factor,
           every_lane_has_the_transform_that_the_definition_gives,
           a_transform_serves_again_and_again, points_and_lanes_change_places,
           lines_that_lie_apart_become_lanes)
