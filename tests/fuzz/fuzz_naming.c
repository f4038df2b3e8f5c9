/* fuzz_naming: bytes as a path below a source. Whatever it tells must be able to travel: valid
 * UTF-8, and a well in its one form. */
#include "stream/naming.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>

static void expect_text(const char *text) {
    if (text != NULL && (*text == '\0' || !g_utf8_validate(text, -1, NULL)))
        abort();
}

static void expect_number(gint32 number) {
    if (number < 0 && number != FRAME_UNKNOWN)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    static char folder[] = "/data/source", naming[] = NAMING_AUTO;
    static const SourceSettings source = {.folder = folder, .naming = naming};
    g_autofree char *raw = g_strndup((const char *)data, length);
    g_autoptr(Frame) frame = frame_new();
    frame->path = frame_path_encode(raw);
    naming_place(&source, frame);

    expect_text(frame->experiment);
    expect_text(frame->plate);
    expect_text(frame->channel);
    expect_number(frame->site);
    expect_number(frame->z);
    expect_number(frame->t);
    if (frame->well != NULL && !g_regex_match_simple("^[A-Z]{1,2}[0-9]{2}$", frame->well, 0, 0))
        abort();
    return 0;
}
