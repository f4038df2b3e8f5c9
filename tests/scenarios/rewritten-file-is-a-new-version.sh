#!/bin/bash
# A file is written again under its old name, with other pixels: that is another frame with its own
# row, and the row of what stood there before stays.
. "$(dirname "$0")/harness.bash"

start_everything
make_image "$images/a.tif" 1
wait_until 20 rows_are 1

make_image "$staging/b.tif" 2
cat "$staging/b.tif" > "$images/a.tif"
wait_until 20 rows_are 2

expect "versions" "$(sql "select count(distinct frame_id), count(distinct mtime_ns),
    count(distinct path) from scopestream.frames")" $'2\t2\t1'
expect "pictures" "$(sql 'select count(distinct mean) from scopestream.features')" 2
expect_files_equal_rows 1
