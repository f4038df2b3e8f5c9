#include "features/slot.h"
#include "tests/suite.h"

static FrameId frame_number(guint number) {
    return frame_id_make("s", "p", number, 0, 0);
}

static guint dies_over(Board *board, guint job, guint number) {
    FrameId frame = frame_number(number);
    slot_take(&board->slots[job], &frame, "$JS.ACK.reply");
    return board_count_death(board, &board->slots[job], "ended by signal 11");
}

START_TEST(a_death_is_counted_against_the_frame_in_hand) {
    Board *board = board_new(2);
    FrameId frame = frame_number(7);
    ck_assert_ptr_null(board_deaths(board, &frame));
    ck_assert_uint_eq(dies_over(board, 0, 7), 1);
    ck_assert_uint_eq(dies_over(board, 1, 7), 2); /* whichever worker it was */
    ck_assert_uint_eq(dies_over(board, 0, 8), 1);
    ck_assert_uint_eq(dies_over(board, 0, 7), 3);
    ck_assert_uint_eq(atomic_load(&board_deaths(board, &frame)->count), DEATHS_TO_POISON);
    ck_assert_str_eq(board_deaths(board, &frame)->reason, "ended by signal 11");
}
END_TEST

START_TEST(a_death_leaves_the_message_to_the_successor) {
    Board *board = board_new(1);
    dies_over(board, 0, 1);
    ck_assert_str_eq(board->slots[0].orphan, "$JS.ACK.reply");
    ck_assert_int_eq(atomic_load(&board->slots[0].stage), SLOT_EMPTY);
}
END_TEST

START_TEST(a_death_with_empty_hands_is_nobodys_fault) {
    Board *board = board_new(1);
    FrameId frame = frame_number(1);
    slot_take(&board->slots[0], &frame, "r");
    slot_clear(&board->slots[0]);
    ck_assert_uint_eq(board_count_death(board, &board->slots[0], "killed"), 0);
    ck_assert_str_eq(board->slots[0].orphan, "");
    ck_assert_ptr_null(board_deaths(board, &frame));
    ck_assert_uint_eq(atomic_load(&board->deaths_total), 1);
}
END_TEST

/* A result may wait for hours until there is room for it: whatever ends the worker meanwhile is not
 * the frame's doing, but the frame still has to go to somebody else. */
START_TEST(a_death_while_the_result_waits_is_not_the_frames_fault) {
    Board *board = board_new(1);
    FrameId frame = frame_number(1);
    slot_take(&board->slots[0], &frame, "r");
    slot_tell(&board->slots[0]);
    ck_assert_uint_eq(board_count_death(board, &board->slots[0], "killed"), 0);
    ck_assert_ptr_null(board_deaths(board, &frame));
    ck_assert_str_eq(board->slots[0].orphan, "r");
    ck_assert_int_eq(atomic_load(&board->slots[0].stage), SLOT_EMPTY);
}
END_TEST

START_TEST(the_oldest_count_makes_room_for_the_newest) {
    Board *board = board_new(1);
    for (guint number = 0; number <= DEATHS_KEPT; number++)
        dies_over(board, 0, number);
    FrameId first = frame_number(0), second = frame_number(1), last = frame_number(DEATHS_KEPT);
    ck_assert_ptr_null(board_deaths(board, &first));
    ck_assert_ptr_nonnull(board_deaths(board, &second));
    ck_assert_uint_eq(atomic_load(&board_deaths(board, &last)->count), 1);
}
END_TEST

SUITE("slot", a_death_is_counted_against_the_frame_in_hand,
      a_death_leaves_the_message_to_the_successor, a_death_with_empty_hands_is_nobodys_fault,
      a_death_while_the_result_waits_is_not_the_frames_fault,
      the_oldest_count_makes_room_for_the_newest)
