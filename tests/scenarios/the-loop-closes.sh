#!/bin/bash
# Two wells of a plate are out of focus. The microscope knows a moment later, goes back, tries other
# focus offsets and brings them into focus: the rules find them good, what was decided is done, and
# nothing more is asked for there. In between stands what a laboratory has: ingest, workers, store, NATS,
# and a client that knows nothing but the wire.
. "$(dirname "$0")/harness.bash"

decisions() { # EXPRESSION WHERE
    sql "select coalesce(string_agg(distinct ($1)::text, ' '), '') from scopestream.decisions where $2"
}

# Both sites of both wells.
all_is_done() {
    [ "$(decisions "well || '/' || site" "well in ('D02', 'D04') and state = 'done'")" = "D02/1 D02/2 D04/1 D04/2" ]
}

# How far the objective really stood off in WELL where each site was imaged last, whole micrometres.
off_focus() { # WELL
    awk -F, -v well="$1" '$4 == well { off[$5] = $11 < 0 ? -$11 : $11 }
        END { for (site in off) print int(off[site]) }' "$written" | sort -n | tr '\n' ' '
}

start_everything
mkfifo "$folder/orders"
process_start act bash -c "exec '$bin/act' --source scope --nats $nats_url --step 10.5 > '$folder/orders'"
process_start microscope bash -c "exec '$bin/simulated-microscope' --obey --linger 40s --quiet --rate 20 \
    --out '$images' --list '$written' --plate P1 --wells A01-D06 --sites 2 --channels DAPI,GFP --side 320 \
    --seed 5 --fault defocus:D04,D02 < '$folder/orders' > '$folder/answers'"
wait_until 90 all_is_done

# The plate is small, and what is usual on it not known well: a rule may find another site bad, too.
expect "by which rule" "$(decisions rule "well in ('D02', 'D04')")" out_of_focus
expect "what was asked for" "$(decisions action "well in ('D02', 'D04')")" image_again
expect "what is still open" "$(decisions decision_id "well in ('D02', 'D04') and state = 'open'")" ""
expect "every attempt was followed, and nothing else" "$(grep -cE '^ok image_again D0[24]' "$folder/answers")" \
    "$(sql "select count(*) from scopestream.decisions where well in ('D02', 'D04')")"
expect "refused" "$(grep -c ^refused "$folder/answers" || true)" 0
for well in D02 D04; do
    expect "sites of $well off by more than 2 micrometres in the end" "$(off_focus $well | tr ' ' '\n' | awk '$1 > 2')" ""
done
expect "alerts of it" "$(sql "select count(*) || ' ' || bool_and(wells @> '{D02,D04}') from scopestream.alerts
    where rule = 'out_of_focus'")" "1 true"

# The same place, acquired later, under another name: nothing was overwritten.
expect "frames imaged again, without one before at their place" "$(sql "select count(*) from scopestream.frames a
    where path like 'again-%' and not exists (select from scopestream.frames b where b.path not like 'again-%'
    and (a.plate, a.well, a.site, a.channel) = (b.plate, b.well, b.site, b.channel)
    and b.acquired_at < a.acquired_at)")" 0

# From the file that showed it to the first picture of the next attempt: the loop, once around.
echo "file closed to imaged again: $(sql "select string_agg(to_char(extract(epoch from again - bad), 'FM990.00'), ' ') from (
    select f.closed_at as bad, (select min(n.closed_at) from scopestream.frames n
        where (n.plate, n.well, n.site) = (f.plate, f.well, f.site) and n.closed_at > d.decided_at) as again
    from scopestream.decisions d join scopestream.frames f using (frame_id)) s") s"

process_stop microscope
wait_until 5 eval '! process_id act > /dev/null' # nobody reads what it says any more
expect_list_equals_rows
expect_files_equal_rows
