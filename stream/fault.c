#include "stream/fault.h"

G_DEFINE_QUARK(scopestream - fault, fault)

bool fault_set(GError **error, Fault fault, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, FAULT, fault, words);
    return false;
}

bool fault_is(const GError *error, Fault fault) {
    return g_error_matches(error, FAULT, fault);
}
