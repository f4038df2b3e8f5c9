-- Which wells are empty? Those whose brightest pixels hardly stand out from their background, while the background
-- itself is as bright as elsewhere: the light was on. Field by field: which-fields-are-empty-or-full.sql.
with asked as (select source, plate, last_acquired_at - interval '6 hours' as since, last_acquired_at as until from scopestream.newest_plates where place = 1),
well as materialized (
    select f.well, f.channel, percentile_cont(0.5) within group (order by f.median) as background,
           percentile_cont(0.5) within group (order by f.p999 - f.median) as signal
    from asked a
    join scopestream.features f on f.source = a.source
     and (f.plate = a.plate or f.plate is null
          and f.acquired_at between case when a.plate is null then a.since end and a.until)
    where f.well is not null
    group by f.well, f.channel),
usual as materialized (
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
