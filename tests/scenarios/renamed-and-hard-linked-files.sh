#!/bin/bash
# Files that come without being written: renamed into place from an unfinished name, hard-linked into
# place, written by a program that never closes them. Those still under an unfinished name are left.
. "$(dirname "$0")/harness.bash"

start_everything
make_image "$staging/a.tif" 1
make_image "$staging/b.tif" 2
make_image "$staging/c.tif" 3

cp "$staging/a.tif" "$images/.a.tif.Xy12ab"
cp "$staging/a.tif" "$images/a.tif.part"
cp "$staging/a.tif" "$images/left.tif.tmp"
always 2 rows_are 0
mv "$images/.a.tif.Xy12ab" "$images/a.tif"
wait_until 10 rows_are 1

ln "$staging/b.tif" "$images/b.tif"
wait_until 10 rows_are 2

exec 5> "$images/c.tif" # stays open
cat "$staging/c.tif" >&5
wait_until 10 rows_are 3
exec 5>&-
always 2 rows_are 3

expect "files with rows" "$(sql "select string_agg(path, ' ' order by path) from
    scopestream.frames where status = 'ok'")" "a.tif b.tif c.tif"
expect_files_equal_rows
