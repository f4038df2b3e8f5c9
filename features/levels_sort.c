/* levels_sort: levels from the keys of floats, by a radix sort. Keys of an image differ in few of
 * their bits, whatever the exponents are: only those are looked at, and where they are few enough
 * keys are counted and not sorted. */
#include "features/levels.h"

#define DIGIT_BITS   11 /* 2048 places in reach of the first-level cache */
#define DIGITS_LIMIT 6
#define COUNTED_BITS 18 /* a table of a megabyte */

/* The bits in which keys differ from the least one. */
typedef struct {
    guint64 least;
    int shift; /* below are bits that all keys share */
    int bits;
    int digits, digit_bits; /* what the bits are sorted by */
} Range;

typedef guint32 Places[DIGITS_LIMIT][1 << DIGIT_BITS];

static Range range_of(guint64 least, guint64 largest, guint64 differing) {
    Range range = {.least = least};
    if (differing == 0)
        return range;
    range.shift = __builtin_ctzll(differing);
    range.bits = 64 - __builtin_clzll((largest - least) >> range.shift);
    range.digits = (range.bits - 1) / DIGIT_BITS + 1;
    range.digit_bits = (range.bits - 1) / range.digits + 1;
    return range;
}

/* Counts become where each digit's keys begin. */
static void begin_places(const Range *range, guint32 *places) {
    guint32 place = 0;
    for (gsize value = 0; value < (gsize)1 << range->digit_bits; value++) {
        guint32 here = places[value];
        places[value] = place;
        place += here;
    }
}

#define Key       guint32
#define NAME(end) float_##end
#define VALUE     levels_float_of_key
#define FILL      levels_fill_floats
#include "features/levels_sort.inc"
#undef Key
#undef NAME
#undef VALUE
#undef FILL

#define Key       guint64
#define NAME(end) double_##end
#define VALUE     levels_double_of_key
#define FILL      levels_fill_doubles
#include "features/levels_sort.inc"
