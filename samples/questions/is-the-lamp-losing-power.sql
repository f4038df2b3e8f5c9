-- Is the lamp or the laser losing power, or the camera's offset moving, from plate to plate? Background (bg_mode),
-- noise (noise_sigma) and brightness (mean) of the source's last 200 plates, each in robust standard deviations (z)
-- from the median of the first half of them; ewma and cusum as in is-the-light-or-the-camera-drifting.sql. An ewma
-- beyond 1, or a cusum beyond 5, is a drift. Medians over all wells are what is kept of old plates: what was on them
-- moves brightness too.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
plate as (
    select t.plate, t.channel, t.feature, t.median as value, t.first_acquired_at as time,
           row_number() over (partition by t.channel, t.feature order by t.first_acquired_at desc) as back
    from asked a
    join scopestream.plate_trends t on t.source = a.source and t.first_acquired_at <= a.until
    where t.feature in ('bg_mode', 'noise_sigma', 'mean') and t.plate is not null and t.frames >= 24),
point as materialized (
    select *, row_number() over (partition by channel, feature order by time) as step,
           count(*) over (partition by channel, feature) as plates
    from plate
    where back <= 200),
usual as materialized (
    select channel, feature, percentile_cont(0.5) within group (order by value) as value
    from point
    where step <= (plates + 1) / 2
    group by channel, feature),
spread as materialized (
    select p.channel, p.feature,
           nullif(greatest(1.4826 * percentile_cont(0.5) within group (order by abs(p.value - u.value)),
                           0.005 * abs(min(u.value))), 0) as sd
    from point p join usual u on u.feature = p.feature and u.channel is not distinct from p.channel
    where p.step <= (p.plates + 1) / 2
    group by p.channel, p.feature),
judged as (
    select p.*, least(greatest((p.value - u.value) / s.sd, -4), 4) as z
    from point p
    join usual u on u.feature = p.feature and u.channel is not distinct from p.channel
    join spread s on s.feature = p.feature and s.channel is not distinct from p.channel),
summed as (
    select j.*, sum(z - 0.5) over chart as up, sum(z + 0.5) over chart as down,
           array_agg(z) over (partition by channel, feature order by step rows 40 preceding) as last_z
    from judged j
    window chart as (partition by channel, feature order by step))
select time, plate, channel, feature as number, round(value::numeric, 6) as value, round(z::numeric, 1) as z,
       round((select sum(0.2 * 0.8 ^ (cardinality(last_z) - i) * before)
              from unnest(last_z) with ordinality u(before, i))::numeric, 2) as ewma,
       round((up - least(0, min(up) over chart))::numeric, 1) as cusum_up,
       round((greatest(0, max(down) over chart) - down)::numeric, 1) as cusum_down
from summed
window chart as (partition by channel, feature order by step)
order by channel, feature, time;
