#!/bin/bash
# What cannot become right by waiting: each program says in one line what is wrong and what was
# expected, and ends with exit status 2. What can come back is waited for.
. "$(dirname "$0")/harness.bash"

start_servers

# PATTERN is what the one line must say.
refuses() { # PATTERN PROGRAM ARGUMENT...
    local pattern=$1 outcome=0 words
    shift
    words=$(timeout 20 "$bin/$1" "${@:2}" 2>&1 > /dev/null < /dev/null) || outcome=$?
    expect "exit status of $*" "$outcome" 2
    expect "lines of $*: $words" "$(wc -l <<< "$words")" 1
    expect_like "words of $*" "$words" "*$pattern*"
}

for program in ingest features store; do
    name=scopestream-$program
    refuses "no-such.conf" $name run --config "$folder/no-such.conf"
    printf '[ingest]\nsetle = 1s\n' > "$folder/wrong.conf"
    refuses "wrong.conf*setle" $name run --config "$folder/wrong.conf"
    printf '[features]\njobs = many\n' > "$folder/wrong.conf"
    refuses "wrong.conf*jobs" $name run --config "$folder/wrong.conf"
    printf '[surprise]\n' > "$folder/wrong.conf"
    refuses "wrong.conf*surprise" $name run --config "$folder/wrong.conf"
    refuses "wrong.conf*surprise" $name --check-config --config "$folder/wrong.conf"
    refuses "" $name run --no-such-option
    refuses "" $name no-such-command
    "$bin/$name" --check-config > /dev/null
    "$bin/$name" --sample-config > "$folder/sample.conf"
    "$bin/$name" --check-config --config "$folder/sample.conf" > /dev/null
done

printf '[pipeline quality]\nmeasures = standard no_such_measure\n' > "$folder/wrong.conf"
refuses "pipeline quality*no_such_measure" scopestream-features run --config "$folder/wrong.conf"
refuses "pipeline quality*no_such_measure" scopestream-features --check-config --config "$folder/wrong.conf"

: > "$staging/file"
printf '[ingest]\njournal = %s\n' "$folder/j.sqlite" > "$folder/bare.conf"
refuses "" scopestream-ingest run --config "$folder/bare.conf"
refuses "$staging/file" scopestream-ingest run --config "$folder/bare.conf" --source "s=$staging/file"
refuses "" scopestream-ingest run --config "$folder/bare.conf" --source "a b=$images"
printf '[ingest]\njournal = %s\n[source s]\nfolder = %s\nnaming = abacus\n' \
    "$folder/j.sqlite" "$images" > "$folder/wrong.conf"
refuses "abacus" scopestream-ingest run --config "$folder/wrong.conf"

database="host=$postgres_socket port=$postgres_port"
refuses "nosuch" scopestream-store run --postgres "$database dbname=nosuch user=store"
refuses "nobody" scopestream-store run --postgres "$database dbname=scopestream user=nobody"
tcp="host=127.0.0.1 port=$postgres_port dbname=scopestream user=store"
refuses "password" scopestream-store run --postgres "$tcp password=wrong"

refuses "may not store" scopestream-store run --postgres "$database dbname=scopestream user=scientist"
refuses "direct-listen" scopestream-ingest run --direct-listen 127.0.0.1:99999
refuses "in use" scopestream-ingest run --direct-listen "127.0.0.1:$nats_port"

# Servers that refuse us, or have no room or no streams.
other_nats() { # LINE... of its configuration
    other=$(free_port)
    printf '%s\n' "listen: \"127.0.0.1:$other\"" "$@" > "$folder/other.conf"
    process_start other nats-server --config "$folder/other.conf"
    wait_until 5 listening
}
listening() { (: < "/dev/tcp/127.0.0.1/$other") 2> /dev/null; }
all_refuse() { # PATTERN
    for program in ingest features store; do
        outcome=0
        timeout 20 "$bin/scopestream-$program" run --nats "nats://127.0.0.1:$other" \
            > "$folder/refusal" 2>&1 || outcome=$?
        expect "exit status of $program, $1" "$outcome" 2
        expect_like "last words of $program" "$(tail -n 1 "$folder/refusal")" "*$1*"
    done
    process_stop other
}
other_nats 'authorization { user: a, password: b }'
all_refuse "refused the credentials"
other_nats
all_refuse "JetStream is off"
other_nats "jetstream { store_dir: \"$folder/other\", max_file: 1MB }"
all_refuse "no room for stream"

# An unreachable server is waited for.
waits() { # NAME COMMAND...
    process_start "$@"
    sleep 2
    process_id "$1" > /dev/null || fail "$* has ended"
    process_stop "$1"
}
nobody=$(free_port)
waits ingest-alone "$bin/scopestream-ingest" run --nats "nats://127.0.0.1:$nobody"
waits features-alone "$bin/scopestream-features" run --nats "nats://127.0.0.1:$nobody"
waits store-alone "$bin/scopestream-store" run --nats "nats://127.0.0.1:$nobody"
waits store-alone "$bin/scopestream-store" run --postgres \
    "host=127.0.0.1 port=$nobody dbname=scopestream user=store"
