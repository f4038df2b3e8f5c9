#!/bin/bash
# Folders appear and are full before anyone can watch them: made and filled in one breath, moved in
# with all they hold, many at once, deep ones. No frame is missed, also between two scans.
. "$(dirname "$0")/harness.bash"

start_servers
setting ingest scan-interval 1h # the events must do
start_store
start_workers
start_ingest
is_watching() { [ "$(answer_of ingest '.[0].sources[0].state')" = watching ]; }
wait_until 10 is_watching
make_image "$staging/a.tif"

mkdir -p "$images/one/two/three/four"
cp "$staging/a.tif" "$images/one/two/three/four/a.tif"

mkdir -p "$staging/plate/well/site"
cp "$staging/a.tif" "$staging/plate/well/site/1.tif"
cp "$staging/a.tif" "$staging/plate/2.tif"
mv "$staging/plate" "$images/plate"

for i in $(seq 30); do
    mkdir "$images/many-$i" && cp "$staging/a.tif" "$images/many-$i/a.tif"
done

wait_until 30 rows_are 33
mv "$images/plate" "$images/plate-renamed"
wait_until 30 rows_are 35
make_image "$images/plate-renamed/well/later.tif" 2
wait_until 30 rows_are 36
expect_files_equal_rows 2 # of the folder's old name
