-- Is saturation getting worse on this plate? Each channel in ten steps, in the order of imaging: how many frames have
-- more than 0.1 % of their pixels clipped, how many pixels are, and how bright the bright end is (p999, of 1 at most).
-- Whether a longer exposure is the cause cannot be asked: neither file names nor what we read of the files tell it. A
-- p999 that rises from one plate to the next at the same stain does.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as (
    select f.channel, f.acquired_at, f.p999,
           case when f.n_levels > 64 then greatest(f.pct_saturated, f.pct_max) else f.pct_saturated end as percent,
           ntile(10) over (partition by f.channel order by f.acquired_at, f.path, f.page) as step
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until))
select min(acquired_at) as time, channel, step, count(*) as frames,
       count(*) filter (where percent > 0.1) as saturated_frames,
       round(avg(percent)::numeric, 3) as mean_percent_of_pixels,
       round(percentile_cont(0.5) within group (order by p999)::numeric, 4) as p999
from frame
group by channel, step
order by channel, step;
