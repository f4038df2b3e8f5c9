#!/bin/bash
# The worst end of a NATS host: its whole store is gone, with queued frames and queued results in it.
# The streams are made anew, what was lost is offered again, and every frame gets its one row.
. "$(dirname "$0")/harness.bash"

start_servers
start_ingest
start_workers
microscope --wells A01-B12 --channels DAPI,GFP # 48 frames, their results wait for a store
some_results_wait() { [ "$(status results_queued)" -ge 10 ]; }
wait_until 20 some_results_wait
stop_workers
microscope --wells C01-C06 --channels DAPI,GFP --list "$folder/more.csv" # 12 wait for a worker
tail -n +2 "$folder/more.csv" >> "$written"
some_frames_wait() { [ "$(status queued)" -ge 12 ]; }
wait_until 20 some_frames_wait

kill_nats
delete_nats_store
start_nats
start_workers
start_store

wait_until 90 rows_are 60
expect_list_equals_rows
expect_files_equal_rows
