#!/bin/bash
# Whoever may write to NATS can write nonsense: into the queue, among the results, to ingest and the
# store. Nobody ends or hangs of it, and a plate behind it is measured.
. "$(dirname "$0")/harness.bash"

# A descriptor of frame NAME of SOURCE, with the id they make; REST are members after the frame.
descriptor() { # SOURCE NAME REST
    local hash id
    hash=$(printf '%b\0%s\0%s\0' "$1" "$2" 10/1700000000000000000/0 | sha256sum)
    id=${hash:0:8}-${hash:8:4}-8${hash:13:3}-$(printf %x $((0x${hash:16:1} & 3 | 8)))${hash:17:3}
    printf '{"wire":1,"attempt":1,"frame":{"frame_id":"%s-%s","source":"%s","path":"%s",' \
        "$id" "${hash:20:12}" "$1" "$2"
    printf '"size_bytes":10,"mtime_ns":1700000000000000000,"page":0},%s}' "$3"
}

send() { # SUBJECT TEXT
    printf '%s' "$2" > "$folder/message"
    nats_publish "$1" "$folder/message"
}

start_servers
setting features frame-time-limit 5s
setting ingest direct-listen 127.0.0.1:0
start_store
start_workers
start_ingest

brackets=$(printf '[%.0s' {1..20000})
queue=scopestream.frame.quality.scope
fetch='"pipeline":"quality","fetch":{"subject":"scopestream.fetch.scope"}'
send $queue "$(descriptor 'a b' x.tif "$fetch")"
send $queue "$(descriptor 'a\r\nPUB b 2' x.tif "$fetch")"
send $queue "$(descriptor scope x.tif '"pipeline":"a b"')"
send $queue "$(descriptor scope x.tif '"pipeline":"quality","fetch":{"subject":"a\r\nPUB b 2"}')"
send 'scopestream.frame.quality.a"b' '{}'
for nonsense in '' '{' '[]' '{"wire":1}' "{\"a\":$brackets" "{'\"':$brackets" \
    '{"kind":"result","frame":{}}' '{"kind":"catalogue","measures":[{"name":"xmin"}]}' \
    '{"kind":"event","at":"never","event":"x"}' '{"pipeline":"quality","frames":[5]}' \
    '{"pipeline":"quality","frame_ids":[5,"x"]}' '{"frame_id":"x","offset":-1,"length":1e99}'; do
    send $queue "$nonsense"
    send scopestream.result.quality.scope "$nonsense"
    send scopestream.stored.scope "$nonsense"
    for question in scopestream.fetch.scope scopestream.have scopestream.status; do
        nats_ask $question "$nonsense" 0.1 > "$folder/log/answers.log"
    done
done

microscope --wells A01-B03
wait_until 60 rows_are 6
wait_until 30 test "$(status queued)" = 0
sleep 6 # longer than the workers would live with a frame they cannot tell of
expect "workers that died" "$(answer_of features 'map(.deaths) | max')" 0
expect "events of unreadable descriptors" \
    "$(sql "select count(*) > 10 from scopestream.events where event = 'unreadable-descriptor'")" t
expect "no file without its row" "$(frames_compare "$images" scope)" ""
