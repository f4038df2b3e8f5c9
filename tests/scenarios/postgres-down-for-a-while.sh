#!/bin/bash
# PostgreSQL is away while frames are measured: their results wait in NATS, the store waits with one
# line in its log and does not end, and all of them stand in rows when it is back.
. "$(dirname "$0")/harness.bash"

start_everything
microscope --wells A01-A06 --channels DAPI,GFP # 12 frames
wait_until 20 rows_are 12
stop_postgres
microscope --wells B01-B12 --channels DAPI,GFP --list "$folder/more.csv" # 24 more
tail -n +2 "$folder/more.csv" >> "$written"
results_wait() { [ "$(answer_of store '.[0].database')" != connected ]; }
wait_until 20 results_wait
sleep 3
process_id store > /dev/null || fail "the store has ended"
lines=$(wc -l < "$folder/log/store.log")
[ "$lines" -lt 15 ] || fail "the store wrote $lines lines"
start_postgres

wait_until 60 rows_are 36
expect_list_equals_rows
expect_files_equal_rows
