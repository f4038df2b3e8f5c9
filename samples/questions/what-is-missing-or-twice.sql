-- What is missing or twice on this plate? Wells of its layout without a picture; pictures (site, channel, plane, time)
-- that most wells have and this one has not; pictures equal to the last pixel; pauses of more than 3 times the usual
-- time from field to field, within a time point; frames that have a row and no numbers; files that were never finished,
-- and whatever else an event tells of those hours. While a plate is imaged its last well is incomplete. Pictures that
-- came on another plate before: scopestream.findings of the rule stuck_camera.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as materialized (
    select f.frame_id, f.acquired_at, f.well, f.site, f.channel, f.z, f.t, f.path, f.page, f.naming, f.status, f.reason
    from asked a
    join scopestream.frames f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)),
picture as materialized (
    select well, site, channel, z, t
    from frame
    where well is not null
    group by well, site, channel, z, t),
usual as materialized (
    select site, channel, z, t
    from picture
    group by site, channel, z, t
    having count(*) > (select count(distinct well) from picture) / 2.0),
well_without as (
    select l.well
    from asked a
    join scopestream.layouts l
      on l.plate = (select coalesce(max(own.plate), '*') from scopestream.layouts own where own.plate = a.plate)
    where l.role <> 'empty'
    except
    select well from picture),
absent as (
    select w.well, u.site, u.channel, u.z, u.t
    from (select distinct well from picture) w cross join usual u
    except
    select well, site, channel, z, t from picture),
repeated as (
    select acquired_at, well, site, channel, path, page, of_path
    from (select f.acquired_at, f.well, f.site, f.channel, f.path, f.page, f.frame_id,
                 first_value(f.path) over equal as of_path, first_value(f.frame_id) over equal as of_frame_id
          from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
          where f.pixel_hash is not null
          window equal as (partition by f.pixel_hash order by f.acquired_at, f.frame_id)) f
    where f.frame_id <> f.of_frame_id
    group by acquired_at, well, site, channel, path, page, of_path),
field as (
    select well, site, t, case when naming is null then path end as file, min(acquired_at) as began_at
    from frame
    group by well, site, t, case when naming is null then path end),
pause as materialized (
    select well, site, began_at,
           extract(epoch from began_at - lag(began_at) over (partition by t order by began_at)) as seconds
    from field),
pace as materialized (
    select percentile_cont(0.5) within group (order by seconds) as seconds from pause),
found (what, time, well, site, channel, detail) as (
    select 'missing well', null::timestamptz, well, null::integer, null, 'no picture, and the layout has it'
    from well_without
    union all
    select 'missing picture', null, well, site, string_agg(distinct channel, ', '),
           format('%s of %s%s%s', count(*), (select count(*) from usual u where u.site is not distinct from a.site),
                  ', planes ' || string_agg(distinct z::text, ' '), ', times ' || string_agg(distinct t::text, ' '))
    from absent a
    group by well, site
    union all
    select 'the same pixels', acquired_at, well, site, channel, format('%s shows what %s showed', path, of_path)
    from repeated
    union all
    select 'pause', began_at, well, site, null,
           format('%s s before this field, usually %s s', round(pause.seconds, 1), round(pace.seconds::numeric, 1))
    from pause cross join pace
    where pause.seconds > greatest(3 * pace.seconds, 1)
    union all
    select status, acquired_at, well, site, channel, concat_ws(': ', path, reason)
    from frame
    where status <> 'ok'
    union all
    select e.event, e.at, null, null, null, concat_ws(': ', e.path, e.detail)
    from asked a
    join scopestream.events e on e.at between a.since and a.until + interval '1 hour'
    where e.level <> 'info' and coalesce(e.source, a.source) = a.source)
select what, time, well, site, channel, detail
from found
order by what, time, well, site
limit 500;
