#!/bin/bash
# A folder that is full when ingest starts: how long until every file is offered; and what a hundred
# thousand waiting frames cost: the queue's bytes on disk, and the memory of every process, first
# with a tenth of them and then with all, which must not differ by the backlog.
#
#   tests/bench/hundred-thousand-files-at-start.sh [COUNT]
count=${1:-100000}
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"

# Small files: the question is what a file costs, not a byte. In folders of a thousand, as plates
# have them; one process in place of a hundred thousand calls of cp.
make_files() { # FROM TO
    perl -MFile::Copy -e '
        my ($image, $folder, $first, $last) = @ARGV;
        for my $number ($first .. $last - 1) {
            my $plate = sprintf "%s/plate%d", $folder, $number / 1000;
            mkdir $plate;
            copy $image, "$plate/P_A01_s${number}_w1.tif" or die "$plate: $!";
        }' "$staging/one.tif" "$images" "$1" "$2"
}

offered() {
    answer_of ingest '(map(.sources[].offered) | add) // 0'
}

offered_are() { # COUNT
    [ "$(offered)" = "$1" ]
}

queue_bytes() {
    du -sb "$folder/nats/store" | cut -f 1
}

nats_room=8GB
start_servers
bench_settings "ingest.inline-limit=0"
start_store
make_image "$staging/one.tif" 1 --side 64
make_files 0 $((count / 10))
start_ingest
wait_until 300 offered_are $((count / 10))
echo "$((count / 10)) frames wait: the queue takes $(($(queue_bytes) / 1000000)) MB"
memory_report
stop_ingest

make_files $((count / 10)) "$count"
delete_journal
stop_nats
delete_nats_store
start_nats
began=$(date +%s%N)
cpu_mark
start_ingest
wait_until 900 offered_are "$count"
awk "BEGIN { printf \"$count files offered %.1f s after the start\n\", ($(date +%s%N) - $began) / 1e9 }"
cpu_report
echo "$count frames wait: the queue takes $(($(queue_bytes) / 1000000)) MB"
memory_report
