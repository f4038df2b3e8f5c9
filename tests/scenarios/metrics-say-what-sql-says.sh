#!/bin/bash
# What the three programs tell Prometheus is what happened: frames good and broken, by status and by
# the way their bytes came, are as many as SQL counts; a worker that is killed is counted and another
# runs; while NATS or PostgreSQL is away /readyz says so and /healthz does not mind. promtool, where
# it is here, finds nothing to say about the form.
. "$(dirname "$0")/harness.bash"

start_servers
declare -A port=([ingest]=$(free_port) [features]=$(free_port) [store]=$(free_port))
for program in ingest features store; do
    setting $program metrics-listen "127.0.0.1:${port[$program]}"
done
start_store
start_workers
start_ingest

get() { # PROGRAM PATH
    curl --silent --max-time 5 "http://127.0.0.1:${port[$1]}$2"
}
# The status of an answer, and its body behind it, on one line.
answer() { # PROGRAM PATH
    curl --silent --max-time 5 --write-out '%{stderr}%{http_code}' \
        "http://127.0.0.1:${port[$1]}$2" 2> "$folder/code" | tr '\n' ' ' > "$folder/body"
    echo "$(cat "$folder/code") $(cat "$folder/body")"
}
metric() { # PROGRAM SERIES
    local line
    while read -r line; do
        case $line in "$2 "*) echo "${line##* }" ;; esac
    done < <(get "$1" /metrics)
}
metric_is() { # PROGRAM SERIES VALUE
    [ "$(metric "$1" "$2")" = "$3" ]
}
answers_with() { # PROGRAM PATH PATTERN
    # shellcheck disable=SC2053
    [[ $(answer "$1" "$2") == $3 ]]
}
as_sql_counts() { # WHAT PROGRAM SERIES STATEMENT
    expect "$1" "$(metric "$2" "$3")" "$(sql "$4")"
}

# --- frames, small ones that ride along and large ones that do not, and a broken one ---

microscope --naming imagexpress --plate P1 --wells A01,A02,A03 --channels DAPI,GFP
microscope --naming imagexpress --plate P2 --wells B01,B02 --channels DAPI --side 512
make_image "$staging/broken.tif" 7 --compression deflate
size=$(stat -c %s "$staging/broken.tif")
head -c 2000 /dev/zero | tr '\0' '\377' |
    dd of="$staging/broken.tif" bs=1 seek=$((size / 2 - 1000)) conv=notrunc status=none
mv "$staging/broken.tif" "$images/broken.tif"
wait_until 60 rows_are 9
all_is_told() { metric_is ingest 'scopestream_ingest_frames_on_their_way{pipeline="quality"}' 0; }
wait_until 20 all_is_told

for status in ok broken vanished poison; do
    as_sql_counts "stored, $status" store "scopestream_store_frames_stored_total{status=\"$status\"}" \
        "select count(*) from scopestream.frames where status = '$status'"
    as_sql_counts "measured, $status" features \
        "scopestream_features_frames_measured_total{status=\"$status\"}" \
        "select count(*) from scopestream.frames where status = '$status'"
done
for way in inline path direct fetch; do
    as_sql_counts "received, $way" features \
        "scopestream_features_frames_received_total{delivery=\"$way\"}" \
        "select count(*) from scopestream.frames where delivery = '$way'"
done
expect "there is a broken one" "$(sql "select count(*) from scopestream.frames where status <> 'ok'")" 1
as_sql_counts "found" ingest 'scopestream_ingest_frames_found_total{source="scope"}' \
    'select count(*) from scopestream.frames'
as_sql_counts "files" ingest 'scopestream_ingest_files_settled_total{source="scope"}' \
    'select count(distinct path) from scopestream.frames'
as_sql_counts "offered" ingest 'scopestream_ingest_frames_offered_total{pipeline="quality"}' \
    'select count(*) from scopestream.frames'
as_sql_counts "known as stored" ingest 'scopestream_ingest_frames_stored{pipeline="quality"}' \
    'select count(*) from scopestream.frames'
as_sql_counts "taken" features scopestream_features_frames_taken_total \
    'select count(*) from scopestream.frames'
as_sql_counts "decoded and told" features scopestream_features_tell_seconds_count \
    'select count(*) from scopestream.frames'
as_sql_counts "measured in time" features scopestream_features_measure_seconds_count \
    "select count(*) from scopestream.frames where status = 'ok'"
as_sql_counts "lags" store scopestream_store_lag_seconds_count \
    'select count(*) from scopestream.frames'
as_sql_counts "rejected" store scopestream_store_documents_rejected_total \
    'select count(*) from scopestream.rejected'
