#!/bin/bash
# The queue of frames is full and nobody works on it: ingest holds the rest back on its own disk, says
# so once, and goes on when there is room. Nothing that was queued is thrown out.
. "$(dirname "$0")/harness.bash"

start_servers
setting nats frames-limit-count 10
start_store
start_ingest
microscope --wells A01-B12 --channels DAPI,GFP # 48 frames
queue_is_full() { [ "$(status queued) $(status waiting)" = "10 38" ]; }
wait_until 20 queue_is_full
always 3 queue_is_full
[ "$(answer_of ingest '.[0].holding')" != null ] || fail "ingest does not say that it holds back"
expect "lines about it" "$(grep -ciE 'hold|full' "$folder/log/ingest.log")" 1

start_workers
wait_until 60 rows_are 48
expect "attempts" "$(sql "select max(attempt) from scopestream.frames")" 1
expect_list_equals_rows
expect_files_equal_rows
