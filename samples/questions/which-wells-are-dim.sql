-- Which wells got too little light? Cells and background are both far below what is usual: a lamp, a shutter or a
-- filter, not the cells.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
well as materialized (
    select f.well, f.channel, percentile_cont(0.5) within group (order by f.p999 - f.p01) as signal,
           percentile_cont(0.5) within group (order by f.median) as background
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well is not null
    group by f.well, f.channel),
usual as materialized (
    select channel,
           percentile_cont(0.5) within group (order by signal) as signal,
           percentile_cont(0.5) within group (order by background) as background
    from well
    group by channel)
select w.well, w.channel,
       round((100 * w.signal / nullif(u.signal, 0))::numeric, 1) as percent_of_usual_signal,
       round((100 * w.background / nullif(u.background, 0))::numeric, 1) as percent_of_usual_background
from well w
join usual u on u.channel is not distinct from w.channel
where w.signal < u.signal / 3
  and w.background < u.background * 0.8
order by w.signal / nullif(u.signal, 0), w.well;
