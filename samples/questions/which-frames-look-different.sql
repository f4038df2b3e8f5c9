-- Which frames look different from the rest of their channel? How many robust standard deviations (1.4826 times the
-- median absolute deviation) each lies from the channel's median, in the logarithm of a few numbers; the twenty most
-- unusual frames of the plate.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.plates order by last_acquired_at desc limit 1),
number as (
    select f.path, f.page, f.frame_id, f.well, f.site, f.channel, n.name, ln(greatest(n.value, 1e-12)) as value
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    cross join lateral (values ('focus', f.focus), ('p999', f.p999), ('median', f.median),
                               ('noise_sigma', f.noise_sigma), ('fg_fraction', f.fg_fraction))
        as n(name, value)
    where n.value is not null),
middle as materialized (
    select channel, name, percentile_cont(0.5) within group (order by value) as value
    from number
    group by channel, name),
away as materialized (
    select n.*, n.value - m.value as distance
    from number n
    join middle m on m.channel is not distinct from n.channel and m.name = n.name),
spread as materialized (
    select channel, name,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(distance)), 0.02) as value
    from away
    group by channel, name)
select a.well, a.site, a.channel, a.name as number,
       round((a.distance / s.value)::numeric, 1) as deviations, a.path, a.page, a.frame_id
from away a
join spread s on s.channel is not distinct from a.channel and s.name = a.name
order by abs(a.distance / s.value) desc
limit 20;
