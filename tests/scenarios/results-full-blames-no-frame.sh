#!/bin/bash
# The store is away for longer than a worker may take for a frame, and the queue of results is full:
# the workers wait with what they measured. No row says poison afterwards, and no worker was ended.
. "$(dirname "$0")/harness.bash"

start_servers
setting nats results-limit 64KiB
setting features frame-time-limit 1s
start_ingest
start_workers
microscope --wells A01-C06 --side 256
workers_wait() { log_says features 'results wait'; }
wait_until 20 workers_wait
sleep 8 # eight times the limit
expect "ended workers" "$(grep -c 'frame-time-limit' "$folder/log/features.log" || true)" 0

start_store
wait_until 30 rows_are 18
expect "status" "$(sql 'select distinct status from scopestream.frames')" ok
expect_list_equals_rows
expect_files_equal_rows
