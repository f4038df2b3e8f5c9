#!/bin/bash
# A folder with a good plug-in, one that crashes over every frame, one that wants a column of another
# meaning and a file that is none: every frame is measured, the good one's number stands in the
# views like a built-in one, and the log says in one line each what is wrong with the others.
. "$(dirname "$0")/harness.bash"

start_servers
plug_ins=$folder/plug-ins
mkdir "$plug_ins"
cp "$bin/../plug-ins/odd_even.so" "$bin/../tests/plug_ins/"{crashes,takes_a_well}.so "$plug_ins"
printf 'an ELF file begins otherwise, and is longer than a line or two of text, so %s\n' {1..9} \
    > "$plug_ins/text.so"
setting features plug-ins "$plug_ins"
setting features jobs 1
start_store
start_workers 1
worker_is_there() { [ -n "$(worker_ids)" ]; }
wait_until 10 worker_is_there
worker=$(worker_ids)
start_ingest
microscope --wells A01-A02 --sites 4

wait_until 60 rows_are 8
expect "status of all frames" "$(sql "select distinct status from scopestream.frames")" ok
expect "the worker" "$(worker_ids)" "$worker"
columns_are_there() {
    [ "$(sql "select count(*) from information_schema.columns where table_schema = 'scopestream'
        and table_name in ('features', 'wells') and column_name = 'odd_even_rows'")" = 2 ]
}
wait_until 10 columns_are_there
expect "frames with the good one's numbers" "$(sql "select count(*) from scopestream.features
    where abs(odd_even_rows) < 5 and abs(odd_even_columns) < 5 and mean > 0")" 8
expect "frames with the bad one's" "$(sql "select count(crashes_width) from scopestream.features")" 0
expect "wells" "$(sql "select count(*) from scopestream.wells where odd_even_rows is not null")" 2
expect_like "its column" "$(sql "select col_description('scopestream.features'::regclass, attnum)
    from pg_attribute where attrelid = 'scopestream.features'::regclass
    and attname = 'odd_even_columns'")" '*the same of columns*%*'

# Once each, at the beginning or when it happened.
expect "lines about plug-ins" "$(grep -c 'warning plug-in ' "$folder/log/features.log")" 4
for line in \
    "$plug_ins/crashes.so: crashed \(signal 11\): its numbers are empty until it works again" \
    "$plug_ins/crashes.so: crashed \(signal 11\): it is switched off until the program starts again" \
    "$plug_ins/takes_a_well.so: cannot be used: number 'well': another column is called so" \
    "$plug_ins/text.so: cannot be used: "; do
    log_says features "warning +plug-in $line" || fail "the log does not say: $line"
done

# Names plug-ins may not take: every column that is no measure, where measures have theirs.
while read -r column; do
    grep -q "\"$column\"" "$tree/features/plug_ins/plug_in_description.c" ||
        fail "a plug-in may call a number '$column', which is a column of another meaning"
done < <(postgres_psql --dbname scopestream --tuples-only --no-align --command "
    select distinct attname from pg_attribute
    where attrelid in ('scopestream_data.frame'::regclass, 'scopestream_data.result'::regclass,
                       'scopestream.features'::regclass, 'scopestream.wells'::regclass)
    and attnum > 0 and not attisdropped and attname not in (select name from scopestream_data.measure)")

"$bin/scopestream-features" list --format csv > "$folder/list.csv" 2> "$folder/log/list.log"
expect_like "the list" "$(grep '^odd_even_rows,' "$folder/list.csv")" '*,own,*,plug-in,odd_even,*'
log_says list "text.so: cannot be used" || fail "list does not tell of text.so"

expect_files_equal_rows
