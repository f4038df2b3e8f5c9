#!/bin/bash
# One file appears in the folder: its frame is measured and stands in one row, with its place, its
# numbers and its times in order; nothing is left in the queues, and everybody says so.
. "$(dirname "$0")/harness.bash"

start_everything
microscope --naming imagexpress --plate P7 --wells B03 --channels DAPI

wait_until 20 rows_are 1
expect "the row" "$(sql "select status, plate, well, width, height, bits, pages from
    scopestream.frames")" $'ok\tP7\tB03\t128\t128\t16\t1'
expect "has numbers" "$(sql "select mean > 0 and std > 0 and focus_score > 0 from
    scopestream.features")" t
expect "times in order" "$(sql "select closed_at <= offered_at and offered_at <= taken_at
    and taken_at <= received_at and received_at <= decoded_at and decoded_at <= measured_at
    and measured_at <= stored_at from scopestream.frames")" t

nothing_waits() {
    [ "$(status unsettled) $(status waiting) $(status queued) $(status measuring) \
$(status results_queued)" = "0 0 0 0 0" ]
}
wait_until 10 nothing_waits
expect "stored, says status" "$(status stored)" 1
expect "stored, says ingest" "$(answer_of ingest '.[0].sources[0].stored')" 1

expect_list_equals_rows
expect_files_equal_rows
