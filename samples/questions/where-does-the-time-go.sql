-- Where does the time of a frame go? Each stage from the file's close to the row, of the rows written in the last 30
-- minutes of frames of the last hour: the median and the slowest 5 in 100, in milliseconds, and its share of the whole.
-- Waiting in the queue says there are too few workers; receiving, too thin a network; storing, a slow database.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
frame as materialized (
    select f.closed_at, f.offered_at, f.taken_at, f.received_at, f.decoded_at, f.measured_at, f.stored_at
    from scopestream.frames f
    where f.source = (select source from asked)
      and f.acquired_at between (select until - interval '1 hour' from asked) and (select until from asked)
      and f.stored_at between (select until - interval '30 minutes' from asked)
                          and (select until + interval '1 hour' from asked))
select s.stage, count(s.ms) as frames,
       round(percentile_cont(0.5) within group (order by s.ms)::numeric, 1) as median_ms,
       round(percentile_cont(0.95) within group (order by s.ms)::numeric, 1) as p95_ms,
       round((100 * avg(s.ms) / nullif(max(avg(s.ms)) filter (where s.place = 7) over (), 0))::numeric, 1)
           as percent_of_whole
from frame f
cross join lateral (values
    (1, 'closed to offered', f.closed_at, f.offered_at),
    (2, 'waiting in the queue', f.offered_at, f.taken_at),
    (3, 'receiving the bytes', f.taken_at, f.received_at),
    (4, 'decoding', f.received_at, f.decoded_at),
    (5, 'measuring', f.decoded_at, f.measured_at),
    (6, 'storing', f.measured_at, f.stored_at),
    (7, 'the whole', f.closed_at, f.stored_at)) stage(place, stage, start, stop)
cross join lateral (
    select stage.place, stage.stage, (1000 * extract(epoch from stage.stop - stage.start))::float8 as ms) s
group by s.place, s.stage
order by s.place;
