/* fuzz: what a fuzz target includes. A target is one file fuzz_<name>.c with one function; its
 * inputs are kept in corpus/<name>/. With clang (-DSCOPESTREAM_FUZZ=ON) it is a libFuzzer program:
 *
 *     fuzz_tiff -max_total_time=600 tests/fuzz/corpus/tiff
 *
 * and everywhere it is a program that runs over the files it is given, which ctest does with the
 * corpus: an input that once did harm stays there and is tried for ever. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0. What must not be, it shows by abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#endif
