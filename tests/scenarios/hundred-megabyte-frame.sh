#!/bin/bash
# A frame of 100 MB passes a NATS server that takes messages of 1 MB: in chunks over NATS (fetch), and
# over one TCP connection (direct). Its row says which way it came.
. "$(dirname "$0")/harness.bash"

start_servers
setting ingest direct-listen 127.0.0.1:0
start_store
start_ingest

setting features deliveries fetch
start_workers 1
make_image "$images/fetched.tif" 1 --side 7100
[ "$(stat -c %s "$images/fetched.tif")" -gt 100000000 ] || fail "the frame is too small"
wait_until 120 rows_are 1
stop_workers

setting features deliveries direct
start_workers 1
cp "$images/fetched.tif" "$images/direct.tif"
wait_until 120 rows_are 2

expect "ways" "$(sql "select path, status, delivery from scopestream.frames order by path")" \
    $'direct.tif\tok\tdirect\nfetched.tif\tok\tfetch'
expect "different numbers" "$(sql "select count(distinct (mean, std, focus_score)) from
    scopestream.features")" 1
expect_files_equal_rows
