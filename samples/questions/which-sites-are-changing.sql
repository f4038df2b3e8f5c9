-- Which sites of a time-lapse changed most in the last hour, and which never change? change compares a picture with the
-- one before of the same place: 1 - r of their tiles; 0: nothing moved, 1: nothing is where it was. Looked at are the
-- steps of the last hour, and of every place the last six. Listed are the ten sites that changed most in the last hour,
-- and those that changed by less than 0.02 in three steps and more: stop imaging these. One step that stands out in many
-- sites at once is a knocked plate or a focus jump; a picture equal to the last pixel is a stuck camera, not a quiet
-- site. Of a plate of more than 8,000 pictures the newest 8,000 are looked at.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
newest as materialized (
    select f.well, f.site, f.channel, f.z, f.page, case when f.naming is null then f.path end as file, f.t,
           f.acquired_at, f.frame_id, f.tile_mean, f.acquired_at > a.until - interval '1 hour' as is_new
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.t is not null and f.tile_mean is not null and f.acquired_at <= a.until
    order by f.acquired_at desc
    limit 8000),
step as (
    select n.*, 1 - scopestream.correlation(n.previous, n.tile_mean) as change
    from (select newest.*, lag(tile_mean) over place as previous,
                 row_number() over (partition by well, site, channel, z, page, file order by t desc, acquired_at desc)
                     as back
          from newest
          window place as (partition by well, site, channel, z, page, file order by t, acquired_at)) n
    where n.previous is not null and (n.is_new or n.back <= 6)),
site as (
    select well, site, count(change) as steps, count(change) filter (where is_new) as steps_last_hour,
           max(change) filter (where is_new) as most_last_hour, max(change) as most,
           percentile_cont(0.5) within group (order by change) as usual,
           (array_agg(frame_id order by is_new desc, change desc nulls last))[1] as frame_id
    from step
    group by well, site),
ranked as (
    select s.*, rank() over (order by most_last_hour desc nulls last) as place
    from site s
    where steps > 0)
select case when steps >= 3 and most < 0.02 then 'never changes' else 'changed most' end as what, well, site, steps,
       steps_last_hour, round(most_last_hour::numeric, 3) as most_change_last_hour,
       round(usual::numeric, 3) as median_change, round(most::numeric, 3) as most_change, frame_id
from ranked
where place <= 10 and most_last_hour is not null or steps >= 3 and most < 0.02
order by what, most_last_hour desc nulls last, well, site;
