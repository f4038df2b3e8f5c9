#!/bin/bash
# The watched folder is not there at the start, comes, goes with a share that is unmounted, and comes
# back: ingest waits, says so once each time, and takes nothing for deleted.
. "$(dirname "$0")/harness.bash"

rmdir "$images"
start_everything
state_is() { [ "$(answer_of ingest '.[0].sources[0].state')" = "$1" ]; }
wait_until 10 state_is away

mkdir "$images"
wait_until 10 state_is watching
make_image "$images/a.tif" 1
wait_until 20 rows_are 1

mv "$images" "$images.elsewhere"
wait_until 10 state_is away
make_image "$images.elsewhere/b.tif" 2
mv "$images.elsewhere" "$images"
wait_until 10 state_is watching
wait_until 20 rows_are 2
make_image "$images/c.tif" 3
wait_until 20 rows_are 3

has_events() {
    [ "$(sql "select count(*) filter (where event = 'source-away') > 0
        and count(*) filter (where event = 'source-back') > 0 from scopestream.events")" = t ]
}
wait_until 10 has_events
expect "attempts" "$(sql "select max(attempt) from scopestream.frames")" 1
expect_files_equal_rows
