#!/bin/bash
# A frame takes longer than a worker may: three workers are ended over it, each at once followed by
# another, then its row says poison and why; frames after it are measured.
. "$(dirname "$0")/harness.bash"

start_servers
setting features frame-time-limit 1ms
start_store
start_workers 1
start_ingest

make_image "$images/large.tif" 1 --side 7071
wait_until 60 rows_are 1
expect "its status" "$(sql "select status from scopestream.frames")" poison
expect_like "the reason" "$(sql "select reason from scopestream.frames")" \
    '3 worker processes ended over it*took longer than*frame-time-limit*'
expect "deaths" "$(answer_of features '.[0].deaths')" 3

stop_workers
setting features frame-time-limit 60s
start_workers 1
make_image "$images/small.tif" 2
wait_until 30 rows_are 2
expect "status of the next" "$(sql "select status from scopestream.frames where path = 'small.tif'")" ok
expect_files_equal_rows
