#!/bin/bash
# A plate with known faults is imaged; the sample questions, asked by the scientist, name the wells
# that were spoilt and no others. Every question has an answer.
. "$(dirname "$0")/harness.bash"

# The different values of one column of a question's answer, on one line.
answer() { # QUESTION COLUMN
    frames_sql --file "$tree/samples/questions/$1.sql" | cut -f "$2" | sort -u | tr '\n' ' '
}

truncated_is_told() {
    [[ $(answer what-went-wrong 3) == "unfinished " ]]
}

start_everything
microscope --wells A01-D06 --channels DAPI,GFP --side 320 --fault defocus:B02,C05 \
    --fault empty:A04 --fault saturated:GFP@D03 --fault dim:D06 --fault stuck:40+2 \
    --fault truncated:DAPI@C01 --fault slow:A02 --fault renamed:A03
wait_until 60 rows_are 47 # of 48 files, one is never complete

expect "out of focus" "$(answer which-wells-are-out-of-focus 1)" "B02 C05 "
expect "empty" "$(answer which-wells-are-empty 1)" "A04 "
expect "saturated" "$(answer which-frames-are-saturated 2)" "D03 "
expect "dim" "$(answer which-wells-are-dim 1)" "D06 "
expect "stuck" "$(answer is-the-camera-stuck 6)" \
    "$(awk -F, '$9 == "stuck" { print $1 }' "$written" | sort | tr '\n' ' ')"
wait_until 20 truncated_is_told

microscope --plate Z1 --naming phenix --z 5 --side 320 --list "$folder/stack.csv"
wait_until 20 rows_are 52
expect "sharpest of five planes" "$(answer which-plane-is-sharpest 6)" "3 "

tail -n +2 "$folder/stack.csv" >> "$written"
sed -i '/,truncated,/d' "$written"
expect_list_equals_rows
expect_files_equal_rows
