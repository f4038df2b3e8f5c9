#!/bin/bash
# Rows a second of one store with the default models and rules, beside none: a plate of 384 wells and two channels, some of
# them with faults, goes through everything; then its results are stored again and again, as new plates.
#
#   tests/bench/rows-with-rules.sh [FRAMES [TIMES]]     of each measurement, 2048; the median of TIMES counts, 3
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

bench_start
microscope --wells all384 --channels DAPI,GFP --side 320 --rate 60 --fault each:8 --fault saturated:C03,C04,D11
wait_until 300 rows_are "$(($(grep -vc missing "$written") - 1))"
stop_ingest
stop_workers
stop_store
export PGUSER=postgres
printf '%s rows, %s numbers each, %s models and %s rules that judge frames; load %s\n' "$(rows)" \
    "$(sql "select count(*) from scopestream_data.measure where kind = 'number'")" \
    "$(sql 'select count(*) from scopestream.models where enabled')" \
    "$(sql "select count(*) from scopestream.rules where enabled and waits_for is null
            and kind in ('bound', 'ewma', 'cusum')")" "$(cut -d' ' -f1 /proc/loadavg)"
"$SCOPESTREAM_BIN/../bench/bench_store_steered" "$@"
