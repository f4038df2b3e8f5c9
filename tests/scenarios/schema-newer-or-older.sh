#!/bin/bash
# The database's schema is not the program's: not migrated at all, older, newer, or changed behind
# its back. The store says in one line what to do, ends with exit status 2, and writes nothing.
. "$(dirname "$0")/harness.bash"

start_servers
sql_version() {
    postgres_psql -d scopestream -At -c 'select max(version) from scopestream_data.schema_migration'
}
newest=$(sql_version)

owner="host=$postgres_socket port=$postgres_port dbname=scopestream user=postgres"

refuses() { # PATTERN COMMAND...
    local outcome=0 words
    words=$(timeout 20 "${@:2}" 2>&1 > /dev/null < /dev/null) || outcome=$?
    expect "exit status of ${*:2}: $words" "$outcome" 2
    expect_like "words of ${*:2}" "$words" "*$1*"
}

# Migrating again changes nothing.
migrate > "$folder/again.txt"
expect "newest" "$(sql_version)" "$newest"

# Not migrated at all.
postgres_psql -d postgres -c 'create database bare'
refuses migrate "$bin/scopestream-store" run --postgres \
    "${owner/dbname=scopestream/dbname=bare}"

# Newer than the program.
postgres_psql -d scopestream -c "insert into scopestream_data.schema_migration (version, name, sha256)
    values (9999, '9999_later.sql', repeat('0', 64))"
refuses "" "$bin/scopestream-store" run
refuses "" "$bin/scopestream-store" migrate --postgres "$owner"
postgres_psql -d scopestream -c 'delete from scopestream_data.schema_migration where version = 9999'

# Older than the program.
postgres_psql -d scopestream \
    -c 'create table kept as table scopestream_data.schema_migration' \
    -c "delete from kept where version <> $newest" \
    -c "delete from scopestream_data.schema_migration where version = $newest"
refuses migrate "$bin/scopestream-store" run
postgres_psql -d scopestream -c 'insert into scopestream_data.schema_migration table kept'

# A file that was applied is another one now.
cp -r "$tree/schema" "$folder/schema"
first=$(find "$folder/schema" -name '*.sql' | sort | head -n 1)
echo '-- changed' >> "$first"
refuses "$(basename "$first")" "$bin/scopestream-store" migrate --schema-dir "$folder/schema" \
    --postgres "$owner"

# As it was, it works.
start_store
start_workers
start_ingest
make_image "$images/a.tif"
wait_until 20 rows_are 1
expect_files_equal_rows
