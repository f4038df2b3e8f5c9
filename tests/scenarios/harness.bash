# harness: what every scenario stands on. `. harness.bash` at the top of a scenario gives it a folder
# of its own, which is gone when the scenario ends, and these words:
#
#   setting SECTION KEY VALUE           a setting of the programs, for those started from now on
#   start_everything                    both servers, migrated, and the three programs
#   start_servers, start_store, start_workers [JOBS], start_ingest, and stop_, kill_ of each
#   start_crew PIPELINE [JOBS], stop_crew PIPELINE      workers for another pipeline than `quality`
#   start_page, stop_page               the web page, at http://127.0.0.1:$page_port/
#   microscope OPTION...                lets the simulated microscope write; waits for its end
#   wait_until SECONDS COMMAND...       until it succeeds, or the scenario has failed
#   sql STATEMENT                       as the scientist: bare values, a tab between columns
#   status MEMBER                       of scopestream-store status
#   expect WHAT IS WANTED               compares two texts
#   expect_files_equal_rows             files on disk against rows, both ways; ends every scenario
#
# A scenario fails by the first command that fails (set -e), and then shows its logs. Programs that
# a sanitizer ended, or that said something a sanitizer says, fail it too.
#
# SCOPESTREAM_BIN is the folder of the programs; KEEP=1 leaves the scenario's folder behind.
# shellcheck shell=bash disable=SC2119,SC2120
set -Eeuo pipefail

scenario=$(basename "$0" .sh)
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=${SCOPESTREAM_BIN:-$tree/build/sanitize/bin}

# shellcheck source=deploy/lib/processes.bash
. "$tree/deploy/lib/processes.bash"
# shellcheck source=deploy/lib/servers.bash
. "$tree/deploy/lib/servers.bash"
# shellcheck source=deploy/lib/frames.bash
. "$tree/deploy/lib/frames.bash"

# --- beginning and end ---

begin() {
    folder=$(mktemp -d "${TMPDIR:-/tmp}/scopestream-test.XXXXXX")
    chmod 711 "$folder" # the user postgres passes through
    trap 'finish $?' EXIT
    trap 'exit 130' INT TERM
    trap 'failed_at="$BASH_COMMAND (${BASH_SOURCE[0]##*/}:$LINENO)"' ERR
    images=$folder/images       # the folder the microscope writes into
    staging=$folder/staging     # where scenarios make files before they move them in
    written=$folder/written.csv # what the microscope says it wrote
    conf=$folder/scopestream.conf
    mkdir "$images" "$staging"
    unset PGHOST PGPORT PGPASSWORD PGOPTIONS PGSERVICE NATS_URL NOTIFY_SOCKET
    export PGDATABASE=scopestream PGUSER=scientist
    export SCOPESTREAM_CONFIG=$conf
    export ASAN_OPTIONS="detect_leaks=1" UBSAN_OPTIONS="print_stacktrace=1"
    export LSAN_OPTIONS="suppressions=$tree/tests/leaks.supp:print_suppressions=0"
}

finish() { # STATUS
    local status=$1
    trap - EXIT ERR
    trap '' INT TERM
    stop_programs || status=1
    find_sanitizer_words && status=1
    [ "$status" -eq 0 ] || show_logs
    stop_servers || true
    if [ "${KEEP:-0}" = 1 ]; then
        echo "$scenario: its folder is $folder"
    else
        rm -rf "$folder"
    fi
    [ "$status" -ne 0 ] || echo "$scenario: as it should be"
    exit "$status"
}

fail() { # WORDS
    local line _
    read -r line _ <<< "$(caller 1 || caller 0)"
    failed_at="$* (near line $line)"
    exit 1
}

