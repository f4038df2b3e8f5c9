#!/bin/bash
# The same pixels come inline, by path, direct and by fetch, as files of one page and as a page cut
# from a stack: every number is the same to the last bit, and the row tells the way.
. "$(dirname "$0")/harness.bash"

start_servers
setting ingest direct-listen 127.0.0.1:0
setting ingest inline-limit 1MB
start_store
start_ingest
microscope --out "$staging/set" --list "$staging/set.csv" --channels DAPI --z 3
microscope --out "$staging/stack" --list "$staging/stack.csv" --naming micromanager --stack --z 3

for way in inline path direct fetch; do
    setting features deliveries $way
    start_workers 2
    cp -r "$staging/set" "$images/$way"
    cp -r "$staging/stack" "$images/$way-stack"
    all_came_this_way() {
        [ "$(sql "select count(*) from scopestream.frames where delivery = '$way'
            and status = 'ok'")" = 6 ]
    }
    wait_until 30 all_came_this_way
    stop_workers
done

expect "rows" "$(rows)" 24
# What was measured, and nothing of where and when: the catalogue tells the columns.
expect "different numbers" "$(sql "
    select count(*) from (
        select regexp_replace(path, '^[a-z]+', ''), page
        from scopestream.features f,
        lateral (select jsonb_object_agg(m.name, to_jsonb(f) -> m.name) as numbers
            from scopestream.measures m) measured
        group by 1, 2
        having count(distinct numbers) > 1 or count(*) <> 4) different")" 0
expect_files_equal_rows
