# questions: what asking samples/questions/*.sql stands on, sourced after harness.bash: plates the simulated
# microscope images with known faults, and how a question is asked.
#
#   image_nameless   frames whose names tell no plate, of 1.2 A a pixel, in three folders
#   image_screen     plates P1 to P3 of the days before, and a layout with controls
#   image_stack      plate Z1, seven planes, and a focus that is lost on the way
#   image_lapse      plate T1, eight time points; its green light fades
#   image_today      plate P4, with faults, while everything runs
#   image_months     four hundred plates of the months before
#   question_names, ask NAME [OPTION...], columns_of NAME
# shellcheck shell=bash disable=SC2154

catalogue_is_there() {
    [ "$(sql "select count(*) from scopestream.measures")" -gt 100 ]
}

all_have_rows() {
    [ -z "$(frames_compare "$images" scope | sed -n 's/^no row\t//p')" ]
}

# Folders first, and a while for ingest to watch them: so a file counts from its close, not from the time it carries.
bring_into_view() { # FOLDER
    (cd "$1" && find . -type d -exec mkdir -p "$images/{}" \;)
    sleep 1.5
    cp --archive "$1/." "$images/"
}

# A run of its own into a folder of its own, which then comes into the watched one. Times of files are what the
# microscope's clock would have said: the first at DATE, then one every STEP seconds.
image_at() { # DATE STEP OPTION...
    local at made=$staging/run file
    at=$(date --date "$1" +%s)
    rm -rf "$made"
    microscope --out "$made" --list "$staging/run.csv" --side 320 "${@:3}"
    for file in $(awk -F, 'NR > 1 && $10 != "" { print $1 }' "$staging/run.csv"); do
        touch --date "@$at" "$made/$file"
        at=$((at + $2))
    done
    bring_into_view "$made"
}

# As an electron microscope's, in a folder a grid square; there is nothing on square-3.
image_nameless() {
    local file number=0 square
    microscope --out "$staging/nameless" --list "$staging/nameless.csv" --side 320 --wells A01-A03 --sites 2 \
        --channels A,B --pixel-size 0.00012 --seed 9 --fault empty:A03
    for file in $(frames_found "$staging/nameless"); do
        number=$((number + 1)) square=$staging/squares/square-$(((number + 3) / 4))
        mkdir -p "$square"
        cp "$file" "$square/picture-$number.tif"
        touch --date "5 days ago 09:00 $((2 * number)) seconds" "$square/picture-$number.tif"
    done
    bring_into_view "$staging/squares"
    wait_until 60 all_have_rows
}

# Every plate of the laboratory has its negative controls in column 1 and its positive ones, which have an eighth of
# the light, in column 6. On P2 somebody forgot them, on P3 half of them.
image_screen() {
    postgres_psql --dbname scopestream --command "
        select scopestream.load_layout('*', 24, (
            select jsonb_agg(jsonb_build_object('well', chr(64 + y) || to_char(x, 'FM00'),
                'role', case x when 1 then 'negative' when 6 then 'positive' else 'sample' end,
                'treatment', case x when 1 then 'DMSO' when 6 then 'staurosporine' end))
            from generate_series(1, 4) y, generate_series(1, 6) x))" > /dev/null
    image_at '3 days ago 09:00' 2 "${screen[@]}" --plate P1 --seed 1 --fault dim:A06,B06,C06,D06
    image_at '2 days ago 09:00' 2 "${screen[@]}" --plate P2 --seed 2
    image_at '1 day ago 09:00' 2 "${screen[@]}" --plate P3 --seed 3 --fault dim:A06,B06
    wait_until 120 all_have_rows
}
screen=(--wells A01-D06 --channels "DAPI,GFP")

image_stack() {
    postgres_psql --dbname scopestream --command "select scopestream.load_layout('Z1', 6)" > /dev/null
    image_at '5 hours ago' 2 --plate Z1 --wells A01-B03 --channels DAPI --z 7 --seed 6 --fault drift
    wait_until 60 all_have_rows
}

# The simulated microscope's dyes last for ever: here 3 % of the green light go at each time point, in well A03 9 %.
image_lapse() {
    postgres_psql --dbname scopestream --command "select scopestream.load_layout('T1', 6)" > /dev/null
    image_at '90 minutes ago' 50 --plate T1 --wells A01-B03 --channels DAPI,GFP --t 8 --seed 5
    wait_until 60 all_have_rows
    postgres_psql --dbname scopestream --command "
        update scopestream_data.result r
        set fg_mean = bg_mean + (fg_mean - bg_mean) * exp(-(f.t - 1) * case f.well when 'A03' then 0.09 else 0.03 end)
        from scopestream_data.frame f
        where f.frame_id = r.frame_id and f.acquired_at = r.acquired_at and f.plate = 'T1' and f.channel = '2'"
}

image_today() {
    microscope "${screen[@]}" --plate P4 --sites 2 --side 320 --rate 8 --seed 4 \
        --fault defocus:B02,C05 --fault empty:A04 --fault saturated:GFP@D03 --fault missing:D02/2 \
        --fault dim:A06,B06,C06,D06 --fault stuck:12+1 --fault truncated:DAPI@C03/1 --fault uneven:B05
    wait_until 60 all_have_rows
}

# As many rows as make reading all of them dear: P1 again and again, four times a day for a hundred days before.
image_months() {
    postgres_psql --dbname scopestream --file - <<-'END' > /dev/null
	select scopestream_data.ensure_partitions(now() - interval '4 months', now());
	create temporary table again as
	    select f.frame_id, f.acquired_at, md5(f.frame_id::text || n)::uuid as new_id, n,
	           f.acquired_at - n * interval '6 hours' as new_at
	    from scopestream_data.frame f, generate_series(1, 400) n where f.plate = 'P1';
	insert into scopestream_data.frame
	    select x.* from again a join scopestream_data.frame f using (frame_id, acquired_at),
	    lateral jsonb_populate_record(f, jsonb_build_object('frame_id', a.new_id, 'acquired_at', a.new_at,
	        'closed_at', a.new_at, 'plate', 'P1 ' || a.n)) x;
	insert into scopestream_data.result
	    select x.* from again a join scopestream_data.result r using (frame_id, acquired_at),
	    lateral jsonb_populate_record(r, jsonb_build_object('frame_id', a.new_id, 'acquired_at', a.new_at,
	        'stored_at', a.new_at, 'tile_mean', null, 'tile_lap', null, 'spectrum_profile', null)) x;
	insert into scopestream_data.priority
	    select x.* from again a join scopestream_data.priority p using (frame_id, acquired_at),
	    lateral jsonb_populate_record(p, jsonb_build_object('frame_id', a.new_id, 'acquired_at', a.new_at)) x;
	vacuum analyze scopestream_data.frame, scopestream_data.result, scopestream_data.priority;
	END
}

question_names() {
    basename --suffix .sql --multiple "$tree"/samples/questions/*.sql
}

# As the reader; psql's table, unless the options say otherwise.
ask() { # NAME [OPTION...]
    psql --no-psqlrc --quiet --pset pager=off --pset footer=off --set ON_ERROR_STOP=1 "${@:2}" \
        --file "$tree/samples/questions/$1.sql"
}

# Names and types of its columns, one a line, a tab between them.
columns_of() { # NAME
    sed -E '/^\\crosstabview/d; $!b; s/;$//' "$tree/samples/questions/$1.sql" | { cat; echo '\gdesc'; } |
        frames_sql
}
