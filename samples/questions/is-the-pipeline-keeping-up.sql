-- Is the pipeline keeping up? Each of the last 30 minutes: frames whose files were closed and frames whose rows were
-- written, how many waited at its end and how long the one that waited longest had, and how long rows came after their
-- files. Where in falls together with out and nothing waits it keeps up; waiting that grows from minute to minute is
-- more than the workers can do. What has no row yet is in no table: the queue of this moment is told by
-- scopestream-store status and by the metrics, and these last minutes fill up. Frames of the hour before count, each
-- from its own file's time. Stage by stage: where-does-the-time-go.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
span as materialized (
    select source, date_trunc('minute', until) - interval '29 minutes' as first, until from asked),
frame as materialized (
    select distinct on (f.frame_id) f.closed_at, f.stored_at, date_trunc('minute', f.closed_at) as closed_in,
           date_trunc('minute', f.stored_at) as stored_in
    from scopestream.frames f
    where f.source = (select source from span)
      and f.acquired_at between (select until - interval '1 hour' from span) and (select until from span)
      and f.stored_at between (select first from span) and (select until + interval '1 hour' from span)
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
    cross join span s
    cross join lateral generate_series(greatest(f.closed_in, s.first), f.stored_in - interval '1 minute', '1 minute')
        w(minute)
    group by w.minute)
select minute as time, round(sum(closed) / 60.0, 2) as frames_in_per_s,
       round(sum(stored) / 60.0, 2) as frames_out_per_s,
       sum(waiting) as waiting_frames,
       round(extract(epoch from minute + interval '1 minute' - min(oldest)), 1) as oldest_waiting_s,
       round(max(latency_s)::numeric, 2) as latency_p95_s
from minute
where minute >= (select first from span)
group by minute
order by minute;
