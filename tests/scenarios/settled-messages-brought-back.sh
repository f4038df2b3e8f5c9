#!/bin/bash
# A NATS server that is killed may bring back messages it had removed; its consumers know them as
# acknowledged and give them to nobody. They are taken out again: else they would take up the queue's
# room for ever, and what is lost behind them would never be missed.
. "$(dirname "$0")/harness.bash"

start_servers
start_store
start_ingest
microscope --wells A01-A06 --channels DAPI,GFP # 12 frames
queued_are() { [ "$(status queued)" = "$1" ]; }
wait_until 20 queued_are 12

# The queue's messages as they were before anybody took one.
messages=$(find "$folder/nats/store" -type d -path '*/FRAMES/msgs')
stop_nats
cp -a "$messages" "$folder/msgs"
start_nats
start_workers
wait_until 30 rows_are 12
wait_until 20 queued_are 0
stop_workers
stop_nats
rm -rf "$messages"
mv "$folder/msgs" "$messages"
start_nats

they_are_told() { log_says ingest 'brought back'; }
wait_until 20 they_are_told
wait_until 20 queued_are 0
start_workers
microscope --wells B01-B06 --channels DAPI --list "$folder/more.csv" # 6 more
tail -n +2 "$folder/more.csv" >> "$written"
wait_until 20 rows_are 18
wait_until 20 queued_are 0

expect "measured twice" "$(sql "select count(*) from scopestream.frames where attempt > 1")" 0
expect_list_equals_rows
expect_files_equal_rows
