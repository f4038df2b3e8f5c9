-- Which frames look different from the rest of their channel? How many robust standard deviations
-- (1.4826 times the median absolute deviation) each lies from the channel's median, in the logarithm
-- of a few numbers; the twenty most unusual frames of the newest plate.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
number as (
    select f.path, f.page, f.well, f.site, f.channel, n.name, ln(greatest(n.value, 1e-12)) as value
    from scopestream.features f
    cross join lateral (values ('focus', f.focus), ('p999', f.p999), ('median', f.median),
                               ('noise_sigma', f.noise_sigma), ('fg_fraction', f.fg_fraction))
        as n(name, value)
    where f.plate is not distinct from (select plate from newest) and n.value is not null),
middle as (
    select channel, name, percentile_cont(0.5) within group (order by value) as value
    from number
    group by channel, name),
away as (
    select n.*, n.value - m.value as distance
    from number n
    join middle m on m.channel is not distinct from n.channel and m.name = n.name),
spread as (
    select channel, name,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(distance)), 0.02) as value
    from away
    group by channel, name)
select a.well, a.site, a.channel, a.name as number,
       round((a.distance / s.value)::numeric, 1) as deviations, a.path, a.page
from away a
join spread s on s.channel is not distinct from a.channel and s.name = a.name
order by abs(a.distance / s.value) desc
limit 20;
