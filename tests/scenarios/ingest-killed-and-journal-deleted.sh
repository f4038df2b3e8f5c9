#!/bin/bash
# Ingest is killed while it offers, and its journal is deleted: a scan and a question to the store
# rebuild it. Every frame has one row, under the id it would have had.
. "$(dirname "$0")/harness.bash"

start_everything
microscope --wells A01-B06 --sites 2 --channels DAPI,GFP # 48 frames
some_rows() { [ "$(rows)" -ge "$1" ]; }
wait_until 20 some_rows 10
kill_ingest
delete_journal
microscope --wells C01-C06 --sites 2 --channels DAPI,GFP --list "$folder/more.csv" # 24 more
start_ingest
wait_until 60 rows_are 72
tail -n +2 "$folder/more.csv" >> "$written"

kill_ingest
delete_journal
start_ingest
knows_all_as_stored() { [ "$(answer_of ingest '.[0].sources[0].stored')" = 72 ]; }
wait_until 30 knows_all_as_stored
expect "measured again" "$(sql "select count(*) from scopestream.frames where attempt > 2")" 0

expect_list_equals_rows
expect_files_equal_rows