show_logs() {
    local log
    for log in "$folder"/log/*.log "$folder"/postgres/data/log; do
        [ -s "$log" ] || continue
        echo "--- the end of $(basename "$log")"
        { as_postgres tail -n 30 "$log" 2>/dev/null || tail -n 30 "$log"; } |
            grep -vE '\[INF\] +(_| *[|\\]|https:|-----|Max |Store |Git|Node|ID|Name)' || true
    done
    echo "=== $scenario failed: ${failed_at:-by its last command}"
}

find_sanitizer_words() {
    grep -hE 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$folder"/log/*.log 2>/dev/null
}

stop_programs() {
    local failed=0
    stop_page || failed=1
    stop_ingest || failed=1
    stop_workers || failed=1
    stop_crews || failed=1
    stop_store || failed=1
    return $failed
}

stop_servers() {
    nats_stop
    postgres_stop
}

# --- settings ---

# Short times, so that a scenario shows in seconds what a laboratory sees in minutes. The sanitizers
# reserve terabytes of address space, so workers have no limit of it. Metrics are off: their default
# addresses may be those of programs that run here for good.
write_settings() {
    cat > "$conf" <<-END
	[nats]
	nats = $nats_url
	frames-limit = 64MiB
	results-limit = 256MiB
	[ingest]
	journal = $folder/ingest.sqlite
	settle = 300ms
	scan-interval = 1s
	reconcile-interval = 1s
	unfinished-after = 4s
	metrics-listen =
	[features]
	jobs = 2
	metrics-listen =
	memory-limit = 0
	[store]
	postgres = host=$postgres_socket port=$postgres_port dbname=scopestream user=store
	schema-dir = $tree/schema
	metrics-listen =
	[source scope]
	folder = $images
	END
}

# A key given again overrules what stood before.
setting() { # SECTION KEY VALUE
    printf '[%s]\n%s = %s\n' "$1" "$2" "$3" >> "$conf"
}

# --- servers ---

start_servers() {
    nats_make
    postgres_make "fsync = off" "log_min_messages = fatal"
    export PGHOST=$postgres_socket PGPORT=$postgres_port
    write_settings
    make_database
}

make_database() {
    postgres_psql --dbname postgres --command 'create database scopestream'
    migrate > "$folder/log/migrate.log" 2>&1
    postgres_psql --dbname scopestream --file - <<-'END'
	create role store login in role scopestream_store;
	create role scientist login in role scopestream_reader;
	END
}

# Migrations are the owner's work, here the superuser's.
migrate() { # OPTION...
    "$bin/scopestream-store" migrate "$@" \
        --postgres "host=$postgres_socket port=$postgres_port dbname=scopestream user=postgres"
}

stop_nats() { nats_stop; }
kill_nats() { process_kill nats; }
start_nats() { nats_start; }
delete_nats_store() { rm -rf "$folder/nats/store"; }
stop_postgres() { postgres_stop; }
start_postgres() { postgres_start; }

# --- programs ---

start_store() { process_start store "$bin/scopestream-store" run; }
stop_store() { process_stop store; }
kill_store() { process_kill store; }

start_workers() { # [JOBS [OPTION...]]
    process_start features "$bin/scopestream-features" run --jobs "${1:-2}" "${@:2}"
}
stop_workers() { process_stop features; }
# The whole crew at once, as a power cut would.
kill_workers() {
    local children
    children=$(worker_ids)
    process_kill features
    # shellcheck disable=SC2086
    kill -KILL $children 2>/dev/null || true
}

# The process ids of the children, on one line.
worker_ids() {
    local parent
    parent=$(process_id features) || return 0
    cat "/proc/$parent/task/$parent/children" 2>/dev/null || true
}

start_crew() { # PIPELINE [JOBS]
    process_start "features-$1" "$bin/scopestream-features" run --pipeline "$1" --jobs "${2:-1}"
}
stop_crew() { process_stop "features-$1"; }
stop_crews() {
    local name failed=0
    for name in $(process_names); do
        case $name in features-*) process_stop "$name" || failed=1 ;; esac
    done
    return $failed
}

# As somebody who may only look. Started anew, it is found at the same place.
start_page() {
    page_port=${page_port:-$(free_port)}
    process_start page "$bin/scopestream-store" page --page-listen "127.0.0.1:$page_port" \
        --postgres "host=$postgres_socket port=$postgres_port dbname=scopestream user=scientist"
    wait_until 20 page_listens
}
page_listens() { (exec 3<> "/dev/tcp/127.0.0.1/$page_port") 2>/dev/null; }
stop_page() { process_stop page INT; }

start_ingest() { process_start ingest "$bin/scopestream-ingest" run; }
stop_ingest() { process_stop ingest; }
kill_ingest() { process_kill ingest; }
delete_journal() { rm -f "$folder"/ingest.sqlite*; }

start_everything() {
    start_servers
    start_store
    start_workers
    start_ingest
}

# --- files ---

# Small frames, as fast as it can, unless the options say otherwise. --out writes elsewhere.
microscope() { # OPTION...
    "$bin/simulated-microscope" --out "$images" --list "$written" --plate P1 --wells A01 --sites 1 \
        --channels DAPI --side 128 --rate 0 --seed 1 "$@" > "$folder/log/microscope.log" 2>&1
}

# One image file of 128 x 128 pixels at FILE; its pixels come from SEED.
make_image() { # FILE [SEED [OPTION...]]
    local made
    rm -rf "$staging/one"
    microscope --out "$staging/one" --list "$staging/one.csv" --seed "${2:-1}" "${@:3}"
    made=$(frames_found "$staging/one" | head -n 1)
    mkdir -p "$(dirname "$1")"
    mv "$made" "$1"
}

frames_found() { # FOLDER
    find "$1" -type f -name '*.tif' | sort
}

# --- looking ---

sql() { # STATEMENT
    frames_sql --command "$1"
}

status() { # MEMBER
    "$bin/scopestream-store" status --format json 2>> "$folder/log/status.log" |
        jq --raw-output ".$1 | if type == \"array\" then length else . end"
}

# What one program answers about itself, over the wire and without any client: jq FILTER of it.
# The NATS protocol is text.
answer_of() { # PROGRAM FILTER
    nats_ask scopestream.status '' 0.5 | jq --raw-output --slurp \
        "map(select(.program == \"$1\")) | $2"
}

# Every answer that comes to a question within SECONDS, one a line.
nats_ask() { # SUBJECT BODY SECONDS
    local line length answer
    exec 4<> "/dev/tcp/127.0.0.1/$nats_port"
    printf 'CONNECT {"verbose":false}\r\nSUB harness.inbox 1\r\nPUB %s harness.inbox %d\r\n%s\r\n' \
        "$1" "${#2}" "$2" >&4
    while read -r -t "$3" line <&4; do
        line=${line%$'\r'}
        case $line in
            PING) printf 'PONG\r\n' >&4 ;;
            MSG*) length=${line##* }
                LC_ALL=C read -r -t 2 -N "$length" answer <&4 && printf '%s\n' "$answer" ;;
        esac
    done
    exec 4>&-
}

# Publishes FILE as it is; returns when the server has it.
nats_publish() { # SUBJECT FILE
    local line
    exec 4<> "/dev/tcp/127.0.0.1/$nats_port"
    {
        printf 'CONNECT {"verbose":false}\r\nPUB %s %d\r\n' "$1" "$(stat -c %s "$2")"
        cat "$2"
        printf '\r\nPING\r\n'
    } >&4
    while read -r -t 5 line <&4; do
        case $line in PONG*) break ;; esac
    done
    exec 4>&-
}

rows() {
    sql "select count(*) from scopestream.frames where source = 'scope'"
}

rows_are() { # COUNT
    [ "$(rows)" = "$1" ]
}

# Every file on disk has all its rows, or an event.
no_file_without_rows() {
    local differences # in full: a pipe cut short by grep -q would count as failed
    differences=$(frames_compare "$images" scope) && [[ $differences != *'no row'$'\t'* ]]
}

wait_until() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "waited in vain for: $*"
        sleep 0.1
    done
}

# Holds for all of SECONDS.
always() { # SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    local -a command=("${@:2}")
    while [ $SECONDS -lt $deadline ]; do
        "${command[@]}" || fail "was to hold, and did not: ${command[*]}"
        sleep 0.2
    done
}

expect() { # WHAT IS WANTED
    [ "$2" = "$3" ] || fail "$1: '$2', wanted '$3'"
}

# WANTED is a shell pattern.
expect_like() { # WHAT IS WANTED
    # shellcheck disable=SC2053
    [[ $2 == $3 ]] || fail "$1: '$2', wanted '$3'"
}

log_says() { # NAME PATTERN, case ignored
    grep -qiE -- "$2" "$folder/log/$1.log"
}

# Both ways: every file has its rows, every row its file; each frame has exactly one row. Waits for
# what is still on its way. Rows of versions that were overwritten or deleted on purpose are named
# by their number.
expect_files_equal_rows() { # [OLD ROWS]
    local differences old
    wait_until 60 no_file_without_rows
    differences=$(frames_compare "$images" scope)
    old=$(grep -c . <<< "$differences" || true)
    [ "$old" -eq "${1:-0}" ] || fail "files and rows differ, ${1:-0} old versions wanted:"$'\n'"$differences"
    expect "frames with more than one row" "$(sql "select count(*) from (select frame_id from
        scopestream.frames group by frame_id, pipeline having count(*) > 1) twice")" 0
    expect "rejected results" "$(sql 'select count(*) from scopestream.rejected')" 0
}

# What the microscope says it wrote, page by page, against the rows.
expect_list_equals_rows() {
    local difference
    difference=$(diff <(tail -n +2 "$written" | cut -d, -f1,2 | sort) \
        <(sql "select path || ',' || page from scopestream.frames where source = 'scope'" | sort)) ||
        fail "the microscope's list (<) and the rows (>) differ:"$'\n'"$difference"
}

begin
