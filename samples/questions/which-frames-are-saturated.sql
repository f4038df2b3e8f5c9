-- Which frames are saturated? Those with more than 0.1 % of their pixels clipped, the worst first: a hot pixel clips in
-- every picture, a thousandth of the pixels does not. Where a camera fills fewer bits than its files, the brightest
-- value there is stands for the clipped one. Channel by channel over the plate: is-saturation-getting-worse.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1)
select f.plate, f.well, f.site, f.channel, f.z, f.t, round(c.percent::numeric, 2) as percent_of_pixels,
       f.path, f.frame_id
from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
cross join lateral (
    select case when f.n_levels > 64 then greatest(f.pct_saturated, f.pct_max) else f.pct_saturated end as percent) c
where c.percent > 0.1
order by c.percent desc, f.acquired_at
limit 50;
