-- Is the light or the camera drifting on this plate? Background (bg_mode), noise (noise_sigma) and median of the
-- plate's negative controls, of all its wells where no layout names these, in 40 steps in the order of imaging. z:
-- robust standard deviations of the steps from their median; ewma: its moving average, the newest weighing 0.2;
-- cusum_up and cusum_down: what has added up beyond half a standard deviation above and below. An ewma beyond 1, or a
-- cusum beyond 5, is a drift. A background that falls while the noise stays is the lamp; one that moves without light
-- is the camera's offset. Less than half a percent is taken for nothing. From plate to plate:
-- is-the-lamp-losing-power.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
control as materialized (
    select l.well
    from asked a
    join scopestream.layouts l
      on l.plate = (select coalesce(max(own.plate), '*') from scopestream.layouts own where own.plate = a.plate)
    where l.role = 'negative'),
frame as (
    select f.channel, f.acquired_at, f.bg_mode, f.noise_sigma, f.median,
           ntile(40) over (partition by f.channel order by f.acquired_at, f.path, f.page) as step
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well in (select well from control) or not exists (select from control)),
point as materialized (
    select f.channel, n.name, f.step, min(f.acquired_at) as time, count(*) as frames,
           percentile_cont(0.5) within group (order by n.value) as value
    from frame f
    cross join lateral (values ('bg_mode', f.bg_mode), ('noise_sigma', f.noise_sigma), ('median', f.median))
        n(name, value)
    group by f.channel, n.name, f.step),
usual as materialized (
    select channel, name, percentile_cont(0.5) within group (order by value) as value
    from point
    group by channel, name),
spread as materialized (
    select p.channel, p.name,
           nullif(greatest(1.4826 * percentile_cont(0.5) within group (order by abs(p.value - u.value)),
                           0.005 * abs(min(u.value))), 0) as sd
    from point p join usual u on u.name = p.name and u.channel is not distinct from p.channel
    group by p.channel, p.name),
judged as (
    select p.*, least(greatest((p.value - u.value) / s.sd, -4), 4) as z
    from point p
    join usual u on u.name = p.name and u.channel is not distinct from p.channel
    join spread s on s.name = p.name and s.channel is not distinct from p.channel),
summed as (
    select j.*, sum(z - 0.5) over chart as up, sum(z + 0.5) over chart as down,
           array_agg(z) over (partition by channel, name order by step rows 40 preceding) as last_z
    from judged j
    window chart as (partition by channel, name order by step))
select time, channel, name as number, frames, round(value::numeric, 6) as value, round(z::numeric, 1) as z,
       round((select sum(0.2 * 0.8 ^ (cardinality(last_z) - i) * before)
              from unnest(last_z) with ordinality u(before, i))::numeric, 2) as ewma,
       round((up - least(0, min(up) over chart))::numeric, 1) as cusum_up,
       round((greatest(0, max(down) over chart) - down)::numeric, 1) as cusum_down
from summed
window chart as (partition by channel, name order by step)
order by channel, name, time;
