#!/bin/bash
# The two figures of RAM3S (Bartolini and Patella, Comparing Performances of Big Data Stream Processing Platforms with RAM3S,
# section 4): the sustainable input rate, which is the highest at which the input buffer does not overflow; and the latency,
# the average time from an image's leaving the queue to its alert's being received, at that rate on a single node.
#
#   tests/bench/ram3s.sh [SIDE [SECONDS [WORKERS...]]]     1414: 4 MB of 16 bits; 30; 1 2
#
# Frames come from memory, made beforehand; each tenth gives an alert, and the default models and rules are on.
# A rate is sustained when the frames on their way grow by less than 2 in 100 of those that come: from the second third of
# SECONDS to the last one, by how long the median frame of each takes from closed to stored. The rate is doubled until it
# is not, halved five times in between, and what is found is confirmed by another run of twice SECONDS, or lowered
# by 4 in 100 until it is.
side=${1:-1414} seconds=${2:-30}
workers=("${@:3}")
[ $# -gt 2 ] || workers=(1 2)
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

memory=$(mktemp -d /dev/shm/scopestream-bench.XXXXXX)
trap 'status=$?; rm -rf "$memory"; finish $status' EXIT
images=$memory/images
mkdir -p "$images"
chmod 711 "$memory"
trials=0 stored=0

# Images a plate of its own at RATE; waits for its rows.
image() { # RATE SECONDS
    plate=T$((++trials))
    written=$folder/$plate.csv
    frames=$(awk "BEGIN { print int($1 * $2) }")
    process_start microscope "$SCOPESTREAM_BIN/simulated-microscope" --out "$images" --list "$written" --plate "$plate" \
        --wells all1536 --sites 10 --channels DAPI --side "$side" --rate "$1" --frames "$frames" --seed "$trials" \
        --reuse 20 --quiet
    while process_id microscope > /dev/null; do sleep 0.5; done
    stored=$((stored + frames))
    wait_until 900 rows_are "$stored"
    rm -rf "${images:?}"/*
    alerts_load
}

# What is left of the plate after its first third, when caches and plans have warmed up, by when files were closed.
steady="(select f.*, c.at as closed, ntile(3) over (order by c.at) as third from scopestream.frames f
         join closed c using (path))"

is_sustained() { # RATE SECONDS
    local came grew
    image "$1" "$2"
    read -r came grew <<< "$(sql "
        select (count(*) - 1) / extract(epoch from max(closed) - min(closed)),
               (percentile_cont(0.5) within group (order by ms) filter (where third = 3)
                - percentile_cont(0.5) within group (order by ms) filter (where third = 2)) / 10 / ($2 / 3.0)
        from $steady s, lateral (select 1e3 * extract(epoch from stored_at - closed) as ms) took")"
    printf '%7.1f frames/s for %3d s: %6.1f came, and of a hundred %5.1f had to wait; load %s\n' "$1" "$2" "$came" "$grew" \
        "$(cut -d' ' -f1 /proc/loadavg)"
    awk "BEGIN { exit !($came > 0.97 * $1 && $grew < 2) }"
}

middle() { awk "BEGIN { printf \"%.1f\", $1 }"; }

find_rate() { # -> rate
    local low=0 high=10 step
    while is_sustained "$high" "$seconds"; do low=$high high=$(middle "$high * 2"); done
    for step in {1..5}; do
        rate=$(middle "($low + $high) / 2")
        if is_sustained "$rate" "$seconds"; then low=$rate; else high=$rate; fi
    done
    rate=$low
    until is_sustained "$rate" $((2 * seconds)); do rate=$(middle "$rate * 0.96"); done
}

bench_start
alerts_listen
image 10 6 # the measures are known then, and what is usual
bench_rules default 'case when site = 1 then 1 else 0 end'
for count in "${workers[@]}"; do
    stop_workers
    start_workers "$count"
    printf '\n%d x %d pixels, %.1f MB, %d workers\n' "$side" "$side" "$(awk "BEGIN { print $side * $side * 2e-6 }")" "$count"
    find_rate
    sleep 2
    alerts_load
    sql "select format('sustainable input rate %s frames/s; latency, from the queue to the alert received: mean %s ms, p50 %s, '
             'p99 %s, of %s alerts; from closed: mean %s ms', $rate, round(avg(ms)::numeric, 1),
             round((percentile_cont(0.5) within group (order by ms))::numeric, 1),
             round((percentile_cont(0.99) within group (order by ms))::numeric, 1), count(*), round(avg(all_ms)::numeric, 1))
         from took, lateral (select 1e3 * extract(epoch from heard_at - taken_at) as ms,
                                    1e3 * extract(epoch from heard_at - closed_at) as all_ms) t
         where plate = '$plate'"
done
