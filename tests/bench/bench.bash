# bench: what every situation of the benchmark stands on: a scenario's private servers and programs,
# but the release build and a laboratory's settings; and words for measuring.
#
#   bench_start [SETTING...]      servers and the three programs; SETTING as SECTION.KEY=VALUE
#   cpu_mark, cpu_report [GB]     CPU seconds of every process since the mark, and per GB
#   memory_report                 resident memory of every process, now and at its highest
#   stage_report                  where the time of a frame went, from the rows
#   bench_rules COUNT EXPRESSION  so many rules; the first gives frames alerts of their own
#   alerts_listen, alerts_load    hears alerts; makes view `took` of what was heard
# shellcheck shell=bash disable=SC2154
SCOPESTREAM_BIN=${SCOPESTREAM_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release/bin}
export SCOPESTREAM_BIN
[ -x "$SCOPESTREAM_BIN/scopestream-features" ] || {
    echo "build the release first: cmake --preset release && cmake --build --preset release" >&2
    exit 2
}
# shellcheck source=tests/scenarios/harness.bash
. "$(dirname "${BASH_SOURCE[0]}")/../scenarios/harness.bash"

bench_settings() { # SECTION.KEY=VALUE...
    local row
    setting ingest scan-interval 10s
    setting ingest settle 500ms
    setting ingest unfinished-after 60s
    setting ingest reconcile-interval 15s
    setting nats frames-limit 1GiB
    setting nats results-limit 1GiB
    setting features jobs 2
    setting features memory-limit 4GiB
    for row; do
        setting "${row%%.*}" "$(cut -d. -f2- <<< "${row%%=*}")" "${row#*=}"
    done
}

bench_start() { # SECTION.KEY=VALUE...
    nats_room=8GB
    start_servers
    # As a laboratory runs it: what is committed is on the disk.
    as_postgres sed -i 's/^fsync = off/fsync = on/' "$folder/postgres/data/postgresql.auto.conf"
    stop_postgres
    start_postgres
    bench_settings "$@"
    start_store
    start_workers 2
    start_ingest
}

# --- CPU and memory of the processes ---

bench_processes=(microscope ingest features store nats postgres)

# NAME's process and all below it, one id a line.
process_tree() { # NAME
    local id
    id=$(process_id "$1") || return 0
    echo "$id"
    pgrep -P "$id" || true
}

# CPU ticks of the living processes of NAME, and of those it has buried.
cpu_ticks() { # NAME
    local id fields stat ticks=0
    for id in $(process_tree "$1"); do
        read -r stat 2>/dev/null < "/proc/$id/stat" || continue
        read -ra fields <<< "${stat##*) }"
        ticks=$((ticks + fields[11] + fields[12] + fields[13] + fields[14]))
    done
    echo "$ticks"
}

declare -A cpu_before

cpu_mark() {
    local name
    for name in "${bench_processes[@]}"; do cpu_before[$name]=$(cpu_ticks "$name"); done
    mark_us=$(date +%s%6N)
}

cpu_report() { # [GB]
    local name seconds_total
    seconds_total=$(awk "BEGIN { print ($(date +%s%6N) - $mark_us) / 1e6 }")
    printf '%-12s %10s %8s %10s\n' process 'CPU s' cores "${1:+s per GB}"
    for name in "${bench_processes[@]}"; do
        awk -v name="$name" -v ticks=$(($(cpu_ticks "$name") - ${cpu_before[$name]})) \
            -v hz="$(getconf CLK_TCK)" -v gb="${1:-0}" -v wall="$seconds_total" 'BEGIN {
                s = ticks / hz
                per_gb = gb > 0 ? sprintf(" %10.3f", s / gb) : ""
                if (s > 0) printf "%-12s %10.2f %8.2f%s\n", name, s, s / wall, per_gb }'
    done
}

memory_report() {
    local name id
    printf '%-12s %10s %10s\n' process 'RSS MB' 'peak MB'
    for name in "${bench_processes[@]}"; do
        for id in $(process_tree "$name"); do
            [ "$name" != postgres ] || continue # its shared memory is counted in every backend
            awk -v name="$name" '/VmRSS/ { rss = $2 } /VmHWM/ { peak = $2 }
                END { printf "%-12s %10.1f %10.1f\n", name, rss / 1024, peak / 1024 }' \
                "/proc/$id/status" 2>/dev/null || true
        done
    done
}

# --- what the rows say ---

