/* scopestream-features: stream -> numbers. */
#include "features/crew.h"
#include "features/list.h"
#include "features/measure_files.h"
#include "stream/program.h"

static const Command commands[] = {
    {"run", "", "keep worker processes measuring frames of the stream", NULL, true, crew_run},
    {"measure", "FILE...", "measure image files; needs no server", measure_files_options, true,
     measure_files_run},
    {"list", "", "print what is measured: unit, formula, source", list_options, true, list_run},
    {NULL},
};

int main(int argc, char **argv) {
    return program_main(FEATURES, "measures microscope frames: from the stream, or files by name",
                        commands, argc, argv);
}
