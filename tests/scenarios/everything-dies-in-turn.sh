#!/bin/bash
# While a plate is imaged, everything is killed in turn: one worker, the whole crew, ingest, the
# store, NATS, PostgreSQL, ingest with its journal, NATS with its disk, and two at a time; workers
# and ingest hang for a while, the queues are small. Every frame ends in exactly one row, none of
# which says more than its file does, and nothing is left anywhere on the way.
. "$(dirname "$0")/harness.bash"

start_servers
setting nats frames-limit-count 20
setting nats results-limit 256KiB
setting features deliveries direct,fetch
setting features frame-time-limit 2s
setting ingest direct-listen 127.0.0.1:0
start_everything_ours() {
    start_store
    start_workers 2
    start_ingest
}
start_everything_ours

kill_one_worker() {
    local first
    read -r first _ <<< "$(worker_ids)"
    kill -KILL "$first"
}
kill_postgres() { process_kill postgres; }
start_postgres_again() { # what its last life left may still be ending
    until start_postgres 2>/dev/null; do sleep 0.3; done
}
hang() { # NAME SECONDS
    process_signal STOP "$1"
    sleep "$2"
    process_signal CONT "$1"
}

kill_crew() { kill_workers && start_workers 2; }
kill_ingest_() { kill_ingest && start_ingest; }
kill_store_() { kill_store && start_store; }
kill_nats_() { kill_nats && start_nats; }
kill_postgres_() { kill_postgres && start_postgres_again; }
lose_journal() { kill_ingest && delete_journal && start_ingest; }
lose_nats_store() { kill_nats && delete_nats_store && start_nats; }
kill_both_servers() { kill_nats && kill_postgres && start_postgres_again && start_nats; }
lose_journal_and_queue() {
    kill_ingest && kill_nats && delete_journal && delete_nats_store && start_nats && start_ingest
}
kill_all_programs() { kill_ingest && kill_workers && kill_store && start_everything_ours; }
hang_ingest() { hang ingest 2; }
# Results fill their queue meanwhile; that is no frame's fault.
store_away_for_long() { kill_store && sleep 8 && start_store; }
# As a plate's folder is renamed and renamed back while its frames wait.
folder_away() {
    mv "$images/2" "$folder/away" && sleep 1 && mv "$folder/away" "$images/2"
}

instruments=(imagexpress phenix yokogawa cellomics micromanager)
turn=0
for accident in kill_one_worker kill_crew kill_ingest_ kill_store_ kill_nats_ kill_postgres_ \
    lose_journal lose_nats_store hang_ingest folder_away store_away_for_long kill_both_servers \
    lose_journal_and_queue kill_all_programs; do
    turn=$((turn + 1))
    # Too large to ride along with their descriptors.
    "$bin/simulated-microscope" --out "$images/$turn" --list "$folder/$turn.csv" --plate "P$turn" \
        --naming "${instruments[turn % ${#instruments[@]}]}" --wells A01-A06 --sites 2 \
        --channels DAPI,GFP --side 256 --rate 60 --seed $turn --quiet &
    scope=$!
    sleep 0.3
    $accident
    wait "$scope"
    tail -n +2 "$folder/$turn.csv" | sed "s,^,$turn/," >> "$folder/all.csv"
done
{ echo path; cat "$folder/all.csv"; } > "$written"

nothing_is_left() { [ "$(status queued) $(status results_queued) $(status waiting)" = "0 0 0" ]; }
wait_until 90 rows_are $((turn * 24))
expect_list_equals_rows
expect_files_equal_rows
no_row_says_otherwise() { # a folder that came back while its frames were judged is looked at again
    [ "$(sql "select count(*) from scopestream.frames where status <> 'ok'")" = 0 ]
}
wait_until 30 no_row_says_otherwise
wait_until 90 nothing_is_left
