#!/bin/bash
# From a file's close, by the microscope's own clock, to its alert received on NATS: frames of 4 MB, 10 a second, that are
# really imaged and written meanwhile. Each third is saturated and gets an alert of its own; RULES rules are on, the others
# find nothing.
#
#   tests/bench/closed-to-alert.sh [SECONDS [RULES...]]     30, and 1 10 100 default: what comes switched on, and one
#
# Median and 99th percentile of the whole and of its stages, ms.
seconds=${1:-30}
rules=("${@:2}")
[ $# -gt 1 ] || rules=(1 10 100 default)
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

image() { # PLATE FRAMES SEED
    local faults
    faults=saturated:$(for row in {A..Z}; do for ((i = 3; i <= 48; i += 3)); do printf '%s%02d,' "$row" "$i"; done; done)
    process_start microscope "$SCOPESTREAM_BIN/simulated-microscope" --out "$images" --list "$folder/$1.csv" --plate "$1" \
        --wells all1536 --sites 1 --channels DAPI --side 1414 --rate 10 --frames "$2" --seed "$3" --fault "${faults%,}" --quiet
    while process_id microscope > /dev/null; do sleep 0.5; done
    [ -s "$written" ] || head -n 1 "$folder/$1.csv" > "$written"
    tail -n +2 "$folder/$1.csv" >> "$written"
    wait_until 300 rows_are "$(($(wc -l < "$written") - 1))"
}

report() { # RULES
    sql "
    select rpad('$1', 9) || rpad(name, 5) || string_agg(to_char(ms, '99990.0'), '' order by place)
           || case share when 0.5 then to_char(max(alerts), '99990') else '' end
    from (select share, name, place, count(*) as alerts, percentile_cont(share) within group (order by ms) as ms
          from took, lateral (values
              (1, closed_at, heard_at), (2, closed_at, offered_at), (3, offered_at, taken_at), (4, taken_at, measured_at),
              (5, measured_at, stored_at), (6, stored_at, opened_at), (7, opened_at, heard_at)) stage (place, start, stop),
              lateral (select 1e3 * extract(epoch from stop - start) as ms) t,
              (values (0.5, 'p50'), (0.99, 'p99')) figure (share, name)
          where plate = 'R$1' group by share, name, place) f
    group by share, name order by share"
}

bench_start
alerts_listen
image before 60 1 # the measures are known then, and what is usual
for count in "${rules[@]}"; do
    bench_rules "$count" 'case when n_levels > 64 then greatest(pct_saturated, pct_max) else pct_saturated end / 0.1'
    sleep 1
    image "R$count" $((seconds * 10)) $((RANDOM + 2))
    loads+=("$count: $(cut -d' ' -f1 /proc/loadavg)")
done
sleep 2
alerts_load
printf '%-9s%-5s%8s%8s%8s%8s%8s%8s%8s%6s\n' rules '' all settle queue measure store judge tell alerts
for count in "${rules[@]}"; do report "$count"; done
echo "load after each: ${loads[*]}"
expect_files_equal_rows
