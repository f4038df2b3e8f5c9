-- How far is each plate, and how fast do its rows come after its files? The 50 plates imaged last; how fast, of those
-- that are among the last 1000 rows written.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
latency as materialized (
    select source, experiment, plate, percentile_cont(0.5) within group (order by latency_s) as median_s,
           percentile_cont(0.99) within group (order by latency_s) as slowest_s
    from scopestream.newest
    group by source, experiment, plate)
select p.source, p.experiment, p.plate, p.frames, p.ok, p.failed, array_to_string(p.channels, ' ') as channels,
       p.first_acquired_at, p.last_acquired_at, round(l.median_s::numeric, 2) as median_latency_s,
       round(l.slowest_s::numeric, 2) as slowest_1_percent_latency_s
from asked a
join scopestream.plates p on p.last_acquired_at <= a.until
left join latency l on l.source = p.source and l.experiment is not distinct from p.experiment
                   and l.plate is not distinct from p.plate
order by p.last_acquired_at desc
limit 50;
