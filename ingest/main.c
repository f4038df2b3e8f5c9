/* scopestream-ingest: disk -> stream. */
#include "ingest/check.h"
#include "ingest/ingest.h"
#include "stream/program.h"

static const Command commands[] = {
    {"run", "", "watch the sources and offer their frames, until stopped", NULL, true, ingest_run},
    {"check", "FILE...", "explain what would be made of each file", check_options, true, check_run},
    {"namings", "", "list the instruments whose file names are understood", NULL, false,
     namings_run},
    {NULL},
};

int main(int argc, char **argv) {
    return program_main(INGEST, "offers the frames of microscopes' output folders to the stream",
                        commands, argc, argv);
}
