#!/bin/bash
# A hundred viewers of the page do not slow the store: rows a second of one store that writes as fast as it can, with nobody
# looking and with VIEWERS who look at the plate that is being written, in turns. Each of them listens and asks as the page
# does. On a machine that does nothing else; viewers take their share of it, too, which a laboratory's screens do not.
#
#   tests/bench/a-hundred-viewers.sh [VIEWERS [ROWS [TIMES]]]     100, 6000 rows a measurement, 3 of each
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"
viewers=${1:-100} frames=${2:-6000} times=${3:-3}
bench=$SCOPESTREAM_BIN/../bench/bench_store_batch

store_rows() { # prints rows a second
    PGUSER=postgres "$bench" "$frames" 64 | grep -oE '[0-9]+ rows/s in' | grep -oE '^[0-9]+'
}

# The processor's time of the page and of the connections it has, in seconds.
page_cpu() {
    local id ids
    ids="$(process_id page) $(sql "select string_agg(pid::text, ' ') from pg_stat_activity where application_name = 'scopestream-page'")"
    for id in $ids; do cut -d' ' -f14,15 "/proc/$id/stat" 2>/dev/null || true; done |
        awk -v hz="$(getconf CLK_TCK)" '{ ticks += $1 + $2 } END { print ticks / hz }'
}

bench_start
stop_ingest
stop_workers
stop_store
store_rows > /dev/null # the first makes its tables
start_page
printf '%s viewers; load %s\n' "$viewers" "$(cut -d' ' -f1 /proc/loadavg)"
for ((turn = 1; turn <= times; turn++)); do
    alone=$(store_rows)
    python3 "$tree/tests/bench/viewers.py" "http://127.0.0.1:$page_port/" "$viewers" 30 > "$folder/viewers.txt" &
    sleep 3
    before=$(page_cpu) began=$(date +%s%3N)
    with=$(store_rows)
    after=$(page_cpu) ended=$(date +%s%3N)
    wait $! || fail "viewers were not told: $(cat "$folder/viewers.txt")"
    printf 'rows/s alone %s, with viewers %s; page and its connections %s cores\n' "$alone" "$with" \
        "$(awk "BEGIN { printf \"%.2f\", ($after - $before) * 1000 / ($ended - $began) }")"
    cat "$folder/viewers.txt"
done
