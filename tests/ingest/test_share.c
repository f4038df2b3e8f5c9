#include "ingest/share.h"
#include "tests/suite.h"

static const BusStream frames = {.name = "FRAMES", .max_messages = 100, .max_bytes = 1 << 20};

/* A queue of messages of a kilobyte each, own of them of the pipeline that asks. */
static BusStreamState filled(guint64 messages, guint64 own) {
    return (BusStreamState){
        .messages = messages, .bytes = messages * 1024, .consumer_messages = own};
}

START_TEST(each_of_several_pipelines_may_fill_its_part_of_the_queue) {
    BusStreamState empty = filled(0, 0), half = filled(50, 50), begun = filled(30, 20);
    ck_assert_uint_eq(share_room(&frames, &empty, 2, 1000), 50);
    ck_assert_uint_eq(share_room(&frames, &begun, 2, 1000), 30);
    ck_assert_uint_eq(share_room(&frames, &begun, 4, 1000), 5);
    ck_assert_uint_eq(share_room(&frames, &half, 2, 1000), 0);
}
END_TEST

START_TEST(what_others_have_in_the_queue_takes_nothing_of_a_share) {
    BusStreamState others = filled(50, 0);
    ck_assert_uint_eq(share_room(&frames, &others, 2, 1000), 50);
}
END_TEST

START_TEST(a_share_is_counted_in_bytes_too) {
    BusStream narrow = frames;
    narrow.max_bytes = 40 * 1024;
    BusStreamState state = filled(20, 15);
    ck_assert_uint_eq(share_room(&narrow, &state, 2, 1000), 5);
    state = filled(40, 25); /* more than its share, from times when there was one pipeline */
    ck_assert_uint_eq(share_room(&narrow, &state, 2, 1000), 0);
}
END_TEST

START_TEST(there_is_never_more_room_than_was_asked_for) {
    BusStreamState empty = filled(0, 0);
    ck_assert_uint_eq(share_room(&frames, &empty, 2, 7), 7);
}
END_TEST

START_TEST(a_queue_smaller_than_its_pipelines_still_moves) {
    BusStream tiny = frames;
    tiny.max_messages = 3;
    BusStreamState none = filled(2, 0), one = filled(3, 1);
    ck_assert_uint_eq(share_room(&tiny, &none, 16, 1000), 1);
    ck_assert_uint_eq(share_room(&tiny, &one, 16, 1000), 0);
}
END_TEST

SUITE("share", each_of_several_pipelines_may_fill_its_part_of_the_queue,
      what_others_have_in_the_queue_takes_nothing_of_a_share, a_share_is_counted_in_bytes_too,
      there_is_never_more_room_than_was_asked_for, a_queue_smaller_than_its_pipelines_still_moves)
