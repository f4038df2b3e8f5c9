#!/bin/bash
# The same file is met again: by an event without a change, by scans, by an ingest that has forgotten
# everything. It is the same frame, and its row is not even touched.
. "$(dirname "$0")/harness.bash"

start_everything
make_image "$images/a.tif"
wait_until 20 rows_are 1
before=$(sql "select frame_id, stored_at, to_jsonb(f) from scopestream.features f")

: >> "$images/a.tif" # opened for writing, and closed
always 2 rows_are 1

stop_ingest
delete_journal
start_ingest
knows_it_as_stored() { [ "$(answer_of ingest '.[0].sources[0].stored')" = 1 ]; }
wait_until 20 knows_it_as_stored
always 3 rows_are 1

expect "the row" "$(sql "select frame_id, stored_at, to_jsonb(f) from scopestream.features f")" \
    "$before"
expect_files_equal_rows
