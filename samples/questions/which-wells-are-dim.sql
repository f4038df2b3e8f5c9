-- Which wells got too little light? Cells and background are both far below what is usual: a lamp, a
-- shutter or a filter, not the cells.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
well as (
    select well, channel, p999 - p01 as signal, median as background
    from scopestream.wells
    where plate is not distinct from (select plate from newest)),
usual as (
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
