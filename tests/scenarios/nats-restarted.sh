#!/bin/bash
# The NATS server is killed while frames are under way, stays away while more are written, and comes
# back: every program finds it again by itself and every frame gets its row.
. "$(dirname "$0")/harness.bash"

start_everything
microscope --wells A01-A12 --sites 2 --channels DAPI,GFP # 48 frames
some_rows() { [ "$(rows)" -ge "$1" ]; }
wait_until 20 some_rows 5
kill_nats
microscope --wells B01-B06 --sites 2 --channels DAPI,GFP --list "$folder/more.csv" # 24 more
tail -n +2 "$folder/more.csv" >> "$written"
sleep 2
for program in ingest features store; do
    process_id $program > /dev/null || fail "$program has ended"
done
start_nats

wait_until 90 rows_are 72
expect_list_equals_rows
expect_files_equal_rows