stage_report() {
    sql "
    select rpad(stage.name, 22)
        || to_char(percentile_cont(0.5) within group (order by ms), '999990.0')
        || to_char(percentile_cont(0.95) within group (order by ms), '999990.0')
        || to_char(percentile_cont(0.99) within group (order by ms), '999990.0')
    from scopestream.frames f, lateral (values
        (1, 'closed to offered', f.closed_at, f.offered_at),
        (2, 'waiting in the queue', f.offered_at, f.taken_at),
        (3, 'receiving the bytes', f.taken_at, f.received_at),
        (4, 'decoding', f.received_at, f.decoded_at),
        (5, 'measuring, thumbnail', f.decoded_at, f.measured_at),
        (6, 'measured to stored', f.measured_at, f.stored_at),
        (7, 'closed to stored', f.closed_at, f.stored_at)) stage (place, name, start, stop),
        lateral (select 1e3 * extract(epoch from stage.stop - stage.start) as ms) took
    group by stage.place, stage.name order by stage.place" |
        { printf '%-22s%9s%9s%9s\n' 'stage, ms' p50 p95 p99; cat; }
}

stored_rate() {
    sql "select to_char((count(*) - 1) / nullif(extract(epoch from max(stored_at) - min(stored_at)), 0), '990.0')
         || ' frames/s over ' || to_char(extract(epoch from max(stored_at) - min(stored_at)), '990.0') || ' s, '
         || count(*) || ' rows, ' || count(*) filter (where status = 'ok') || ' ok'
         from scopestream.frames"
}

# --- alerts, by when they are heard ---

# Rules on frames: the first finds bad what EXPRESSION gives 1 for, each frame an alert of its own; those beyond it
# compare, draw charts, and find nothing. `default`: the first beside what comes switched on.
bench_rules() { # COUNT|default EXPRESSION
    local count=$1 built_in=false
    [ "$1" != default ] || count=1 built_in=true
    postgres_psql --dbname scopestream --set count="$count" --set built_in="$built_in" --set expression="$2" --file - <<-'END'
	create table if not exists default_rule as select name from scopestream.rules where enabled;
	delete from scopestream.rules where name like 'bench%';
	update scopestream.rules set enabled = :'built_in' where name in (select name from default_rule);
	insert into scopestream.rules (name, kind, expression, comparison, bound, group_by, most_per_hour)
	values ('bench', 'bound', :'expression', '>=', 1, 'site', 1000000);
	-- Of twenty fourteen compare a robust z, one with the frame before, two draw charts, three ask a plain number.
	insert into scopestream.rules (name, kind, expression, comparison, bound)
	select 'bench_' || i, case i % 20 when 8 then 'ewma' when 18 then 'cusum' else 'bound' end,
	       format(case when i % 20 = 7 then '(%1$s - before(%1$s)) / mad(%1$s)'
	                   when i % 20 in (3, 9, 16) then '%1$s' else 'z(%1$s)' end, name), '>', 1e12
	from (select name, row_number() over (order by md5(name)) as i
	      from scopestream_data.measure where kind = 'number') m
	where i < :count;
	END
}

alerts_listen() {
    local log=$folder/log/heard.log # where what it says on standard error goes
    process_start heard bash -c "exec '$SCOPESTREAM_BIN/../bench/bench_stream_heard' '$nats_url' scopestream.alert.scope \
        > '$folder/heard.tsv'"
    listening() { grep -q listening "$log"; }
    wait_until 10 listening
}

# View took: of each alert that rule `bench` opened, where its frame's time went; closed_at: when the microscope closed
# the file, by its own list. Call it again for what came since.
alerts_load() {
    postgres_psql --dbname scopestream --command "
        create table if not exists heard (at timestamptz, body jsonb); truncate heard;
        create table if not exists closed (path text, at timestamptz); truncate closed;
        grant select on heard, closed to scopestream_reader"
    postgres_psql --dbname scopestream \
        --command "copy heard from stdin with (format csv, delimiter E'\t', quote E'\x01')" < "$folder/heard.tsv"
    awk -F, 'NR > 1 && $10 != "" { print $1 "," $10 }' "$written" |
        postgres_psql --dbname scopestream --command "copy closed from stdin with (format csv)"
    postgres_psql --dbname scopestream --command "
        create or replace view took as
        select f.plate, c.at as closed_at, f.offered_at, f.taken_at, f.measured_at, f.stored_at,
               (h.body ->> 'opened_at')::timestamptz as opened_at, h.at as heard_at
        from heard h join scopestream.frames f on f.frame_id = (h.body ->> 'frame_id')::uuid join closed c using (path)
        where h.body ->> 'rule' = 'bench' and h.body ->> 'change' = 'opened';
        grant select on took to scopestream_reader"
}

stop_servers() {
    process_stop heard
    nats_stop
    postgres_stop
}
