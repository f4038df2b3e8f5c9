#!/bin/bash
# One worker and three of them measure the same frames, for two pipelines that ask for the same: every
# value of every column is the same to the last bit.
. "$(dirname "$0")/harness.bash"

frames_are() { # PIPELINE COUNT
    [ "$(sql "select count(*) from scopestream.features where pipeline = '$1'")" = "$2" ]
}

start_servers
setting ingest pipelines one,three
start_store
start_ingest
start_crew one 1
start_crew three 3
microscope --plate P1 --wells A01-B03 --sites 2 --channels DAPI,GFP # 24 frames
wait_until 60 frames_are one 24
wait_until 60 frames_are three 24

# A frame's row as JSON, without what tells of the run.
differing=$(sql "
    with bare as (
        select frame_id, pipeline,
               to_jsonb(features) - array['pipeline', 'pipeline_version', 'delivery', 'attempt', 'worker',
                                          'measured_at', 'stored_at'] as row
        from scopestream.features)
    select count(*) from bare a join bare b using (frame_id)
    where a.pipeline = 'one' and b.pipeline = 'three' and a.row <> b.row")
expect "rows that differ" "$differing" 0
columns=$(sql "select count(*) from information_schema.columns
               where table_schema = 'scopestream' and table_name = 'features'
                 and column_name in (select name from scopestream.measures)")
[ "$columns" -gt 50 ] || fail "only $columns numbers were compared"
expect_files_equal_rows
