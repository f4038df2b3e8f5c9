#include "ingest/leftover.h"
#include "tests/suite.h"

#define SECOND G_USEC_PER_SEC

static const BusStream stream = {.name = "RESULTS", .ack_wait_ms = 60000};

/* 150 of the 700 messages were brought back; the consumer has given out all of them. */
static BusStreamState brought_back(guint64 in_work) {
    return (BusStreamState){.messages = 150,
                            .consumer_messages = 150,
                            .first_sequence = 221,
                            .last_sequence = 700,
                            .consumer_in_work = in_work,
                            .consumer_deliveries = 743,
                            .consumer_sequence = 700,
                            .consumer_waiting = 1};
}

START_TEST(what_stands_behind_an_idle_consumer_is_left_over) {
    Leftover leftover = {0};
    BusStreamState state = brought_back(0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, SECOND), 700);
    state.consumer_messages = 0; /* what stands there is another consumer's */
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, SECOND), 0);
    state.consumer_messages = 150;
    state.first_sequence = 701; /* only new ones */
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, SECOND), 0);
}
END_TEST

START_TEST(nothing_is_left_over_while_messages_wait_to_be_given_out) {
    Leftover leftover = {0};
    BusStreamState state = brought_back(0);
    state.consumer_pending = 1;
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, SECOND), 0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 1000 * SECOND), 0);
}
END_TEST

/* The consumer waits for acknowledgements that can never come. */
START_TEST(acknowledgements_that_never_come_are_not_waited_for) {
    Leftover leftover = {0};
    BusStreamState state = brought_back(6);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, SECOND), 0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 181 * SECOND), 0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 182 * SECOND), 700);
}
END_TEST

START_TEST(work_that_goes_on_is_waited_for) {
    Leftover leftover = {0};
    BusStreamState state = brought_back(6);
    leftover_look(&leftover, &stream, &state, SECOND);
    state.consumer_deliveries++; /* one came again */
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 182 * SECOND), 0);
    state.consumer_in_work--; /* and was acknowledged */
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 363 * SECOND), 0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 544 * SECOND), 700);
}
END_TEST

START_TEST(messages_that_nobody_asks_for_are_not_left_over) {
    Leftover leftover = {0};
    BusStreamState state = brought_back(6);
    leftover_look(&leftover, &stream, &state, SECOND);
    state.consumer_waiting = 0;
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 200 * SECOND), 0);
    state.consumer_waiting = 1; /* time counts from here */
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 400 * SECOND), 0);
    ck_assert_uint_eq(leftover_look(&leftover, &stream, &state, 581 * SECOND), 700);
}
END_TEST

SUITE("leftover", what_stands_behind_an_idle_consumer_is_left_over,
      nothing_is_left_over_while_messages_wait_to_be_given_out,
      acknowledgements_that_never_come_are_not_waited_for, work_that_goes_on_is_waited_for,
      messages_that_nobody_asks_for_are_not_left_over)
