#!/bin/bash
# A plate's folder is renamed while its frames wait in the queue: their rows say vanished, which is
# true at that time. It is renamed back: the frames are measured, and the rows say so.
. "$(dirname "$0")/harness.bash"

start_servers
start_store
start_ingest
microscope --out "$images/plates" --wells A01-A06 --side 256 # too large to ride along
queued_are() { [ "$(status queued)" = "$1" ]; }
wait_until 20 queued_are 6

mv "$images/plates" "$folder/elsewhere"
start_workers
vanished_are() {
    [ "$(sql "select count(*) from scopestream.frames where status = 'vanished'")" = "$1" ]
}
wait_until 20 vanished_are 6

mv "$folder/elsewhere" "$images/plates"
ok_are() { [ "$(sql "select count(*) from scopestream.frames where status = 'ok'")" = "$1" ]; }
wait_until 30 ok_are 6
wait_until 20 queued_are 0
expect "rows" "$(rows)" 6
expect "attempts" "$(sql 'select distinct attempt from scopestream.frames')" 2
expect_files_equal_rows
