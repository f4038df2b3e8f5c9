#!/bin/bash
# A file has its final size from the start and holds zeros until its pixels come, as some microscopes
# write: size and quiet alone would take it for complete. One that never gets its pixels ends in an
# event.
. "$(dirname "$0")/harness.bash"

start_everything
make_image "$staging/whole.tif"
size=$(stat -c %s "$staging/whole.tif")

truncate -s "$size" "$images/a.tif"
truncate -s "$size" "$images/never.tif"
always 2 rows_are 0
dd if="$staging/whole.tif" of="$images/a.tif" bs=4096 conv=notrunc status=none
wait_until 20 rows_are 1
expect "its status" "$(sql "select path, status from scopestream.frames")" $'a.tif\tok'

the_other_is_an_event() {
    [ "$(sql "select path from scopestream.events where event = 'unfinished'")" = never.tif ]
}
wait_until 20 the_other_is_an_event
expect_files_equal_rows
