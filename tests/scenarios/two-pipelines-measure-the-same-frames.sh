#!/bin/bash
# Ingest offers each frame to two pipelines, each with a crew of its own: every frame ends with a row
# of each. One crew is away while the other works; ingest is restarted, and loses its journal; a third
# pipeline that comes later gets all the frames, and one that is given up is offered nothing more.
. "$(dirname "$0")/harness.bash"

frames_of() { # PIPELINE
    sql "select count(distinct frame_id) from scopestream.frames where pipeline = '$1'"
}
frames_are() { # PIPELINE COUNT
    [ "$(frames_of "$1")" = "$2" ]
}
# What ingest says of PIPELINE: waiting, offered and stored frames.
tells_of() { # PIPELINE
    answer_of ingest ".[0].sources[0].pipelines[]? | select(.name == \"$1\") |
        \"\\(.waiting) \\(.offered) \\(.stored)\""
}
tells() { # PIPELINE WAITING OFFERED STORED
    [ "$(tells_of "$1")" = "$2 $3 $4" ]
}
image_plate() { # PLATE
    microscope --plate "$1" --wells A01-B03 --sites 2 --channels DAPI,GFP # 24 frames
}

start_servers
setting ingest pipelines quality,second
start_store
start_ingest
start_crew quality
start_crew second
image_plate P1
wait_until 30 frames_are quality 24
wait_until 30 frames_are second 24
wait_until 10 tells quality 0 0 24
wait_until 10 tells second 0 0 24

# One crew is away: its frames wait, the other's do not.
stop_crew second
image_plate P2
wait_until 30 frames_are quality 48
wait_until 10 tells quality 0 0 48
always 2 tells second 0 24 24
frames_are second 24 || fail "who measured for pipeline second?"

# Ingest starts again meanwhile, and knows what each has.
stop_ingest
start_ingest
wait_until 10 tells quality 0 0 48
wait_until 10 tells second 0 24 24
start_crew second
wait_until 30 frames_are second 48
wait_until 10 tells second 0 0 48

# Without its journal it asks for each what has rows.
kill_ingest
delete_journal
start_ingest
wait_until 20 tells quality 0 0 48
wait_until 20 tells second 0 0 48
expect "attempts" "$(sql 'select max(attempt) from scopestream.frames')" 1

# A third one gets all the frames there are, and those that come.
setting ingest pipelines quality,second,third
stop_ingest
start_ingest
start_crew third
wait_until 30 frames_are third 48
image_plate P3
for pipeline in quality second third; do
    wait_until 30 frames_are $pipeline 72
    wait_until 10 tells $pipeline 0 0 72
done

# One that is given up leaves nothing in the queue.
stop_crew third
image_plate P4
wait_until 10 tells third 0 24 72
setting ingest pipelines quality,second
stop_ingest
start_ingest
wait_until 30 frames_are second 96
nothing_is_queued() { [ "$(status queued)" = 0 ]; }
wait_until 10 nothing_is_queued
expect "frames of the third" "$(frames_of third)" 72

expect "rows" "$(rows)" 264 # 96 of each of two, 72 of the third
expect "status" "$(sql 'select distinct status from scopestream.frames')" ok
expect_files_equal_rows
