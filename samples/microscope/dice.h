/* dice: random numbers that are a function of what they are for.
 *
 * Everything random in a picture comes from a key made of the seed and the place, so a picture is
 * the same whatever was taken before it. Integers only: the same on every machine. The generator is
 * SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
 */
#ifndef MICROSCOPE_DICE_H
#define MICROSCOPE_DICE_H

#include <glib.h>

/* The next 64 random bits; *state may begin anywhere. */
static inline guint64 dice_next(guint64 *state) {
    guint64 bits = *state += 0x9E3779B97F4A7C15u;
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
    return bits ^ bits >> 31;
}

/* A new key made of a key and a word: two words never give related keys. */
static inline guint64 dice_key(guint64 key, guint64 word) {
    guint64 state = key ^ word * 0xD1342543DE82EF95u;
    return dice_next(&state);
}

/* A number from low to high, both included. */
static inline gint32 dice_between(guint64 *state, gint32 low, gint32 high) {
    guint64 span = (guint64)((gint64)high - low) + 1;
    return (gint32)(low + (gint64)((dice_next(state) >> 32) * span >> 32));
}

#endif
