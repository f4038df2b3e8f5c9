-- Which frames look different from the rest of their channel? How many robust standard deviations (1.4826 times the
-- median absolute deviation) each lies from the channel's median, in the logarithm of a few numbers; the twenty most
-- unusual frames of the plate.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as materialized (
    select f.path, f.page, f.frame_id, f.well, f.site, f.channel, ln(greatest(f.focus, 1e-12)) as focus,
           ln(greatest(f.p999, 1e-12)) as p999, ln(greatest(f.median, 1e-12)) as median,
           ln(greatest(f.noise_sigma, 1e-12)) as noise_sigma, ln(greatest(f.fg_fraction, 1e-12)) as fg_fraction
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)),
middle as materialized (
    select channel, percentile_cont(0.5) within group (order by focus) as focus,
           percentile_cont(0.5) within group (order by p999) as p999,
           percentile_cont(0.5) within group (order by median) as median,
           percentile_cont(0.5) within group (order by noise_sigma) as noise_sigma,
           percentile_cont(0.5) within group (order by fg_fraction) as fg_fraction
    from frame
    group by channel),
away as materialized (
    select f.path, f.page, f.frame_id, f.well, f.site, f.channel, f.focus - m.focus as focus, f.p999 - m.p999 as p999,
           f.median - m.median as median, f.noise_sigma - m.noise_sigma as noise_sigma,
           f.fg_fraction - m.fg_fraction as fg_fraction
    from frame f
    join middle m on m.channel is not distinct from f.channel),
spread as materialized (
    select channel,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(focus)), 0.02) as focus,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(p999)), 0.02) as p999,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(median)), 0.02) as median,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(noise_sigma)), 0.02) as noise_sigma,
           greatest(1.4826 * percentile_cont(0.5) within group (order by abs(fg_fraction)), 0.02) as fg_fraction
    from away
    group by channel)
select a.well, a.site, a.channel, n.name as number, round(n.deviations::numeric, 1) as deviations, a.path, a.page,
       a.frame_id
from away a
join spread s on s.channel is not distinct from a.channel
cross join lateral (values ('focus', a.focus / s.focus), ('p999', a.p999 / s.p999), ('median', a.median / s.median),
                           ('noise_sigma', a.noise_sigma / s.noise_sigma),
                           ('fg_fraction', a.fg_fraction / s.fg_fraction)) n(name, deviations)
where n.deviations is not null
order by abs(n.deviations) desc
limit 20;
