#!/bin/bash
# Workers die in the middle of their work: one child by kill -9, which its parent replaces; then the
# whole crew at once. Every frame is measured all the same, and no row says poison.
. "$(dirname "$0")/harness.bash"

start_servers
start_store
start_ingest
microscope --wells A01-B06 --sites 3 --channels DAPI,GFP --side 256 # 72 frames
all_offered() { [ "$(status queued)" = 72 ]; }
wait_until 20 all_offered

start_workers 2
some_rows() { [ "$(rows)" -ge "$1" ]; }
wait_until 20 some_rows 5
read -r first _ <<< "$(worker_ids)"
kill -KILL "$first"
one_death_is_told() { [ "$(answer_of features 'map(.deaths) | max')" -ge 1 ]; }
wait_until 20 one_death_is_told
wait_until 20 some_rows 20

kill_workers
start_workers 2
wait_until 60 rows_are 72

expect "status" "$(sql "select distinct status from scopestream.frames")" ok
expect_list_equals_rows
expect_files_equal_rows
