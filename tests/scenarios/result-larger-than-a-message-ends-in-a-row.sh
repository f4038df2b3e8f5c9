#!/bin/bash
# A pipeline whose results, and a thumbnail that alone, are larger than the NATS server's
# max_payload: the crew goes on, a frame without its thumbnail keeps its numbers, and one with too
# many numbers ends in a row that says what to do.
. "$(dirname "$0")/harness.bash"

start_servers
# A noisy picture, which is large as a thumbnail, too: a TIFF of 1024 x 1024 pixels of 8 bits.
noise() { # FILE
    local row
    {
        printf 'II*\0\10\0\0\0\10\0'
        for row in '\0\1\4\0\1\0\0\0\0\4\0\0' '\1\1\4\0\1\0\0\0\0\4\0\0' \
            '\2\1\3\0\1\0\0\0\10\0\0\0' '\3\1\3\0\1\0\0\0\1\0\0\0' \
            '\6\1\3\0\1\0\0\0\1\0\0\0' '\21\1\4\0\1\0\0\0\156\0\0\0' \
            '\26\1\4\0\1\0\0\0\0\4\0\0' '\27\1\4\0\1\0\0\0\0\0\20\0' '\0\0\0\0'; do
            # shellcheck disable=SC2059
            printf "$row"
        done
        head -c 1048576 /dev/urandom
    } > "$staging/noise.tif"
    mv "$staging/noise.tif" "$1"
}

stop_nats
echo "max_payload: 100KB" >> "$folder/nats/nats.conf"
start_nats
setting features thumbnail-side 1024
start_store
start_workers 1
start_ingest
noise "$images/one.tif"
noise "$images/two.tif"
wait_until 60 rows_are 2
expect "status" "$(sql "select distinct status from scopestream.frames")" ok
expect "numbers" "$(sql "select count(mean) from scopestream.features")" 2
expect "thumbnails" "$(sql "select count(*) from scopestream.thumbnails")" 0
expect "lines about thumbnails" "$(grep -c 'without its thumbnail' "$folder/log/features.log")" 1

stop_workers
plug_ins=$folder/plug-ins
mkdir "$plug_ins"
cp "$bin/../tests/plug_ins/fills_a_message.so" "$plug_ins"
setting features plug-ins "$plug_ins"
start_workers 1
microscope --wells B01 --side 64 --sites 2
wait_until 60 rows_are 4
expect_like "the reason" "$(sql "select distinct reason from scopestream.frames where well = 'B01'
    and status = 'broken'")" "its result takes * bytes, *max_payload of 102400: *"

expect_files_equal_rows
