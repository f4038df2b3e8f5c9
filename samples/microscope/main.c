/* simulated-microscope: writes a plate of cells into a folder, as a microscope does. */
#include "samples/microscope/run.h"
#include "samples/microscope/stopping.h"

#include <locale.h>
#include <stdio.h>

enum { DONE = 0, FAILED = 1, WRONG_USE = 2 };

static int complain(const GError *error, int status) {
    fprintf(stderr, "simulated-microscope: %s\n", error->message);
    return status;
}

int main(int argc, char **argv) {
    setlocale(LC_CTYPE, "");
    g_autoptr(GError) error = NULL;
    g_autoptr(Options) options = options_read(&argc, &argv, &error);
    if (!options)
        return complain(error, WRONG_USE);
    stopping_listen();
    g_autoptr(Run) run = run_new(options, &error);
    if (!run || !run_plate(run, &error))
        return complain(error, FAILED);
    return DONE;
}
