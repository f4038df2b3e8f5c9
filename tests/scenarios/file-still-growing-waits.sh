#!/bin/bash
# A file is written in pieces, with pauses longer than the quiet time, and closed after each: its
# frame waits, visibly and with the reason, until the last piece is there.
. "$(dirname "$0")/harness.bash"

start_servers
setting ingest unfinished-after 1min
start_store
start_workers
start_ingest
make_image "$staging/whole.tif"
size=$(stat -c %s "$staging/whole.tif")

head -c $((size / 3)) "$staging/whole.tif" > "$images/a.tif"
always 2 rows_are 0
head -c $((size * 2 / 3)) "$staging/whole.tif" | tail -c +$((size / 3 + 1)) >> "$images/a.tif"
always 2 rows_are 0

expect "unsettled" "$(answer_of ingest '.[0].sources[0].unsettled')" 1
expect "the file that waits" "$(answer_of ingest '.[0].sources[0].files[0].path')" a.tif
expect_like "the reason" "$(answer_of ingest '.[0].sources[0].files[0].reason')" '*?byte*'

tail -c +$((size * 2 / 3 + 1)) "$staging/whole.tif" >> "$images/a.tif"
wait_until 20 rows_are 1
cmp "$staging/whole.tif" "$images/a.tif"

expect "its status" "$(sql "select status from scopestream.frames")" ok
expect "events" "$(sql "select count(*) from scopestream.events where event = 'unfinished'")" 0
expect_files_equal_rows
