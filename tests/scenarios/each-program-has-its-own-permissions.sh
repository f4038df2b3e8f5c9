#!/bin/bash
# NATS as deploy/nats/scopestream.conf configures it: one user for each kind of program, who may say
# and hear only what it needs. A frame passes all of them, by fetch; nobody comes in without a password.
. "$(dirname "$0")/harness.bash"

nats_configure() {
    sed -E "s|^listen: .*|listen: 127.0.0.1:$nats_port|; /^http:/d
        s|store_dir: .*|store_dir: \"$folder/nats/store\"|" \
        "$tree/deploy/nats/scopestream.conf" > "$folder/nats/nats.conf"
}
as_user() { # NATS USER
    printf 'change-me-%s\n' "$1" > "$folder/$1.password"
    login=(--nats-user "$1" --nats-password-file "$folder/$1.password")
}

start_servers
as_user ingest
process_start ingest "$bin/scopestream-ingest" run "${login[@]}"
as_user worker
process_start features "$bin/scopestream-features" run --deliveries fetch "${login[@]}"
as_user store
process_start store "$bin/scopestream-store" run "${login[@]}"
microscope --channels DAPI,GFP --side 700
wait_until 30 rows_are 2
expect "ways" "$(sql 'select distinct status, delivery from scopestream.frames')" $'ok\tfetch'

knows_all_as_stored() { # ingest heard `stored`, or asked `have?`
    "$bin/scopestream-store" status --format json "${login[@]}" | jq -e '.sources[0].stored == 2' \
        > /dev/null
}
wait_until 20 knows_all_as_stored
stop_programs
for name in ingest features store nats; do
    ! log_says $name 'permission|violation' || fail "$name met a permission it lacks"
done

# Refused: said in one line, and waited for, because a server can be corrected.
as_user nobody
"$bin/scopestream-store" status "${login[@]}" > "$folder/log/refused.log" 2>&1 || true
log_says refused 'authori|refused|credentials' || fail "status does not say that it was refused"

expect_list_equals_rows
expect_files_equal_rows
