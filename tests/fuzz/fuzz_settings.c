/* fuzz_settings: bytes as a settings file. It is right or wrong, in one line. */
#include "stream/settings.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    g_autofree char *text = g_strndup((const char *)data, length);
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    bool right =
        settings_read_text(settings, text, "fuzz.conf", &error) && settings_check(settings, &error);
    if (!right && !fault_is(error, FAULT_USAGE))
        abort();
    return 0;
}
