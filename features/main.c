/* scopestream-features: stream -> numbers. */
#include "features/crew.h"
#include "features/list.h"
#include "features/measure_files.h"
#include "features/plug_ins/plug_in_host.h"
#include "features/plug_ins/plug_in_wire.h"
#include "stream/program.h"
#include <string.h>

static const Command commands[] = {
    {"run", "", "keep worker processes measuring frames of the stream", NULL, true, crew_run,
     crew_check},
    {"measure", "FILE...", "measure image files; needs no server", measure_files_options, true,
     measure_files_run},
    {"list", "", "print what is measured: unit, formula, source", list_options, true, list_run},
    {NULL},
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], PLUG_IN_HOST_COMMAND) == 0)
        return plug_in_host_run(argv + 2);
    return program_main(FEATURES, "measures microscope frames: from the stream, or files by name",
                        commands, argc, argv);
}
