#!/bin/bash
# How long looking takes over three months of frames: every question, every panel, every request of the page, maps and
# contact sheets, and the views as people ask them, each by a reader's login.
#
#   tests/bench/ten-million-frames.sh [OPTION...] [FRAMES]     FRAMES: 10000000; about ten minutes of seeding
#     --keep DIR     seeds into DIR, and leaves the database there, running: DIR/env tells psql where
#     --use DIR      asks that one; schema files from 019 on are applied again first
#     --seed         only seeds
#     --only WORDS   asks only what has WORDS in its name
#     --runs N       after the first: 5; the table has their median and the slowest
#
# The first run finds the buffers of PostgreSQL and of the system empty as far as those before it have not filled them.
# CPU: what a run takes of a processor, in the session or in the program, which tells more where other work is done beside.
# What takes longer than a second has its plan in DIR/slow; DIR/looked.tsv has all figures.
keep='' use='' only_seed=no only='' runs=5
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }
while [[ ${1:-} == --* ]]; do
    case $1 in
        --keep) keep=$(realpath -m "$2"); shift ;;
        --use) use=$(realpath "$2"); shift ;;
        --seed) only_seed=yes ;;
        --only) only=$2; shift ;;
        --runs) runs=$2; shift ;;
        --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
frames=${1:-10000000}
here=$(dirname "$(realpath "$0")")
# shellcheck source=tests/bench/bench.bash
. "$here/bench.bash"

# As a laboratory with two cores and some memory would set it.
laboratory=("shared_buffers = 2GB" "effective_cache_size = 8GB" "work_mem = 32MB" "maintenance_work_mem = 512MB"
            "random_page_cost = 1.1" "max_wal_size = 4GB" "log_min_messages = fatal")

say() { printf '%s %s\n' "$(date +%T)" "$*"; }

# In another folder than the scenario's own; a database that could be seeded goes on running.
settle_in() { # DIR
    [ "$folder" = "$1" ] || rm -rf "$folder"
    folder=$1
    mkdir -p "$folder"
    chmod 711 "$folder"
    images=$folder/images staging=$folder/staging written=$folder/written.csv conf=$folder/scopestream.conf
    mkdir -p "$images" "$staging" "$folder/log"
    export KEEP=1 SCOPESTREAM_CONFIG=$conf
}
stop_servers() {
    nats_stop
    [ "${stays:-no}" = yes ] || postgres_stop
}

as_owner() { postgres_psql --no-align --tuples-only --dbname scopestream "$@"; }

# --- seeding ---

# A plate of real files through the real programs, with some faults: what the frames of the laboratory show.
measure_pool() {
    say 'a plate goes through the programs'
    nats_make
    write_settings
    export PGHOST=$postgres_socket PGPORT=$postgres_port PGDATABASE=pool
    postgres_psql --dbname postgres --command 'create database pool'
    "$bin/scopestream-store" migrate \
        --postgres "host=$postgres_socket port=$postgres_port dbname=pool user=postgres" > "$folder/log/migrate.log" 2>&1
    postgres_psql --dbname pool --command 'create role store login in role scopestream_store' \
        --command 'create role scientist login in role scopestream_reader'
    setting store postgres "host=$postgres_socket port=$postgres_port dbname=pool user=store"
    start_store
    start_workers 2
    start_ingest
    microscope --wells all384 --channels DAPI,GFP,Cy3,Cy5 --side 320 --fault defocus:C05,H11,M20 --fault saturated:D07,J15 \
        --fault empty:E09,K17,N03 --fault dim:F03 --fault uneven:G21
    wait_until 300 rows_are 1536
    stop_ingest
    stop_workers
    stop_store
    nats_stop
    rm -rf "$images"
    export PGDATABASE=scopestream
}