expect "lags together, but for what the commits took" "$(sql "select abs(sum(latency_s)
    - $(metric store scopestream_store_lag_seconds_sum)) < 1 + $(metric store scopestream_store_commit_seconds_sum)
    * count(*) from scopestream.frames")" t
expect "measuring together, as the rows tell it" "$(sql "select abs(sum(extract(epoch from measured_at
    - decoded_at)) - $(metric features scopestream_features_measure_seconds_sum)) < 0.01
    from scopestream.frames where status = 'ok'")" t
metric_is features scopestream_features_workers_running 2
metric_is features scopestream_features_worker_deaths_total\{reason=\"signal\"\} 0

queue_is_told() { metric_is store 'scopestream_store_frames_num_waiting{pipeline="quality"}' 2; }
wait_until 20 queue_is_told
expect "left in the queue" "$(metric store 'scopestream_store_frames_num_pending{pipeline="quality"}')" 0

# --- the form ---

for program in ingest features store; do
    expect_like "$program alive" "$(answer $program /healthz)" '200 alive*'
    wait_until 10 answers_with $program /readyz '200 ready*'
    expect_like "$program has nothing else" "$(answer $program /etc/passwd)" '404 *'
    get $program /metrics > "$folder/$program.prom"
    ! grep -E "$images|$folder|\.tif" "$folder/$program.prom" || fail "$program tells paths"
    if command -v promtool > /dev/null; then
        expect "promtool on $program" "$(promtool check metrics < "$folder/$program.prom" 2>&1)" ""
    fi
done
promised=$("$bin/scopestream-store" --list-metrics | sed -n 's/^| `\([a-z_]*\)`.*/\1/p' | sort)
expect "every metric is told by somebody" \
    "$(sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$folder"/*.prom | sort -u)" "$promised"

# --- a worker ends ---

# The crew's children are its workers, and the process that tells metrics: it listens.
killed=0
for child in $(worker_ids); do
    grep -q scopestream "/proc/$child/comm" || continue
    readlink "/proc/$child"/fd/* | grep -q eventpoll && continue
    kill -KILL "$child"
    killed=1
    break
done
expect "a worker was found" $killed 1
death_is_told() { metric_is features 'scopestream_features_worker_deaths_total{reason="signal"}' 1; }
wait_until 10 death_is_told
successor_runs() { metric_is features scopestream_features_workers_connected 2; }
wait_until 20 successor_runs

# --- servers go away ---

connections=$(metric store scopestream_store_postgres_connections_total)
stop_postgres
wait_until 20 answers_with store /readyz '503 PostgreSQL is not reached*'
expect_like "the store is alive" "$(answer store /healthz)" '200 alive*'
metric_is store scopestream_store_postgres_connected 0
start_postgres
wait_until 20 answers_with store /readyz '200 ready*'
[ "$(metric store scopestream_store_postgres_connections_total)" -gt "$connections" ] ||
    fail "a new connection is not counted"

connections=$(metric ingest scopestream_nats_connections_total)
kill_nats
for program in ingest features store; do
    wait_until 20 answers_with $program /readyz '503 *NATS is not reached*'
    metric_is $program scopestream_nats_connected 0
done
mv "$images" "$images.away"
wait_until 20 answers_with ingest /readyz '503 NATS is not reached source scope: its folder is away*'
metric_is ingest 'scopestream_ingest_source_there{source="scope"}' 0
mv "$images.away" "$images"
start_nats
for program in ingest features store; do
    wait_until 30 answers_with $program /readyz '200 ready*'
done
[ "$(metric ingest scopestream_nats_connections_total)" -gt "$connections" ] ||
    fail "reconnections are not counted"

# --- an address that cannot be had ---

taken=${port[ingest]}
for program in features store; do
    code=0
    timeout 20 "$bin/scopestream-$program" run --metrics-listen "127.0.0.1:$taken" \
        > "$folder/refused" 2>&1 || code=$?
    expect "$program ends with" $code 2
    expect_like "$program says why" "$(tail -n 1 "$folder/refused")" \
        "*\[$program\] metrics-listen = 127.0.0.1:$taken: Address already in use"
done
# Somebody else's default address is no reason to end.
setting store metrics-listen 127.0.0.1:7813
stop_store
start_store
wait_until 20 log_says store "metrics at http://127.0.0.1:7813|no metrics are told: 127.0.0.1:7813"
expect_files_equal_rows

# --- the process that tells metrics hangs ---

teller=
for child in $(worker_ids); do
    if readlink "/proc/$child"/fd/* | grep -q eventpoll; then teller=$child; fi
done
[ -n "$teller" ] || fail "no process tells metrics"
kill -STOP "$teller"
process_stop features TERM 15 || fail "workers wait for the process that tells metrics"
