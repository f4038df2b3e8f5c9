/* Stockham's mixed-radix transform: each step takes one factor out of the length and leaves the
 * values in order, from one memory to another and back. Sums of 2, 3, 4 and 5 waves are written
 * out, as in any textbook: Van Loan, "Computational frameworks for the fast Fourier transform",
 * 1992. */
#include "features/measures/transform.h"
#include "features/processor.h"
#include <math.h>
#include <string.h>

#define LANES       TRANSFORM_LANES
#define STEPS_LIMIT 32 /* factors of a length of 32 bits */

typedef struct {
    float re, im;
} Wave;

/* stride * radix * groups values are transformed. */
typedef struct Step {
    void (*run)(const struct Step *step, const TransformPoint *from, TransformPoint *to);
    guint32 radix;
    gsize stride;      /* what the steps before have done: so many transforms are woven together */
    gsize groups;      /* what is left for the steps after */
    const Wave *turns; /* of each group: radix - 1 */
} Step;

struct Transform {
    guint32 count;
    Step steps[STEPS_LIMIT];
    TransformPoint *other; /* as long as a line */
};

/* --- sums of a few waves --- */

static inline Wave plus(Wave a, Wave b) {
    return (Wave){a.re + b.re, a.im + b.im};
}

static inline Wave minus(Wave a, Wave b) {
    return (Wave){a.re - b.re, a.im - b.im};
}

