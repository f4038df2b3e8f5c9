#!/bin/bash
# A plan of an acquisition engine in Python is steered while it runs: sites out of focus are imaged
# again with other offsets until the rules find them good. Both kinds of plan, a plate each. Needs
# nats-py, which Debian has not: PYTHON names an interpreter that has it.
python=${PYTHON:-python3}
"$python" -c 'import nats' 2>/dev/null || { echo "$python has no nats-py: skipped"; exit 77; }
. "$(dirname "$0")/harness.bash"

steer() { # ENGINE PLATE SEED
    process_start "$2" "$python" -B "$tree/samples/act/try_act.py" --engine "$1" --source scope \
        --nats "$nats_url" --wells A01-D06 --sites 2 --step 10.5 --linger 20 -- \
        "$bin/simulated-microscope" --quiet --rate 20 --out "$images" --list "$folder/$2.csv" --plate "$2" \
        --wells A01-D06 --sites 2 --channels DAPI,GFP --side 320 --seed "$3" --fault defocus:D05
}

# A site that was given up is skipped, and never done.
all_is_done() { # PLATE
    [ "$(sql "select count(distinct site) from scopestream.decisions
        where plate = '$1' and well = 'D05' and state = 'done' and action = 'image_again'")" = 2 ]
}

start_everything
for run in "useq P1 6" "pycro-manager P2 7"; do
    read -r engine plate seed <<< "$run"
    steer "$engine" "$plate" "$seed"
    wait_until 90 all_is_done "$plate"
    expect "what was asked for, $engine" "$(sql "select distinct action from scopestream.decisions
        where plate = '$plate' and well = 'D05'")" image_again
    expect "orders refused, $engine" "$(grep -c ^refused "$folder/log/$plate.log" || true)" 0
    expect "off in the end, $engine" "$(awk -F, '$4 == "D05" { off[$5] = $11 < 0 ? -$11 : $11 }
        END { for (site in off) if (off[site] > 2) print site }' "$folder/$plate.csv")" ""
    process_stop "$plate"
done

{ head -n 1 "$folder/P1.csv"; tail -q -n +2 "$folder"/P[12].csv; } > "$written"
expect_list_equals_rows
expect_files_equal_rows
