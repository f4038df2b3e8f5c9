# servers: a private nats-server and a private PostgreSQL cluster inside one folder, on free ports
# of the loopback interface. Sourced by deploy/demo and by the scenarios, after processes.bash.
#
# Every function takes the folder from $folder, an absolute path every user may pass through.
#
#   $folder/nats         configuration and JetStream's store     nats_port, nats_url
#   $folder/postgres     the cluster                             postgres_port, postgres_socket
# shellcheck shell=bash disable=SC2154,SC2034

# Debian puts nats-server where an ordinary user's PATH does not lead.
PATH=$PATH:/usr/sbin

# A port nobody listens on now, below the range the system hands out to outgoing connections.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# --- NATS ---

# Somebody may take the port between the look and the start: three tries.
nats_make() {
    local try
    mkdir -p "$folder/nats"
    for try in 1 2 3; do
        nats_port=$(free_port)
        nats_url=nats://127.0.0.1:$nats_port
        nats_configure
        nats_start && return
        process_stop nats
    done
    echo "nats-server does not start ($try tries): $folder/log/nats.log" >&2
    return 1
}

# max_payload stays at the server's default of 1 MB: frames of every size pass it.
nats_configure() {
    cat > "$folder/nats/nats.conf" <<-END
	listen: 127.0.0.1:$nats_port
	jetstream {
	  store_dir: "$folder/nats/store"
	  max_mem: 16MB
	  max_file: ${nats_room:-4GB}
	}
	END
}

# Frames that are fetched pass the server as messages of a megabyte: with room for its garbage it
# spends a third less on them (measured: 3.7 against 2.4 CPU seconds a gigabyte).
nats_start() {
    local deadline=$((SECONDS + 20))
    GOGC=${GOGC:-400} process_start nats nats-server -c "$folder/nats/nats.conf"
    until nats_answers; do
        process_id nats >/dev/null && [ $SECONDS -lt $deadline ] || return 1
        sleep 0.05
    done
}

# It greets every connection with a line that begins with INFO.
nats_answers() {
    local greeting=
    { exec 3<> "/dev/tcp/127.0.0.1/$nats_port"; } 2>/dev/null || return 1
    read -r -t 2 greeting <&3 || true
    exec 3>&-
    [[ $greeting == INFO* ]]
}

nats_stop() {
    process_stop nats TERM
}

# --- PostgreSQL ---

# initdb and postgres refuse to run as root: root lets the package's own user run them.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid postgres --regid postgres --init-groups --inh-caps=-all -- "$@")
    else
        "$@"
    fi
}

postgres_program() { # NAME
    local program
    for program in /usr/lib/postgresql/15/bin/"$1" /usr/lib/postgresql/*/bin/"$1"; do
        [ -x "$program" ] && echo "$program" && return
    done
    echo "$1 is missing: deploy/install-packages installs it" >&2
    return 1
}

# The superuser is "postgres"; the socket's folder lets only its owner in, so it asks for no
# password. Over TCP every role needs one.
postgres_make() { # [LINE of postgresql.conf]...
    local home=$folder/postgres try
    postgres_socket=$home/socket
    # The address of a socket holds 107 bytes.
    if [ ${#postgres_socket} -gt 85 ]; then
        echo "$folder: too long a path for PostgreSQL's socket, choose a shorter folder" >&2
        return 1
    fi
    mkdir -p "$home" "$folder/log"
    [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$home"
    as_postgres mkdir -m 700 "$postgres_socket"
    as_postgres "$(postgres_program initdb)" --pgdata="$home/data" --username=postgres --no-sync \
        --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 \
        > "$folder/log/initdb.log"
    rm "$folder/log/initdb.log" # it warns of --no-sync, which is meant
    for try in 1 2 3; do
        postgres_port=$(free_port)
        postgres_configure "$@"
        postgres_start && return
    done
    echo "PostgreSQL does not start ($try tries): $home/data/log" >&2
    return 1
}

# No dynamic shared memory in /dev/shm: a cluster that is killed leaves nothing outside its folder.
postgres_configure() { # [LINE]...
    as_postgres tee "$folder/postgres/data/postgresql.auto.conf" > /dev/null <<-END
	listen_addresses = '127.0.0.1'
	port = $postgres_port
	unix_socket_directories = '$postgres_socket'
	dynamic_shared_memory_type = mmap
	max_connections = 40
	shared_buffers = 64MB
	$(printf '%s\n' "$@")
	END
}

postgres_start() {
    local data=$folder/postgres/data
    as_postgres "$(postgres_program pg_ctl)" start --silent --wait --timeout=30 --pgdata="$data" \
        --log="$data/log" > /dev/null || return 1
    process_adopt postgres "$(as_postgres head -n 1 "$data/postmaster.pid")"
}

# INT is PostgreSQL's word for "disconnect everybody and shut down".
postgres_stop() {
    process_stop postgres INT
}

# psql as the superuser.
postgres_psql() { # ARGUMENT...
    PGOPTIONS='--client-min-messages=warning' psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
        --host "$postgres_socket" --port "$postgres_port" --username postgres "$@"
}
