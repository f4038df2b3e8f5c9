# processes: starting, ending and finding again the processes of one folder. Sourced by deploy/demo
# and by the scenarios.
#
# A process has a name; FOLDER/run/NAME.pid holds its id and its start time, so that an id the
# system gave to somebody else meanwhile is never taken for ours. FOLDER/log/NAME.log is its output.
# Each runs in a session of its own: Ctrl-C reaches only the script, which ends them in order.
#
# Every function takes the folder from $folder, an absolute path.
# shellcheck shell=bash disable=SC2154

process_start() { # NAME COMMAND...
    local name=$1
    shift
    mkdir -p "$folder/run" "$folder/log"
    setsid -- "$@" >> "$folder/log/$name.log" 2>&1 < /dev/null &
    process_adopt "$name" $!
    disown $! # or bash would tell of its end on the terminal
}

# Lets NAME be a process somebody else started for us (pg_ctl).
process_adopt() { # NAME ID
    mkdir -p "$folder/run"
    echo "$2 $(process_start_time "$2")" > "$folder/run/$1.pid"
}

# In clock ticks since boot; empty if there is no such process. The program's name, in brackets, may
# hold spaces: the fields are counted behind it. Of a process that is killed the first thread ends at
# once, while others may still hold its ports and locks: it is gone with the last one.
process_start_time() { # ID
    local stat fields
    read -r stat 2>/dev/null < "/proc/$1/stat" || return 0
    read -ra fields <<< "${stat##*) }"
    [ "${fields[0]}" = Z ] && [ "${fields[17]}" -le 1 ] || echo "${fields[19]}"
}

# Prints the id of NAME if it runs; fails if not.
process_id() { # NAME
    local id started
    read -r id started 2>/dev/null < "$folder/run/$1.pid" || return 1
    [ -n "$started" ] && [ "$(process_start_time "$id")" = "$started" ] && echo "$id"
}

process_signal() { # SIGNAL NAME
    local id
    id=$(process_id "$2") && kill "-$1" "$id" 2>/dev/null
}

# Asks NAME to end and waits; after SECONDS (20) it is killed, and that is a failure.
process_stop() { # NAME [SIGNAL [SECONDS]]
    local name=$1 signal=${2:-TERM} deadline=$((SECONDS + ${3:-20}))
    process_signal "$signal" "$name" || { process_forget "$name"; return 0; }
    while process_id "$name" >/dev/null; do
        if [ $SECONDS -ge $deadline ]; then
            echo "$name did not end within ${3:-20} s and was killed" >&2
            process_kill "$name"
            return 1
        fi
        sleep 0.05
    done
    process_forget "$name"
}

# The end a power cut gives.
process_kill() { # NAME
    process_signal KILL "$1" || true
    while process_id "$1" >/dev/null; do sleep 0.02; done
    process_forget "$1"
}

process_forget() { # NAME
    rm -f "$folder/run/$1.pid"
}

# The names of all that were started and not stopped, one a line; they need not run any more.
process_names() {
    local file
    for file in "$folder"/run/*.pid; do
        [ -e "$file" ] && basename "$file" .pid
    done
    return 0
}
