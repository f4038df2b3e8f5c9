#include "features/scratch.h"
#include "tests/suite.h"
#include <string.h>

/* Takes sizes of memory and fills them, so that a sanitizer would see one lie in another. */
static void take_and_fill(Scratch *scratch, const gsize sizes[], void *taken[], gsize count) {
    for (gsize i = 0; i < count; i++) {
        taken[i] = scratch_take(scratch, sizes[i]);
        ck_assert_ptr_nonnull(taken[i]);
        ck_assert_uint_eq((guintptr)taken[i] % 64, 0);
        memset(taken[i], (int)i + 1, sizes[i]);
    }
    for (gsize i = 0; i < count; i++) {
        const guint8 *bytes = taken[i];
        if (sizes[i] > 0) /* the first byte, and all are like the one before */
            ck_assert(bytes[0] == i + 1 && memcmp(bytes, bytes + 1, sizes[i] - 1) == 0);
    }
}

START_TEST(what_is_taken_is_aligned_and_nobody_elses) {
    static const gsize sizes[] = {1, 64, 0, 65, (2 << 20) + 1, 100000, 3};
    void *taken[G_N_ELEMENTS(sizes)];
    Scratch *scratch = scratch_new();
    for (int round = 0; round < 3; round++) {
        take_and_fill(scratch, sizes, taken, G_N_ELEMENTS(sizes));
        ck_assert(scratch_reset(scratch));
    }
    scratch_free(scratch);
}
END_TEST

START_TEST(the_second_time_all_lies_in_one_piece) {
    static const gsize sizes[] = {1000, 50000, 200};
    void *first[G_N_ELEMENTS(sizes)], *second[G_N_ELEMENTS(sizes)];
    Scratch *scratch = scratch_new();
    take_and_fill(scratch, sizes, first, G_N_ELEMENTS(sizes));
    scratch_reset(scratch);
    take_and_fill(scratch, sizes, first, G_N_ELEMENTS(sizes));
    ck_assert_int_eq((char *)first[1] - (char *)first[0], 1024);
    scratch_reset(scratch);
    take_and_fill(scratch, sizes, second, G_N_ELEMENTS(sizes));
    ck_assert_mem_eq(first, second, sizeof first);
    scratch_free(scratch);
}
END_TEST

START_TEST(what_there_is_no_memory_for_is_told_once) {
    Scratch *scratch = scratch_new();
    ck_assert_ptr_nonnull(scratch_take(scratch, 10));
    ck_assert_ptr_null(scratch_take(scratch, G_MAXSIZE));
    ck_assert_ptr_nonnull(scratch_take(scratch, 10));
    ck_assert(!scratch_reset(scratch));
    ck_assert_ptr_nonnull(scratch_take(scratch, 10));
    ck_assert(scratch_reset(scratch));
    scratch_free(scratch);
}
END_TEST

SUITE("scratch", what_is_taken_is_aligned_and_nobody_elses, the_second_time_all_lies_in_one_piece,
      what_there_is_no_memory_for_is_told_once)
