-- How far is each plate, and how fast do its rows come after its files?
select source, plate, frames, ok, broken, vanished, poison, wells,
       last_acquired_at,
       round(latency_p50_s::numeric, 2) as median_latency_s,
       round(latency_p99_s::numeric, 2) as slowest_1_percent_latency_s
from scopestream.progress
order by last_acquired_at desc;
