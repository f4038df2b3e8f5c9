#!/bin/bash
# The rate of industrial high-content imaging: 38 frames/s of 10 MB, 16-bit and uncompressed, read
# from the page cache, every frame in PostgreSQL. Reports the rate, CPU seconds per GB of each
# process, and where a frame's time goes.
#
#   tests/bench/thirty-eight-frames-a-second.sh [path|direct|fetch [SECONDS [RATE [MEASURES]]]]
#
# MEASURES are words of a pipeline, `standard` as it is. BENCH_SETTINGS overrules settings: "features.fetch-window=4MiB ingest.settle=1s".
#
# The microscope links files it made before, so that writing costs nothing; they lie in memory.
way=${1:-path} seconds=${2:-60} rate=${3:-38} measures=${4:-standard}
side=2236 # 2236 x 2236 x 2 bytes: 10 MB
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

frames=$((seconds * rate))
memory=$(mktemp -d /dev/shm/scopestream-bench.XXXXXX)
trap 'status=$?; rm -rf "$memory"; finish $status' EXIT
images=$memory/images
mkdir -p "$images"
chmod 711 "$memory"

case $way in
    path) settings=("features.deliveries=path") ;;
    direct) settings=("features.deliveries=direct" "ingest.direct-listen=127.0.0.1:0") ;;
    fetch) settings=("features.deliveries=fetch") ;;
    *) echo "expected path, direct or fetch, not '$way'" >&2 && exit 2 ;;
esac
read -ra more <<< "${BENCH_SETTINGS:-}"
bench_start "${settings[@]}" "ingest.inline-limit=0" "pipeline quality.measures=$measures" \
    "${more[@]}"

# 190 different files, 2 GB: a frame is long settled when its bytes come again under another name.
process_start microscope "$SCOPESTREAM_BIN/simulated-microscope" --out "$images" --list "$written" \
    --wells all1536 --sites 2 --channels DAPI --side "$side" --rate "$rate" --frames "$frames" \
    --write hardlinked --reuse 190 --quiet
writes() { [ -s "$written" ] && [ "$(wc -l < "$written")" -ge 2 ]; }
wait_until 300 writes
cpu_mark
started=$SECONDS
while process_id microscope > /dev/null; do
    sleep 5
    printf '%4d s: %6d written %6d stored\n' $((SECONDS - started)) \
        "$(($(wc -l < "$written") - 1))" "$(rows)"
done
written_count=$(($(wc -l < "$written") - 1))
wait_until 900 rows_are "$written_count"
printf '\n%s, %d frames of %.1f MB at %s/s\n' "$way" "$written_count" \
    "$(awk "BEGIN { print $side * $side * 2 / 1e6 }")" "$rate"
stored_rate
cpu_report "$(awk "BEGIN { print $written_count * $side * $side * 2 / 1e9 }")"
stage_report
memory_report
expect_files_equal_rows
