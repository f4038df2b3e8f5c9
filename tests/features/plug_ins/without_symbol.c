/* without_symbol: a shared object, and no plug-in. */
int a_function_of_some_library(void);

int a_function_of_some_library(void) {
    return 1;
}
