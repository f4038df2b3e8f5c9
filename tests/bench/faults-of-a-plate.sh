#!/bin/bash
# How well the default rules find what goes wrong: plates of 384 wells and four channels, with faults
# put in by seed, go through everything; what the rules found is compared with what was put in.
#
#   tests/bench/faults-of-a-plate.sh [SEED...]       default: 101 102 103; one plate each, and one that drifts
#
# Prints precision and recall a fault, and how many alerts each cause got on each plate. The rules were
# set on seeds below 100.
# shellcheck source=tests/bench/bench.bash
. "$(dirname "$0")/bench.bash"
seeds=("$@")
[ $# -gt 0 ] || seeds=(101 102 103)
channels=(DAPI GFP TRITC CY5)
rate=${RATE:-35} side=${SIDE:-540}

# The wells of a plate in an order of the seed's own.
shuffled_wells() { # SEED
    local row column
    for row in {A..P}; do
        for column in {01..24}; do echo "$row$column"; done
    done | shuf --random-source=<(openssl enc -aes-128-ctr -pass "pass:$1" -nosalt -pbkdf2 < /dev/zero 2>/dev/null)
}

# Three in a hundred wells each; faults of one channel beside those of all.
faults_of() { # SEED
    local -a w
    mapfile -t w < <(shuffled_wells "$1")
    local i
    for i in {0..9}; do echo "defocus:${w[i]}"; done
    for i in {10..13}; do echo "defocus:${channels[i % 4]}@${w[i]}"; done
    for i in {14..19}; do echo "saturated:${channels[i % 4]}@${w[i]}"; done
    for i in {20..23}; do echo "saturated:${w[i]}"; done
    for i in {24..33}; do echo "empty:${w[i]}"; done
    for i in {34..37}; do echo "missing:${w[i]}"; done
    for i in {38..41}; do echo "missing:${channels[i % 4]}@${w[i]}"; done
    for i in {42..45}; do echo "dim:${w[i]}"; done # no default rule is for it: it must not be taken for another
    echo "stuck:$((200 + $1 * 37 % 900))+16"
}

image() { # PLATE SEED FAULT...
    local -a options=()
    local fault
    for fault in "${@:3}"; do options+=(--fault "$fault"); done
    microscope --naming yokogawa --plate "$1" --wells all384 --sites 1 --side "$side" --rate "$rate" --seed "$2" \
        --channels "$(IFS=,; echo "${channels[*]}")" --list "$folder/$1.csv" "${options[@]}"
    tail -n +2 "$folder/$1.csv" >> "$folder/truth.csv"
}

bench_start
postgres_psql --dbname scopestream --command "select scopestream.load_layout('*', 384)" > /dev/null
for seed in "${seeds[@]}"; do
    mapfile -t faults < <(faults_of "$seed")
    image "S$seed" "$seed" "${faults[@]}"
    image "D$seed" "$((seed + 5000))" drift # the same seed would be the same pixels, a stuck camera
done
wait_until 600 rows_are "$(grep -vc missing "$folder/truth.csv")"
sleep "${QUIET:-15}" # what is missing is known when nothing comes any more

postgres_psql --dbname scopestream --file - <<'END'
create table truth (file text, page int, plate text, well text, site int, channel text, z text, t text, faults text,
                    closed_at timestamptz, off_focus_um real);
END
postgres_psql --dbname scopestream --command "copy truth from stdin with (format csv)" < "$folder/truth.csv"
printf '%s frames of %s plates, %s x %s pixels, %s frames/s\n\n' "$(wc -l < "$folder/truth.csv")" \
    "$((2 * ${#seeds[@]}))" "$side" "$side" "$(sql "select round((count(*) / extract(epoch from max(stored_at) - min(closed_at)))::numeric, 1) from scopestream.frames")"
postgres_psql --dbname scopestream --file - <<'END'
\pset footer off
\pset null -
create temp table cause(fault text, rule text);
insert into cause values ('defocus', 'out_of_focus'), ('saturated', 'saturated'), ('empty', 'empty'), ('stuck', 'stuck_camera');
-- A frame is what is judged. On the plates that drift focus is lost: there out_of_focus is right, too, and left out.
create temp table judged as
select c.fault, t.plate, t.file, -- a stuck camera repeats a fault that is none of this frame
       string_to_array(t.faults, '+') @> array[c.fault] and (c.fault = 'stuck' or t.faults !~ 'stuck') as put_in,
       exists (select from scopestream.findings f where f.rule = c.rule and f.frame_id = fr.frame_id) as found
from truth t join scopestream.frames fr on fr.path = t.file cross join cause c
where t.plate like 'S%';
select fault, count(*) filter (where put_in) as put_in, count(*) filter (where found) as found,
       count(*) filter (where put_in and found) as both,
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where found), 0), 3) as precision,
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where put_in), 0), 3) as recall
from judged group by fault
union all
-- a plate and channel
select 'drift', count(*) filter (where put_in), count(*) filter (where found), count(*) filter (where put_in and found),
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where found), 0), 3),
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where put_in), 0), 3)
from (select p.plate, p.channel, p.plate like 'D%' as put_in,
             exists (select from scopestream.findings f where f.rule = 'drift' and f.plate = p.plate and f.channel = p.channel) as found
      from (select distinct plate, channel from scopestream.frames) p) d
union all
-- a well that lacks pictures, or some of them
select 'missing', count(*) filter (where put_in), count(*) filter (where found), count(*) filter (where put_in and found),
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where found), 0), 3),
       round(count(*) filter (where put_in and found)::numeric / nullif(count(*) filter (where put_in), 0), 3)
from (select p.plate, w.well, (select count(*) from truth t where t.plate = p.plate and t.well = w.well and coalesce(t.faults, '') !~ 'missing') < 4 as put_in,
             exists (select from scopestream.findings f where f.rule = 'missing_sites' and f.plate = p.plate and f.well = w.well) as found
      from (select distinct plate from truth) p, (select well from scopestream.layouts) w) m
order by 1;
select rule, plate, count(*) as alerts, min(severity) as severity, min(title) as title from scopestream.alerts group by rule, plate order by rule, plate;
END
