-- All numbers of a well: medians over its frames. $1 plate, $2 well, $3 channel, $4 source; the last two may be NULL.
select json_build_object('at', clock_timestamp(),
    'numbers', (select json_object_agg(n.key, n.value) from
        (select w.* from scopestream.wells w
         where w.plate = $1 and w.well = $2 and ($3::text is null or w.channel = $3)
           and ($4::text is null or w.source = $4)
         order by w.last_acquired_at desc limit 1) w,
        json_each(to_json(w)) n
        where n.key in (select name from scopestream.measures where kind = 'number') and n.value::text <> 'null'))
