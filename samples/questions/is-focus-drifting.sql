-- Is focus drifting? The plate in ten steps, in the order of imaging: plls and focus of each channel against time, and
-- how steadily they follow it (r from -1 to 1; beyond 0.5 either way it is more than chance). A channel whose focus
-- falls from step to step loses it, by heat for one; one that jumps has a well out of focus. Frames that hold too
-- little to tell are left out. Against rows and columns: is-the-plate-tilted.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as (
    select f.channel, f.acquired_at, f.focus, f.plls,
           ntile(10) over (partition by f.channel order by f.acquired_at, f.path, f.page) as step
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.focus_snr >= 200),
trend as materialized (
    select channel, corr(plls, extract(epoch from acquired_at)::float8) as plls_r,
           corr(focus, extract(epoch from acquired_at)::float8) as focus_r
    from frame
    group by channel)
select min(f.acquired_at) as time, f.channel, f.step, count(*) as frames,
       round(percentile_cont(0.5) within group (order by f.plls)::numeric, 3) as plls,
       round(percentile_cont(0.5) within group (order by f.focus)::numeric, 5) as focus,
       round(t.plls_r::numeric, 2) as plls_r, round(t.focus_r::numeric, 2) as focus_r
from frame f
join trend t on t.channel is not distinct from f.channel
group by f.channel, f.step, t.plls_r, t.focus_r
order by f.channel, f.step;