# A row a well and channel of it: numbers, picture, score, findings.
pool_documents() {
    PGDATABASE=pool postgres_psql --command "copy (
        select jsonb_build_object('slot', 24 * (scopestream.well_row(f.well) - 1) + scopestream.well_column(f.well) - 1,
            'channel', f.channel, 'row', to_jsonb(r) - 'other_values' - 'null_reasons', 'score', p.score, 'parts', p.parts,
            'compared_with', p.compared_with,
            'thumbnail', to_jsonb(shown) || jsonb_build_object('image', encode(shown.image, 'base64')),
            'findings', coalesce((select jsonb_agg(jsonb_build_object('rule', u.name, 'value', g.value, 'bound', g.bound))
                         from scopestream_data.finding g join scopestream_data.rule u using (rule_id)
                         where g.frame_id = f.frame_id), '[]'))
        from scopestream_data.frame f join scopestream_data.result r using (frame_id, acquired_at)
        left join scopestream_data.thumbnail shown using (frame_id, acquired_at)
        left join scopestream_data.priority p on p.frame_id = f.frame_id
        where r.status = 'ok') to stdout with (format csv, delimiter E'\t', quote E'\x01')"
}

apply_schema() { # FROM TO
    local file number
    for file in "$tree"/schema/*.sql; do
        number=$((10#$(basename "$file" | cut -c1-3)))
        [ "$number" -ge "$1" ] && [ "$number" -le "$2" ] || continue
        [ "$number" -lt 19 ] || say "$(basename "$file")"
        as_owner --file "$file" > /dev/null
    done
}

make_laboratory() {
    postgres_psql --dbname postgres --command 'create database scopestream'
    apply_schema 1 18
    "$bin/scopestream-features" list --format json > "$folder/catalogue.json"
    as_owner --file "$here/ten-million-frames.sql"
    pool_documents | as_owner --command "copy bench.document from stdin with (format csv, delimiter E'\t', quote E'\x01')"
    as_owner --set frames="$frames" --set catalogue="$(cat "$folder/catalogue.json")" --file - > /dev/null <<-'END'
	insert into scopestream_data.pipeline (name, version, definition, measures)
	select c #>> '{pipeline,name}', 1, c #>> '{pipeline,definition}', c #>> '{pipeline,measures}'
	from (select :'catalogue'::jsonb as c) told;
	select scopestream_data.announce_measures(:'catalogue');
	select bench.make_pool();
	insert into bench.size
	select :frames, date_trunc('second', now()) - interval '90 days', date_trunc('second', now()),
	       interval '90 days' / :frames, :frames - 12 * 6144, greatest(0, :frames - 4 * 6144);
	analyze bench.size;
	END
}

make_month() { # PARENT SUFFIX
    local made started=$SECONDS
    made=$(as_owner --command "select bench.make_month('$1', '$2')")
    as_owner --command "vacuum analyze scopestream_data.$1_$2"
    say "$1 of $2: $made rows in $((SECONDS - started)) s"
}

seed() {
    local started=$SECONDS job running=0
    say "$frames frames into $folder"
    postgres_make "fsync = off" "wal_level = minimal" "max_wal_senders = 0" "max_wal_size = 8GB" "autovacuum = off" "jit = off" \
        "${laboratory[@]}"
    measure_pool
    make_laboratory
    # The longest first, two at a time.
    while read -r job; do
        [ $running -lt 2 ] || { wait -n; running=$((running - 1)); }
        # shellcheck disable=SC2086
        make_month $job &
        running=$((running + 1))
    done < <(as_owner --field-separator ' ' --command "
        select parent, suffix from bench.month, unnest('{result,frame,priority}'::text[]) with ordinality p(parent, i)
        where last > first order by i, last - first desc")
    wait
    say 'what stands beside the frames'
    as_owner --command 'select bench.make_rest()' > /dev/null
    apply_schema 19 999
    say baselines
    as_owner --command 'select bench.make_baselines()' > /dev/null
    as_owner --file - <<-'END'
	select format('vacuum analyze %s', oid::regclass) from pg_class where relkind = 'r'
	    and relnamespace = 'scopestream_data'::regnamespace and relname !~ '^(frame|result|priority)_\d' \gexec
	END
    make_logins
    postgres_psql --dbname postgres --command 'drop database pool'
    stop_postgres
    postgres_configure "${laboratory[@]}"
    postgres_start
    write_env
    [ -z "$keep" ] || stays=yes
    say "seeded in $((SECONDS - started)) s: $(du -sh "$folder/postgres/data" | cut -f1)"
}

# As deploy/postgres/roles.sql has Grafana's, without its limit of time; steward: who may change what readers see.
make_logins() {
    as_owner --file - <<-'END'
	create role reader login in role scopestream_reader;
	alter role reader set search_path = scopestream;
	alter role reader set jit = off;
	alter role reader set statement_timeout = '60s';
	END
}

write_env() {
    cat > "$folder/env" <<-END
	export PGHOST=$postgres_socket PGPORT=$postgres_port PGDATABASE=scopestream PGUSER=reader
	END
}

use_again() {
    stays=yes
    settle_in "$use"
    # shellcheck source=/dev/null
    . "$folder/env"
    postgres_socket=$PGHOST postgres_port=$PGPORT
    pg_isready --quiet || postgres_start
    apply_schema 19 999
}

# --- asking ---

# The statements of a file, or standard input, as psql has them, RUNS times after the first, in one session.
ask() { # NAME [FILE]
    local name=$1 file=$folder/asked/${1//[^A-Za-z0-9_-]/_}.sql run
    [[ $name == *"$only"* ]] || return 0
    mkdir -p "$folder/asked"
    cat "${2:--}" > "$file"
    {
        printf '%s\n' 'select pg_backend_pid() as session \gset' '\setenv session :session' '\o /dev/null' \
            '\pset format unaligned' '\timing on'
        for ((run = 0; run <= runs; run++)); do
            printf '%s\n' '\! cat /proc/$session/schedstat' "\\i $file" '\echo rows :ROW_COUNT' '\! cat /proc/$session/schedstat'
        done
    } | psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 "${asked_of[@]}" > "$folder/times" 2> "$folder/error" || true
    # Before a statement's times and after them stands how many nanoseconds the session has had a processor.
    awk '/^Time:/ { ms += $2 } /^rows / { rows = $2; next }
         /^[0-9]+ [0-9]+ [0-9]+$/ { if (rows != "") print rows "\t" ms "\t" ($1 - before) / 1e6; before = $1; ms = 0; rows = "" }' \
        "$folder/times" | note "$name"
    explain "$name" "$file"
}

# Takes ROWS, MS and MS of a processor of each run from standard input, and puts down the first, the median and the slowest
# of the others, and the median of the processor's.
note() { # NAME
    local rows=- first=- median=- worst=- cpu=- error='' others
    if read -r rows first _; then
        others=$(cat)
        median=$(cut -f2 <<< "$others" | sort -g | sed -n "$(((runs + 1) / 2))p")
        worst=$(cut -f2 <<< "$others" | sort -g | tail -n 1)
        cpu=$(cut -f3 <<< "$others" | sort -g | sed -n "$(((runs + 1) / 2))p")
    fi
    [ -n "$median" ] && [ -n "$first" ] || rows=- first=- median=- worst=- cpu=- error=$(head -n 1 "$folder/error")
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$rows" "$first" "$median" "$worst" "$cpu" "$error" >> "$folder/looked.tsv"
    tail -n 1 "$folder/looked.tsv" | show_line
}
show_line() {
    awk -F '\t' 'function ms(x) { return x == "-" || x == "" ? x : sprintf("%.1f", x) }
        { mark = $7 != "" ? $7 : ($4 + 0 > 1000 ? "<-- more than a second" : ($3 + 0 > 1000 ? "the first" : ""))
          printf("%-56s %8s %9s %9s %9s %9s  %s\n", $1, $2, ms($3), ms($4), ms($5), ms($6), mark) }'
}

# The plan of what took longer than a second.
explain() { # NAME FILE
    local took
    took=$(tail -n 1 "$folder/looked.tsv" | cut -f4)
    [ "$took" != - ] && [ "${took%.*}" -ge 1000 ] || return 0
    mkdir -p "$folder/slow"
    sed -E '/^\\crosstabview/d; 0,/^(with|select)/I s/^(with|select)/explain (analyze, buffers, settings) \1/I' "$2" |
        psql --no-psqlrc --quiet "${asked_of[@]}" > "$folder/slow/$(basename "$2" .sql).txt" 2>&1 || true
}

# The plate that is imaged, and a frame of it.
choose() {
    local told
    told=$(psql --no-psqlrc --quiet --no-align --tuples-only --field-separator ' ' --command "
        select plate, frame_id, path, to_char(acquired_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
        from scopestream.frames where plate like 'S%' and status = 'ok' order by acquired_at desc limit 1")
    read -r plate frame_id path until <<< "$told"
    asked_of=(--set plate="$plate" --set frame_id="$frame_id" --set path="$path" --set until="$until")
}

# A question names the plate that was imaged last; one that finds nothing there is asked about the others, too.
ask_questions() {
    local file name other
    for file in "$tree"/samples/questions/*.sql; do
        name=$(basename "$file" .sql)
        ask "question: $name" "$file"
        for other in lapse stack; do
            [ "$(tail -n 1 "$folder/looked.tsv" | cut -f2)" = 0 ] && grep -q '^with asked as' "$file" || break
            sed "/^with asked as/s/newest_plates where place = 1/plates where plate = '$other'/" "$file" | ask "question: $name ($other)"
        done
    done
}

# The views as people ask them: name a plate, or a time, or a limit.
ask_views() {
    local name='' line sql=''
    while IFS= read -r line; do
        case $line in
            '# '*) name=${line#\# } sql='' ;;
            *) sql+=$line$'\n' ;;
        esac
        [[ $line != *\; ]] || ask "$name" <<< "$sql"
    done < "$here/ten-million-frames.asked"
}

# As Grafana asks them, variables and times put in.
ask_panels() {
    local what file
    mkdir -p "$folder/panels"
    # Debian's, which has psycopg2.
    /usr/bin/python3 "$here/ten-million-panels.py" "$folder/panels" "$until" "$frame_id" > "$folder/panels.tsv"
    while IFS=$'\t' read -r what file; do
        ask "$what" "$file"
    done < "$folder/panels.tsv"
}

# --- programs ---

# COMMAND as often as a question; the whole process counts, and of the processor what it took itself.
ask_command() { # NAME COMMAND...
    local name=$1 run took TIMEFORMAT='%R %U %S'
    shift
    [[ $name == *"$only"* ]] || return 0
    for ((run = 0; run <= runs; run++)); do
        took=$({ time "$@" > "$folder/answer" 2> "$folder/error"; } 2>&1) || break
        awk -v bytes="$(stat -c %s "$folder/answer")" -v OFS='\t' '{ print bytes, 1000 * $1, 1000 * ($2 + $3) }' <<< "$took"
    done | note "$name"
}

ask_pictures() {
    local out=$folder/sheet.png
    ask_command 'command: map' "$bin/scopestream-store" map
    ask_command 'command: map --measure focus' "$bin/scopestream-store" map --plate "$plate" --measure focus
    ask_command 'command: sheet' "$bin/scopestream-store" sheet --plate "$plate" --channel DAPI --out "$out"
    ask_command 'command: sheet --measure focus' "$bin/scopestream-store" sheet --plate "$plate" --channel DAPI --measure focus \
        --out "$out"
    ask_command 'command: sheet --strip of a time-lapse' "$bin/scopestream-store" sheet --plate lapse --strip --well A01 \
        --channel DAPI --out "$out"
    ask_command 'command: status' "$bin/scopestream-store" status
}

# What the page asks for. Answers are kept for a while, so each run asks about another plate.
ask_page() {
    local address what request
    local log=$folder/log/page.log
    [[ page == *"$only"* || $only == page* ]] || return 0
    : > "$log"
    process_start page "$bin/scopestream-store" page --page-listen 127.0.0.1:0
    page_listens() { address=$(grep -m 1 -o 'http://[^ ]*/' "$log"); }
    wait_until 10 page_listens
    mapfile -t newest_plates < <(psql --no-psqlrc --quiet --no-align --tuples-only --command "
        select plate from scopestream.plates where plate like 'S%' order by last_acquired_at desc limit $((runs + 2))")
    for request in '' state catalogue 'map?plate=PLATE&measure=score' 'map?plate=PLATE&measure=focus&channel=DAPI' \
        'frames?show=newest' 'frames?show=newest&plate=PLATE' 'frames?show=lowest&plate=PLATE&measure=focus' \
        'frames?show=highest&measure=mean' 'frames?show=interesting&plate=PLATE' 'frames?show=interesting' \
        'well?plate=PLATE&well=C05' 'frames?show=well&plate=PLATE&well=C05' 'frame?id=FRAME' 'thumbnail/FRAME'; do
        ask_address "page: /$request" "$address$request"
    done
    process_stop page
}

ask_address() { # NAME ADDRESS
    local run address
    for ((run = 0; run <= runs; run++)); do
        address=${2//PLATE/${newest_plates[run % ${#newest_plates[@]}]}}
        curl --silent --show-error --fail --output "$folder/answer" --write-out '%{size_download}\t%{time_total}\n' \
            "${address//FRAME/$frame_id}" 2> "$folder/error" || break
        sleep 1.1
    done | awk -v OFS='\t' '{ print $1, 1000 * $2, "-" }' | note "$1"
}

# Of each kind: how many were asked, the median of their medians, the slowest of these, and which.
report() {
    echo
    sed 's/^\([a-z]*\)[^\t]*\t/\1\t&/' "$folder/looked.tsv" | sort -t $'\t' -k1,1 -k5,5g | awk -F '\t' '
        function tell() { if (n) printf("%-10s %4d asked, median %7.1f ms, slowest %7.1f ms: %s\n", kind, n, ms[int((n + 1) / 2)],
                                        ms[n], last) }
        $1 != kind { tell(); kind = $1; n = 0 }
        $5 != "-" { ms[++n] = $5; last = $2 }
        END { tell() }'
    awk -F '\t' '$4 == "-" { wrong++; next } $4 > 1000 { slow++ } $6 + 0 > 1000 { dear++ }
        END { printf("%d asked: %d took more than a second, %d more than a second of a processor, %d failed\n", NR, slow, dear, wrong) }' \
        "$folder/looked.tsv"
}

look() {
    # shellcheck source=/dev/null
    . "$folder/env"
    nats_make # the page and status ask it, too
    write_settings
    setting store postgres "host=$postgres_socket port=$postgres_port dbname=scopestream user=reader"
    : > "$folder/looked.tsv"
    choose
    say "$(postgres_psql --dbname scopestream --no-align --tuples-only --command \
        'select sum(frames) from scopestream_data.tally') frames, load $(cut -d' ' -f1 /proc/loadavg)"
    printf '%-56s %8s %9s %9s %9s %9s\n' 'what' rows 'first ms' 'median' worst 'CPU'
    ask_questions
    ask_views
    ask_panels
    ask_pictures
    ask_page
    report
    say "load $(cut -d' ' -f1 /proc/loadavg)"
}

if [ -n "$use" ]; then
    use_again
else
    [ -z "$keep" ] || settle_in "$keep"
    seed
fi
[ $only_seed = yes ] || look
