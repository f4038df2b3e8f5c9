#!/bin/bash
# From a file's close to its committed row, at half the industrial rate: 19 frames/s of 10 MB that
# are really written to the disk while it goes on.
#
#   tests/bench/latency-at-half-rate.sh [path|direct|fetch [SECONDS]]
way=${1:-path} seconds=${2:-30}
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

case $way in
    path) settings=("features.deliveries=path") ;;
    direct) settings=("features.deliveries=direct" "ingest.direct-listen=127.0.0.1:0") ;;
    fetch) settings=("features.deliveries=fetch") ;;
    *) echo "expected path, direct or fetch, not '$way'" >&2 && exit 2 ;;
esac
bench_start "${settings[@]}"
cpu_mark
process_start microscope "$SCOPESTREAM_BIN/simulated-microscope" --out "$images" --list "$written" \
    --wells all1536 --sites 1 --channels DAPI --side 2236 --rate 19 --frames $((seconds * 19)) \
    --reuse 20 --quiet
while process_id microscope > /dev/null; do sleep 0.5; done
wait_until 300 rows_are "$(($(wc -l < "$written") - 1))"
printf '%s, written at 19 frames/s: %s\n' "$way" "$(stored_rate)"
stage_report
cpu_report "$(awk "BEGIN { print $seconds * 19 * 0.01 }")"
expect_files_equal_rows
