#!/bin/bash
# A pipeline's measures change while it runs: rows from then on are of its next version, those that
# stand keep theirs, and its first definition, back again, is its first version again.
. "$(dirname "$0")/harness.bash"

image_plate() { # PLATE ROWS
    microscope --plate "$1" --wells A01-A03 --sites 1 --channels DAPI # 3 frames
    wait_until 30 rows_are "$2"
}
# Version and which of three numbers a plate's rows have.
told() { # PLATE
    sql "select distinct pipeline_version, mean is not null, correlation_20 is not null,
                correlation_50 is not null
         from scopestream.features where plate = '$1'"
}
measure() { # WORDS...
    stop_workers
    setting "pipeline quality" measures "$*"
    start_workers
}

start_servers
setting "pipeline quality" measures "intensity correlation:20"
start_store
start_workers
start_ingest
image_plate P1 3
measure intensity correlation:20,50
image_plate P2 6
measure intensity correlation:20
image_plate P3 9

expect "P1" "$(told P1)" $'1\tt\tt\tf'
expect "P2" "$(told P2)" $'2\tt\tt\tt'
expect "P3" "$(told P3)" $'1\tt\tt\tf'
expect "versions" "$(sql "select count(distinct pipeline_version) from scopestream.features")" 2
expect_files_equal_rows
