-- Is focus drifting? The run in ten steps, in the order of imaging. A channel whose focus falls from
-- step to step loses it; one that jumps has a well out of focus. Frames that hold too little to tell
-- are left out.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
step as (
    select channel, closed_at, focus,
           ntile(10) over (partition by channel order by closed_at, path, page) as step
    from scopestream.features
    where plate is not distinct from (select plate from newest) and focus_snr >= 200)
select channel, step, min(closed_at) as from_time, count(*) as frames,
       round(percentile_cont(0.5) within group (order by focus)::numeric, 5) as focus
from step
group by channel, step
order by channel, step;
