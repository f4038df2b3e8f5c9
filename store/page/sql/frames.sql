-- Frames with what is said of them. $1 which: newest, lowest, highest, interesting, well; $2 plate, $3 measure,
-- $4 channel, $5 source, $6 well; all but the first may be NULL.
with asked as (select clock_timestamp() as at),
last as (
    select max(last_acquired_at) as at from scopestream.plates
    where ($2::text is null or plate = $2) and ($5::text is null or source = $5)),
newest as (
    select f.frame_id, f.acquired_at from scopestream.frames f
    where $1 = 'newest' and ($2::text is null or f.plate = $2) and ($5::text is null or f.source = $5)
      and f.acquired_at <= (select at from last)
    order by f.acquired_at desc limit 60),
of_well as (
    select f.frame_id, f.acquired_at from scopestream.frames f
    where $1 = 'well' and f.plate = $2 and f.well = $6 and ($4::text is null or f.channel = $4)
      and ($5::text is null or f.source = $5)
    order by f.acquired_at desc limit 120),
extreme as (
    select e.frame_id, e.acquired_at, e.value, e.place
    from (select $1 as which where $1 in ('lowest', 'highest', 'interesting')) w,
         scopestream.extreme_frames($2, case when w.which = 'interesting' then 'score' else coalesce($3, 'score') end,
             $4, w.which = 'lowest', 24, $5) with ordinality
         e(value, acquired_at, frame_id, source, experiment, plate, well, site, channel, z, t, path, page, place)),
-- A frame that two pipelines measured stands there once.
chosen as (
    select frame_id, acquired_at, null::float8 as value, row_number() over (order by acquired_at desc, frame_id) as place
    from (select distinct frame_id, acquired_at from newest union select distinct frame_id, acquired_at from of_well) n
    union all
    select frame_id, acquired_at, value, place from extreme order by place limit 48),
described as (
    select c.place, f.frame_id as id, f.acquired_at as at, f.source, f.plate, f.well, f.site, f.channel, f.z, f.t,
           f.path, f.page, f.status, f.reason, t.low, t.high, t.frame_id is not null as has_picture,
           coalesce(to_json(c.value), case when f.status = 'ok' and $3 = any (n.names) then
               (select to_json(v) -> $3 from scopestream.features v where v.frame_id = c.frame_id
                and v.acquired_at = c.acquired_at order by v.stored_at desc limit 1) end) as value,
           s.score, s.tier
    from chosen c
    cross join (select array_agg(name) as names from scopestream.measures where kind = 'number') n
    join lateral (select * from scopestream.frames f where f.frame_id = c.frame_id and f.acquired_at = c.acquired_at
                  order by f.stored_at desc limit 1) f on true
    left join scopestream.thumbnails t on t.frame_id = c.frame_id and t.acquired_at = c.acquired_at
    left join lateral (select p.score, p.tier from scopestream.priorities p
                       where p.frame_id = c.frame_id and p.acquired_at = c.acquired_at and p.is_default
                       order by p.scored_at desc limit 1) s on true)
select json_build_object('at', (select at from asked),
    'frames', coalesce((select json_agg(d order by d.place) from described d), '[]'))
