#!/bin/bash
# A file of many pages: one frame and one row a page, each with its own numbers, whether the worker
# sees the file itself or is sent the page alone.
. "$(dirname "$0")/harness.bash"

start_everything
microscope --naming micromanager --stack --sites 2 --z 7

wait_until 30 rows_are 14
expect "pages by file" "$(sql "select count(distinct page), min(page), max(page), max(pages)
    from scopestream.frames group by path")" $'7\t0\t6\t7\n7\t0\t6\t7'
expect "pictures" "$(sql 'select count(distinct mean) from scopestream.features')" 14
expect_list_equals_rows
expect_files_equal_rows
