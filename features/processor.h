/* processor: hot loops are built for several instruction sets, and the best for this machine is
 * chosen when the program starts. Put FOR_EACH_PROCESSOR before such a function.
 *
 * Sums of whole numbers are the same on all of them; sums of floats are not promised to be. The
 * sanitizers are not ready when the choice is made, so they get the plain build. */
#ifndef FEATURES_PROCESSOR_H
#define FEATURES_PROCESSOR_H

#if defined(__x86_64__) && !defined(SCOPESTREAM_SANITIZE)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#include <stddef.h>

#define PROCESSOR_CACHE_LINE_BYTES 64

/* Asks for memory that will be read soon. A processor reads ahead by itself too, but not beyond a
 * page of 4 KiB: of a frame's rows each begins another page. */
static inline void processor_call_for(const void *start, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; i += PROCESSOR_CACHE_LINE_BYTES)
        __builtin_prefetch((const char *)start + i);
}

#endif
