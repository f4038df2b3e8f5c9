-- Is the pipeline keeping up? Each of the last 30 minutes: frames whose files were closed and frames whose rows were
-- written, how many waited at its end and how long the one that waited longest had, and how long rows came after their
-- files. Where in falls together with out and nothing waits it keeps up; waiting that grows from minute to minute is more
-- than the workers can do. What has no row yet is in no table: the queue of this moment is told by scopestream-store
-- status and by the metrics, and these last minutes fill up. A frame counts from its own file's time: files that were
-- there before ingest show their age. Stage by stage: where-does-the-time-go.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.plates order by last_acquired_at desc limit 1),
frame as materialized (
    select distinct on (f.frame_id) f.closed_at, f.stored_at, date_trunc('minute', f.closed_at) as closed_in,
           date_trunc('minute', f.stored_at) as stored_in, date_trunc('minute', a.until) - interval '29 minutes' as first
    from asked a
    join scopestream.frames f on f.source = a.source
     and f.stored_at between date_trunc('minute', a.until) - interval '29 minutes' and a.until + interval '10 minutes'
    order by f.frame_id, f.stored_at),
minute as (
    select closed_in as minute, count(*) as closed, 0 as stored, null::float8 as latency_s, 0 as waiting,
           null::timestamptz as oldest
    from frame
    group by closed_in
    union all
    select stored_in, 0, count(*),
           percentile_cont(0.95) within group (order by extract(epoch from stored_at - closed_at)), 0, null
    from frame
    group by stored_in
    union all
    select w.minute, 0, 0, null, count(*), min(f.closed_at)
    from frame f
    cross join lateral generate_series(greatest(f.closed_in, f.first), f.stored_in - interval '1 minute', '1 minute')
        w(minute)
    group by w.minute)
select minute as time, round(sum(closed) / 60.0, 2) as frames_in_per_s, round(sum(stored) / 60.0, 2) as frames_out_per_s,
       sum(waiting) as waiting_frames,
       round(extract(epoch from minute + interval '1 minute' - min(oldest)), 1) as oldest_waiting_s,
       round(max(latency_s)::numeric, 2) as latency_p95_s
from minute
where minute >= (select min(first) from frame)
group by minute
order by minute;
