-- Is focus drifting? The run in ten steps, in the order of imaging. A channel whose sharpness falls
-- from step to step loses its focus; one that jumps has a well out of focus. Sharpness as in
-- which-wells-are-out-of-focus.sql.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
step as (
    select channel, closed_at, tenengrad / nullif(std, 0) ^ 2 as sharpness,
           ntile(10) over (partition by channel order by closed_at, path, page) as step
    from scopestream.features
    where plate is not distinct from (select plate from newest))
select channel, step, min(closed_at) as from_time, count(*) as frames,
       round(percentile_cont(0.5) within group (order by sharpness)::numeric, 3) as sharpness
from step
group by channel, step
order by channel, step;
