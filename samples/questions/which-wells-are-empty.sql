-- Which wells are empty? Those whose brightest pixels hardly stand out from their background, while
-- the background itself is as bright as elsewhere: the light was on.
with newest as (
    select plate from scopestream.frames order by acquired_at desc limit 1),
well as (
    select well, channel, frames, median as background, p999 - median as signal
    from scopestream.wells
    where plate is not distinct from (select plate from newest)),
usual as (
    select channel,
           percentile_cont(0.5) within group (order by background) as background,
           percentile_cont(0.5) within group (order by signal) as signal
    from well
    group by channel)
select w.well, string_agg(w.channel, ', ' order by w.channel) as channels,
       round((100 * max(w.signal / nullif(u.signal, 0)))::numeric, 1) as percent_of_usual_signal
from well w
join usual u on u.channel is not distinct from w.channel
where w.signal < u.signal / 10
  and w.background > u.background * 0.8
group by w.well
order by w.well;
