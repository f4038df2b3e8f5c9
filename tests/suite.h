/* suite: the main of a unit test. A test file lists its tests once:
 *
 *     START_TEST(an_empty_file_is_not_complete) { ... } END_TEST
 *     SUITE("settle", an_empty_file_is_not_complete, ...)
 *
 * SUITE_WITH(name, before, after, ...) also calls before() once before the first test and after()
 * once after the last: for what is dear to make, such as a server.
 *
 * Tests are named after situations. CK_FORK=no runs them in one process, for a debugger. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

#define SUITE(name, ...) SUITE_WITH(name, NULL, NULL, __VA_ARGS__)

#define SUITE_WITH(name, before, after, ...)                                                       \
    int main(void) {                                                                               \
        const TTest *const tests[] = {__VA_ARGS__};                                                \
        Suite *suite = suite_create(name);                                                         \
        TCase *situations = tcase_create(name);                                                    \
        tcase_set_timeout(situations, 120);                                                        \
        tcase_add_unchecked_fixture(situations, before, after);                                    \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)                                  \
            tcase_add_test(situations, tests[i]);                                                  \
        suite_add_tcase(suite, situations);                                                        \
        SRunner *runner = srunner_create(suite);                                                   \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        int failed = srunner_ntests_failed(runner);                                                \
        srunner_free(runner);                                                                      \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;                                          \
    }

#endif
