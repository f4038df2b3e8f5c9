/* scopestream-store: numbers -> SQL. */
#include "store/commands/commands.h"
#include "store/export.h"
#include "store/migrate.h"
#include "store/page/page.h"
#include "store/status/status.h"
#include "store/store.h"
#include "stream/program.h"

int main(int argc, char **argv) {
    const Command commands[] = {
        {"run", "", "store results in PostgreSQL until stopped", NULL, true, store_command},
        {"migrate", "", "bring the database's schema to this program's version", NULL, true,
         migrate_command},
        {"status", "", "show where the frames are, and how fast they move", status_options, true,
         status_command},
        {"page", "", "serve a web page that shows what happens now", NULL, true, page_command,
         page_check},
        {"export", "", "write what was measured as a table for other programs", export_options,
         true, export_command},
        {"rules", "VERB [NAME]",
         "what is looked for in frames: list, show, add, change, test, on, off, drop",
         rules_options, true, rules_command},
        {"models", "VERB [NAME]", "what gives frames scores: list, show, add, on, off, default",
         models_options, true, models_command},
        {"alerts", "VERB [ID...]", "what went wrong: list, show, acknowledge, close",
         alerts_options, true, alerts_command},
        {"rescore", "MODEL [VERSION]", "score the frames that are stored by a model",
         rescore_options, true, rescore_command},
        {"what-if", "A B", "compare two models over the frames that are stored", what_if_options,
         true, what_if_command},
        {"layout", "VERB [FILE.csv]", "what the wells of a plate hold: load, show, drop",
         layout_options, true, layout_command},
        {"map", "", "show a plate in the terminal, its wells in colours", map_options, true,
         map_command},
        {"sheet", "", "draw a plate, or a well over time, into a PNG", sheet_options, true,
         sheet_command},
        {0},
    };
    return program_main(STORE, "stores what was measured in PostgreSQL", commands, argc, argv);
}