static inline Wave times(Wave a, Wave b) {
    return (Wave){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* a * p + b * q, for real p and q. */
static inline Wave mixed(Wave a, float p, Wave b, float q) {
    return (Wave){a.re * p + b.re * q, a.im * p + b.im * q};
}

/* A quarter turn, in the direction of the transform. */
static inline Wave turned(Wave a) {
    return (Wave){a.im, -a.re};
}

static inline void sums_2(Wave x[2]) {
    Wave difference = minus(x[0], x[1]);
    x[0] = plus(x[0], x[1]);
    x[1] = difference;
}

static inline void sums_3(Wave x[3]) {
    const float sine = 0.866025403784438647f; /* of a third of a turn */
    Wave even = plus(x[1], x[2]), odd = turned(minus(x[1], x[2]));
    Wave middle = mixed(x[0], 1, even, -0.5f);
    x[0] = plus(x[0], even);
    x[1] = mixed(middle, 1, odd, sine);
    x[2] = mixed(middle, 1, odd, -sine);
}

static inline void sums_4(Wave x[4]) {
    Wave even = plus(x[0], x[2]), even_odd = minus(x[0], x[2]);
    Wave odd = plus(x[1], x[3]), odd_odd = turned(minus(x[1], x[3]));
    x[0] = plus(even, odd);
    x[1] = plus(even_odd, odd_odd);
    x[2] = minus(even, odd);
    x[3] = minus(even_odd, odd_odd);
}

static inline void sums_5(Wave x[5]) {
    const float cos_1 = 0.309016994374947424f, cos_2 = -0.809016994374947424f;
    const float sin_1 = 0.951056516295153572f, sin_2 = 0.587785252292473129f;
    Wave even_1 = plus(x[1], x[4]), odd_1 = turned(minus(x[1], x[4]));
    Wave even_2 = plus(x[2], x[3]), odd_2 = turned(minus(x[2], x[3]));
    Wave middle_1 = plus(x[0], mixed(even_1, cos_1, even_2, cos_2));
    Wave middle_2 = plus(x[0], mixed(even_1, cos_2, even_2, cos_1));
    Wave side_1 = mixed(odd_1, sin_1, odd_2, sin_2), side_2 = mixed(odd_1, sin_2, odd_2, -sin_1);
    x[0] = plus(x[0], plus(even_1, even_2));
    x[1] = plus(middle_1, side_1);
    x[2] = plus(middle_2, side_2);
    x[3] = minus(middle_2, side_2);
    x[4] = minus(middle_1, side_1);
}

/* --- a step --- */

#define STEP(RADIX)                                                                                \
    FOR_EACH_PROCESSOR                                                                             \
    static void step_##RADIX(const Step *step, const TransformPoint *from,                         \
                             TransformPoint *restrict to) {                                        \
        gsize stride = step->stride, apart = stride * step->groups;                                \
        for (gsize group = 0; group < step->groups; group++) {                                     \
            const Wave *turns = step->turns + group * (RADIX - 1);                                 \
            const TransformPoint *x = from + group * stride;                                       \
            TransformPoint *y = to + group * stride * RADIX;                                       \
            for (gsize i = 0; i < stride; i++)                                                     \
                combine(x + i, apart, RADIX, sums_##RADIX, turns, y + i, stride);                  \
        }                                                                                          \
    }

/* Takes radix points, apart from each other, and leaves what they add up to. Waves in an array
 * keep "omp simd" from vectorising; points do not overlap, which ivdep says as well. */
static inline __attribute__((always_inline)) void
combine(const TransformPoint *x, gsize apart, guint radix, void (*sums)(Wave *), const Wave *turns,
        TransformPoint *restrict y, gsize stride) {
#pragma GCC ivdep
    for (guint lane = 0; lane < LANES; lane++) {
        Wave waves[5];
#pragma GCC unroll 5
        for (guint i = 0; i < radix; i++)
            waves[i] = (Wave){x[i * apart].re[lane], x[i * apart].im[lane]};
        sums(waves);
        y->re[lane] = waves[0].re;
        y->im[lane] = waves[0].im;
#pragma GCC unroll 5
        for (guint i = 1; i < radix; i++) {
            Wave wave = times(waves[i], turns[i - 1]);
            y[i * stride].re[lane] = wave.re;
            y[i * stride].im[lane] = wave.im;
        }
    }
}

STEP(2)
STEP(3)
STEP(4)
STEP(5)

/* --- a transform --- */

static const struct {
    guint32 radix;
    void (*run)(const Step *step, const TransformPoint *from, TransformPoint *to);
} kinds[] = {{4, step_4}, {2, step_2}, {3, step_3}, {5, step_5}};

guint32 transform_length(guint32 least) {
    for (guint32 length = MAX(least, 1);; length++) {
        guint32 rest = length;
        for (gsize kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
            while (rest % kinds[kind].radix == 0)
                rest /= kinds[kind].radix;
        if (rest == 1)
            return length;
    }
}

static void turns_fill(const Step *step, Wave *turns) {
    for (gsize group = 0; group < step->groups; group++)
        for (guint32 i = 1; i < step->radix; i++) {
            double angle = -2 * G_PI * (double)(group * i) / (double)(step->groups * step->radix);
            *turns++ = (Wave){(float)cos(angle), (float)sin(angle)};
        }
}

/* The turns of all steps together are fewer than the values of a line. */
static void steps_fill(Transform *transform, guint32 length, Wave *turns) {
    gsize stride = 1;
    for (gsize kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
        for (guint32 radix = kinds[kind].radix; length / stride % radix == 0; stride *= radix) {
            Step *step = &transform->steps[transform->count++];
            *step = (Step){kinds[kind].run, radix, stride, length / stride / radix, turns};
            turns_fill(step, turns);
            turns += step->groups * (radix - 1);
        }
}

Transform *transform_make(const Scan *scan, guint32 length) {
    Transform *transform = scan_scratch(scan, sizeof *transform);
    TransformPoint *other = scan_scratch(scan, transform_padded(length) * sizeof *other);
    Wave *turns = scan_scratch(scan, length * sizeof *turns);
    if (transform == NULL || other == NULL || turns == NULL)
        return NULL;
    *transform = (Transform){.other = other};
    steps_fill(transform, length, turns);
    return transform;
}

TransformPoint *transform_lanes(Transform *transform, TransformPoint *points) {
    TransformPoint *from = points, *to = transform->other;
    for (guint32 i = 0; i < transform->count; i++) {
        const Step *step = &transform->steps[i];
        step->run(step, from, to);
        TransformPoint *done = to;
        to = from;
        from = done;
    }
    return from;
}

/* --- turning lanes into points --- */

/* As a deck of cards, the second half between the first: in the number of a value's place, its bits
 * of line and of lane, each bit moves up by one and the highest becomes the lowest. */
static inline __attribute__((always_inline)) void shuffle(const float *from, float *restrict to) {
#pragma GCC unroll 8
    for (guint line = 0; line < LANES / 2; line++)
        for (guint i = line * LANES; i < (line + 1) * LANES; i++) {
            to[2 * i] = from[i];
            to[2 * i + 1] = from[LANES * LANES / 2 + i];
        }
}

/* Line and lane have four bits each, and have changed places after four shuffles. With its loops
 * unrolled, a square stays in the registers of a processor that has 32 of 16 floats. */
G_STATIC_ASSERT(LANES == 1 << 4);

FOR_EACH_PROCESSOR
static void turn(const float *lines, gsize apart, float *ret_lines, gsize ret_apart) {
    float square[LANES * LANES], other[LANES * LANES];
#pragma GCC unroll 16
    for (guint line = 0; line < LANES; line++)
        memcpy(square + line * LANES, lines + line * apart, LANES * sizeof(float));
    shuffle(square, other);
    shuffle(other, square);
    shuffle(square, other);
    shuffle(other, square);
#pragma GCC unroll 16
    for (guint line = 0; line < LANES; line++)
        memcpy(ret_lines + line * ret_apart, square + line * LANES, LANES * sizeof(float));
}

void transform_turn(const TransformPoint *points, TransformPoint *ret_points) {
    const gsize apart = sizeof *points / sizeof(float);
    turn(points->re, apart, ret_points->re, apart);
    turn(points->im, apart, ret_points->im, apart);
}

void transform_turn_lines(const float *lines, gsize line_floats, float *ret_lanes) {
    turn(lines, line_floats, ret_lanes, LANES);
}
