#!/bin/bash
# Real files of real microscopes: every page their manifest counts has exactly one row, ok where
# libtiff or libvips reads the file and broken where neither does; what is no image ends in a row or
# an event. Skipped where SCOPESTREAM_SAMPLE_DATA names no folder of real images.
data=${SCOPESTREAM_SAMPLE_DATA:-}
[ -e "$data/MANIFEST.tsv" ] || { echo "no sample data here"; exit 77; }
. "$(dirname "$0")/harness.bash"

frames_exclude=${frames_exclude/ \*_thumb\*/} # the manifest counts the instruments' thumbnails
start_servers
setting "source scope" exclude "$frames_exclude"
start_store
start_workers
folders=(hcs focus timelapse ometiff png malformed)
for part in "${folders[@]}"; do
    cp -r "$data/$part" "$images/"
done
start_ingest

wait_until 240 no_file_without_rows

in_folders="^($(IFS='|'; echo "${folders[*]}"))/[^\t]*\.(tif|tiff|png)\$"
# PATH,PAGE of every page the manifest counts; what is malformed may have fewer.
manifest_pages() {
    awk -F'\t' -v pattern="$in_folders" \
        'tolower($1) ~ pattern && $1 !~ /^malformed/ && $6 > 0 {
            for (page = 0; page < $6; page++) print $1 "," page
        }' "$data/MANIFEST.tsv" | sort
}
pages_with_rows() {
    sql "select distinct path || ',' || page from scopestream.frames
        where path not like 'malformed/%'" | sort
}
difference=$(comm -23 <(manifest_pages) <(pages_with_rows))
[ -z "$difference" ] || fail "pages without a row:"$'\n'"$difference"

# Each file, and what the checks say of it: read by libtiff or by libvips, and no checksum wrong
# (libvips passes over the one of a PNG's pixels).
checked() {
    awk -F'\t' -v pattern="$in_folders" \
        'tolower($1) ~ pattern && $1 !~ /^malformed/ {
            print (($2 == "0" || $4 == "0") && $11 !~ /CRC error/ ? "readable" : "unreadable") "\t" $1
        }' "$data/CHECKS.tsv"
}
readable() { checked | sed -n 's/^readable\t//p' | sort; }
unreadable() { checked | sed -n 's/^unreadable\t//p' | sort; }
not_ok() { sql "select distinct path from scopestream.frames where status <> 'ok'" | sort; }
ok() { sql "select distinct path from scopestream.frames where status = 'ok'" | sort; }
difference=$(comm -12 <(readable) <(not_ok))
[ -z "$difference" ] || fail "readable, and not ok:"$'\n'"$difference"
difference=$(comm -12 <(unreadable) <(ok))
[ -z "$difference" ] || fail "unreadable, and ok:"$'\n'"$difference"

expect "rows that say poison" "$(sql "select path from scopestream.frames
    where status = 'poison'")" ""
sql "select split_part(path, '/', 1), status, count(*) from scopestream.frames
    group by 1, 2 order by 1, 2"
expect_files_equal_rows
