/* scopestream/measure.h: a measure of your own, without compiling scopestream.
 *
 * A plug-in is a shared object with one symbol, `scopestream_measure`:
 *
 *     #include <scopestream/measure.h>
 *
 *     static const ScopestreamNumber numbers[] = {
 *         {.name = "dust", .unit = "%", .formula = "share of pixels above ...", .source = "own",
 *          .detects = "dust on the lens", .version = 1},
 *     };
 *
 *     static int32_t compute(const ScopestreamImage *image, double *values) {
 *         values[0] = ...;
 *         return 0;
 *     }
 *
 *     SCOPESTREAM_MEASURE("dust", numbers, compute)
 *
 *     cc -shared -fPIC -O2 -o dust.so dust.c
 *
 * It goes into the folder that the setting [features] plug-ins names, as <name>.so. It is loaded in
 * a process of its own, which has one thread: whatever happens to it, frames go on being measured.
 *
 * This header is plain C99 and needs nothing of scopestream. What is promised here does not change
 * as long as SCOPESTREAM_MEASURE_ABI does not; members are only ever added, behind the last of
 * a struct, and the size of each struct is told by whoever made it. */
#ifndef SCOPESTREAM_MEASURE_H
#define SCOPESTREAM_MEASURE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCOPESTREAM_MEASURE_ABI 1

/* Types of pixels. */
enum {
    SCOPESTREAM_U8 = 0,  /* uint8_t: whole numbers of up to 8 bits */
    SCOPESTREAM_U16 = 1, /* uint16_t: whole numbers of up to 16 bits */
    SCOPESTREAM_F32 = 2, /* float: 16- and 32-bit floats; may hold NaN and infinity */
    SCOPESTREAM_F64 = 3, /* double: 64-bit floats, and whole numbers of more than 16 bits */
};

/* One frame: one grey value a pixel, black is low. At least one pixel is a finite number. */
typedef struct {
    uint32_t struct_bytes; /* how much of this struct the program filled: a member that ends beyond
                              it is not there */
    uint32_t type;         /* SCOPESTREAM_U8, ... */
    uint32_t width;        /* pixels, 1 to 1000000 */
    uint32_t height;       /* the same */
    const void *pixels;    /* width * height values, row by row from the top, without gaps, aligned
                              to 4096 bytes. To be read only: writing to them ends the process */
    uint32_t whole;        /* 1: the file holds whole numbers; 0: floats */
    uint32_t reserved;     /* 0 */
    double scale;          /* a value divided by it is the intensity x in CellProfiler's units:
                              the largest value of the file's type (255, 4095, 65535); 1 for floats */
    double offset;         /* the file's own number for a value of 0: -32768 for signed 16 bits */
    double pixel_size_um;  /* micrometres a pixel; 0: not known */
} ScopestreamImage;

/* What a number is in SQL. */
enum {
    SCOPESTREAM_NUMBER = 0, /* a double; double precision. One place in values */
    SCOPESTREAM_ARRAY = 1,  /* length doubles; real[]. length places in values */
    SCOPESTREAM_HASH = 2,   /* 64 bits; bigint. Two places in values: the upper 32 bits, then the
                               lower 32, as whole numbers */
};

/* One number a plug-in gives, and what people are told of it. Texts are UTF-8, 1 to 500 bytes
 * without control characters, as plain sentences without a full stop. */
typedef struct {
    const char *name;    /* the column in SQL: a letter a-z, then at most 62 of a-z 0-9 _; no other
                            column may be called so */
    const char *unit;    /* "1": none; "x": an intensity, value / scale; "x^2", "px", "%", ... */
    const char *formula; /* exact enough to write it again */
    const char *source;  /* who defined it: a paper, a program, "own" */
    const char *detects; /* what is wrong with a frame where the number is conspicuous */
    uint32_t version;    /* of the definition, from 1; raise it when the definition changes */
    uint32_t kind;       /* SCOPESTREAM_NUMBER, ... */
    uint32_t length;     /* of an array: 1 to 4096 */
    uint32_t reserved;   /* 0 */
} ScopestreamNumber;

/* Computes all numbers of one frame: fills values, a place for each number, length places for an
 * array and two for a hash, in the order of the numbers. They are NaN before; a number that is not
 * defined for this frame stays so and becomes NULL. An infinite one becomes NULL too, and is told.
 *
 * Returns 0, or 1 to 255 if it failed: then all numbers of this frame are NULL, and the log tells
 * the returned number. image and values are the caller's, and good until it returns. Must return
 * within the setting [features] plug-in-time-limit. */
typedef int32_t ScopestreamCompute(const ScopestreamImage *image, double *values);

/* The plug-in: everything in it is static, and never changes. */
typedef struct {
    uint32_t abi;          /* SCOPESTREAM_MEASURE_ABI */
    uint32_t struct_bytes; /* sizeof(ScopestreamMeasure) */
    const char *name;      /* what pipelines call it: the file's name without .so, formed like a
                              number's name; no other measure may be called so */
    const ScopestreamNumber *numbers;
    uint32_t numbers_count; /* 1 to 256; all their places together at most 16384 */
    uint32_t number_bytes;  /* sizeof(ScopestreamNumber) */
    ScopestreamCompute *compute;
} ScopestreamMeasure;

#if defined(__GNUC__)
#define SCOPESTREAM_VISIBLE __attribute__((visibility("default")))
#else
#define SCOPESTREAM_VISIBLE
#endif

/* The symbol the program looks for. */
extern SCOPESTREAM_VISIBLE const ScopestreamMeasure scopestream_measure;

/* Defines it; numbers is an array. */
#define SCOPESTREAM_MEASURE(name, numbers, compute)                                                \
    const ScopestreamMeasure scopestream_measure = {                                               \
        SCOPESTREAM_MEASURE_ABI,                                                                   \
        (uint32_t)sizeof(ScopestreamMeasure),                                                      \
        name,                                                                                      \
        numbers,                                                                                   \
        (uint32_t)(sizeof(numbers) / sizeof((numbers)[0])),                                        \
        (uint32_t)sizeof(ScopestreamNumber),                                                       \
        compute,                                                                                   \
    };

#ifdef __cplusplus
}
#endif

#endif
