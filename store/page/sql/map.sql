-- One number a well. $1 plate, $2 measure, $3 channel, $4 source, $5 experiment; the last three may be NULL.
with asked as (select clock_timestamp() as at),
map as (
    select m.* from asked, scopestream.plate_map($1, $2, $3, $4) m
    where ($5::text is null or m.experiment = $5) and m."row" between 1 and 32 and m."column" between 1 and 48),
known as (
    select p.channels from scopestream.plates p
    where p.plate = $1 and ($4::text is null or p.source = $4) and ($5::text is null or p.experiment = $5)),
layout as (
    select l.rows, l.columns, l.well, l.role, concat_ws(' ', l.treatment, l.concentration, l.unit) as holds
    from scopestream.layouts l
    where l.plate = coalesce((select o.plate from scopestream.layouts o where o.plate = $1 limit 1), '*'))
select json_build_object(
    'at', (select at from asked),
    'is_known', exists (select from known) or exists (select from scopestream.layouts l where l.plate = $1),
    'channels', (select coalesce(json_agg(distinct c order by c), '[]') from known, unnest(channels) c),
    'wells', coalesce((select json_agg(json_build_array(well, "row", "column", value, frames)) from map), '[]'),
    'rows', (select max(rows) from layout), 'columns', (select max(columns) from layout),
    'layout', coalesce((select json_agg(json_build_array(well, role, holds)) from layout), '[]'))
