/* fuzz_plug_in: bytes as what a plug-in's process says of it. They describe numbers that can have
 * columns, or are wrong, with a reason. */
#include "features/plug_ins/plug_in_description.h"
#include "tests/fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
    g_autoptr(GBytes) body = g_bytes_new(data, length);
    g_autoptr(GError) error = NULL;
    MeasureNumber *numbers = plug_in_description_read(body, "dust", &error);
    if ((numbers == NULL) != fault_is(error, FAULT_BROKEN))
        abort();
    for (const MeasureNumber *number = numbers; numbers != NULL && number->name != NULL; number++)
        if (strlen(number->name) > 63 || *number->unit == '\0' || number->version < 1 ||
            measure_number_places(number) < 1)
            abort();
    plug_in_numbers_free(numbers);
    return 0;
}
