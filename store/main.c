/* scopestream-store: numbers -> SQL. */
#include "store/export.h"
#include "store/migrate.h"
#include "store/status.h"
#include "store/store.h"
#include "stream/program.h"

int main(int argc, char **argv) {
    const Command commands[] = {
        {"run", "", "store results in PostgreSQL until stopped", NULL, true, store_command},
        {"migrate", "", "bring the database's schema to this program's version", NULL, true,
         migrate_command},
        {"status", "", "show where the frames are, and how fast they move", status_options, true,
         status_command},
        {"export", "", "write what was measured as a table for other programs", export_options,
         true, export_command},
        {0},
    };
    return program_main(STORE, "stores what was measured in PostgreSQL", commands, argc, argv);
}
