#!/bin/bash
# The page does in a browser what people want of it: in_a_browser.py is the person, this script is the
# laboratory. The person asks for what happens by name, a line each, and goes on when it has happened.
#
# SCOPESTREAM_SCREENSHOTS names a folder in which screenshots are kept. Skipped (77) without chromium.
. "$(dirname "$0")/../scenarios/harness.bash"

for program in chromium chromedriver; do
    command -v $program > /dev/null || { echo "$program is missing: deploy/install-packages --for-tests"; exit 77; }
done
/usr/bin/python3 -c 'import selenium' 2>/dev/null || { echo "python3-selenium is missing"; exit 77; }

# What a microscope does next, as the person asks for it.
image_a_plate() {
    microscope --plate P1 --wells A01-H12 --channels DAPI,GFP --side 256 --frames 192 --seed 3
    wait_until 120 frames_of P1 192
}
image_one_well_more() {
    microscope --plate P1 --wells A01 --channels DAPI,GFP --side 256 --t 2 --seed 5 --out "$folder/more"
    cp -r "$folder"/more/. "$images"
    wait_until 60 frames_of P1 196
}
image_something_wrong() {
    microscope --plate P2 --wells B02-B04 --channels DAPI --side 256 --seed 7 --fault saturated:B03
    wait_until 60 frames_of P2 3
    wait_until 30 an_alert_is_open
}
frames_of() { # PLATE COUNT
    [ "$(sql "select coalesce(sum(frames), 0) from scopestream.plates where plate = '$1'")" = "$2" ]
}
an_alert_is_open() { [ "$(sql "select count(*) > 0 from scopestream.alerts where state = 'open' and plate = 'P2'")" = t ]; }

# Rows as if measured: PLATE as SQL has it, rows and columns of its wells, minutes ago.
seed_plate() { # PLATE ROWS COLUMNS AGO
    postgres_psql --dbname scopestream --set plate="$1" --set rows="$2" --set columns="$3" --set ago="$4" \
        --file "$tree/tests/page/seed_plate.sql"
}
seed_plates() {
    seed_plate P384 16 24 30
    seed_plate P1536 32 48 40
}
take_a_value_away() {
    postgres_psql --dbname scopestream --command "update scopestream_data.result set focus = null where frame_id in
        (select frame_id from scopestream_data.frame where plate = 'P2' and well = 'B03')"
}
make_two_wells_hot_and_cold() {
    postgres_psql --dbname scopestream --command "update scopestream_data.result r
        set focus = case f.well when 'B03' then 50 else -50 end from scopestream_data.frame f
        where f.frame_id = r.frame_id and f.plate = 'P384' and f.well in ('B03', 'C05')"
}
image_without_a_plate() {
    postgres_psql --dbname scopestream --command "insert into scopestream_data.frame (frame_id, acquired_at, closed_at, source, path)
        values (md5('loose')::uuid, now(), now(), 'scope', 'loose.tif');
        insert into scopestream_data.result (frame_id, acquired_at, pipeline_id, status)
        select frame_id, acquired_at, (select min(pipeline_id) from scopestream_data.pipeline), 'ok'
        from scopestream_data.frame where path = 'loose.tif'"
}
make_all_wells_alike() {
    postgres_psql --dbname scopestream --command "update scopestream_data.result r set mean = 0.7
        from scopestream_data.frame f where f.frame_id = r.frame_id and f.plate = 'P2'"
}
seed_hostile_plate() { seed_plate "<img src=x onerror=alert('plate')>\"';drop schema scopestream cascade;--" 2 3 50; }
change_large_plates() {
    postgres_psql --dbname scopestream --command "update scopestream_data.result set focus = random() where other_values is null
        and frame_id in (select frame_id from scopestream_data.frame where plate in ('P384', 'P1536'))"
    seed_plate P384 1 24 1
    seed_plate P1536 1 48 2
}

start_everything
image_a_plate
seed_plates
start_page
mkdir -p "$folder/browser"
mkfifo "$folder/asked" "$folder/done"
/usr/bin/python3 "$tree/tests/page/in_a_browser.py" "http://127.0.0.1:$page_port/" "$folder/browser" \
    "${SCOPESTREAM_SCREENSHOTS:-}" > "$folder/asked" < "$folder/done" 2> "$folder/log/browser.log" &
person=$!
exec 7< "$folder/asked" 8> "$folder/done"
# Whoever sits there goes first: his browser has its profile in our folder.
person_goes() {
    exec 7<&- 8>&-
    wait $person
}
while read -r -u 7 words; do
    ($words) || { person_goes || true; fail "$words"; }
    echo "done" >&8
done
person_goes || { cat "$folder/log/browser.log" >&2; fail "the person in the browser was not content"; }
grep -E '^(step|figure)' "$folder/log/browser.log"
