#!/bin/bash
# Files that are complete but no readable image: each ends in a row that says so and why, and the
# frames around them are measured. A file that ends early for good ends in an event.
. "$(dirname "$0")/harness.bash"

start_everything
make_image "$images/good-1.tif" 1 --compression deflate
make_image "$staging/bad.tif" 2 --compression deflate

# The strips' bytes in the middle of the file become something that was never deflated.
size=$(stat -c %s "$staging/bad.tif")
head -c 2000 /dev/zero | tr '\0' '\377' |
    dd of="$staging/bad.tif" bs=1 seek=$((size / 2 - 1000)) conv=notrunc status=none
mv "$staging/bad.tif" "$images/bad.tif"
head -c $((size / 2)) "$images/good-1.tif" > "$images/short.tif"
printf 'this is no image\n' > "$images/words.tif"
: > "$images/nothing.tif"
make_image "$images/good-2.tif" 3

wait_until 20 rows_are 3
expect "status by file" "$(sql "select path, status from scopestream.frames order by path")" \
    $'bad.tif\tbroken\ngood-1.tif\tok\ngood-2.tif\tok'
expect "has a reason" "$(sql "select length(reason) > 10 from scopestream.failures")" t

events() { sql "select path from scopestream.events where event = 'unfinished' order by path"; }
three_events() { [ "$(events)" = $'nothing.tif\nshort.tif\nwords.tif' ]; }
wait_until 20 three_events
expect "ingest gave up on" "$(answer_of ingest '.[0].sources[0].unfinished')" 3
expect_files_equal_rows
